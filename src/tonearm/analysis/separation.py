"""Harmonic and percussive energy by median filtering of the spectrogram.

    H = median of |X| over time,   V = median of |X| over frequency,
    harmonic = sum |X|^2 (H^2 / (H^2 + V^2))^2,   percussive = sum |X|^2 (V^2 / (H^2 + V^2))^2

What comes in are powers; the median of squares is the square of the median, so H^2 and V^2 are the
medians of the powers. Edges are mirrored. The medians look at every second frame and bin of their
span: neighbours under a Hann window say nearly the same, and the shares stay within 0.002 on average
of those with every one of them.

Source: FitzGerald, "Harmonic/percussive separation using median filtering" (DAFx 2010); soft masks
of power 2 as in librosa.effects.hpss.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Powers

_SPACING: Final = 2
_CHUNK: Final = 128
_LEAST: Final = 1e-300
_Words = NDArray[np.int32]


@kernel
def _order(lower: _Words, upper: _Words) -> None:
    """Put the smaller of each pair into ``lower``; as integers, which sort as powers do."""
    for j in range(len(lower)):
        a, b = lower[j], upper[j]
        lower[j] = min(a, b)
        upper[j] = max(a, b)


@kernel
def _median_of_rows(words: _Words, stride: int, rows: int, scratch: _Words, out: _Words) -> None:
    """Median over ``rows`` (odd) runs ``words[r stride :][: len(out)]``, column by column.

    Forgetful selection: of a little more than half of the values the smallest and the largest
    cannot be the median; drop both, take the next one, until one is left.
    """
    for start in range(0, len(out), scratch.shape[1]):
        count = min(scratch.shape[1], len(out) - start)
        width = rows // 2 + 2
        for r in range(width):
            scratch[r, :count] = words[start + r * stride : start + r * stride + count]
        for coming in range(width, rows + 1):
            for i in range(width // 2):
                _order(scratch[i, :count], scratch[width - 1 - i, :count])
            for i in range(1, (width + 1) // 2):
                _order(scratch[0, :count], scratch[i, :count])
            for i in range(width // 2, width - 1):
                _order(scratch[i, :count], scratch[width - 1, :count])
            if coming < rows:
                first = start + coming * stride
                scratch[0, :count] = words[first : first + count]
                width -= 1
        out[start : start + count] = scratch[1, :count]


@kernel
def _separate(
    powers: Powers,
    first: int,
    step: int,
    rows: int,
    columns: int,
    mirrored: _Words,
    scratch: _Words,
    medians: Powers,
    sums: NDArray[np.float64],
) -> None:
    """Add the energies of frames ``first``, ``first + step`` ... that have enough neighbours to ``sums``."""
    frames, bins = powers.shape
    words, median_words = powers.view(np.int32), medians.view(np.int32)
    steady, sudden = medians[0], medians[1]
    harmonic, percussive = sums[0], sums[1]
    before, side = _SPACING * (rows // 2), _SPACING * (columns // 2)
    flat = words.reshape(-1)
    for f in range(first, frames - before, step):
        _median_of_rows(flat[(f - before) * bins :], _SPACING * bins, rows, scratch, median_words[0])
        mirrored[side : side + bins] = words[f]
        for j in range(side):
            mirrored[side - 1 - j] = words[f, j]
            mirrored[side + bins + j] = words[f, bins - 1 - j]
        _median_of_rows(mirrored, _SPACING, columns, scratch, median_words[1])
        power = powers[f]
        for k in range(bins):
            h, v = np.float64(steady[k]), np.float64(sudden[k])
            scale = 1.0 / max(h + v, _LEAST)
            h, v = h * scale, v * scale
            harmonic[k] += power[k] * (h * h)
            percussive[k] += power[k] * (v * v)


class MedianSeparation:
    """Add up harmonic and percussive energy of a stream of power spectra.

    Shape:
        in: float32 [frames, bins], not negative; any number of frames.
    Delay:
        ``rows - 1`` frames.
    """

    def __init__(self, bins: int, rows: int, columns: int, step: int) -> None:
        """Medians over ``rows`` and ``columns`` values (both odd), taken for every ``step``-th frame."""
        if rows % 2 == 0 or columns % 2 == 0:
            raise ValueError(f"medians need odd lengths, got {rows} and {columns}")
        if bins <= _SPACING * (columns // 2):
            raise ValueError(f"{columns} columns need more than {bins} bins")
        self._rows, self._columns, self._step = rows, columns, step
        self._reach = _SPACING * (rows // 2)
        self._held = np.zeros((0, bins), dtype=np.float32)
        self._started = False
        self._next = self._reach
        self._mirrored = np.zeros(bins + _SPACING * (columns - 1), dtype=np.int32)
        self._scratch = np.zeros((max(rows, columns) // 2 + 2, _CHUNK), dtype=np.int32)
        self._medians = np.zeros((2, bins), dtype=np.float32)
        self._sums = np.zeros((2, bins))

    def process(self, powers: Powers) -> None:
        self._held = np.concatenate([self._held, powers])
        if not self._started:
            if len(self._held) <= self._reach:
                return
            self._held = np.concatenate([self._held[: self._reach][::-1], self._held])
            self._started = True
        self._run()

    def finish(self) -> float:
        """Harmonic energy over the sum of both, 0..1; 0 for silence."""
        if len(self._held):
            before = 0 if self._started else self._reach
            self._held = np.pad(self._held, ((before, self._reach), (0, 0)), mode="symmetric")
            self._run()
        harmonic, percussive = self._sums.sum(axis=1).tolist()
        total = harmonic + percussive
        return float(harmonic / total) if total > 0.0 else 0.0

    def _run(self) -> None:
        held = self._held
        _separate(
            held,
            self._next,
            self._step,
            self._rows,
            self._columns,
            self._mirrored,
            self._scratch,
            self._medians,
            self._sums,
        )
        reached = len(held) - self._reach
        if self._next < reached:
            self._next += -(-(reached - self._next) // self._step) * self._step
        keep = max(0, reached - self._reach)
        self._next -= keep
        self._held = held[keep:].copy()
