"""The mastering chain, decoding included, beside chains of the same purpose.

Everybody gets the same seven gains and the same level, set so that the limiter has work: the loudest
sample would stand 6 dB over the ceiling.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench import mastering_peers
from bench.contender import Contender, Findings, Stopwatch
from bench.mastering_peers import EQ_DB, Sound, gain_db, timed
from bench.sound import FORMAT
from bench.truepeak import true_peak_dbtp
from tonearm.audio.decode import Decoder
from tonearm.mastering.chain import Chain
from tonearm.model.plan import MasteringPlan, MasteringState
from tonearm.rendering.chunked import ChunkedAudioProcessor

_STEP_FRAMES: Final = FORMAT.rate


def _plan(folder: Path) -> MasteringPlan:
    return MasteringPlan(state=MasteringState.FINGERPRINT, eq_db=EQ_DB, gain_db=gain_db(folder))


def _tonearm(folder: Path, watch: Stopwatch) -> Findings:
    chain = Chain(_plan(folder), FORMAT.rate, FORMAT.channels)
    seconds, limited, reading = 0, 0, True
    out = []
    with Decoder(folder / "sound.wav") as decoder:
        while reading:
            with watch("decoding"):
                block = decoder.read(_STEP_FRAMES)
            reading = bool(len(block))
            with watch("chain"):
                mastered = chain.process(block) if reading else chain.flush()
            seconds += reading
            limited += reading and chain.reduction_db > 0
            out.append(mastered)
    return {"seconds limited, %": 100 * limited / seconds, "dBTP": true_peak_dbtp(out)}


def _as_played(folder: Path, watch: Stopwatch) -> Findings:
    return timed(_played(folder / "sound.flac", _plan(folder)), watch)


def _played(path: Path, plan: MasteringPlan) -> Iterator[Sound]:
    processor = ChunkedAudioProcessor(path, plan)
    while len(block := processor.read(_STEP_FRAMES)):
        yield block
    processor.close()


TONEARM: Final = Contender("Tonearm", "tonearm", "seven bands, gain, exact true-peak limiter", _tonearm)
AS_PLAYED: Final = Contender("Tonearm, as a play does it", "tonearm", "the same, from FLAC", _as_played)
CONTENDERS: Final = (TONEARM, AS_PLAYED, *mastering_peers.CONTENDERS)
