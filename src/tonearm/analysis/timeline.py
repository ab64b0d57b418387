"""The shape of the waveform over time: extremes of 2.5 ms cells, energies of 50 ms frames.

A cell ``i`` starts at frame ``i * rate // 400``; 20 of them are a frame of 50 ms.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.analysis.series import FRAMES_PER_SECOND, Series, joined
from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Signal
from tonearm.model.measures import WAVEFORM_PAIRS

_CELLS_PER_SECOND: Final = 400
_CELLS_PER_FRAME: Final = _CELLS_PER_SECOND // FRAMES_PER_SECOND
_FULL_SCALE: Final = 127
_CLIPPED: Final = 0.9999


@kernel
def _cells(
    x: Signal,
    edges: NDArray[np.int64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    energy: NDArray[np.float64],
) -> float:
    """Widen ``low`` and ``high`` by the extremes of each cell, add its squares; returns the sum of ``x``.

    Four sums at once, because an addition waits for the one before it.
    """
    t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
    for i in range(len(edges) - 1):
        l0, l1, l2, l3 = low[i], low[i], low[i], low[i]
        h0, h1, h2, h3 = high[i], high[i], high[i], high[i]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        n, end = edges[i], edges[i + 1]
        while n + 4 <= end:
            a, b, c, d = np.float64(x[n]), np.float64(x[n + 1]), np.float64(x[n + 2]), np.float64(x[n + 3])
            l0, l1, l2, l3 = min(a, l0), min(b, l1), min(c, l2), min(d, l3)
            h0, h1, h2, h3 = max(a, h0), max(b, h1), max(c, h2), max(d, h3)
            s0, s1, s2, s3 = s0 + a * a, s1 + b * b, s2 + c * c, s3 + d * d
            t0, t1, t2, t3 = t0 + a, t1 + b, t2 + c, t3 + d
            n += 4
        while n < end:
            a = np.float64(x[n])
            l0, h0, s0, t0 = min(a, l0), max(a, h0), s0 + a * a, t0 + a
            n += 1
        low[i] = min(l0, l1, l2, l3)
        high[i] = max(h0, h1, h2, h3)
        energy[i] += (s0 + s1) + (s2 + s3)
    return (t0 + t1) + (t2 + t3)


class Timeline:
    """Peaks, energies, clipped samples and offset of the channels that count for the level.

    Shape:
        in: one signal per channel, whole seconds at a time but for the last call.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._channels = channels
        self._position = 0
        self._low: list[NDArray[np.int8]] = []
        self._high: list[NDArray[np.int8]] = []
        self._peaks: list[Series] = []
        self._energies: list[Series] = []
        self._sums = np.zeros(channels)
        self._clipped = 0
        self.peak = 0.0
        """Largest magnitude of any sample, full scale."""

    def process(self, signals: list[Signal]) -> None:
        length = len(signals[0])
        first = self._position * _CELLS_PER_SECOND // self._rate
        self._position += length
        last = ((self._position + 1) * _CELLS_PER_SECOND - 1) // self._rate
        edges = np.arange(first, last + 1, dtype=np.int64) * self._rate // _CELLS_PER_SECOND
        edges -= self._position - length
        if edges[-1] < length:
            edges = np.append(edges, length)
        cells = len(edges) - 1
        low, high, energy = np.full(cells, np.inf), np.full(cells, -np.inf), np.zeros(cells)
        for channel, signal in enumerate(signals):
            self._sums[channel] += _cells(signal, edges, low, high, energy)
        magnitudes = np.maximum(-low, high)
        peak = float(magnitudes.max(initial=0.0))
        self.peak = max(self.peak, peak)
        if peak >= _CLIPPED:
            self._clipped += sum(int(np.count_nonzero(np.abs(signal) >= _CLIPPED)) for signal in signals)
        self._keep(low, high, magnitudes, energy, last - first)

    def _keep(self, low: Series, high: Series, magnitudes: Series, energy: Series, complete: int) -> None:
        for extremes, kept in ((low, self._low), (high, self._high)):
            kept.append(np.clip(np.round(extremes * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE).astype(np.int8))
        frames = complete // _CELLS_PER_FRAME
        shape = (frames, _CELLS_PER_FRAME)
        self._peaks.append(magnitudes[: frames * _CELLS_PER_FRAME].reshape(shape).max(axis=1))
        self._energies.append(energy[: frames * _CELLS_PER_FRAME].reshape(shape).sum(axis=1))

    @property
    def frames(self) -> int:
        """Sample frames so far."""
        return self._position

    def frame_peaks(self) -> Series:
        """Largest magnitude in each complete 50 ms, full scale."""
        return joined(self._peaks)

    def frame_energies(self) -> Series:
        """Sum of squares over channels and samples of each complete 50 ms."""
        return joined(self._energies)

    def frame_lengths(self) -> Series:
        """Samples in each complete 50 ms, over all channels."""
        edges = np.arange(len(self.frame_energies()) + 1, dtype=np.int64) * self._rate // FRAMES_PER_SECOND
        return np.diff(edges).astype(np.float64) * self._channels

    @property
    def clipped_ppm(self) -> float:
        """Samples at or over 0.9999 full scale, per million."""
        return 1e6 * self._clipped / max(1, self._position * self._channels)

    @property
    def dc_offset(self) -> float:
        """Largest absolute mean of a channel, full scale."""
        return float(np.abs(self._sums).max()) / max(1, self._position)

    def waveform(self) -> bytes:
        """1,000 pairs (lowest, highest) over the length of the track, signed bytes."""
        low, high = np.concatenate(self._low), np.concatenate(self._high)
        starts = np.arange(WAVEFORM_PAIRS) * len(low) // WAVEFORM_PAIRS
        pairs = np.stack([np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)], axis=1)
        return pairs.astype(np.int8).tobytes()
