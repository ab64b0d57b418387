"""What has been heard of a track so far: loudness, peak and third-octaves, in bounded memory.

Loudness is gated as in BS.1770 (400 ms blocks every 100 ms, -70 LUFS, then 10 LU under the mean of
the rest), over a histogram of 0.1 LU bins that keep their energy: only the relative gate is rounded.
Third-octaves are means of power spectra of whole half seconds under a Hann window.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from tonearm.dsp.biquad import Cascade
from tonearm.dsp.loudness import (
    HOPS_PER_BLOCK,
    HOPS_PER_SECOND,
    RELATIVE_GATE_LU,
    channel_weights,
    k_weighting,
    loudness,
    loudness_of,
)
from tonearm.model.audio import LOUDEST, Block, Samples64
from tonearm.model.measures import (
    HISTOGRAM_BINS,
    HISTOGRAM_LOW_LUFS,
    HISTOGRAM_STEP_LU,
    SILENT_BAND_DB,
    THIRD_OCTAVE_COUNT,
    THIRD_OCTAVES_HZ,
)

HOPS_PER_GRID: Final = HOPS_PER_SECOND // 2
_LEAST_POWER: Final = 10.0 ** (SILENT_BAND_DB / 10.0)


@dataclass(frozen=True, slots=True)
class Heard:
    """Values over everything heard so far.

    Attributes:
        seconds: how much was heard.
        lufs: gated loudness, LUFS.
        peak_dbfs: highest sample, dB full scale.
        third_octaves_db: mean power of each third-octave, averaged over channels, dB full scale.
    """

    seconds: float
    lufs: float
    peak_dbfs: float
    third_octaves_db: tuple[float, ...]


class HeardSoFar:
    """Listen to consecutive blocks; report once for every half second of the track's grid.

    Shape:
        in: [frames, channels]; any number of frames, including 0.
    """

    def __init__(self, rate: int, channels: int, first_frame: int = 0) -> None:
        self._rate = rate
        self._hop = (rate + HOPS_PER_SECOND // 2) // HOPS_PER_SECOND
        self._weights = channel_weights(channels, "")
        self._filter = Cascade(k_weighting(rate), channels)
        self._grid: Block = np.zeros((self.grid_frames, channels), dtype=np.float32)
        self._filled = first_frame % self.grid_frames
        self._whole = self._filled == 0
        self._grids = 0
        self._peak = 0.0
        self._powers = np.zeros(THIRD_OCTAVE_COUNT)
        self._bands = _ThirdOctaves(rate, self.grid_frames)
        self._last_hops = np.zeros(0)
        self._counts = np.zeros(HISTOGRAM_BINS, dtype=np.int64)
        self._energies = np.zeros(HISTOGRAM_BINS)

    @property
    def grid_frames(self) -> int:
        """Length of a half second of the grid, frames."""
        return HOPS_PER_GRID * self._hop

    def process(self, block: Block) -> list[Heard | None]:
        """One report for each half second that is complete; None while nothing passed the gate."""
        reports: list[Heard | None] = []
        taken = 0
        while taken < len(block):
            part = block[taken : taken + self.grid_frames - self._filled]
            # What the chain silences is not heard.
            self._grid[self._filled : self._filled + len(part)] = np.where(np.abs(part) <= LOUDEST, part, 0.0)
            self._filled += len(part)
            taken += len(part)
            if self._filled == self.grid_frames:
                self._filled = 0
                # A half second that began before the first frame only settles the filter.
                if self._whole:
                    reports.append(self._hear(self._grid))
                else:
                    self._filter.process(self._grid)
                    self._whole = True
        return reports

    def _hear(self, grid: Block) -> Heard | None:
        self._grids += 1
        self._peak = max(self._peak, float(np.max(np.abs(grid))))
        self._powers += self._bands.powers(grid)
        weighted = self._filter.process(grid).astype(np.float64)
        squares = (weighted * weighted).reshape(HOPS_PER_GRID, self._hop, -1).mean(axis=1)
        hops = np.concatenate([self._last_hops, squares @ self._weights])
        self._last_hops = hops[-(HOPS_PER_BLOCK - 1) :]
        blocks = np.lib.stride_tricks.sliding_window_view(hops, HOPS_PER_BLOCK).mean(axis=1)
        levels = loudness_of(blocks)
        passing = levels > HISTOGRAM_LOW_LUFS
        bins = ((levels[passing] - HISTOGRAM_LOW_LUFS) / HISTOGRAM_STEP_LU).astype(np.int64)
        bins = np.minimum(bins, HISTOGRAM_BINS - 1)
        np.add.at(self._counts, bins, 1)
        np.add.at(self._energies, bins, blocks[passing])
        return self._report()

    def _report(self) -> Heard | None:
        if not self._counts.any():
            return None
        threshold = loudness(self._energies.sum() / self._counts.sum()) + RELATIVE_GATE_LU
        loudest = int(np.flatnonzero(self._counts)[-1])
        first = min(loudest, max(0, round((threshold - HISTOGRAM_LOW_LUFS) / HISTOGRAM_STEP_LU)))
        mean = self._energies[first:].sum() / self._counts[first:].sum()
        levels = 10.0 * np.log10(np.maximum(self._powers / self._grids, _LEAST_POWER))
        return Heard(
            seconds=self._grids * self.grid_frames / self._rate,
            lufs=loudness(float(mean)),
            peak_dbfs=20.0 * float(np.log10(self._peak)),
            third_octaves_db=tuple(map(float, levels)),
        )


class _ThirdOctaves:
    """Power of one stretch of sound in the 30 third-octaves; a bin astride an edge is shared out."""

    def __init__(self, rate: int, frames: int) -> None:
        self._window: Samples64 = np.hanning(frames + 1)[:frames, None]
        self._bin_edges = (np.arange(frames // 2 + 2) - 0.5) * (rate / frames)
        centres = np.asarray(THIRD_OCTAVES_HZ)
        self._edges = np.append(centres * 2.0 ** (-1 / 6), centres[-1] * 2.0 ** (1 / 6))
        self._scale = 2.0 / (frames * float(np.sum(self._window**2)))

    def powers(self, sound: Block) -> NDArray[np.float64]:
        """Mean power of each third-octave, averaged over channels, ``[30]``."""
        spectrum = np.abs(rfft(sound * self._window, axis=0)) ** 2
        running = np.concatenate([[0.0], np.cumsum(spectrum.mean(axis=1))])
        powers: NDArray[np.float64] = np.diff(np.interp(self._edges, self._bin_edges, running)) * self._scale
        return powers
