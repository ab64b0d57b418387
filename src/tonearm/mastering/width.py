"""How wide a stereo image is made: only what leaves the ordinary is brought half way back.

    w        = side energy over mid plus side energy
    side     = clip(10 log10(r(bound) / r(w)) / 2, -1.5, 1.5) dB,   r(w) = w / (1 - w)

outside 0.02..0.45, ``bound`` being the nearer of the two, and 0 inside. A side 40 dB under the middle
is none: what is mono but for its codec has no width to give back, and from 30 dB down the gain fades.

Bass under 120 Hz is made mono as its correlation falls from 0 to -0.2: there, left and right work against
each other.
"""

import math
from dataclasses import dataclass
from typing import Final

from tonearm.mastering.factors import SIDE_ENERGY_SHARE
from tonearm.mastering.lwrp import ramp
from tonearm.model.plan import Width

NARROWEST: Final = 0.02
WIDEST: Final = 0.45
MOST_SIDE_DB: Final = 1.5
STEREO: Final = 2

_NO_SIDE_DB: Final = -40.0
_A_SIDE_DB: Final = -30.0
_AGAINST: Final = -0.2
_LEAST: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Image:
    """What is known of a stereo image.

    Attributes:
        channels: of the source; only two have a width.
        stereo_width: side energy over mid plus side energy, 0..1.
        bass_phase_correlation: of left and right under 120 Hz, -1..1.
    """

    channels: int
    stereo_width: float
    bass_phase_correlation: float


def width(image: Image, weight: float) -> Width:
    """What is done to an image at ``weight``, 0..1: that of the policy times that of the preset."""
    if image.channels != STEREO:
        return Width()
    return Width(
        side_gain_db=weight * _side_gain(image.stereo_width),
        mono_bass=weight * ramp(image.bass_phase_correlation, 0.0, _AGAINST),
    )


def width_change(stereo_width: float, side_gain_db: float) -> float:
    """Predicted loudness change, LU; exactly 0 for a gain of 0.

    The side has less of what is heard loudest than of the energy, which ``SIDE_ENERGY_SHARE`` corrects.
    """
    if side_gain_db == 0.0:
        return 0.0
    side = SIDE_ENERGY_SHARE * stereo_width
    return 10.0 * math.log10(1.0 + side * (10.0 ** (side_gain_db / 10.0) - 1.0))


def _side_gain(stereo_width: float) -> float:
    share = min(1.0 - _LEAST, max(_LEAST, stereo_width))
    bound = min(WIDEST, max(NARROWEST, share))
    gain_db = min(MOST_SIDE_DB, max(-MOST_SIDE_DB, (_ratio_db(bound) - _ratio_db(share)) / 2.0))
    return gain_db * ramp(10.0 * math.log10(share), _NO_SIDE_DB, _A_SIDE_DB)


def _ratio_db(share: float) -> float:
    return 10.0 * math.log10(share / (1.0 - share))
