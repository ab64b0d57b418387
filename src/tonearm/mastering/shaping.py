"""What is done to a track before its level, and what that does to loudness and peak."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from tonearm.mastering.dynamics import compression_change, restoration_change
from tonearm.mastering.spectrum import loudness_change
from tonearm.mastering.width import Image, width_change
from tonearm.model.plan import Width

_AS_IT_IS: Final = Width()


@dataclass(frozen=True, slots=True)
class Shaping:
    """Equaliser, dB of the seven bands; compression and restoration, dB; width."""

    eq_db: tuple[float, ...]
    reduction_db: float = 0.0
    boost_db: float = 0.0
    width: Width = _AS_IT_IS

    def at(self, intensity: float) -> Self:
        """This much of it, 0..1."""
        return type(self)(
            tuple(intensity * gain for gain in self.eq_db),
            intensity * self.reduction_db,
            intensity * self.boost_db,
            Width(intensity * self.width.side_gain_db, intensity * self.width.mono_bass),
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """Predicted changes of the equaliser's part and of the whole: loudness, LU; highest peak, dB.

    ``room_db`` is that of the level under the ceiling: what the side loses, the peaks may keep.
    """

    eq_db: float
    loudness_db: float
    peak_db: float
    room_db: float


def changes(shaping: Shaping, third_octaves_db: Sequence[float], rate: int, image: Image) -> Changes:
    """What a shaping does to a track.

    An attack is turned up by all of the boost; all else moves the peak as it moves loudness.

    Args:
        shaping: what is done.
        third_octaves_db: of the track; 30 values.
        rate: sample rate, Hz.
        image: of the track.
    """
    eq_db = loudness_change(third_octaves_db, shaping.eq_db, rate)
    width_db = width_change(third_octaves_db, image, shaping.width)
    kept_db = eq_db + compression_change(shaping.reduction_db) + max(0.0, width_db)
    opened_db = restoration_change(shaping.boost_db)
    loudness_db = kept_db + min(0.0, width_db) + opened_db
    return Changes(eq_db, loudness_db, kept_db + shaping.boost_db, kept_db + opened_db)
