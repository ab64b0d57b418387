"""How the cost grows: with length, rate, channels, the size of the library and the number of listeners.

CPU seconds and memory are those of a process of its own for every point, bound to one core, after the same
work on ten seconds of the same format. The pictures are ``docs/pictures/growth-*.svg``. The listeners are
not played to once more: their figures are those of the section "Streaming".
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import large, library, machine, sound
from bench.measure import core
from bench.table import table
from tonearm.library.database import open_library
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, Preset, Target
from tonearm.rendering.chunked import ChunkedAudioProcessor
from tonearm.rendering.measure import measure_file

MINUTES: Final = (1, 4, 15, 60, 180)
RATES: Final = (8_000, 22_050, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
CHANNELS: Final = (1, 2, 6)
TRACKS: Final = (5_000, 50_000, 500_000)
_FORMAT_S: Final = 60
_WARM_UP_S: Final = 10
_QUESTIONS: Final = ("tracks by title, anywhere", "search for a word", "albums by title, anywhere")
_ROOT: Final = Path(__file__).parents[1]
PICTURES: Final = _ROOT / "docs" / "pictures"
_LISTENERS: Final = re.compile(r"^\| \d+ \| \d+.*$", re.MULTILINE)
_WORKS: Final = ("fingerprint", "mastering")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one point: CPU seconds of the work, and the most memory that its process ever had."""

    cpu_s: float
    memory_mb: float


def measure(folder: Path) -> str:
    """Everything, in Markdown; the pictures are written."""
    load, samples = machine.load(), sound.source().samples
    lengths = {minutes: _costs(_long(folder, samples, minutes)) for minutes in MINUTES}
    rates = {rate: _costs(_resampled(folder, samples, rate)) for rate in RATES}
    channels = {count: _costs(_spread(folder, samples, count)) for count in CHANNELS}
    sizes = {count: _answers(folder, count) for count in TRACKS}
    carried = _carried()
    _draw(lengths, rates, channels, sizes, carried)
    return "\n\n".join(
        (
            "## How the cost grows",
            "`make bench-growth`. CPU seconds on one core, decoding (16-bit WAV) included, and the most"
            " memory of the process that did it, its Python and libraries among it; the library is SQLite."
            f" In the minute before, {load:.1f} processes wanted a core.",
            _pictured("length", "CPU seconds over minutes of sound, and memory"),
            _length_table(lengths),
            "**With length** the cost grows as its power of"
            f" {_exponent(lengths, 'fingerprint'):.2f} (fingerprint) and"
            f" {_exponent(lengths, 'mastering'):.2f} (mastering) from first to last row; 1 is linear.",
            _pictured("format", "CPU seconds for a minute over rate and channels"),
            _format_table(rates, channels),
            _pictured("library", "Milliseconds at the 95th percentile over the tracks of a library"),
            table(
                ("tracks", *(f"{name}, p95, ms" for name in (*_QUESTIONS, "similar tracks"))),
                [
                    (f"{count:,}", *(f"{each:.1f}" for each in found.values()))
                    for count, found in sizes.items()
                ],
            ),
            _pictured("listeners", "Cores of the server over listeners"),
        )
    )


# ---- the sound ---------------------------------------------------------------------------------------


def _long(folder: Path, samples: Any, minutes: int) -> Path:
    rate = sound.FORMAT.rate
    frames = 60 * minutes * rate
    return _written(folder, _repeated(samples, frames), rate, sound.FORMAT.channels)


