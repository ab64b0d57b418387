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
_MAGNITUDE: Final = 0x7FFFFFFF
_LANES: Final = 64

_Edges = NDArray[np.int64]
_Ordered = NDArray[np.int32]


@kernel
def _widen(x: Signal, edges: _Edges, low: _Ordered, high: _Ordered) -> None:
    """Widen ``low`` and ``high`` by the extremes of each cell, in the integers that sort as floats do."""
    bits = x.view(np.int32)
    for i in range(len(edges) - 1):
        cell = bits[edges[i] : edges[i + 1]]
        least, most = low[i], high[i]
        for n in range(len(cell)):
            ordered = np.int32(cell[n] ^ ((cell[n] >> np.int32(31)) & np.int32(_MAGNITUDE)))
            least, most = min(least, ordered), max(most, ordered)
        low[i], high[i] = least, most


@kernel
def _add_sums(x: Signal, edges: _Edges, energy: NDArray[np.float64]) -> float:
    """Add the squares of each frame to ``energy``; returns the sum of all of ``x``.

    In 64 columns at a time, because an addition waits for the one before it.
    """
    sums, squares = np.zeros(_LANES), np.zeros(_LANES)
    for i in range(len(edges)):
        frame = x[edges[i] : edges[i + 1]] if i + 1 < len(edges) else x[edges[i] :]
        squares[:] = 0.0
        for start in range(0, len(frame), _LANES):
            part = frame[start : start + _LANES]
            for j in range(len(part)):
                a = np.float64(part[j])
                sums[j] += a
                squares[j] += a * a
        if i + 1 < len(edges):
            energy[i] += squares.sum()
    return float(sums.sum())


def _as_floats(ordered: _Ordered) -> Series:
    """What ``_widen`` made integers of; the mapping is its own inverse."""
    return (ordered ^ ((ordered >> 31) & _MAGNITUDE)).view(np.float32).astype(np.float64)


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
        self.loudest_frame = 0.0
        """Largest mean square of a complete 50 ms over all channels."""

    def process(self, signals: list[Signal]) -> None:
        length = len(signals[0])
        first = self._position * _CELLS_PER_SECOND // self._rate
        self._position += length
        last = ((self._position + 1) * _CELLS_PER_SECOND - 1) // self._rate
        edges = np.arange(first, last + 1, dtype=np.int64) * self._rate // _CELLS_PER_SECOND
        edges -= self._position - length
        if edges[-1] < length:
            edges = np.append(edges, length)
        cells, frames = len(edges) - 1, (last - first) // _CELLS_PER_FRAME
        least, most = np.full(cells, _MAGNITUDE, np.int32), np.full(cells, -_MAGNITUDE, np.int32)
        energy = np.zeros(frames)
        frame_edges = edges[: frames * _CELLS_PER_FRAME + 1 : _CELLS_PER_FRAME].copy()
        for channel, signal in enumerate(signals):
            _widen(signal, edges, least, most)
            self._sums[channel] += _add_sums(signal, frame_edges, energy)
        low, high = _as_floats(least), _as_floats(most)
        magnitudes = np.maximum(-low, high)
        peak = float(magnitudes.max(initial=0.0))
        self.peak = max(self.peak, peak)
        if peak >= _CLIPPED:
            self._clipped += sum(int(np.count_nonzero(np.abs(signal) >= _CLIPPED)) for signal in signals)
        self._keep(low, high)
        in_frames = magnitudes[: frames * _CELLS_PER_FRAME].reshape(frames, _CELLS_PER_FRAME)
        self._peaks.append(in_frames.max(axis=1))
        self._energies.append(energy)
        lengths = np.diff(frame_edges) * self._channels
        self.loudest_frame = max(self.loudest_frame, float((energy / lengths).max(initial=0.0)))

    def _keep(self, low: Series, high: Series) -> None:
        for extremes, kept in ((low, self._low), (high, self._high)):
            kept.append(np.clip(np.round(extremes * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE).astype(np.int8))

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
        cells = sum(len(part) for part in self._low)
        starts = np.arange(WAVEFORM_PAIRS) * cells // WAVEFORM_PAIRS
        pairs = np.empty((WAVEFORM_PAIRS, 2), dtype=np.int8)
        pairs[:, 0] = np.minimum.reduceat(np.concatenate(self._low), starts)
        pairs[:, 1] = np.maximum.reduceat(np.concatenate(self._high), starts)
        return pairs.tobytes()
