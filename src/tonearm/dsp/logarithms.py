"""Levels in dB and back, of many numbers at once; for kernels of other files.

    10 log10 p, p = 2^e m:  ln m = 2 (s + s^3 / 3 + s^5 / 5 + s^7 / 7),  s = (m - 1) / (m + 1)
    10^(g / 20) = (1 + t + t^2 / 2 + ... + t^5 / 120)^4,                 t = g ln 10 / 80

numba keeps a compiled kernel until its own file changes: with this file, the version in ``__init__.py``
has to change, or the cache to be emptied.

Source: M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 4.1.27 and 4.2.1 (the series).
"""

import math

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Signal

Exponents = NDArray[np.int32]

_THIRDS = 0x3F2AAAAB
_EXPONENT = -0x800000
_FROM_EXPONENT = np.float32(10.0 * math.log10(2.0) / 2**23)
_FROM_LOGARITHM = np.float32(20.0 / math.log(10.0))
_ONE, _THIRD, _FIFTH, _SEVENTH = np.float32(1.0), np.float32(1 / 3), np.float32(1 / 5), np.float32(1 / 7)
_QUARTER_NEPERS = np.float32(math.log(10.0) / 20.0 / 4.0)
_HALF, _SIXTH, _24TH, _120TH = np.float32(1 / 2), np.float32(1 / 6), np.float32(1 / 24), np.float32(1 / 120)


@kernel
def decibels(powers: Signal, exponents: Exponents) -> None:
    """Positive powers, none under 1e-37, to dB in place, within 1e-5; ``exponents`` is room for as many."""
    bits = powers.view(np.int32)
    for n in range(len(powers)):
        exponent = (bits[n] - _THIRDS) & _EXPONENT
        exponents[n] = exponent
        bits[n] = bits[n] - exponent
    for n in range(len(powers)):
        s = (powers[n] - _ONE) / (powers[n] + _ONE)
        t = s * s
        logarithm = s * (_ONE + t * (_THIRD + t * (_FIFTH + t * _SEVENTH)))
        powers[n] = np.float32(exponents[n]) * _FROM_EXPONENT + logarithm * _FROM_LOGARITHM


@kernel
def factor(gain_db: np.float32) -> np.float32:
    """What a gain multiplies with, within 3e-7 for 8 dB and less; 1 for 0."""
    t = gain_db * _QUARTER_NEPERS
    e = _ONE + t * (_ONE + t * (_HALF + t * (_SIXTH + t * (_24TH + t * _120TH))))
    e = e * e
    return e * e
