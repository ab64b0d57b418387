"""Low-pass filters by the window method.

    h[n] = c sinc(c (n - (N - 1) / 2)) w[n],   w: Kaiser window,   sum of h = 1

Source: A. V. Oppenheim and R. W. Schafer, "Discrete-Time Signal Processing", section 7.5.3
(Kaiser's window). The same filters as ``scipy.signal.firwin``, without the 50 MB that importing
``scipy.signal`` would add to every process that measures.
"""

import numpy as np
from numpy.typing import NDArray


def low_pass(taps: int, cutoff: float, beta: float) -> NDArray[np.float64]:
    """A linear-phase low-pass filter, float64 ``[taps]``, gain 1 at 0 Hz.

    Args:
        taps: length, frames.
        cutoff: where it is 6 dB down, in units of half the rate, in (0, 1).
        beta: shape of the Kaiser window, >= 0.

    Raises:
        ValueError: a value out of range.
    """
    if taps < 1 or not 0.0 < cutoff < 1.0 or beta < 0.0:
        raise ValueError(f"wanted taps >= 1, cutoff in (0, 1), beta >= 0, got {taps}, {cutoff}, {beta}")
    n = np.arange(taps) - 0.5 * (taps - 1)
    h = cutoff * np.sinc(cutoff * n) * np.kaiser(taps, beta)
    return np.asarray(h / h.sum(), dtype=np.float64)


def kaiser_beta(stop_db: float) -> float:
    """The shape that keeps the stop band ``stop_db`` down (Kaiser's empirical formula)."""
    if stop_db > 50.0:
        return 0.1102 * (stop_db - 8.7)
    if stop_db > 21.0:
        return float(0.5842 * (stop_db - 21.0) ** 0.4 + 0.07886 * (stop_db - 21.0))
    return 0.0
