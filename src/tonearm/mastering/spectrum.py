"""What third-octave levels say about loudness.

    L(p)   = -0.691 + 10 log10( 2 * sum_k K(f_k) * p_k )          K-weighted loudness of a spectrum
    d(eq)  = L(p * E) - L(p)                                      what an equaliser E does to it

``p_k`` is the mean power of third-octave k averaged over two channels, ``K`` the power response of
the K-weighting filter, ``E`` that of the equaliser, both at the band's centre.

Source: ITU-R BS.1770-5, Annex 1 (without its gate: a long-term spectrum has no time in it).
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.biquad import response_db
from tonearm.dsp.equaliser import band_response_db
from tonearm.dsp.loudness import k_weighting
from tonearm.model.measures import THIRD_OCTAVE_COUNT, THIRD_OCTAVES_HZ

USABLE_SHARE_OF_RATE: Final = 0.45
"""Third-octaves whose centre lies above this share of the sample rate are ignored."""

_HIGHEST_SHARE_OF_RATE: Final = 0.49

_DESIGN_RATE: Final = 48_000
"""K-weighting keeps its response at every rate, so one design serves all."""


@cache
def k_weighting_db() -> NDArray[np.float64]:
    """K-weighting at the 30 centres, dB ``[30]``."""
    return response_db(k_weighting(_DESIGN_RATE), THIRD_OCTAVES_HZ, _DESIGN_RATE)


def usable(rate: int) -> NDArray[np.bool_]:
    """Which of the 30 third-octaves count at this sample rate, bool ``[30]``."""
    return np.asarray(THIRD_OCTAVES_HZ) <= USABLE_SHARE_OF_RATE * rate


def loudness(third_octaves_db: Sequence[float] | NDArray[np.float64]) -> float:
    """K-weighted loudness of a spectrum, LUFS, ungated.

    Args:
        third_octaves_db: mean power of each third-octave, dB full scale; 30 values.
    """
    levels = np.asarray(third_octaves_db, dtype=np.float64)
    if levels.shape != (THIRD_OCTAVE_COUNT,):
        raise ValueError(f"wanted {THIRD_OCTAVE_COUNT} third-octave levels, got shape {levels.shape}")
    weighted = np.sum(10.0 ** ((levels + k_weighting_db()) / 10.0))
    return float(-0.691 + 10.0 * np.log10(2.0 * weighted))


def normalised(third_octaves_db: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """The levels relative to the spectrum's own K-weighted loudness, dB ``[30]``.

    Relative to its own loudness and not to the gated one of the track: silence in a track then
    moves no level, and neither does gain.
    """
    return np.asarray(third_octaves_db, dtype=np.float64) - loudness(third_octaves_db)


def loudness_change(
    third_octaves_db: Sequence[float] | NDArray[np.float64], eq_db: Sequence[float], rate: int
) -> float:
    """Predicted loudness change by an equaliser, LU; exactly 0 where it is flat.

    Args:
        third_octaves_db: the spectrum before it; 30 values.
        eq_db: gains of the seven bands, dB.
        rate: sample rate, Hz.
    """
    if not any(eq_db):
        return 0.0
    levels = np.asarray(third_octaves_db, dtype=np.float64)
    # What is heard of a third-octave astride half the rate lies under it.
    centres = np.minimum(THIRD_OCTAVES_HZ, _HIGHEST_SHARE_OF_RATE * rate)
    response = band_response_db(eq_db, centres, rate)
    return loudness(levels + response) - loudness(levels)
