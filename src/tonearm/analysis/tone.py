"""Where the energy lies: bands, third-octaves, centroid, rolloff, flatness, bass in phase or not.

    P[k] = mean over channels and frames of |X[k]|^2,   Hann window of 2^n samples nearest to 93 ms, hop half

Source: Welch's method (P); Peeters, "A large set of audio features" (2004), as librosa computes them.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.analysis.series import Mask, Series, kept, median
from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Powers, Spectra, hann
from tonearm.model.errors import NotEnoughAudio
from tonearm.model.fingerprint import BAND_EDGES_HZ
from tonearm.model.measures import SILENT_BAND_DB, THIRD_OCTAVES_HZ

_BASS_HZ: Final = 120.0
_RATIO_LIMIT_DB: Final = 60.0
_ROLLOFF: Final = 0.85
_FLOORS: Final = (1e-10, 1e-12, 1e-14, 1e-16)
_LEVELS_OF_FLOORS: Final = (1e-2, 1e-4, 1e-6)
"""A floor keeps the rounding noise of empty bins out of the flatness. 1e-10 is librosa's, meant for
music near full scale; it is 20 dB lower for every 20 dB by which the loudest 50 ms lie under -20 dBFS
or more, so that a gain of -20 dB changes nothing."""

_GROUP: Final = 16
_LEVELS: Final = 4


@kernel
def _add_powers(
    left: Spectra, right: Spectra, total: NDArray[np.float64], mono: Powers, cross: NDArray[np.float64]
) -> None:
    """Add |L|^2 + |R|^2 to ``total [bins]``, set ``mono`` to |(L + R) / 2|^2.

    ``cross [bins, 3]`` takes |L|^2, |R|^2 and Re L R* of its lowest bins.
    """
    frames, bins = left.shape
    for f in range(frames):
        for k in range(bins):
            a, b = left[f, k].real, left[f, k].imag
            c, d = right[f, k].real, right[f, k].imag
            total[k] += (a * a + b * b) + (c * c + d * d)
            u, v = np.float32(0.5) * (a + c), np.float32(0.5) * (b + d)
            mono[f, k] = u * u + v * v
        for k in range(len(cross)):
            a, b = np.float64(left[f, k].real), np.float64(left[f, k].imag)
            c, d = np.float64(right[f, k].real), np.float64(right[f, k].imag)
            cross[k, 0] += a * a + b * b
            cross[k, 1] += c * c + d * d
            cross[k, 2] += a * c + b * d


@kernel
def _centroids_and_rolloffs(powers: Powers, share: float, out: NDArray[np.float32]) -> None:
    """Centroid and rolloff of each frame in bins, ``out [frames, 2]``; 0 for a frame of nothing.

    Sums of magnitudes are taken of 2, 4, 8 and 16 neighbours, each over the whole frame: vectors. With
    c the sums of columns of 16 and g those of groups of 16, sum of k m[k] = sum of j c[j] + 16 i g[i].
    """
    bins = powers.shape[1]
    whole = bins - 1  # a power of two
    magnitude, halves = np.empty(bins, np.float32), np.empty((2, whole // 2), np.float32)
    columns, groups = np.empty(_GROUP), whole // _GROUP
    for f in range(len(powers)):
        power = powers[f]
        for k in range(bins):
            magnitude[k] = np.sqrt(power[k])
        sums, count = magnitude, whole // 2
        for level in range(_LEVELS):
            row = halves[level % 2]
            for k in range(count):
                row[k] = sums[2 * k] + sums[2 * k + 1]
            sums, count = row, count // 2
        columns[:] = 0.0
        for start in range(0, whole, _GROUP):
            group = magnitude[start : start + _GROUP]
            for j in range(_GROUP):
                columns[j] += group[j]
        total, weighted = np.float64(magnitude[whole]), whole * np.float64(magnitude[whole])
        for i in range(groups):
            total += sums[i]
            weighted += _GROUP * i * np.float64(sums[i])
        for j in range(_GROUP):
            weighted += j * columns[j]
        if total <= 0.0:
            out[f, 0], out[f, 1] = 0.0, 0.0
            continue
        out[f, 0] = weighted / total
        # From the top down: what lies above the rolloff is the shorter way for most music.
        above, rest = (1.0 - share) * total, 0.0
        k = whole
        if magnitude[k] <= above:
            rest, k = np.float64(magnitude[k]), k - 1
            i = groups - 1
            while i > 0 and rest + sums[i] <= above:
                rest += sums[i]
                i -= 1
            k = _GROUP * i + _GROUP - 1
            while k > 0 and rest + magnitude[k] <= above:
                rest += magnitude[k]
                k -= 1
        out[f, 1] = k


@kernel
def _flatnesses(powers: Powers, floor: float, out: NDArray[np.float32]) -> None:
    """Geometric over arithmetic mean of each frame; powers under ``floor`` count as that.

    One logarithm for 16 bins: the product of as many float32 powers above the floor fits a float64.
    """
    whole = powers.shape[1] - 1  # a power of two
    columns = whole // _GROUP
    products, sums = np.empty(columns), np.empty(columns)
    for f in range(len(powers)):
        products[:] = 1.0
        sums[:] = 0.0
        for start in range(0, whole, columns):
            row = powers[f, start : start + columns]
            for j in range(columns):
                a = max(np.float64(row[j]), floor)
                products[j] *= a
                sums[j] += a
        last = max(np.float64(powers[f, whole]), floor)
        logs, total = math.log(last), last
        for j in range(columns):
            logs += math.log(products[j])
            total += sums[j]
        out[f] = math.exp(logs / (whole + 1)) / (total / (whole + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """Units as in ``Fingerprint`` and ``TrackMeasures``; ``bands_pct`` holds the seven bands."""

    bands_pct: tuple[float, ...]
    bass_mid_ratio: float
    spectral_centroid: float
    spectral_rolloff: float
    spectral_flatness: float
    bass_phase_correlation: float
    third_octaves_db: tuple[float, ...]


class ToneAnalysis:
    """Measure a stream of spectra of two channels (one twice, for mono).

    Shape:
        in: complex64 [frames, size // 2 + 1], twice.
    """

    def __init__(self, rate: float, size: int) -> None:
        self._spacing = rate / size
        self._size = size
        self._total = np.zeros(size // 2 + 1)
        self._cross = np.zeros((math.ceil(_BASS_HZ / self._spacing), 3))
        self.frames = 0
        """Frames so far."""
        self._shapes: list[NDArray[np.float32]] = []
        self._flatness: list[NDArray[np.float32]] = []

    def process(self, left: Spectra, right: Spectra, loudest: float) -> Powers:
        """Take the next frames; returns the power spectra of the mono mix.

        ``loudest`` is the mean square of the loudest 50 ms so far, at least up to these frames.
        """
        mono = np.empty(left.shape, dtype=np.float32)
        _add_powers(left, right, self._total, mono, self._cross)
        self.frames += len(left)
        shapes = np.empty((len(left), 2), dtype=np.float32)
        _centroids_and_rolloffs(mono, _ROLLOFF, shapes)
        # The loudest frame may still come, and then a higher floor will hold; never a lower one.
        flatnesses = np.empty((_floor_of(loudest) + 1, len(left)), dtype=np.float32)
        for row in range(len(flatnesses)):
            _flatnesses(mono, _FLOORS[row], flatnesses[row])
        self._shapes.append(shapes)
        self._flatness.append(flatnesses)
        return mono

    def finish(self, silent: Mask, loudest: float) -> Tone:
        """What was measured.

        Args:
            silent: which of the spectra's frames are silent.
            loudest: mean square of the loudest 50 ms, full scale.

        Raises:
            NotEnoughAudio: nothing lies between 20 Hz and 20 kHz.
        """
        power = mean_power(self._total, 2 * self.frames)
        shapes = np.concatenate(self._shapes).astype(np.float64) * self._spacing
        floor = _floor_of(loudest)
        flatness = np.concatenate([rows[floor] for rows in self._flatness]).astype(np.float64)
        return Tone(
            bands_pct=bands_pct(power, self._spacing),
            bass_mid_ratio=_ratio_db(
                between(power, self._spacing, 60.0, 250.0), between(power, self._spacing, 250.0, 2000.0)
            ),
            spectral_centroid=median(kept(shapes[:, 0], ~silent)),
            spectral_rolloff=median(kept(shapes[:, 1], ~silent)),
            spectral_flatness=min(1.0, median(kept(flatness, ~silent))),
            bass_phase_correlation=self._bass_correlation(),
            third_octaves_db=third_octaves_db(power, self._spacing, self._size),
        )

    def _bass_correlation(self) -> float:
        """Correlation below 120 Hz without the constant part; 1 where there is nothing to be out of phase."""
        left, right, product = self._cross[1:].sum(axis=0)
        if left <= 0.0 or right <= 0.0:
            return 1.0
        return float(np.clip(product / math.sqrt(left * right), -1.0, 1.0))


def _floor_of(loudest: float) -> int:
    """Which of the floors holds for a track whose loudest 50 ms have this mean square."""
    return sum(loudest < level for level in _LEVELS_OF_FLOORS)


def mean_power(total: Series, spectra: int) -> Series:
    """The one-sided mean of ``spectra`` power spectra that were added up in ``total``."""
    power = total / max(1, spectra)
    power[[0, -1]] *= 0.5  # every other bin stands for two
    return power


def between(power: Series, spacing: float, low: float, high: float) -> float:
    """Sum of the bins from ``low`` up to ``high`` Hz; bins are ``spacing`` Hz apart."""
    frequencies = np.arange(len(power)) * spacing
    return float(power[(frequencies >= low) & (frequencies < high)].sum())


def bands_pct(power: Series, spacing: float) -> tuple[float, ...]:
    """Shares of the seven bands in a mean power spectrum, percent.

    Raises:
        NotEnoughAudio: nothing lies between 20 Hz and 20 kHz.
    """
    bands = np.array([between(power, spacing, *edges) for edges in pairwise(BAND_EDGES_HZ)])
    if bands.sum() <= 0.0:
        raise NotEnoughAudio("nothing between 20 Hz and 20 kHz")
    return tuple((100.0 * bands / bands.sum()).tolist())


def third_octaves_db(power: Series, spacing: float, size: int) -> tuple[float, ...]:
    """Mean square in each third-octave, dB, of a mean power spectrum of ``size`` samples under Hann.

    Bins that a band's edge cuts count in part.
    """
    scale = 2.0 / (size * float(np.sum(hann(size).astype(np.float64) ** 2)))
    running = np.concatenate([[0.0], np.cumsum(power * scale)])
    edges_hz = (np.arange(len(running)) - 0.5) * spacing
    levels = []
    for centre in THIRD_OCTAVES_HZ:
        low, high = np.interp([centre * 2.0 ** (-1 / 6), centre * 2.0 ** (1 / 6)], edges_hz, running)
        levels.append(max(SILENT_BAND_DB, 10.0 * math.log10(high - low)) if high > low else SILENT_BAND_DB)
    return tuple(levels)


def _ratio_db(over: float, under: float) -> float:
    if over <= 0.0 and under <= 0.0:
        return 0.0
    if over <= 0.0 or under <= 0.0:
        return _RATIO_LIMIT_DB if over > 0.0 else -_RATIO_LIMIT_DB
    return min(_RATIO_LIMIT_DB, max(-_RATIO_LIMIT_DB, 10.0 * math.log10(over / under)))
