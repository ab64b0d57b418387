"""The mastering chain, decoding included, beside chains of the same purpose.

Everybody gets the same seven gains and the same level, set so that the limiter has work: the loudest
sample would stand 6 dB over the ceiling.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench import mastering_peers
from bench.contender import Contender, Findings, Stopwatch, Work
from bench.mastering_peers import EQ_DB, Sound, gain_db, timed
from bench.sound import FORMAT, KINDS, NAMES
from bench.truepeak import true_peak_dbtp
from tonearm.audio.decode import Decoder
from tonearm.mastering.chain import Chain
from tonearm.mastering.dynamics import MOST_BOOST_DB, MOST_REDUCTION_DB, compression, restoration
from tonearm.mastering.width import MOST_SIDE_DB
from tonearm.model.plan import MasteringPlan, MasteringState, Width
from tonearm.rendering.chunked import ChunkedAudioProcessor
from tonearm.rendering.measure import measure_file

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


def _every_stage(kind: str, boost_db: float) -> Work:
    """Everything that a plan can ask for, on a file of this kind, as a play does it."""

    def work(folder: Path, watch: Stopwatch) -> Findings:
        return timed(_played(folder / f"sound.{kind}", _whole_plan(folder, boost_db)), watch)

    return work


def _whole_plan(folder: Path, boost_db: float) -> MasteringPlan:
    """The levels are those that the track has."""
    analysis = measure_file(folder / "sound.wav")
    measures, lufs = analysis.measures, analysis.fingerprint.lufs
    return replace(
        _plan(folder),
        compression=compression(MOST_REDUCTION_DB, measures, lufs, EQ_DB),
        restoration=restoration(boost_db, measures, measures.true_peak_dbtp, 0.0),
        width=Width(side_gain_db=MOST_SIDE_DB, mono_bass=1.0),
    )


TONEARM: Final = Contender("Tonearm", "tonearm", "seven bands, gain, exact true-peak limiter", _tonearm)
AS_PLAYED: Final = Contender("Tonearm, as a play does it", "tonearm", "the same, from FLAC", _as_played)
EVERY_STAGE: Final = tuple(
    Contender(
        f"Tonearm, every stage, {NAMES[kind].split(',')[0]}",
        "tonearm",
        "seven bands, compression in three, side and mono bass, gain, exact true-peak limiter",
        _every_stage(kind, 0.0),
    )
    for kind in KINDS
)
RE_OPENED: Final = Contender(
    "Tonearm, every stage and attacks, FLAC",
    "tonearm",
    "the same, and attacks re-opened in three bands",
    _every_stage("flac", MOST_BOOST_DB),
)
CONTENDERS: Final = (TONEARM, AS_PLAYED, *EVERY_STAGE, RE_OPENED, *mastering_peers.CONTENDERS)
