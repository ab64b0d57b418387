"""A lower sample rate: a low-pass filter, of whose output every ``factor``-th value is kept.

    y[n] = sum over k of h[k] x[factor n - k],   h: Kaiser-windowed, symmetric

Source: Crochiere and Rabiner, "Multirate Digital Signal Processing" (polyphase form); the length
by Kaiser's formula.
"""

import math
from typing import Final

import numpy as np

from tonearm.dsp.fir import kaiser_beta, low_pass
from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Signal
from tonearm.model.audio import Hz

_CHUNK: Final = 512


@kernel
def _run(phases: Signal, taps: Signal, base: int, out: Signal) -> None:
    """``out[j] = sum over k of taps[k] x[base - k + factor j]``, ``phases[r, i] = x[factor i + r]``.

    The taps (a multiple of four) are the outer loop, so that the inner one runs along ``out`` in
    vectors without changing the order of any sum.
    """
    factor = phases.shape[0]
    for start in range(0, len(out), _CHUNK):
        end = min(start + _CHUNK, len(out))
        part = out[start:end]
        for k in range(0, len(taps), 4):
            a = phases[(base - k) % factor, (base - k) // factor + start :]
            b = phases[(base - k - 1) % factor, (base - k - 1) // factor + start :]
            c = phases[(base - k - 2) % factor, (base - k - 2) // factor + start :]
            d = phases[(base - k - 3) % factor, (base - k - 3) // factor + start :]
            h0, h1, h2, h3 = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
            for j in range(end - start):
                part[j] += (h0 * a[j] + h1 * b[j]) + (h2 * c[j] + h3 * d[j])


class Decimator:
    """Divide the rate of a stream of one channel by a whole number.

    Shape:
        in: [samples], any number; out: [samples / factor], the values at input positions
        0, factor, 2 factor ...
    Delay:
        ``delay`` input samples (linear phase).
    """

    def __init__(self, factor: int, rate: int, passband: Hz, stop_db: float) -> None:
        """Keep what lies below ``passband``; what would fold back onto it is ``stop_db`` down."""
        stop = rate / factor - passband
        if factor < 1 or not 0 < passband < stop:
            raise ValueError(f"cannot keep {passband:g} Hz of {rate} Hz at a {factor}th of the rate")
        width = 2.0 * math.pi * (stop - passband) / rate
        half = math.ceil((stop_db - 8.0) / (2.285 * width) / 2.0)
        cutoff = 0.5 * (passband + stop)
        taps = low_pass(2 * half + 1, 2.0 * cutoff / rate, kaiser_beta(stop_db))
        self._taps = np.concatenate([taps, np.zeros(-len(taps) % 4)]).astype(np.float32)
        self._factor = factor
        self._held = np.zeros(len(self._taps) - 1, dtype=np.float32)
        self._skip = 0
        self.delay: int = half

    def process(self, signal: Signal) -> Signal:
        factor, history = self._factor, len(self._taps) - 1
        x = np.concatenate([self._held, signal])
        count = max(0, -(-(len(signal) - self._skip) // factor))
        out = np.zeros(count, dtype=np.float32)
        phases = np.empty((factor, -(-len(x) // factor)), dtype=np.float32)
        for r in range(factor):
            phase = x[r::factor]
            phases[r, : len(phase)] = phase
        _run(phases, self._taps, history + self._skip, out)
        self._skip += count * factor - len(signal)
        self._held = x[len(x) - history :].copy()
        return out
