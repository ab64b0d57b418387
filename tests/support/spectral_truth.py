"""Spectra of a recording by scipy and librosa.

Nothing here comes from the program under test. Attributes are named as the dimensions and measures they
are the truth of.
"""

from functools import cached_property
from itertools import pairwise

import librosa
import numpy as np
import scipy.signal
from level_truth import LevelTruth, Samples
from numpy.typing import NDArray

EDGES_HZ = (20, 60, 250, 500, 2000, 4000, 6000, 20_000)
LIBROSA_RATE = 22_050


def size_of(rate: int) -> int:
    """The power of two nearest to 93 ms."""
    return int(2 ** np.argmin([abs(2**n - 0.093 * rate) for n in range(20)]))


def _separated(x: NDArray[np.float32], rate: int, size: int, hop: int, rows: int) -> float:
    spectra = librosa.stft(x, n_fft=size, hop_length=hop, center=False)[: int(5500 * size / rate)]
    parts = librosa.decompose.hpss(np.abs(spectra), kernel_size=(rows, 29), power=2.0)
    harmonic, percussive = (float(np.sum(part**2)) for part in parts)
    return harmonic / (harmonic + percussive)


class SpectralTruth:
    """Of one or two channels, float32 ``[frames, channels]``, at 8 to 50 kHz."""

    def __init__(self, x: Samples, rate: int) -> None:
        self.x = np.repeat(x, 2, axis=1) if x.shape[1] == 1 else x
        self.rate = rate
        self.size = size_of(rate)
        self.bin_hz = rate / self.size
        self._level = LevelTruth(x, rate)

    @cached_property
    def _density(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        frequencies, power = scipy.signal.welch(self.x, self.rate, nperseg=self.size, detrend=False, axis=0)
        return frequencies, power.mean(axis=1)

    def _between(self, low: float, high: float) -> float:
        frequencies, power = self._density
        return float(power[(frequencies >= low) & (frequencies < high)].sum())

    @property
    def bands_pct(self) -> NDArray[np.float64]:
        shares = np.array([self._between(*pair) for pair in pairwise(EDGES_HZ)])
        return np.asarray(100 * shares / shares.sum())

    @property
    def bass_mid_ratio(self) -> float:
        ratio = 10 * np.log10(max(self._between(60, 250), 1e-30) / max(self._between(250, 2000), 1e-30))
        return float(np.clip(ratio, -60, 60))

    @property
    def third_octaves_db(self) -> NDArray[np.float64]:
        """Mean squares; the density is constant over a bin's width, so edges cut bins in proportion."""
        frequencies, power = self._density
        starts, stops = frequencies - self.bin_hz / 2, frequencies + self.bin_hz / 2
        levels = []
        for centre in 1000 * 2 ** (np.arange(-16, 14) / 3):
            low, high = centre * 2 ** (-1 / 6), centre * 2 ** (1 / 6)
            shared = np.clip(np.minimum(stops, high) - np.maximum(starts, low), 0, None)
            levels.append(10 * np.log10(max(1e-20, float(np.sum(power * shared)))))
        return np.array(levels)

    @property
    def bass_phase_correlation(self) -> float:
        """Of the cross-spectrum below 120 Hz, without the constant part."""
        left, right = self.x.T
        options = {"fs": self.rate, "nperseg": self.size, "detrend": False}
        frequencies, cross = scipy.signal.csd(left, right, **options)
        bass = (frequencies > 0) & (frequencies < 120)
        own = [scipy.signal.welch(side, **options)[1][bass].sum() for side in (left, right)]
        return float(cross.real[bass].sum() / np.sqrt(own[0] * own[1])) if min(own) > 0 else 1.0

    @cached_property
    def _magnitudes(self) -> NDArray[np.float32]:
        """Of the mono mix, in frames whose middle lies in no silent 50 ms."""
        mono = np.ascontiguousarray(self.x.mean(axis=1))
        spectra = np.abs(librosa.stft(mono, n_fft=self.size, hop_length=self.size // 2, center=False))
        silent = self._level.silent
        middles = (np.arange(spectra.shape[1]) + 1) * (self.size // 2) * 20 // self.rate
        heard = ~silent[np.minimum(middles, len(silent) - 1)]
        return spectra[:, heard] if heard.any() else spectra

    @property
    def spectral_centroid(self) -> float:
        return float(np.median(librosa.feature.spectral_centroid(S=self._magnitudes, sr=self.rate)))

    @property
    def spectral_rolloff(self) -> float:
        return float(np.median(librosa.feature.spectral_rolloff(S=self._magnitudes, sr=self.rate)))

    @property
    def spectral_flatness(self) -> float:
        """Over a floor that is lower by 20 dB for each 20 dB, begun, of the loudest 50 ms under -20 dBFS."""
        steps = max(0, int(np.ceil(-10.0 * np.log10(self._level.loudest) / 20.0)) - 1)
        floor = 1e-10 * 100.0 ** -min(3, steps)
        return float(np.median(librosa.feature.spectral_flatness(S=self._magnitudes, amin=floor)))

    @property
    def flatness_over_default_floor(self) -> float:
        return float(np.median(librosa.feature.spectral_flatness(S=self._magnitudes)))

    @cached_property
    def mono(self) -> NDArray[np.float32]:
        """At the rate that librosa works at."""
        return librosa.resample(
            np.ascontiguousarray(self.x.mean(axis=1)), orig_sr=self.rate, target_sr=LIBROSA_RATE
        )

    @property
    def harmonic_ratio(self) -> float:
        harmonic, percussive = (float(np.sum(part**2)) for part in librosa.effects.hpss(self.mono))
        return harmonic / (harmonic + percussive)

    @property
    def harmonic_ratio_as_defined(self) -> float:
        """By windows of 93 and of 46 ms, with medians that span 17 and 29 frames and 29 bins, to 5.5 kHz."""
        whole = np.ascontiguousarray(self.x.mean(axis=1))
        half, factor = (self.mono, 2) if self.rate > 30_000 else (whole, 1)
        short = size_of(self.rate) // 2 // factor
        rate = LIBROSA_RATE if factor == 2 else self.rate
        fine = _separated(whole, self.rate, self.size, self.size // 2, 17)
        return 0.5 * (fine + _separated(half, rate, short, short // 4, 29))

    @property
    def transient_density(self) -> float:
        onsets = librosa.onset.onset_detect(y=self.mono, sr=LIBROSA_RATE)
        return len(onsets) * LIBROSA_RATE / len(self.mono)

    @property
    def chroma_energy(self) -> float:
        """1 - normalised entropy of librosa's chroma, weighted by energy."""
        chroma = librosa.feature.chroma_stft(
            y=self.mono, sr=LIBROSA_RATE, norm=None, n_fft=4096, hop_length=2048, tuning=0.0
        )
        shares = (chroma + 1e-20) / (chroma + 1e-20).sum(axis=0)
        entropy = -(shares * np.log(shares)).sum(axis=0) / np.log(12)
        return float(np.average(1 - entropy, weights=chroma.sum(axis=0)))
