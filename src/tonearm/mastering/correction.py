"""Tonal correction: what of a spectrum leaves the corridor of music, brought half way back.

    excess_k = how far the normalised third-octave k lies outside median +/- half-width (0 inside)
    c_k      = clip(-excess_k / 2, -3, 3) dB
    gain_b   = rms of the c_k > 0 - rms of the c_k < 0, over all third-octaves of band b

So a band that leaves as a whole comes half way back; one third-octave of it that leaves alone moves
the band by less, but is not averaged away.

A third-octave that lies far below the corridor is not dull, it is empty: a codec's low-pass or an
older carrier's bandwidth. There is nothing in it to lift, so its part fades to 0 from 10 to 25 dB
under the corridor. Third-octaves above 0.45 of the rate are ignored.

A limiter squares a waveform off; equalised, it is square no more, and its peaks rise by up to 2.4 dB over
its loudness. So the correction of what is compressed fades, from whole at a crest of 15 dB to nothing at
13 dB: what is left as it is once does not change when its master is mastered.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.mastering.corridor import HALF_WIDTHS_DB, MEDIANS_DB
from tonearm.mastering.lwrp import CREST_BORDER_DB, ramp
from tonearm.mastering.spectrum import normalised, usable
from tonearm.model.fingerprint import BAND_EDGES_HZ
from tonearm.model.measures import THIRD_OCTAVES_HZ
from tonearm.model.plan import EQ_BANDS, EQ_LIMIT_DB

_DULL_DB: Final = 10.0
_EMPTY_DB: Final = 25.0
_FREE_CREST_DB: Final = 15.0

_BAND_OF_THIRD_OCTAVE: Final = np.clip(
    np.searchsorted(BAND_EDGES_HZ, THIRD_OCTAVES_HZ, side="right") - 1, 0, EQ_BANDS - 1
)
"""Which of the seven bands holds the centre of each third-octave; the topmost counts as air."""


def excess(third_octaves_db: Sequence[float] | NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """How far each third-octave lies outside the corridor, dB ``[30]``: above > 0, below < 0, inside 0.

    Args:
        third_octaves_db: mean power of each third-octave, dB full scale; 30 values.
        rate: sample rate, Hz; what lies above 0.45 of it counts as inside.
    """
    away = normalised(third_octaves_db) - np.asarray(MEDIANS_DB)
    half = np.asarray(HALF_WIDTHS_DB)
    outside = np.sign(away) * np.maximum(np.abs(away) - half, 0.0)
    return np.where(usable(rate), outside, 0.0)


def correction(third_octaves_db: Sequence[float] | NDArray[np.float64], rate: int) -> tuple[float, ...]:
    """Gains of the seven bands that bring a spectrum half way back, dB, each within +/-3; 0 inside.

    Args:
        third_octaves_db: mean power of each third-octave, dB full scale; 30 values.
        rate: sample rate, Hz.
    """
    outside = excess(third_octaves_db, rate)
    present = np.clip((_EMPTY_DB + outside) / (_EMPTY_DB - _DULL_DB), 0.0, 1.0)
    wanted = np.clip(-outside / 2.0, -EQ_LIMIT_DB, EQ_LIMIT_DB) * present
    counted = usable(rate)
    return tuple(_gain(wanted[counted & (band == _BAND_OF_THIRD_OCTAVE)]) for band in range(EQ_BANDS))


def correction_weight(crest_db: float) -> float:
    """How much of the correction a track of this crest bears, 0..1."""
    return ramp(crest_db, CREST_BORDER_DB, _FREE_CREST_DB)


def _gain(wanted: NDArray[np.float64]) -> float:
    """Gain of a band from the corrections its third-octaves want, dB; 0 for a band that has none."""
    if not len(wanted):
        return 0.0
    up, down = np.maximum(wanted, 0.0), np.minimum(wanted, 0.0)
    return float(np.sqrt(np.mean(up * up)) - np.sqrt(np.mean(down * down)))
