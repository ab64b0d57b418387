"""The command line: serve, scan, fingerprint, master, fingerprint-server, config.

Exit codes: 0 done, 1 some files failed (each named), 2 usage. Every command loads only the
parts that it needs.
"""

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import tonearm
from tonearm.model.errors import TonearmError
from tonearm.model.measures import describe_analysis
from tonearm.model.plan import DEFAULT_CEILING_DBTP, DEFAULT_TARGET_LUFS, Preset
from tonearm.model.probe import describe_probe
from tonearm.settings import Settings, UnusableSetting, explain

if TYPE_CHECKING:
    from tonearm.rendering.offline import MasterReport
    from tonearm.scanning.report import ScanReport

app = typer.Typer(
    name="tonearm",
    help="A self-hosted music server that masters your own library while it plays.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="Look at the settings.", no_args_is_help=True)
app.add_typer(config_app, name="config")

FAILED, USAGE, INTERRUPTED = 1, 2, 130
err = Console(stderr=True)

DataDir = Annotated[Path | None, typer.Option(help="Where the database and the fingerprints are kept.")]
DatabaseUrl = Annotated[str | None, typer.Option(help="Another database than SQLite in the data directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class BitDepth(StrEnum):
    """Sample format of a WAV or FLAC file."""

    INT16 = "16"
    INT24 = "24"
    FLOAT32 = "32f"


def _flags(**groups: Any) -> dict[str, Any]:
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


def _settings(flags: dict[str, Any]) -> Settings:
    try:
        return Settings(**flags)
    except ValidationError as error:
        for problem in error.errors():
            err.print(
                f"setting {'.'.join(map(str, problem['loc']))}: {problem['msg']}", style="red", markup=False
            )
        raise typer.Exit(USAGE) from None


def _folders(directories: list[Path] | None) -> tuple[Path, ...]:
    folders = tuple(directory.resolve() for directory in directories or ())
    for folder in folders:
        if not folder.is_dir():
            err.print(f"{folder}: not a folder", style="red", markup=False)
            raise typer.Exit(USAGE)
    return folders


def _tell_version(asked: bool) -> None:
    if asked:
        print(f"tonearm {tonearm.__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A self-hosted music server that masters your own library while it plays."""


@app.command()
def serve(
    directories: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR]...", help="Folders of music.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (8765).")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    fingerprint_server: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Use this fingerprint server instead of an own one."),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further name that this server is called by.")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Serve the music in the given folders, mastered while it plays."""
    settings = _settings(
        _flags(
            data_dir=data_dir,
            library={"roots": _folders(directories), "database_url": database_url},
            server={"host": host, "port": port, "allow_hosts": tuple(allow_host or ())},
            fingerprints={"server": fingerprint_server},
        )
    )
    from tonearm import bootstrap

    raise typer.Exit(bootstrap.serve(settings, open_page=open_page))


@app.command()
def scan(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of music.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take the files of the given folders into the library, and leave."""
    settings = _settings(
        _flags(data_dir=data_dir, library={"roots": _folders(directories), "database_url": database_url})
    )
    from tonearm import bootstrap
    from tonearm.scanning.jobs import describe_report

    with _progress(hidden=as_json) as progress:
        task = progress.add_task("scanning", total=None)
        report: ScanReport | None = None
        for step in bootstrap.scan(settings):
            report = step.report
            progress.update(task, completed=step.current, total=step.total, description=step.phase)
    assert report is not None  # the last step carries it
    if as_json:
        print(json.dumps(describe_report(report), indent=2))
    else:
        err.print(
            f"{report.added} added, {report.updated} updated, {report.skipped} unchanged, "
            f"{report.missing} missing, {report.failed} failed in {report.duration_s:.1f} s"
        )
        for failure in report.failures:
            err.print(f"{failure.name}: {failure.sentence}", style="red", markup=False)
    raise typer.Exit(FAILED if report.failed else 0)


@app.command()
def fingerprint(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE|DIR...", help="Files, or folders of them.")],
    probe: Annotated[
        bool, typer.Option("--probe", help="A first impression from some windows, in 80 ms a file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure files: the 25 numbers and what travels with them."""
    if probe:
        from tonearm.analysis.probe import warm
        from tonearm.rendering.probing import probe_file

        warm()

        def measured(path: Path) -> dict[str, Any]:
            return describe_probe(probe_file(path))
    else:
        from tonearm.rendering.measure import measure_file

        def measured(path: Path) -> dict[str, Any]:
            return describe_analysis(measure_file(path))

    results: list[dict[str, Any]] = []
    with _progress(hidden=as_json) as progress:
        files = list(_audio_files(paths))
        task = progress.add_task("measuring", total=len(files))
        for path in files:
            progress.update(task, description=path.name)
            try:
                results.append({"path": str(path), **measured(path)})
            except TonearmError as error:
                results.append({"path": str(path), "error": {"code": error.code, "message": str(error)}})
            progress.advance(task)
    if as_json:
        print(json.dumps(results, indent=2))
    else:
        for result in results:
            _print_fingerprint(result)
    raise typer.Exit(FAILED if any("error" in result for result in results) else 0)


@app.command()
def master(
    source: Annotated[Path, typer.Argument(metavar="IN", exists=True, dir_okay=False)],
    destination: Annotated[
        Path, typer.Argument(metavar="OUT", help="flac, wav, mp3, opus or m4a, by its suffix.")
    ],
    preset: Annotated[Preset, typer.Option()] = Preset.ADAPTIVE,
    intensity: Annotated[float, typer.Option(min=0.0, max=1.0)] = 1.0,
    target_lufs: Annotated[float, typer.Option(min=-40.0, max=-5.0)] = DEFAULT_TARGET_LUFS,
    ceiling: Annotated[float, typer.Option(min=-20.0, max=0.0, help="dBTP")] = DEFAULT_CEILING_DBTP,
    bit_depth: Annotated[BitDepth, typer.Option()] = BitDepth.INT24,
    as_json: AsJson = False,
) -> None:
    """Master one file into another; the file itself is never touched."""
    from tonearm.model.plan import Target
    from tonearm.rendering.offline import describe_report, master_file

    with _progress(hidden=as_json) as progress:
        task = progress.add_task(source.name, total=None)
        try:
            report = master_file(
                source,
                destination,
                preset=preset,
                intensity=intensity,
                target=Target(lufs=target_lufs, ceiling_dbtp=ceiling),
                bit_depth=bit_depth.value,
                on_progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        except ValueError as error:
            err.print(str(error), style="red", markup=False)
            raise typer.Exit(USAGE) from None
        except TonearmError as error:
            if as_json:
                print(json.dumps({"path": str(source), "error": {"code": error.code, "message": str(error)}}))
            else:
                err.print(f"{source}: {error}", style="red", markup=False)
            raise typer.Exit(FAILED) from None
    if as_json:
        print(json.dumps(describe_report(report), indent=2))
    else:
        _print_report(report)


@app.command("fingerprint-server")
def fingerprint_server(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT")] = "127.0.0.1:50051",
    root: Annotated[list[Path] | None, typer.Option(help="Measure only files below this folder.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 2,
) -> None:
    """Run the gRPC fingerprint service alone."""
    from tonearm.fingerprints.service.server import run_server
    from tonearm.logs import configure_logging

    settings = _settings({})
    configure_logging(settings.log.level, settings.log.format)
    raise typer.Exit(run_server(listen, _folders(root), workers))


@config_app.command("show")
def config_show(as_json: AsJson = False) -> None:
    """Every setting, its value and where it came from; secrets are hidden."""
    rows = explain(_settings({}), {})
    if as_json:
        print(
            json.dumps(
                [{"name": row.name, "value": row.value, "origin": row.origin} for row in rows], indent=2
            )
        )
        return
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(f"{row.name:<{width}}  {row.value!s:<40}  {row.origin}")


def _progress(*, hidden: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=hidden or not err.is_terminal,
    )


def _audio_files(paths: list[Path]) -> Iterator[Path]:
    """The files named, and the audio files below the folders named."""
    from tonearm.scanning.walk import audio_files

    for path in paths:
        if path.is_dir():
            yield from audio_files(path)
        else:
            yield path


def _print_fingerprint(result: dict[str, Any]) -> None:
    if "error" in result:
        err.print(f"{result['path']}: {result['error']['message']}", style="red", markup=False)
        return
    print(result["path"])
    probe = result.get("probe", {})
    for values in (
        result.get("fingerprint", {}),
        result.get("measures", {}),
        probe.get("bands_pct", {}),
        probe,
    ):
        for name, value in values.items():
            if isinstance(value, (int, float)):
                print(f"  {name:<26}{value:>12.3f}")


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


def run() -> int:
    """Entry of the ``tonearm`` command; Ctrl-C leaves quietly."""
    try:
        app()
    except KeyboardInterrupt:
        return INTERRUPTED
    except UnusableSetting as error:
        err.print(str(error), style="red", markup=False)
        return USAGE
    except TonearmError as error:
        err.print(str(error) or error.sentence, style="red", markup=False)
        return FAILED
    return 0


def main() -> None:
    sys.exit(run())
