"""How steady the fundamental is, by YIN.

    d(t) = sum over j < W of (x[j] - x[j + t])^2,   d'(t) = d(t) t / sum over s <= t of d(s)

The first dip of d' under the threshold is the period, refined by a parabola. A frame without one
is unvoiced.

Source: de Cheveigné and Kawahara, "YIN, a fundamental frequency estimator" (2002).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.analysis.series import Mask, Series, joined
from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Signal

_LOWEST_HZ: Final = 55.0
_HIGHEST_HZ: Final = 1100.0
_WINDOW_S: Final = 0.0232
_HOP_S: Final = 0.0464
_THRESHOLD: Final = 0.1
_CENTS: Final = 25.0
_LEAP_CENTS: Final = 200.0


@kernel
def _periods(
    x: Signal, hop: int, window: int, shortest: int, difference: Signal, out: NDArray[np.float64]
) -> None:
    """The period of each frame in samples, 0 where it is unvoiced; frame ``i`` starts at ``i hop``."""
    longest = len(difference) - 1
    for i in range(len(out)):
        start = i * hop
        difference[:] = np.float32(0.0)
        for j in range(start, start + window):
            here = x[j]
            ahead = x[j : j + longest + 1]
            for t in range(longest + 1):
                step = here - ahead[t]
                difference[t] += step * step
        out[i] = 0.0
        running = 0.0
        for t in range(1, longest):
            running += difference[t]
            if t < shortest or running <= 0.0 or difference[t] * t >= _THRESHOLD * running:
                continue
            dip, total = t, running
            while dip + 1 < longest:
                further = total + difference[dip + 1]
                if difference[dip + 1] * (dip + 1) * total >= difference[dip] * dip * further:
                    break
                dip, total = dip + 1, further
            a, b, c = (
                np.float64(difference[dip - 1]),
                np.float64(difference[dip]),
                np.float64(difference[dip + 1]),
            )
            bend = a - 2.0 * b + c
            out[i] = dip + (0.5 * (a - c) / bend if bend > 0.0 else 0.0)
            break


class PitchAnalysis:
    """Follow the fundamental (55-1100 Hz) of a stream of one channel.

    Shape:
        in: [samples], any number, at about 11 kHz.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._hop, self._window = round(_HOP_S * rate), round(_WINDOW_S * rate)
        self._shortest = max(2, int(rate / _HIGHEST_HZ))
        self._difference = np.zeros(int(rate / _LOWEST_HZ) + 2, dtype=np.float32)
        self._held = np.zeros(0, dtype=np.float32)
        self._periods: list[NDArray[np.float64]] = []

    def process(self, signal: Signal) -> None:
        held = np.concatenate([self._held, signal])
        length = self._window + len(self._difference)
        count = max(0, (len(held) - length) // self._hop + 1)
        periods = np.zeros(count)
        _periods(held, self._hop, self._window, self._shortest, self._difference, periods)
        self._periods.append(periods)
        self._held = held[count * self._hop :].copy()

    def times(self) -> Series:
        """The middle of each frame, seconds."""
        middle = (self._window + len(self._difference)) / 2.0
        return np.asarray((np.arange(len(joined(self._periods))) * self._hop + middle) / self._rate)

    def stability(self, silent: Mask) -> float:
        """1 / (1 + mean change in cents / 25), times the share of voiced frames; 0..1.

        The change is that between neighbouring voiced frames; ``silent`` tells which frames do not
        count. A leap counts as a whole tone: it is another note, or an octave error of the
        estimator, of which a few in a hundred would outweigh all the rest.
        """
        periods = joined(self._periods)
        voiced = (periods > 0.0) & ~silent
        if not voiced.any():
            return 0.0
        both = voiced[1:] & voiced[:-1]
        cents = 1200.0 * np.abs(np.log2(periods[1:][both] / periods[:-1][both]))
        change = float(np.mean(np.minimum(cents, _LEAP_CENTS))) if len(cents) else 0.0
        return float(np.mean(voiced[~silent])) / (1.0 + change / _CENTS)
