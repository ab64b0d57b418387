"""``tonearm fingerprint``: measure files."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from tonearm.cli.common import FAILED, AsJson, err, interrupted_between_steps, progress_bar
from tonearm.model.errors import TonearmError
from tonearm.model.measures import describe_analysis
from tonearm.model.probe import describe_probe


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

        def measured(path: Path, step: Callable[[], None]) -> dict[str, Any]:  # noqa: ARG001
            return describe_probe(probe_file(path))
    else:
        from tonearm.rendering.measure import measure_file

        def measured(path: Path, step: Callable[[], None]) -> dict[str, Any]:
            return describe_analysis(measure_file(path, lambda _frames: step()))

    results: list[dict[str, Any]] = []
    with progress_bar(hidden=as_json) as progress, interrupted_between_steps() as step:
        files = list(_audio_files(paths))
        task = progress.add_task("measuring", total=len(files))
        for path in files:
            step()
            progress.update(task, description=path.name)
            try:
                results.append({"path": str(path), **measured(path, step)})
            except TonearmError as error:
                results.append({"path": str(path), "error": {"code": error.code, "message": str(error)}})
            progress.advance(task)
    if as_json:
        print(json.dumps(results, indent=2))
    else:
        for result in results:
            _print_fingerprint(result)
    raise typer.Exit(FAILED if any("error" in result for result in results) else 0)


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
