"""What a stream will sound like, from what is known of its track. Pure but for the log.

Matched in level, original and mastered sound equally loud: whichever is the louder is turned down to
the other, by what the plan predicts,

    mastered: min(0, before - after)        original: min(0, after - before)        LUFS, so dB

The plan's prediction holds for the track as a whole, so the gain is the same wherever a stream begins.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Self

import structlog

from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.errors import NotEnoughAudio, TonearmError
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, Target, untouched
from tonearm.model.probe import Probe
from tonearm.model.stream import Joint
from tonearm.model.track import Track
from tonearm.protocol.messages import StreamRequest, StreamType
from tonearm.streaming.listening import Listening
from tonearm.streaming.ports import Plans, Source

MAX_CHANNELS: Final = 2
ORIGINAL: Final = untouched("the original was asked for: the source passes bit for bit")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, looked up.

    Attributes:
        target: where the level should go: the album's, or the track's own.
        no_album: why it is the track's own where the album's was asked for.
        earlier: the track that has just played, if one was named and is there.
        joint: why it is not, if one was named and is not.
    """

    request: StreamRequest
    track: Track
    target: Target
    no_album: TonearmError | None = None
    earlier: Track | None = None
    joint: Joint | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A plan, and what the stream is turned down by to match the other's level; None if that is unknown."""

    plan: MasteringPlan
    match_gain_db: float | None


@dataclass(slots=True)
class Sound:
    """What a stream will sound like, and what may still change that.

    Attributes:
        source: the plan, or the fallback that makes plans as it listens.
        frames: the track's length where it was counted.
        match_gain_db: what it is turned down by, dB <= 0; None where level matching was not asked for, or
            where nothing is known to match.
        listening: the measurement that is still awaited.
        impressed: the plan, or the match, in force rests on a first impression.
        told_failed: the client knows that there is no fingerprint for now.
    """

    source: Source
    frames: int | None = None
    match_gain_db: float | None = None
    listening: Listening | None = None
    impressed: bool = False
    told_failed: bool = False

    @classmethod
    def settled(cls, decision: Decision, frames: int | None) -> Self:
        """One that stays as it is."""
        return cls(decision.plan, frames, decision.match_gain_db)


def needs_no_plan(request: StreamRequest) -> bool:
    """Whether the source is what sounds, whatever the track measures."""
    if request.stream_type is StreamType.NORMAL:
        return not request.level_match or request.intensity == 0
    return request.intensity == 0


def unplanned(request: StreamRequest, reason: str = "intensity 0: the source passes bit for bit") -> Decision:
    """The source as it is, which is also what it is matched with."""
    match_gain_db = 0.0 if request.level_match else None
    if request.stream_type is StreamType.NORMAL:
        return Decision(ORIGINAL, match_gain_db)
    return Decision(untouched(reason, request.preset, request.intensity), match_gain_db)


def decide(plans: Plans, asked: Asked, stage: Probe | Analysis) -> Decision:
    """What rests on a first impression or on the fingerprint."""
    request = asked.request
    wanted = (request.preset, request.intensity, asked.target)
    if isinstance(stage, Probe):
        plan = plans.plan_from_probe(stage, *wanted)
        said = "Adaptive mastering will use a first impression"
    else:
        plan = plans.plan(stage.fingerprint, stage.measures, *wanted)
        said = "Adaptive mastering will use fingerprint-optimized parameters"
    match_gain_db = _match_gain_db(plan, request.stream_type) if request.level_match else None
    if request.stream_type is StreamType.NORMAL:
        return Decision(ORIGINAL, match_gain_db)
    log.info(
        said,
        track_id=asked.track.id,
        policy=None if plan.lwrp is None else plan.lwrp.policy.value,
        gain_db=round(plan.gain_db, 2),
    )
    return Decision(plan, match_gain_db)


def fallback(asked: Asked) -> Source:
    """What sounds while nothing is known: standard mastering, or the original that was asked for."""
    request, form = asked.request, asked.track.info.format
    if request.stream_type is StreamType.NORMAL:
        return ORIGINAL
    channels = min(form.channels, MAX_CHANNELS)
    return HybridProcessor(form.rate, channels, request.preset, request.intensity, asked.target)


def fallback_sentence(request: StreamRequest) -> str:
    """What ``fallback`` means for the listener."""
    if request.stream_type is StreamType.NORMAL:
        return "Its loudness is not known, so it plays unmatched."
    return "Playing with standard mastering."


def told_of_album(plan: MasteringPlan, asked: Asked) -> MasteringPlan:
    """The plan, whose reasons say so where the album's level was asked for and cannot be had."""
    if asked.no_album is None:
        return plan
    of = "bypass" if plan.bypass else "target_lufs"
    said = f"the album's level was asked for: {asked.no_album.sentence} {plan.reasons[of]}"
    return replace(plan, reasons=MappingProxyType({**plan.reasons, of: said}))


def impression_sentence(request: StreamRequest) -> str:
    """What it means for the listener that a first impression is all there will be."""
    if request.stream_type is StreamType.NORMAL:
        return "It stays matched by a first impression of its loudness."
    return "Playing on from the first impression."


def unchanged_sentence(error: NotEnoughAudio) -> str:
    """What it means for the listener that there is nothing to measure."""
    return f"{error.sentence} It plays unchanged."


def _match_gain_db(plan: MasteringPlan, stream_type: StreamType) -> float | None:
    if plan.bypass:
        return 0.0
    if plan.predicted is None:
        return None
    louder_db = plan.predicted.lufs - plan.measured["lufs"]
    return min(0.0, -louder_db if stream_type is StreamType.ENHANCED else louder_db)
