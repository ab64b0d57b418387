"""The meters beside a stream: true peak and short-term loudness, read as often as one likes.

A stream may run for hours, so nothing is kept but the last 3 s. Of the 10 frames that come last in each
reading the true peak is told by the next one, as it depends on what follows them.

Source: EBU Tech 3341 (short-term loudness: 3 s, not gated), ITU-R BS.1770-5, Annex 2 (true peak).
"""

import math
from typing import Final

import numpy as np

from tonearm.dsp.loudness import HOPS_PER_SHORT_TERM, LoudnessMeter, channel_weights, loudness
from tonearm.dsp.sane import sane
from tonearm.dsp.truepeak import TruePeakMeter
from tonearm.model.audio import Block
from tonearm.model.stream import Heard

_UNDIVIDED: Final = 1 << 62
_LAYOUTS: Final = {1: "mono", 2: "stereo"}


class StreamMeter:
    """Meter a stream of blocks.

    Shape:
        in: [frames, channels], 1 or 2 channels. What is not finite, or over +60 dBFS, reads as silence.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._loudness = LoudnessMeter(rate, channel_weights(channels, _LAYOUTS[channels]))
        self._true_peak = TruePeakMeter(channels, _UNDIVIDED)

    def process(self, block: Block) -> Heard:
        """Hear the next block; returns what the meter shows at its end."""
        block = sane(block)
        self._loudness.process(block)
        self._loudness.forget(HOPS_PER_SHORT_TERM)
        self._true_peak.process(block)
        energies = self._loudness.hop_energies
        peak = self._true_peak.restart()
        return Heard(
            true_peak_dbtp=20.0 * math.log10(peak) if peak > 0.0 else -math.inf,
            short_term_lufs=loudness(float(np.mean(energies))) if len(energies) else -math.inf,
        )
