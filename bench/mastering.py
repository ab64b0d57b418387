"""The mastering chain, decoding included, beside chains of the same purpose.

Everybody gets the same seven gains and the same level, set so that the limiter has something to do
now and then: 2 dB over the ceiling at the loudest sample.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from bench.contender import Contender, Findings, Stopwatch
from bench.sound import FORMAT, read
from tonearm.audio.decode import Decoder
from tonearm.mastering.chain import Chain
from tonearm.model.fingerprint import BAND_EDGES_HZ
from tonearm.model.plan import DEFAULT_CEILING_DBTP, DEFAULT_TARGET_LUFS, MasteringPlan, MasteringState
from tonearm.rendering.chunked import ChunkedAudioProcessor

if TYPE_CHECKING:
    from pedalboard import Pedalboard

Sound = NDArray[Any]
"""Samples in whatever arrangement their maker has them."""

EQ_DB: Final = (1.5, -1.0, 1.0, -1.5, 0.5, 1.0, -2.0)
CENTRES_HZ: Final = tuple(math.sqrt(low * high) for low, high in pairwise(BAND_EDGES_HZ))
OVER_DB: Final = 2.0
_STEP_FRAMES: Final = FORMAT.rate
_Q: Final = 1.0


def _gain_db(folder: Path) -> float:
    peak = max(float(np.abs(block).max()) for block in read(folder / "sound.wav"))
    return DEFAULT_CEILING_DBTP + OVER_DB - float(20.0 * np.log10(peak))


def _plan(folder: Path) -> MasteringPlan:
    return MasteringPlan(state=MasteringState.FINGERPRINT, eq_db=EQ_DB, gain_db=_gain_db(folder))


def _tonearm(folder: Path, watch: Stopwatch) -> Findings:
    chain = Chain(_plan(folder), FORMAT.rate, FORMAT.channels)
    seconds, limited, peak, reading = 0, 0, 0.0, True
    with Decoder(folder / "sound.wav") as decoder:
        while reading:
            with watch("decoding"):
                block = decoder.read(_STEP_FRAMES)
            reading = bool(len(block))
            with watch("chain"):
                mastered = chain.process(block) if reading else chain.flush()
            seconds += reading
            limited += reading and chain.reduction_db > 0
            peak = max(peak, float(np.abs(mastered).max(initial=0.0)))
    return {"seconds limited, %": 100 * limited / seconds, "peak, dBFS": _db(peak)}


def _as_played(folder: Path, watch: Stopwatch) -> Findings:
    return _timed(_played(folder / "sound.flac", _plan(folder)), watch)


def _pedalboard(folder: Path, watch: Stopwatch) -> Findings:
    import pedalboard

    bands = [pedalboard.PeakFilter(centre, gain, _Q) for centre, gain in zip(CENTRES_HZ, EQ_DB, strict=True)]
    limiter = pedalboard.Limiter(threshold_db=DEFAULT_CEILING_DBTP)
    board = pedalboard.Pedalboard([*bands, pedalboard.Gain(_gain_db(folder)), limiter])
    return _timed(_on_board(folder / "sound.wav", board), watch)


def _ffmpeg(folder: Path, watch: Stopwatch) -> Findings:
    """FFmpeg's own filters, in this process: equalizer, volume, alimiter (sample peaks)."""
    bands = ",".join(
        f"equalizer=f={centre:.1f}:t=q:w={_Q}:g={gain}"
        for centre, gain in zip(CENTRES_HZ, EQ_DB, strict=True)
    )
    ceiling = 10.0 ** (DEFAULT_CEILING_DBTP / 20.0)
    limiter = f"alimiter=limit={ceiling:.4f}:level=disabled"
    filters = f"{bands},volume={_gain_db(folder):.3f}dB,{limiter}"
    return _timed(_through(folder / "sound.wav", filters), watch)


def _loudnorm(folder: Path, watch: Stopwatch) -> Findings:
    """FFmpeg's loudnorm in one pass; it works at 192 kHz."""
    filters = f"loudnorm=I={DEFAULT_TARGET_LUFS}:TP={DEFAULT_CEILING_DBTP}"
    return _timed(_through(folder / "sound.wav", filters), watch)


def _timed(blocks: Iterator[Sound], watch: Stopwatch) -> Findings:
    """Time the making of the blocks, and nothing that is done with them."""
    peak = 0.0
    while True:
        with watch("whole"):
            block = next(blocks, None)
        if block is None:
            return {"peak, dBFS": _db(peak)}
        peak = max(peak, float(np.abs(block).max(initial=0.0)))


def _played(path: Path, plan: MasteringPlan) -> Iterator[Sound]:
    processor = ChunkedAudioProcessor(path, plan)
    while len(block := processor.read(_STEP_FRAMES)):
        yield block
    processor.close()


def _on_board(path: Path, board: "Pedalboard") -> Iterator[Sound]:
    from pedalboard.io import AudioFile

    with AudioFile(str(path)) as file:
        while file.tell() < file.frames:
            yield board(file.read(_STEP_FRAMES), FORMAT.rate, reset=False)


def _through(path: Path, filters: str) -> Iterator[Sound]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        graph = av.filter.Graph()
        graph.threads = 1
        nodes = [graph.add_abuffer(template=stream)]
        for each in filters.split(","):
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
            yield graph.pull().to_ndarray()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _db(peak: float) -> float:
    return float(20.0 * np.log10(peak))


TONEARM: Final = Contender("Tonearm", "tonearm", "seven bands, gain, exact true-peak limiter", _tonearm)
CONTENDERS: Final = (
    TONEARM,
    Contender("Tonearm, as a play does it", "tonearm", "the same, from FLAC", _as_played),
    Contender("pedalboard", "pedalboard", "seven bands, gain, `Limiter` (no true peak)", _pedalboard),
    Contender("FFmpeg filters, PyAV", "av", "seven bands, gain, `alimiter` (no true peak)", _ffmpeg),
    Contender("FFmpeg loudnorm, PyAV", "av", "loudness and true peak at 192 kHz, no equaliser", _loudnorm),
)
