"""Sound through the program's own decision and rendering."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from sounds import analysed

from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.chain import Chain
from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.audio import Block
from tonearm.model.errors import NotEnoughAudio
from tonearm.model.measures import Analysis
from tonearm.model.plan import (
    EQ_BANDS,
    Compression,
    MasteringPlan,
    MasteringState,
    Preset,
    Restoration,
    Target,
    Width,
    untouched,
)
from tonearm.rendering.chunked import STEREO, ChunkedAudioProcessor

TARGET: Final = Target()
FLAT: Final = (0.0,) * EQ_BANDS
CURVE: Final = (1.0, -2.0, 0.5, 1.5, -1.0, 2.5, -3.0)
BYPASS: Final = untouched("intensity 0")
EVERYTHING: Final = 1 << 40
"""More frames than any file has."""

_STEP = 65_536


def by_hand(gain_db: float, eq_db: Sequence[float] = FLAT, ceiling_dbtp: float = -1.0) -> MasteringPlan:
    """A plan that nobody decided."""
    return MasteringPlan(
        state=MasteringState.FINGERPRINT, gain_db=gain_db, eq_db=tuple(eq_db), ceiling_dbtp=ceiling_dbtp
    )


def every_stage(channels: int) -> MasteringPlan:
    """A plan with something to do for every stage; only two channels have a width."""
    return replace(
        by_hand(12.0, CURVE),
        compression=Compression(2.0, 2.0, (-30.0, -30.0, -30.0)),
        restoration=Restoration(3.0, -6.0, 0.0),
        width=Width(1.5, 0.7) if channels == STEREO else Width(),
    )


def decided(
    analysis: Analysis, preset: Preset = Preset.ADAPTIVE, intensity: float = 1.0, target: Target = TARGET
) -> MasteringPlan:
    return AdaptiveMode().plan(analysis.fingerprint, analysis.measures, preset, intensity, target)


def decided_for(x: Block, rate: int, preset: Preset, intensity: float, target: Target) -> MasteringPlan:
    """The plan of a sound; of one that cannot be measured, bypass."""
    try:
        return decided(analysed(x, rate), preset, intensity, target)
    except NotEnoughAudio as exc:
        return untouched(str(exc))


def mastered(x: Block, plan: MasteringPlan, rate: int, first_frame: int = 0) -> Block:
    """All of a sound through the chain."""
    chain = Chain(plan, rate, x.shape[1], first_frame)
    return np.concatenate([chain.process(x), chain.flush()])


def in_blocks(x: Block, plan: MasteringPlan, rate: int, sizes: Callable[[], int]) -> Block:
    """The same in blocks of the sizes that ``sizes`` says."""
    chain, parts, at = Chain(plan, rate, x.shape[1]), [], 0
    while at < len(x):
        size = sizes()
        parts.append(chain.process(x[at : at + size]))
        at += size
    return np.concatenate([*parts, chain.flush()])


def rendered(
    path: Path,
    source: MasteringPlan | HybridProcessor,
    start: int = 0,
    frames: int = EVERYTHING,
    step: int = _STEP,
) -> Block:
    """A file as a stream renders it, from a position on, read ``step`` frames at a time."""
    with ChunkedAudioProcessor(path, source, start) as track:
        parts = [np.zeros((0, track.format.channels), np.float32)]
        while frames > 0 and len(block := track.read(min(step, frames))):
            parts.append(block)
            frames -= len(block)
    return np.concatenate(parts)


def by_ear(
    rate: int, channels: int, preset: Preset = Preset.ADAPTIVE, ceiling: float = -1.0
) -> HybridProcessor:
    """The fallback, from the first frame on."""
    return HybridProcessor(rate, channels, preset, 1.0, Target(ceiling_dbtp=ceiling))
