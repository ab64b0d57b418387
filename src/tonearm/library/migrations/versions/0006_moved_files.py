"""A file that was moved is found again by what is in it."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("ix_tracks_by_content", "tracks", ["content", "size"])
