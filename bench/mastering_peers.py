"""What others make of the same sound: FFmpeg's filters, pedalboard, matchering."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from bench.contender import Contender, Findings, Stopwatch
from bench.sound import FORMAT, read
from bench.truepeak import true_peak_dbtp
from tonearm.model.fingerprint import BAND_EDGES_HZ
from tonearm.model.plan import DEFAULT_CEILING_DBTP, DEFAULT_TARGET_LUFS

if TYPE_CHECKING:
    from pedalboard import Plugin

Sound = NDArray[Any]
"""Samples ``[frames, channels]``."""

EQ_DB: Final = (1.5, -1.0, 1.0, -1.5, 0.5, 1.0, -2.0)
CENTRES_HZ: Final = tuple(math.sqrt(low * high) for low, high in pairwise(BAND_EDGES_HZ))
OVER_DB: Final = 6.0
_CEILING: Final = 10.0 ** (DEFAULT_CEILING_DBTP / 20.0)
_STEP_FRAMES: Final = FORMAT.rate
_Q: Final = 1.0
_UP: Final = 4


def gain_db(folder: Path) -> float:
    """The gain that lifts the loudest sample ``OVER_DB`` over the ceiling."""
    peak = max(float(np.abs(block).max()) for block in read(folder / "sound.wav"))
    return DEFAULT_CEILING_DBTP + OVER_DB - float(20.0 * np.log10(peak))


def timed(blocks: Iterator[Sound], watch: Stopwatch) -> Findings:
    """Time the making of the blocks, and nothing that is done with them."""
    out = []
    while True:
        with watch("whole"):
            block = next(blocks, None)
        if block is None:
            return {"dBTP": true_peak_dbtp(out)}
        out.append(block)


def _ffmpeg(folder: Path, watch: Stopwatch) -> Findings:
    """FFmpeg's own filters, in this process: equalizer, volume, alimiter (sample peaks)."""
    return timed(_through(folder / "sound.wav", [*_equalizers(folder), _ALIMITER]), watch)


def _ffmpeg_oversampled(folder: Path, watch: Stopwatch) -> Findings:
    """The same with the limiter between a resampler to 4x and one back."""
    inside = [f"aresample={_UP * FORMAT.rate}", _ALIMITER, f"aresample={FORMAT.rate}"]
    return timed(_through(folder / "sound.wav", [*_equalizers(folder), *inside]), watch)


def _loudnorm(folder: Path, watch: Stopwatch) -> Findings:
    """FFmpeg's loudnorm in one pass; it works at 192 kHz, and is brought back to the file's rate."""
    loudnorm = f"loudnorm=I={DEFAULT_TARGET_LUFS}:TP={DEFAULT_CEILING_DBTP}"
    return timed(_through(folder / "sound.wav", [loudnorm, f"aresample={FORMAT.rate}"]), watch)


_ALIMITER: Final = f"alimiter=limit={_CEILING:.4f}:level=disabled"


def _equalizers(folder: Path) -> list[str]:
    bands = [
        f"equalizer=f={centre:.1f}:t=q:w={_Q}:g={gain}"
        for centre, gain in zip(CENTRES_HZ, EQ_DB, strict=True)
    ]
    return [*bands, f"volume={gain_db(folder):.3f}dB"]


def _through(path: Path, filters: Sequence[str]) -> Iterator[Sound]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        graph = av.filter.Graph()
        graph.threads = 1
        nodes = [graph.add_abuffer(template=stream)]
        for each in filters:
            name, _, arguments = each.partition("=")
            nodes.append(graph.add(name, arguments))
        nodes.append(graph.add("aformat", "sample_fmts=flt"))
        nodes.append(graph.add("abuffersink"))
        for one, other in pairwise(nodes):
            one.link_to(other)
        graph.configure()
        for frame in (*container.decode(stream), None):
            graph.push(frame)
            yield from _pulled(graph)


