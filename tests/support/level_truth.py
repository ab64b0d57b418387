"""Levels, peaks and stereo image of a recording by libebur128, numpy and scipy.

Nothing here comes from the program under test. Attributes are named as the dimensions and measures they
are the truth of.
"""

from functools import cached_property
from itertools import pairwise

import numpy as np
import pyebur128
from numpy.typing import NDArray
from scipy.signal import resample_poly

Samples = NDArray[np.float32]
Series = NDArray[np.float64]

MARGIN = 64


def edges(frames: int, rate: int, pace: int) -> NDArray[np.int64]:
    """Where the complete windows begin and end, ``pace`` of them a second."""
    count = ((frames + 1) * pace - 1) // rate
    return np.arange(count + 1, dtype=np.int64) * rate // pace


def gate(levels: Series, relative_lu: float) -> NDArray[np.bool_]:
    """Which levels (LUFS) lie over -70 and over ``relative_lu`` under the mean power of those."""
    loud = levels > -70.0
    if not loud.any():
        return loud
    mean = 10 * np.log10(np.mean(10 ** (levels[loud] / 10)))
    return loud & (levels > mean + relative_lu)


def evenness(series: Series) -> float:
    return float(1 / (1 + np.std(series) / np.mean(series)))


class LevelTruth:
    """Of one or two channels, float32 ``[frames, channels]``; one counts as dual mono."""

    def __init__(self, x: Samples, rate: int) -> None:
        self.x = np.ascontiguousarray(np.repeat(x, 2, axis=1) if x.shape[1] == 1 else x)
        self.rate = rate
        self.frames = len(x)
        self.channels = x.shape[1]

    @cached_property
    def _ebur(self) -> tuple[float, Series, Series]:
        """Integrated, momentary and short-term loudness, the latter two 10 times a second."""
        modes = pyebur128.MeasurementMode
        state = pyebur128.R128State(2, self.rate, modes.MODE_I | modes.MODE_S)
        hops = edges(self.frames, self.rate, 10)
        momentary, short_term = [], []
        for hop, (start, end) in enumerate(pairwise(hops), start=1):
            state.add_frames(self.x[start:end].reshape(-1), int(end - start))
            if hop >= 4:
                momentary.append(pyebur128.get_loudness_momentary(state))
            if hop >= 30:
                short_term.append(pyebur128.get_loudness_shortterm(state))
        rest = self.x[hops[-1] :]
        if len(rest):
            state.add_frames(rest.reshape(-1), len(rest))
        return pyebur128.get_loudness_global(state), np.array(momentary), np.array(short_term)

    def _energies(self, pace: int) -> Series:
        """Mean square of each window, over both channels."""
        at = edges(self.frames, self.rate, pace)
        squares = np.einsum("nc,nc->n", self.x, self.x, dtype=np.float64)
        sums = np.add.reduceat(squares[: at[-1]], at[:-1])
        return np.asarray(sums / (2 * np.diff(at)))

    def _peaks(self, pace: int) -> Series:
        at = edges(self.frames, self.rate, pace)
        tops = np.maximum(self.x.max(axis=1), -self.x.min(axis=1))
        return np.maximum.reduceat(tops[: at[-1]], at[:-1]).astype(np.float64)

    @cached_property
    def silent(self) -> NDArray[np.bool_]:
        """Which frames of 50 ms are silent."""
        energies = self._energies(20)
        return np.asarray((energies < 1e-6 * energies.max()) | (energies == 0.0))

    @property
    def loudest(self) -> float:
        """Mean square of the loudest 50 ms."""
        return float(self._energies(20).max())

    def _sounding(self, frames: int) -> NDArray[np.bool_]:
        """Which windows of so many frames of 50 ms are not silent throughout."""
        count = len(self.silent) // frames
        return ~self.silent[: count * frames].reshape(count, frames).all(axis=1)

    @property
    def lufs(self) -> float:
        return self._ebur[0]

    @property
    def lra_lu(self) -> float:
        """By the 10 readings a second that Tech 3342 asks for; libebur128 itself takes one."""
        series = self._ebur[2]
        heard = np.sort(series[gate(series, -20.0)])
        if len(heard) < 2:
            return 0.0
        low, high = (heard[int((len(heard) - 1) * share + 0.5)] for share in (0.1, 0.95))
        return float(high - low)

    @property
    def momentary(self) -> Series:
        return self._ebur[1]

    @property
    def _short_term(self) -> Series:
        return self._ebur[2][::10]

    @property
    def crest_db(self) -> float:
        hops = self._energies(10)
        blocks = np.lib.stride_tricks.sliding_window_view(hops, 4).mean(axis=1)
        heard = blocks[gate(self.momentary, -10.0)]
        return float(20 * np.log10(np.abs(self.x).max()) - 10 * np.log10(heard.mean()))

    @property
    def silence_ratio(self) -> float:
        return float(np.mean(self.silent))

    @property
    def dynamic_range_variation(self) -> float:
        count = self.frames // self.rate
        if count < 2:
            return 0.0
        heard = self._sounding(20)[:count]
        crests = 20 * np.log10(self._peaks(1)[:count][heard]) - 10 * np.log10(
            self._energies(1)[:count][heard]
        )
        return float(np.std(crests))

    @property
    def loudness_variation_std(self) -> float:
        series = self._short_term
        return float(np.std(series[gate(series, -20.0)])) if len(series) > 1 else 0.0

    @property
    def peak_consistency(self) -> float:
        heard = self._sounding(10)
        return evenness(self._peaks(2)[: len(heard)][heard])

    @property
    def stereo_width(self) -> float:
        left, right = self.x.astype(np.float64).T
        side, mid = np.sum((left - right) ** 2), np.sum((left + right) ** 2)
        return float(side / (side + mid))

    @property
    def phase_correlation(self) -> float:
        left, right = self.x.astype(np.float64).T
        return float(np.corrcoef(left, right)[0, 1]) if left.std() > 0 and right.std() > 0 else 0.0

    @cached_property
    def second_peaks(self) -> Series:
        """True peak of each started second by 16x resampling, linear."""
        padded = np.pad(self.x.astype(np.float64), ((MARGIN, MARGIN), (0, 0)))
        found = []
        for start in range(0, self.frames, self.rate):
            count = min(self.rate, self.frames - start)
            part = padded[start : start + count + 2 * MARGIN]
            up = resample_poly(part, 16, 1, axis=0, window=("kaiser", 12.0))
            found.append(np.abs(up[16 * MARGIN : 16 * (MARGIN + count)]).max())
        return np.array(found)

    @property
    def true_peak_dbtp(self) -> float:
        return float(20 * np.log10(self.second_peaks.max()))

    @property
    def downmix_true_peak_dbtp(self) -> float:
        return self.true_peak_dbtp

    @property
    def downmix_lufs(self) -> float:
        return self.lufs

    @property
    def plr_db(self) -> float:
        return self.true_peak_dbtp - self.lufs

    @property
    def psr_p10_db(self) -> float:
        """Of at least 3 s."""
        series = self._short_term
        spans = [self.second_peaks[i : i + 3].max() for i in range(len(series))]
        heard = gate(series, -20.0)
        return float(np.percentile(20 * np.log10(np.array(spans)[heard]) - series[heard], 10))

    @property
    def clipped_ppm(self) -> float:
        return float(1e6 * np.mean(np.abs(self.x) >= 0.9999))

    @property
    def dc_offset(self) -> float:
        return float(np.abs(self.x.mean(axis=0, dtype=np.float64)).max())

    def histogram_distance(self, histogram: tuple[int, ...]) -> float:
        """How far the gating blocks of a histogram lie from the true ones on average, LU."""
        true, _ = np.histogram(self.momentary, bins=-70 + 0.1 * np.arange(801))
        found = np.array(histogram)
        apart = np.cumsum(found) / found.sum() - np.cumsum(true) / true.sum()
        return float(0.1 * np.abs(apart).sum())

    def waveform_distance(self, waveform: bytes) -> float:
        """The largest difference of an extreme, in steps of 1/127; parts begin on the grid of 2.5 ms."""
        pairs = np.frombuffer(waveform, dtype=np.int8).reshape(-1, 2)
        grid = np.arange(self.frames * 400 // self.rate + 2) * self.rate // 400
        grid = grid[grid < self.frames]
        low = np.minimum.reduceat(self.x.min(axis=1), grid)
        high = np.maximum.reduceat(self.x.max(axis=1), grid)
        starts = np.arange(len(pairs)) * len(grid) // len(pairs)
        true = np.stack([np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)], axis=1)
        return float(np.abs(np.clip(127.0 * true, -127, 127) - pairs).max())
