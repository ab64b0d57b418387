"""The command line: serve, scan, fingerprint, master, fingerprint-server, db, config.

Exit codes: 0 done, 1 some files failed (each named), 2 usage. Every command loads only the
parts that it needs.
"""

import faulthandler
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import tonearm
from tonearm.cli.common import (
    FAILED,
    INTERRUPTED,
    USAGE,
    AsJson,
    DatabaseUrl,
    DataDir,
    err,
    flags_given,
    folders_named,
    progress_bar,
    settings_from,
)
from tonearm.cli.mastering import master
from tonearm.cli.measuring import fingerprint
from tonearm.cli.storing import db_app
from tonearm.model.errors import TonearmError
from tonearm.settings import UnusableSetting, explain

if TYPE_CHECKING:
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
app.add_typer(db_app, name="db")
app.command()(fingerprint)
app.command()(master)


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
    settings = settings_from(
        flags_given(
            data_dir=data_dir,
            library={"roots": folders_named(directories), "database_url": database_url},
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
    settings = settings_from(
        flags_given(
            data_dir=data_dir, library={"roots": folders_named(directories), "database_url": database_url}
        )
    )
    from tonearm import bootstrap
    from tonearm.scanning.jobs import describe_report

    with progress_bar(hidden=as_json) as progress:
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


@app.command("fingerprint-server")
def fingerprint_server(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT")] = "127.0.0.1:50051",
    root: Annotated[list[Path] | None, typer.Option(help="Measure only files below this folder.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 2,
) -> None:
    """Run the gRPC fingerprint service alone."""
    from tonearm.fingerprints.service.server import run_server
    from tonearm.logs import configure_logging

    settings = settings_from({})
    configure_logging(settings.log.level, settings.log.format)
    raise typer.Exit(run_server(listen, folders_named(root), workers))


@config_app.command("show")
def config_show(as_json: AsJson = False) -> None:
    """Every setting, its value and where it came from; secrets are hidden."""
    rows = explain(settings_from({}), {})
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
    # Should the decoder or compiled code crash the process, it says where.
    faulthandler.enable()
    sys.exit(run())
