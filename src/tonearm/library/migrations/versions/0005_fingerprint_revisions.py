"""Fingerprints carry the number of their arrival, so that what is held of them in memory can be kept true."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    number = sa.BigInteger()
    op.add_column("analyses", sa.Column("revision", number, nullable=False, server_default="0"))
    op.create_index("ix_analyses_revision", "analyses", ["revision"])
    op.add_column("library_state", sa.Column("fingerprints", number, nullable=False, server_default="0"))
