"""What the commands share: the console, the progress bar, exit codes, settings from flags."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tonearm.settings import Settings

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

err = Console(stderr=True)

DataDir = Annotated[Path | None, typer.Option(help="Where the database and the fingerprints are kept.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="Another database than SQLite in the data directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def flags_given(**groups: Any) -> dict[str, Any]:
    """The flags that were really given, as the nested mapping that the settings understand."""
    tree: dict[str, Any] = {}
    for name, value in groups.items():
        if isinstance(value, dict):
            given = {key: item for key, item in value.items() if item not in {None, ()}}
            if given:
                tree[name] = given
        elif value is not None:
            tree[name] = value
    return tree


def settings_from(flags: dict[str, Any]) -> Settings:
    try:
        return Settings(**flags)
    except ValidationError as error:
        for problem in error.errors():
            err.print(
                f"setting {'.'.join(map(str, problem['loc']))}: {problem['msg']}", style="red", markup=False
            )
        raise typer.Exit(USAGE) from None


def folders_named(directories: list[Path] | None) -> tuple[Path, ...]:
    folders = tuple(directory.resolve() for directory in directories or ())
    for folder in folders:
        if not folder.is_dir():
            err.print(f"{folder}: not a folder", style="red", markup=False)
            raise typer.Exit(USAGE)
    return folders


def progress_bar(*, hidden: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=hidden or not err.is_terminal,
    )


@contextmanager
def interrupted_between_steps() -> Iterator[Callable[[], None]]:
    """Let Ctrl-C end the block where it calls what it is given, or at its end, and nowhere else.

    Compiled code is loaded while the work goes on, and a KeyboardInterrupt amid that is lost or crashes the
    process. A second Ctrl-C does not wait.
    """
    asked = False

    def note(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, before)

    def step() -> None:
        if asked:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield step
        step()
    finally:
        signal.signal(signal.SIGINT, before)
