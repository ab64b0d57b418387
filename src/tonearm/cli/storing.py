"""``tonearm db``: save the library, bring it back, look for damage; also while a server runs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonearm.cli.common import FAILED, USAGE, AsJson, DatabaseUrl, DataDir, err, flags_given, settings_from

if TYPE_CHECKING:
    from tonearm.settings import Settings

db_app = typer.Typer(help="Save the library, bring it back, look for damage.", no_args_is_help=True)


@db_app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Written over, if it is an earlier backup.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Copy the library into one file, while it is in use.

    The copy holds everything that is known about the music, fingerprints too. The .25d files in the data
    directory say the same once more and need not be saved; the music itself is not touched.
    """
    from tonearm.library import backup as copies

    settings = _settings(data_dir, database_url)
    database = _file(settings, "pg_dump --format=custom --file={file} --dbname={url}", file)
    try:
        size = copies.backup(database, file.resolve())
    except ValueError as error:
        err.print(str(error), style="red", markup=False)
        raise typer.Exit(USAGE) from None
    err.print(f"{file}: {size / 1e6:.1f} MB", markup=False, highlight=False)
    sidecars = settings.data_dir / "fingerprints"
    err.print(f"not part of it, and not needed: the .25d files in {sidecars}", markup=False, highlight=False)


@db_app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Put a backup in the place of the library, which is kept beside it. No server may be running."""
    from tonearm.library import backup as copies

    settings = _settings(data_dir, database_url)
    database = _file(settings, "pg_restore --clean --if-exists --dbname={url} {file}", file)
    kept = copies.restore(database, file.resolve())
    err.print(f"{database}: restored from {file}", markup=False, highlight=False)
    if kept is not None:
        err.print(f"the library that was there is kept: {kept}", markup=False, highlight=False)


@db_app.command()
def check(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Look for damage: pages, rows that name rows that are not there, indexes of words."""
    from tonearm.library import backup as copies

    settings = _settings(data_dir, database_url)
    found = copies.damage(_file(settings, "pg_amcheck --install-missing --heapallindexed {url}", Path()))
    if as_json:
        print(json.dumps({"ok": not found, "problems": found}, indent=2))
    elif found:
        for line in found:
            err.print(line, style="red", markup=False)
    else:
        err.print("no damage found")
    raise typer.Exit(FAILED if found else 0)


def _settings(data_dir: Path | None, database_url: str | None) -> "Settings":
    return settings_from(flags_given(data_dir=data_dir, library={"database_url": database_url}))


def _file(settings: "Settings", instead: str, file: Path) -> Path:
    """The library's file; Postgres has its own programs, of which ``instead`` is the one to use."""
    from tonearm.library.database import library_file

    found = library_file(settings.database_url)
    if found is None:
        command = instead.format(file=file, url="URL")
        err.print(
            f"This library is kept in Postgres, which has its own programs for this: {command}",
            style="red",
            markup=False,
            highlight=False,
        )
        raise typer.Exit(USAGE)
    return found