def _pulled(graph: av.filter.Graph) -> Iterator[Sound]:
    while True:
        try:
            yield graph.pull().to_ndarray().reshape(-1, FORMAT.channels)
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _limiter(folder: Path, watch: Stopwatch) -> Findings:
    import pedalboard

    return _pedalboard(folder, [pedalboard.Limiter(threshold_db=DEFAULT_CEILING_DBTP)], watch)


def _brick_wall(folder: Path, watch: Stopwatch) -> Findings:
    return _pedalboard(folder, [_true_peak_brick_wall()], watch)


def _compressor_and_brick_wall(folder: Path, watch: Stopwatch) -> Findings:
    import pedalboard

    compressor = pedalboard.Compressor(threshold_db=-18.0, ratio=2.0, attack_ms=10.0, release_ms=150.0)
    return _pedalboard(folder, [compressor, _true_peak_brick_wall()], watch)


def _true_peak_brick_wall() -> "Plugin":
    import pedalboard

    return pedalboard.BrickwallLimiter(ceiling_db=DEFAULT_CEILING_DBTP, true_peak=True)


def _pedalboard(folder: Path, end: "Sequence[Plugin]", watch: Stopwatch) -> Findings:
    import pedalboard
    from pedalboard.io import AudioFile

    bands = [pedalboard.PeakFilter(centre, gain, _Q) for centre, gain in zip(CENTRES_HZ, EQ_DB, strict=True)]
    board = pedalboard.Pedalboard([*bands, pedalboard.Gain(gain_db(folder)), *end])

    def blocks() -> Iterator[Sound]:
        with AudioFile(str(folder / "sound.wav")) as file:
            while file.tell() < file.frames:
                yield board(file.read(_STEP_FRAMES), FORMAT.rate, reset=False).T

    return timed(blocks(), watch)


def _matchering(folder: Path, watch: Stopwatch) -> Findings:
    """Match to the same sound, raised as for the others and clipped there; limit at the ceiling."""
    import matchering
    import soundfile

    reference, result = folder / "reference.wav", folder / "matched.wav"
    if not reference.exists():
        loud = np.concatenate(read(folder / "sound.wav")) * np.float32(10.0 ** (gain_db(folder) / 20.0))
        soundfile.write(reference, np.clip(loud, -1.0, 1.0), FORMAT.rate, "PCM_16")
    config = matchering.Config(threshold=_CEILING)
    with watch("whole"):
        matchering.process(
            str(folder / "sound.wav"),
            str(reference),
            [matchering.Result(str(result), "FLOAT", use_limiter=True, normalize=False)],
            config,
        )
    return {"dBTP": true_peak_dbtp([soundfile.read(result, dtype="float32")[0]])}


CONTENDERS: Final = (
    Contender("FFmpeg filters, PyAV", "av", "seven bands, gain, `alimiter` (no true peak)", _ffmpeg),
    Contender(
        "FFmpeg filters at 4x, PyAV",
        "av",
        "seven bands, gain, `aresample` to 4x, `alimiter`, `aresample` back",
        _ffmpeg_oversampled,
    ),
    Contender("FFmpeg loudnorm, PyAV", "av", "loudness and true peak at 192 kHz, no equaliser", _loudnorm),
    Contender("pedalboard", "pedalboard", "seven bands, gain, `Limiter` (no true peak)", _limiter),
    Contender(
        "pedalboard, brick wall",
        "pedalboard",
        "seven bands, gain, `BrickwallLimiter(true_peak=True)`",
        _brick_wall,
    ),
    Contender(
        "pedalboard, compressor and brick wall",
        "pedalboard",
        "seven bands, gain, `Compressor`, `BrickwallLimiter(true_peak=True)`",
        _compressor_and_brick_wall,
    ),
    Contender("matchering", "matchering", "matches spectrum and level to a reference, limits", _matchering),
)
