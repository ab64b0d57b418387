"""Failures remember the algorithm that failed, so that the next one tries again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("analyses", sa.Column("failed_version", sa.Integer(), nullable=True))
    # What failed beside an older fingerprint did not say of which algorithm: it is tried once more.
    op.execute("UPDATE analyses SET failed_version = algorithm_version WHERE status = 'error'")
