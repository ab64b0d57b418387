"""Compile every kernel that playing needs, before anyone plays."""

from typing import Final

import numpy as np

from tonearm.analysis import extract, probe
from tonearm.dsp.dither import dithered_16, rounded_16
from tonearm.dsp.meters import StreamMeter
from tonearm.dsp.stereo import STEREO
from tonearm.mastering.chain import Chain
from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.plan import (
    Compression,
    MasteringPlan,
    MasteringState,
    Preset,
    Restoration,
    Target,
    Width,
)

_RATE: Final = 44_100
_GAIN_DB: Final = 12.0
_EQ_DB: Final = (1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0)


def warm_kernels() -> None:
    """Run one second of loud noise, mono and stereo, through the chain, the fallback, meters and dither.

    The kernels are kept in the user's cache, so this takes long only on the first start.
    """
    noise = np.random.default_rng(0).uniform(-1.0, 1.0, (_RATE, 2)).astype(np.float32)
    for channels in (1, 2):
        plan = MasteringPlan(
            state=MasteringState.FINGERPRINT,
            gain_db=_GAIN_DB,
            eq_db=_EQ_DB,
            compression=Compression(1.0),
            restoration=Restoration(1.0),
            width=Width(1.0, 1.0) if channels == STEREO else Width(),
        )
        block = np.ascontiguousarray(noise[:, :channels])
        hybrid = HybridProcessor(_RATE, channels, Preset.ADAPTIVE, 1.0, Target())
        chain = Chain(plan, _RATE, channels)
        chain.process(block[: _RATE // 2])
        chain.retarget(hybrid.update(block), 0.5)
        chain.process(block[_RATE // 2 :])
        chain.flush()
        StreamMeter(_RATE, channels).process(block)
        dithered_16(block, 0)
        rounded_16(block)


def warm_everything() -> None:
    """Compile the kernels of playing and of measuring, for all processes of this user."""
    warm_kernels()
    extract.warm()
    probe.warm()


if __name__ == "__main__":
    warm_everything()
