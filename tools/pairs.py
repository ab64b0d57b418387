"""Before and after at equal loudness, to be heard and read: ``make pairs MUSIC=DIR [OUT=DIR]``.

Of each track two FLAC files are written, the source and its master, the louder of them turned down to
the other, so that neither wins by being louder; and ``table.md``, which says what changed and why.
"""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tonearm.audio.decode import inspect
from tonearm.audio.encode import Encoder
from tonearm.audio.extras import read_extras
from tonearm.audio.formats import BitDepth, encoding_for
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.model.errors import TonearmError
from tonearm.model.fingerprint import BAND_NAMES, Fingerprint
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, Preset, Target, untouched
from tonearm.rendering.chunked import ChunkedAudioProcessor
from tonearm.rendering.measure import measure_file
from tonearm.scanning.walk import audio_files

TRACKS: Final = 10
SHORTEST_S: Final = 20.0
_STEP_FRAMES: Final = 1 << 16
_HEAD: Final = (
    "| track | | LUFS | true peak, dBTP | PLR, dB | LRA, LU | PSR P10, dB | crest, dB | "
    + " | ".join(name.removesuffix("_pct").replace("_", " ") + ", %" for name in BAND_NAMES)
    + " |"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One track before and after."""

    name: str
    plan: MasteringPlan
    before: Analysis
    after: Analysis


def rendered(source: Path, into: Path) -> Pair:
    """Master one track, and write both at equal loudness."""
    before = measure_file(source)
    plan = AdaptiveMode().plan(before.fingerprint, before.measures, Preset.ADAPTIVE, 1.0, Target())
    after_path, before_path = (into / f"{source.stem} - {word}.flac" for word in ("after", "before"))
    _write(source, after_path, plan, 0.0)
    after = measure_file(after_path)
    louder_db = after.fingerprint.lufs - before.fingerprint.lufs
    _write(source, before_path, untouched("to compare with"), max(0.0, -louder_db))
    if louder_db > 0:
        _write(source, after_path, plan, louder_db)
    return Pair(source.stem, plan, before, after)


def _write(source: Path, destination: Path, plan: MasteringPlan, down_db: float) -> None:
    factor = 10.0 ** (-down_db / 20.0)
    encoding = encoding_for(destination, BitDepth.INT24)
    with ChunkedAudioProcessor(source, plan) as track:
        layout = "stereo" if track.format.channels > 1 else "mono"
        encoder = Encoder(destination, encoding, track.format, layout, read_extras(source), dithered=False)
        try:
            while len(block := track.read(_STEP_FRAMES)):
                encoder.write((block * factor).astype(block.dtype))
            encoder.close()
        except BaseException:
            encoder.abort()
            raise


def chosen(music: Path) -> list[Path]:
    """Ten tracks long enough to be judged, spread over the folder."""
    long_enough = [path for path in audio_files(music) if _seconds(path) >= SHORTEST_S]
    step = max(1.0, len(long_enough) / TRACKS)
    return [long_enough[int(step * number)] for number in range(min(TRACKS, len(long_enough)))]


def _seconds(path: Path) -> float:
    try:
        info = inspect(path)
    except TonearmError:
        return 0.0
    return info.frames / info.format.rate


def table(pairs: Sequence[Pair]) -> str:
    """What changed, and why, in Markdown."""
    lines = ["# Before and after", "", _HEAD, "|" + " :-- |" * 2 + " --: |" * (6 + len(BAND_NAMES))]
    for pair in pairs:
        lines += [
            _row(pair.name, "before", pair.before),
            _row("", "after", pair.after),
        ]
    for pair in pairs:
        lines += ["", f"## {pair.name}", ""]
        if pair.plan.lwrp is not None:
            lines.append(f"- {pair.plan.lwrp.policy}: {pair.plan.lwrp.reason}")
        lines += [f"- {name}: {reason}" for name, reason in pair.plan.reasons.items()]
    return "\n".join(lines) + "\n"


def _row(name: str, word: str, analysis: Analysis) -> str:
    fingerprint, measures = analysis.fingerprint, analysis.measures
    values = [
        fingerprint.lufs,
        measures.true_peak_dbtp,
        measures.plr_db,
        measures.lra_lu,
        measures.psr_p10_db,
        fingerprint.crest_db,
        *_bands(fingerprint),
    ]
    return f"| {name} | {word} | " + " | ".join(f"{value:.1f}" for value in values) + " |"


def _bands(fingerprint: Fingerprint) -> list[float]:
    return [getattr(fingerprint, name) for name in BAND_NAMES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    tracks = chosen(arguments.music)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        pairs = list(workers.map(rendered, tracks, [arguments.out] * len(tracks)))
    text = table(pairs)
    (arguments.out / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
