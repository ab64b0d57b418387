"""Bring a database to the schema of this program. Forward only."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from tonearm.model.errors import LibraryUnavailable

_HERE: Final = Path(__file__).parent


def upgrade(connection: Connection) -> None:
    """Run what is missing, inside the transaction that ``connection`` is in.

    Raises:
        LibraryUnavailable: the database carries a revision that this program does not know.
    """
    config = _config()
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    current = set(MigrationContext.configure(connection).get_current_heads())
    unknown = current - known_revisions()
    if unknown:
        raise LibraryUnavailable(
            f"the database has revision {', '.join(sorted(unknown))}, which is newer than this program; "
            f"it knows up to {scripts.get_current_head()}. Update the program, or open another database."
        )
    if current != set(scripts.get_heads()):
        command.upgrade(config, "head")


def known_revisions() -> set[str]:
    """Every revision of the schema that this program knows."""
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    return config
