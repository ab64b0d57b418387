"""How the two channels relate.

width = sum (L - R)^2 / (sum (L + R)^2 + sum (L - R)^2),   correlation: Pearson's of L and R
"""

import math
from typing import Final

import numpy as np

from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Signal
from tonearm.model.audio import Samples64

_LANES: Final = 256


@kernel
def _add_products(left: Signal, right: Signal, sums: Samples64) -> None:
    """Add L, R, L L, R R and L R to the rows of ``sums``, sample ``n`` to column ``n % lanes``.

    Columns, because an addition waits for the one before it, and so that they are added in vectors.
    """
    lanes = sums.shape[1]
    a_sum, b_sum, aa, bb, ab = sums[0], sums[1], sums[2], sums[3], sums[4]
    for start in range(0, len(left), lanes):
        x, y = left[start : start + lanes], right[start : start + lanes]
        for j in range(len(x)):
            a, b = np.float64(x[j]), np.float64(y[j])
            a_sum[j] += a
            b_sum[j] += b
            aa[j] += a * a
            bb[j] += b * b
            ab[j] += a * b


class StereoImage:
    """Width and correlation of a stream of two signals of equal length (one twice, for mono)."""

    def __init__(self) -> None:
        self._frames = 0
        self._columns = np.zeros((5, _LANES))

    def process(self, left: Signal, right: Signal) -> None:
        self._frames += len(left)
        _add_products(left, right, self._columns)

    def _sums(self) -> tuple[float, float, float, float, float]:
        """Of L, R, L L, R R and L R."""
        left, right, ll, rr, lr = self._columns.sum(axis=1).tolist()
        return left, right, ll, rr, lr

    @property
    def width(self) -> float:
        """Side energy over mid plus side energy, 0..1; 0 for silence."""
        _, _, ll, rr, lr = self._sums()
        total = 2.0 * (ll + rr)
        return min(1.0, max(0.0, (ll + rr - 2.0 * lr) / total)) if total > 0.0 else 0.0

    @property
    def correlation(self) -> float:
        """Pearson correlation of left and right, -1..1; 0 where one of them is constant."""
        left_sum, right_sum, ll, rr, lr = self._sums()
        count = max(1, self._frames)
        left_power = ll - left_sum * left_sum / count
        right_power = rr - right_sum * right_sum / count
        if left_power <= 0.0 or right_power <= 0.0:
            return 0.0
        product = lr - left_sum * right_sum / count
        return min(1.0, max(-1.0, product / math.sqrt(left_power * right_power)))
