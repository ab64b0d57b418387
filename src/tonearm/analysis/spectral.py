"""Everything that is heard in spectra, from one pair of signals.

Rates are brought down step by step: above 50 kHz to 44.1 or 48 kHz for all of it, to about 22 kHz
for onsets, percussion and chroma, to about 11 kHz for the fundamental.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tonearm.analysis.harmony import ChromaAnalysis
from tonearm.analysis.pitch import PitchAnalysis
from tonearm.analysis.rhythm import RhythmAnalysis
from tonearm.analysis.separation import MedianSeparation
from tonearm.analysis.series import Mask, Series, at_time
from tonearm.analysis.tone import Tone, ToneAnalysis
from tonearm.dsp.decimate import Decimator
from tonearm.dsp.stft import Powers, Signal, Stft, nearest_power_of_two, power
from tonearm.model.audio import Hz

_HIGHEST_RATE: Final = 50_000
_LOWEST_TARGET: Final = 44_100
_PASSED: Final = 0.46
_HALVED_ABOVE: Final = 30_000
_QUARTERED_ABOVE: Final = 15_000

_FINE_S: Final = 0.093
_SHORT_S: Final = 0.0464
_LONG_S: Final = 0.186
_SEPARATED_HZ: Final = 5500.0
_SEPARATION_COLUMNS: Final = 15
_FINE_ROWS: Final = 9
_FINE_STEP: Final = 4
_SHORT_ROWS: Final = 15
_SHORT_STEP: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What the spectra say; units as in ``Fingerprint``."""

    tone: Tone
    tempo_bpm: float
    rhythm_stability: float
    onsets: int
    harmonic_ratio: float
    pitch_stability: float
    chroma_energy: float


def _reduction(rate: int) -> int:
    """By how much the rate is divided first.

    To 44.1 or 48 kHz; a rate that is no multiple of these is left at 44.1 kHz or more.
    """
    return rate // _LOWEST_TARGET if rate > _HIGHEST_RATE else 1


class SpectralAnalysis:
    """Measure a stream of two signals of equal length (one twice, for mono).

    The share of harmonic energy is the mean of two separations, with windows of 93 and of 46 ms:
    each alone depends on the window by up to 0.3 (a drum is harmonic to a short window, a fast
    melody percussive to a long one).
    """

    def __init__(self, rate: int) -> None:
        factor = _reduction(rate)
        base = rate / factor
        audible = Hz(_PASSED * base)
        self._first = [Decimator(factor, rate, audible, 80.0) for _ in range(2)] if factor > 1 else []
        self._rate = base
        size = nearest_power_of_two(_FINE_S * base)
        self._size = size
        self._stfts = [Stft(size, size // 2) for _ in range(2)]
        self._tone = ToneAnalysis(base, size)
        self._fine_bins = min(size // 2 + 1, int(_SEPARATED_HZ * size / base))
        self._fine = MedianSeparation(self._fine_bins, _FINE_ROWS, _SEPARATION_COLUMNS, _FINE_STEP)

        self._second = _halver(base, _HALVED_ABOVE)
        half = base / 2.0 if self._second else base
        long = nearest_power_of_two(_LONG_S * half)
        self._long_stft = Stft(long, long // 2)
        self._chroma = ChromaAnalysis(half, long)
        short = nearest_power_of_two(_SHORT_S * half)
        self._short_stft = Stft(short, short // 4)
        self._rhythm = RhythmAnalysis(half, short, short // 4)
        self._short_bins = min(short // 2 + 1, int(_SEPARATED_HZ * short / half))
        self._short = MedianSeparation(self._short_bins, _SHORT_ROWS, _SEPARATION_COLUMNS, _SHORT_STEP)

        self._third = _halver(half, _QUARTERED_ABOVE)
        self._pitch = PitchAnalysis(half / 2.0 if self._third else half)

    def process(self, left: Signal, right: Signal, loudest: float) -> None:
        """``loudest`` is the mean square of the loudest 50 ms of everything so far."""
        same = left is right
        if self._first:
            reduced = self._first[0].process(left)
            left, right = reduced, reduced if same else self._first[1].process(right)
        self._hear_fine(left, right, same, loudest)
        mono = left if same else np.float32(0.5) * (left + right)
        half = self._second.process(mono) if self._second else mono
        for spectra in self._long_stft.process(half):
            self._chroma.process(power(spectra))
        for spectra in self._short_stft.process(half):
            powers = power(spectra)
            self._rhythm.process(powers)
            self._short.process(powers[:, : self._short_bins])
        self._pitch.process(self._third.process(half) if self._third else half)

    def _hear_fine(self, left: Signal, right: Signal, same: bool, loudest: float) -> None:
        if same:
            for spectra in self._stfts[0].process(left):
                self._hear_powers(self._tone.process(spectra, spectra, loudest))
        else:
            for pair in zip(self._stfts[0].process(left), self._stfts[1].process(right), strict=True):
                self._hear_powers(self._tone.process(*pair, loudest))

    def _hear_powers(self, powers: Powers) -> None:
        self._fine.process(powers[:, : self._fine_bins])

    def finish(self, silent: Mask, loudest: float) -> Hearing:
        """What was heard.

        Args:
            silent: which frames of 50 ms are silent.
            loudest: mean square of the loudest of them.

        Raises:
            NotEnoughAudio: nothing lies between 20 Hz and 20 kHz.
        """
        pulse = self._rhythm.pulse()
        return Hearing(
            tone=self._tone.finish(at_time(silent, self._fine_times()), loudest),
            tempo_bpm=pulse.bpm,
            rhythm_stability=self._rhythm.stability(pulse),
            onsets=self._rhythm.onsets(),
            harmonic_ratio=0.5 * (self._fine.finish() + self._short.finish()),
            pitch_stability=self._pitch.stability(at_time(silent, self._pitch.times())),
            chroma_energy=self._chroma.concentration(),
        )

    def _fine_times(self) -> Series:
        return np.asarray((np.arange(self._tone.frames) + 1.0) * self._size / 2.0 / self._rate)


def _halver(rate: float, above: int) -> Decimator | None:
    """A step to half the rate, where that is still enough."""
    return Decimator(2, round(rate), Hz(0.18 * rate), 60.0) if rate > above else None