def _resampled(folder: Path, samples: Any, rate: int) -> Path:
    from scipy.signal import resample_poly

    part = samples[: _FORMAT_S * sound.FORMAT.rate]
    divisor = np.gcd(rate, sound.FORMAT.rate)
    made = resample_poly(part, rate // divisor, sound.FORMAT.rate // divisor, axis=0)
    return _written(folder, iter([made]), rate, 2)


def _spread(folder: Path, samples: Any, channels: int) -> Path:
    part = samples[: _FORMAT_S * sound.FORMAT.rate]
    # Each pair a second behind the one before, so that no two channels are alike.
    many = [np.roll(part, n * sound.FORMAT.rate, axis=0) for n in range(-(-channels // 2))]
    return _written(folder, iter([np.concatenate(many, axis=1)[:, :channels]]), sound.FORMAT.rate, channels)


def _repeated(samples: Any, frames: int) -> Iterator[Any]:
    while frames > 0:
        yield samples[:frames]
        frames -= len(samples)


def _written(folder: Path, parts: Iterator[Any], rate: int, channels: int) -> Path:
    """``whole.wav`` and its beginning, ``start.wav``; those of the point before are overwritten."""
    import soundfile

    first = next(parts)
    for name, sounding in (("start", [first[: _WARM_UP_S * rate]]), ("whole", chain([first], parts))):
        path = folder / f"{name}.wav"
        with soundfile.SoundFile(path, "w", rate, channels, "PCM_16", format="WAVEX") as file:
            for part in sounding:
                file.write(part)
    return folder


# ---- what it costs -----------------------------------------------------------------------------------


def _costs(folder: Path) -> dict[str, Cost]:
    return {name: _cost(name, folder) for name in _WORKS}


def _cost(name: str, folder: Path) -> Cost:
    command = [sys.executable, "-m", "bench.growth", name, str(core()), str(folder)]
    alone = {f"{kind}_NUM_THREADS": "1" for kind in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    done = subprocess.run(command, cwd=_ROOT, env={**os.environ, **alone}, stdout=subprocess.PIPE, check=True)
    cost = Cost(**json.loads(done.stdout.splitlines()[-1]))
    sys.stderr.write(f"growth: {name} {cost}\n")
    return cost


def _fingerprint(path: Path, _: Analysis) -> None:
    measure_file(path)


def _mastering(path: Path, analysis: Analysis) -> None:
    plan: MasteringPlan = AdaptiveMode().plan(
        analysis.fingerprint, analysis.measures, Preset.ADAPTIVE, 1.0, Target()
    )
    processor = ChunkedAudioProcessor(path, plan)
    while len(processor.read(sound.FORMAT.rate // 2)):
        pass
    processor.close()


def one() -> None:
    """One point, in this process; its cost as JSON."""
    name, bound_to, folder = sys.argv[1:]
    os.sched_setaffinity(0, {int(bound_to)})
    work: Callable[[Path, Analysis], None] = _fingerprint if name == "fingerprint" else _mastering
    analysis = measure_file(Path(folder, "start.wav"))
    work(Path(folder, "start.wav"), analysis)
    began = time.process_time()
    work(Path(folder, "whole.wav"), analysis)
    spent = time.process_time() - began
    # Not getrusage, which counts what the process was forked from.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    most = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    print(json.dumps({"cpu_s": spent, "memory_mb": most / 1024}))


def _answers(folder: Path, count: int) -> dict[str, float]:
    place = f"sqlite:///{folder / f'{count}.db'}"
    large.fill(place, count)
    opened = open_library(place)
    try:
        return library.p95_ms(opened, count, _QUESTIONS)
    finally:
        opened.close()


def _carried() -> list[tuple[int, float, float]]:
    """Listeners, cores of the server, and megabytes a listener, as the document has them."""
    text = (_ROOT / "docs" / "bench.md").read_text(encoding="utf-8")
    section = text.split("### Listeners at a time")[1].split("###")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in _LISTENERS.findall(section)]
    return [(int(row[0]), float(row[5]), float(row[7])) for row in rows]


# ---- in words and pictures ---------------------------------------------------------------------------


def _exponent(lengths: Mapping[int, dict[str, Cost]], name: str) -> float:
    first, last = min(lengths), max(lengths)
    return float(np.log(lengths[last][name].cpu_s / lengths[first][name].cpu_s) / np.log(last / first))


def _pictured(name: str, text: str) -> str:
    return f"![{text}](pictures/growth-{name}.svg)"


def _length_table(lengths: Mapping[int, dict[str, Cost]]) -> str:
    heading = ("minutes", *(f"{name}, {what}" for name in _WORKS for what in ("CPU s", "x real time", "MB")))
    rows = [
        (
            str(minutes),
            *(
                cell
                for name in _WORKS
                for cell in (
                    f"{costs[name].cpu_s:.2f}",
                    f"{60 * minutes / costs[name].cpu_s:.0f}",
                    f"{costs[name].memory_mb:.0f}",
                )
            ),
        )
        for minutes, costs in lengths.items()
    ]
    return table(heading, rows)


def _format_table(rates: Mapping[int, dict[str, Cost]], channels: Mapping[int, dict[str, Cost]]) -> str:
    def row(what: str, costs: dict[str, Cost]) -> tuple[str, ...]:
        return (what, *(f"{costs[name].cpu_s:.3f}" for name in _WORKS))

    rows = [row(f"{rate / 1000:g} kHz, stereo", costs) for rate, costs in rates.items()]
    rows += [row(f"44.1 kHz, {count} channel{'s' * (count > 1)}", costs) for count, costs in channels.items()]
    return table(("a minute of", *(f"{name}, CPU s" for name in _WORKS)), rows)


def _draw(
    lengths: Mapping[int, dict[str, Cost]],
    rates: Mapping[int, dict[str, Cost]],
    channels: Mapping[int, dict[str, Cost]],
    sizes: Mapping[int, dict[str, float]],
    carried: Sequence[tuple[int, float, float]],
) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    grey = "#808080"
    colours = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    pyplot.rcParams.update(
        dict.fromkeys(colours, grey) | {"svg.hashsalt": "tonearm", "svg.fonttype": "none", "font.size": 10}
    )

    def figure(name: str, *panels: Callable[[Any], None]) -> None:
        drawn, axes = pyplot.subplots(1, len(panels), figsize=(9, 3.4), squeeze=False, layout="constrained")
        for panel, axis in zip(panels, axes[0], strict=True):
            panel(axis)
            axis.grid(True, color=grey, alpha=0.25)
            axis.spines[["top", "right"]].set_visible(False)
        drawn.savefig(PICTURES / f"growth-{name}.svg", transparent=True, metadata={"Date": None})
        pyplot.close(drawn)

    def lines(
        points: Mapping[int, Mapping[str, float]], x: str, y: str, *, log: bool = True
    ) -> Callable[[Any], None]:
        def panel(axis: Any) -> None:
            for name in next(iter(points.values())):
                axis.plot(list(points), [found[name] for found in points.values()], "o-", label=name)
            if log:
                axis.set(xscale="log", yscale="log")
            else:
                axis.set_ylim(0)
            axis.set(xlabel=x, ylabel=y, xticks=list(points))
            axis.set_xticklabels([f"{at:,}" for at in points])
            axis.minorticks_off()
            axis.legend(frameon=False)

        return panel

    def seconds(points: Mapping[int, dict[str, Cost]]) -> dict[int, dict[str, float]]:
        return {at: {name: cost.cpu_s for name, cost in costs.items()} for at, costs in points.items()}

    memory = {at: {name: cost.memory_mb for name, cost in costs.items()} for at, costs in lengths.items()}
    figure(
        "length",
        lines(seconds(lengths), "minutes", "CPU seconds"),
        lines(memory, "minutes", "memory of the process, MB", log=False),
    )
    some = {
        rate // 1000: cost for rate, cost in seconds(rates).items() if rate not in {44_100, 88_200, 176_400}
    }
    figure(
        "format",
        lines(some, "kHz", "CPU seconds for a minute", log=False),
        lines(seconds(channels), "channels", "CPU seconds for a minute", log=False),
    )
    figure("library", lines(sizes, "tracks", "p95, ms"))
    cores = {count: {"the server": used} for count, used, _ in carried}
    megabytes = {count: {"PSS of the server": used} for count, _, used in carried}
    figure(
        "listeners",
        lines(cores, "listeners", "cores", log=False),
        lines(megabytes, "listeners", "MB", log=False),
    )


if __name__ == "__main__":
    one()
