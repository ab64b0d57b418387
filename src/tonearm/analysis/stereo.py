"""How the two channels relate.

width = sum (L - R)^2 / (sum (L + R)^2 + sum (L - R)^2),   correlation: Pearson's of L and R
"""

import math

from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Signal


@kernel
def _products(left: Signal, right: Signal) -> tuple[float, float, float, float, float]:
    """Sums of L, R, L L, R R and L R."""
    left_sum, right_sum = 0.0, 0.0
    ll0, ll1, rr0, rr1, lr0, lr1 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for n in range(0, len(left) - 1, 2):
        a, b = float(left[n]), float(left[n + 1])
        c, d = float(right[n]), float(right[n + 1])
        left_sum += a + b
        right_sum += c + d
        ll0, ll1 = ll0 + a * a, ll1 + b * b
        rr0, rr1 = rr0 + c * c, rr1 + d * d
        lr0, lr1 = lr0 + a * c, lr1 + b * d
    if len(left) % 2:
        a, c = float(left[len(left) - 1]), float(right[len(left) - 1])
        left_sum, right_sum = left_sum + a, right_sum + c
        ll0, rr0, lr0 = ll0 + a * a, rr0 + c * c, lr0 + a * c
    return left_sum, right_sum, ll0 + ll1, rr0 + rr1, lr0 + lr1


class StereoImage:
    """Width and correlation of a stream of two signals of equal length (one twice, for mono)."""

    def __init__(self) -> None:
        self._frames = 0
        self._sums = (0.0, 0.0, 0.0, 0.0, 0.0)

    def process(self, left: Signal, right: Signal) -> None:
        self._frames += len(left)
        a, b, c, d, e = self._sums
        left_sum, right_sum, ll, rr, lr = _products(left, right)
        self._sums = (a + left_sum, b + right_sum, c + ll, d + rr, e + lr)

    @property
    def width(self) -> float:
        """Side energy over mid plus side energy, 0..1; 0 for silence."""
        _, _, ll, rr, lr = self._sums
        total = 2.0 * (ll + rr)
        return min(1.0, max(0.0, (ll + rr - 2.0 * lr) / total)) if total > 0.0 else 0.0

    @property
    def correlation(self) -> float:
        """Pearson correlation of left and right, -1..1; 0 where one of them is constant."""
        left_sum, right_sum, ll, rr, lr = self._sums
        count = max(1, self._frames)
        left_power = ll - left_sum * left_sum / count
        right_power = rr - right_sum * right_sum / count
        if left_power <= 0.0 or right_power <= 0.0:
            return 0.0
        product = lr - left_sum * right_sum / count
        return min(1.0, max(-1.0, product / math.sqrt(left_power * right_power)))
