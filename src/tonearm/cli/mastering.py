"""``tonearm master``: files and folders to mastered ones."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tonearm.audio.formats import SUFFIXES, BitDepth
from tonearm.cli.common import FAILED, USAGE, AsJson, err, interrupted_between_steps, progress_bar
from tonearm.model.errors import TonearmError
from tonearm.model.plan import DEFAULT_CEILING_DBTP, DEFAULT_TARGET_LUFS, Preset

if TYPE_CHECKING:
    from tonearm.rendering.folder import Outcome
    from tonearm.rendering.offline import MasterReport

Format = Literal["flac", "wav", "mp3", "opus", "m4a"]


def master(
    source: Annotated[Path, typer.Argument(metavar="IN", exists=True, help="A file, or a folder of them.")],
    destination: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="flac, wav, mp3, opus or m4a, by its suffix; a folder for a folder."
        ),
    ],
    preset: Annotated[Preset, typer.Option()] = Preset.ADAPTIVE,
    intensity: Annotated[float, typer.Option(min=0.0, max=1.0)] = 1.0,
    target_lufs: Annotated[float, typer.Option(min=-40.0, max=-5.0)] = DEFAULT_TARGET_LUFS,
    ceiling: Annotated[float, typer.Option(min=-20.0, max=0.0, help="dBTP")] = DEFAULT_CEILING_DBTP,
    level: Annotated[
        Literal["track", "album"],
        typer.Option(help="Each track by itself, or one level for all that lies below the folder."),
    ] = "track",
    bit_depth: Annotated[BitDepth, typer.Option(help="Of flac (16, 24) and wav.")] = BitDepth.INT24,
    passes: Annotated[
        int, typer.Option(min=1, max=2, help="2 corrects the level by what a first render comes out at.")
    ] = 2,
    output_format: Annotated[Format, typer.Option("--format", help="Of the files of a folder.")] = "flac",
    as_json: AsJson = False,
) -> None:
    """Master a file into another, or a folder into another; the sources are never touched."""
    from tonearm.model.plan import Target
    from tonearm.rendering.folder import master_files
    from tonearm.rendering.offline import Order

    order = Order(
        preset=preset,
        intensity=intensity,
        target=Target(lufs=target_lufs, ceiling_dbtp=ceiling, level=level),
        bit_depth=bit_depth,
        passes=passes,
    )
    outcomes: list[Outcome] = []
    with progress_bar(hidden=as_json) as progress, interrupted_between_steps() as step:
        task = progress.add_task(source.name, total=None)

        def watch(path: Path, done: int, total: int) -> None:
            step()
            progress.update(task, description=path.name, completed=done, total=total)

        try:
            pairs = _pairs(source, destination, f".{output_format}")
            for number, outcome in enumerate(master_files(pairs, order, watch), 1):
                outcomes.append(outcome)
                if source.is_dir() and not as_json:
                    progress.console.print(_line(outcome, number, len(pairs)), markup=False, highlight=False)
        except ValueError as error:
            err.print(str(error), style="red", markup=False)
            raise typer.Exit(USAGE) from None
    _tell(outcomes, as_json=as_json, alone=not source.is_dir())
    raise typer.Exit(FAILED if any(isinstance(one.result, TonearmError) for one in outcomes) else 0)


def _pairs(source: Path, destination: Path, suffix: str) -> list[tuple[Path, Path]]:
    """Sources and destinations.

    Raises:
        ValueError: a folder onto itself or onto a file, or a folder that holds no audio.
    """
    from tonearm.rendering.folder import destinations
    from tonearm.scanning.walk import audio_files

    if not source.is_dir():
        if destination.is_dir():
            raise ValueError(f"{destination} is a folder; wanted a name that ends in {', '.join(SUFFIXES)}")
        return [(source, destination)]
    folder, into = source.resolve(), destination.resolve()
    if into == folder:
        raise ValueError(f"{destination} is the source itself, which is never written to")
    if into.exists() and not into.is_dir():
        raise ValueError(f"{destination} is a file, and {source} is a folder")
    if folder.is_relative_to(into):
        raise ValueError(f"{destination} holds the source {source}; wanted a folder beside or below it")
    # Masters of an earlier time may lie below the source: they are not mastered again.
    files = [file for file in audio_files(folder) if not file.is_relative_to(into)]
    if not files:
        raise ValueError(f"{source}: there is no audio in this folder")
    return destinations(files, folder, into, suffix)


def _tell(outcomes: "list[Outcome]", *, as_json: bool, alone: bool) -> None:
    if as_json:
        described = [_described(outcome) for outcome in outcomes]
        print(json.dumps(described[0] if alone else described, indent=2))
        return
    for outcome in outcomes:
        if isinstance(outcome.result, TonearmError):
            err.print(f"{outcome.source}: {outcome.result}", style="red", markup=False)
        elif alone:
            _print_report(outcome.result)


def _described(outcome: "Outcome") -> dict[str, object]:
    from tonearm.rendering.offline import describe_report

    if isinstance(outcome.result, TonearmError):
        error = {"code": outcome.result.code, "message": str(outcome.result)}
        return {"path": str(outcome.source), "error": error}
    paths = {"path": str(outcome.source), "written": str(outcome.destination)}
    return {**paths, **describe_report(outcome.result)}


def _line(outcome: "Outcome", number: int, count: int) -> str:
    head = f"{number}/{count} {outcome.source.name}: "
    if isinstance(outcome.result, TonearmError):
        return head + outcome.result.sentence
    before, after = outcome.result.before, outcome.result.after
    if before is None or after is None:
        return head + "too little audio to measure, copied as it is"
    return head + (
        f"{before.lufs:.1f} -> {after.lufs:.1f} LUFS, "
        f"{before.true_peak_dbtp:+.1f} -> {after.true_peak_dbtp:+.1f} dBTP"
    )


def _print_report(report: "MasterReport") -> None:
    for name, reason in report.plan.reasons.items():
        print(f"{name:<14}{reason}")
    for word, levels in (("before", report.before), ("after", report.after)):
        if levels is None:
            print(f"{word:<14}too little audio to measure")
            continue
        print(
            f"{word:<14}{levels.lufs:.2f} LUFS, {levels.true_peak_dbtp:.2f} dBTP, "
            f"PLR {levels.plr_db:.2f} dB, LRA {levels.lra_lu:.2f} LU"
        )
