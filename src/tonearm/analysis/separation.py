"""Harmonic and percussive energy by median filtering of the spectrogram.

    H = median of P over time, V = median of P over frequency, mask = H / (H + V) with P = |X|^2 squared,
    harmonic = sum P (H^2 / (H^2 + V^2))^2,   percussive = sum P (V^2 / (H^2 + V^2))^2

(H and V of powers here, so the squares are already in them.) Edges are mirrored.

Source: FitzGerald, "Harmonic/percussive separation using median filtering" (DAFx 2010); soft masks
of power 2 as in librosa.effects.hpss.
"""

import numpy as np
from numpy.typing import NDArray

from tonearm.analysis.tone import Powers
from tonearm.dsp.kernels import kernel

_Words = NDArray[np.int32]


@kernel
def _order(low: _Words, high: _Words) -> None:
    """Put the smaller of each pair into ``low``. As integers: powers are not negative, so they sort alike."""
    for j in range(len(low)):
        a, b = low[j], high[j]
        low[j] = min(a, b)
        high[j] = max(a, b)


@kernel
def _median_of_rows(words: _Words, start: int, stride: int, rows: int, scratch: _Words, out: _Words) -> None:
    """Median over ``rows`` (odd) runs ``words[start + r stride :][: len(out)]``, column by column.

    Forgetful selection: of a little more than half of the values the smallest and the largest
    cannot be the median; drop both, take the next one, until one is left.
    """
    count = len(out)
    width = rows // 2 + 2
    for r in range(width):
        scratch[r, :count] = words[start + r * stride : start + r * stride + count]
    coming = width
    while True:
        for i in range(width // 2):
            _order(scratch[i, :count], scratch[width - 1 - i, :count])
        for i in range(1, (width + 1) // 2):
            _order(scratch[0, :count], scratch[i, :count])
        for i in range(width // 2, width - 1):
            _order(scratch[i, :count], scratch[width - 1, :count])
        if coming == rows:
            break
        scratch[0, :count] = words[start + coming * stride : start + coming * stride + count]
        coming += 1
        width -= 1
    out[:] = scratch[1, :count]


@kernel
def _separate(
    powers: Powers,
    words: _Words,
    first: int,
    step: int,
    rows: int,
    columns: int,
    mirrored: _Words,
    scratch: _Words,
    medians: _Words,
    values: Powers,
    sums: NDArray[np.float64],
) -> None:
    """Add the two energies of frames ``first``, ``first + step`` ... that have ``rows // 2`` neighbours."""
    frames, bins = powers.shape
    half, side = rows // 2, columns // 2
    flat = words.reshape(-1)
    for f in range(first, frames - half, step):
        for start in range(0, bins, scratch.shape[1]):
            end = min(bins, start + scratch.shape[1])
            _median_of_rows(flat, (f - half) * bins + start, bins, rows, scratch, medians[0, start:end])
        mirrored[side : side + bins] = words[f]
        for j in range(side):
            mirrored[side - 1 - j] = words[f, j]
            mirrored[side + bins + j] = words[f, bins - 1 - j]
        for start in range(0, bins, scratch.shape[1]):
            end = min(bins, start + scratch.shape[1])
            _median_of_rows(mirrored, start, 1, columns, scratch, medians[1, start:end])
        harmonic, percussive = 0.0, 0.0
        for k in range(bins):
            h, v = np.float64(values[0, k]), np.float64(values[1, k])
            total = h * h + v * v
            if total > 0.0:
                h, v = h * h / total, v * v / total
                harmonic += powers[f, k] * h * h
                percussive += powers[f, k] * v * v
        sums[0] += harmonic
        sums[1] += percussive


class MedianSeparation:
    """Add up harmonic and percussive energy of a stream of power spectra.

    Shape:
        in: float32 [frames, bins], not negative; any number of frames.
    Delay:
        half of ``rows`` frames.
    """

    _CHUNK = 64

    def __init__(self, bins: int, rows: int, columns: int, step: int) -> None:
        """Medians over ``rows`` frames and ``columns`` bins (both odd), taken for every ``step``-th frame."""
        if rows % 2 == 0 or columns % 2 == 0:
            raise ValueError(f"medians need odd lengths, got {rows} and {columns}")
        self._rows, self._columns, self._step = rows, min(columns, 2 * (bins // 2) - 1), step
        self._held = np.zeros((0, bins), dtype=np.float32)
        self._started = False
        self._next = rows // 2
        self._mirrored = np.zeros(bins + self._columns, dtype=np.int32)
        self._scratch = np.zeros((max(rows, self._columns) // 2 + 2, self._CHUNK), dtype=np.int32)
        self._medians = np.zeros((2, bins), dtype=np.int32)
        self._sums = np.zeros(2)

    def process(self, powers: Powers) -> None:
        self._held = np.concatenate([self._held, powers])
        half = self._rows // 2
        if not self._started:
            if len(self._held) < self._rows:
                return
            self._held = np.concatenate([self._held[:half][::-1], self._held])
            self._started = True
        self._run()

    def finish(self) -> float:
        """Harmonic energy over the sum of both, 0..1; 0 for silence."""
        half = self._rows // 2
        if len(self._held):
            before = 0 if self._started else half
            self._held = np.pad(self._held, ((before, half), (0, 0)), mode="symmetric")
            self._run()
        harmonic, percussive = self._sums
        total = harmonic + percussive
        return float(harmonic / total) if total > 0.0 else 0.0

    def _run(self) -> None:
        held = np.ascontiguousarray(self._held)
        medians = self._medians
        _separate(
            held,
            held.view(np.int32),
            self._next,
            self._step,
            self._rows,
            self._columns,
            self._mirrored,
            self._scratch,
            medians,
            medians.view(np.float32),
            self._sums,
        )
        half = self._rows // 2
        reached = len(held) - half
        if self._next < reached:
            self._next += -(-(reached - self._next) // self._step) * self._step
        keep = max(0, reached - half)
        self._next -= keep
        self._held = held[keep:]
