"""What sounds together: concentration of the chroma.

Each bin's power goes to the pitch classes beside it with a bell of 0.35 semitones; octaves count
by a bell of 2 octaves about 880 Hz. The concentration of a frame is 1 - H(p) / log 12, where p is
the chroma to the power of 1.5, normalised; frames count by their energy. The power sharpens what
the width of the window's main lobe blurs.

Source: the filter bank of librosa.feature.chroma_stft (D. Ellis, "Chroma feature analysis").
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.stft import Powers

_CLASSES: Final = 12
_LOWEST_HZ: Final = 60.0
_HIGHEST_HZ: Final = 5000.0
_SEMITONES: Final = 0.35
_CENTRE_HZ: Final = 880.0
_OCTAVES: Final = 2.0
_A4_HZ: Final = 440.0
_A4_CLASS: Final = 9
_SHARPNESS: Final = 1.5


def _filters(frequencies: NDArray[np.float64]) -> NDArray[np.float32]:
    """Share of each bin's power in each pitch class, ``[bins, 12]``."""
    semitones = 12.0 * np.log2(frequencies / _A4_HZ) + _A4_CLASS
    distance = (semitones[:, None] - np.arange(_CLASSES) + 6.0) % 12.0 - 6.0
    bells = np.exp(-0.5 * (distance / _SEMITONES) ** 2)
    octaves = np.exp(-0.5 * (np.log2(frequencies / _CENTRE_HZ) / _OCTAVES) ** 2)
    shares = bells / bells.sum(axis=1, keepdims=True) * octaves[:, None]
    return np.asarray(shares, dtype=np.float32)


class ChromaAnalysis:
    """Measure a stream of power spectra.

    Shape:
        in: float32 [frames, bins].
    """

    def __init__(self, rate: float, size: int) -> None:
        frequencies = np.arange(size // 2 + 1) * rate / size
        inside = np.flatnonzero((frequencies >= _LOWEST_HZ) & (frequencies < min(_HIGHEST_HZ, rate / 2)))
        self._bins = slice(int(inside[0]), int(inside[-1]) + 1)
        self._filters = _filters(frequencies[self._bins])
        self._weighted = 0.0
        self._energy = 0.0

    def process(self, powers: Powers) -> None:
        chroma = (powers[:, self._bins] @ self._filters).astype(np.float64)
        energies = chroma.sum(axis=1)
        heard = energies > 0.0
        shares = (chroma[heard] / energies[heard, None]) ** _SHARPNESS
        shares /= shares.sum(axis=1, keepdims=True)
        entropy = -np.sum(shares * np.log(np.maximum(shares, 1e-30)), axis=1)
        concentration = 1.0 - entropy / math.log(_CLASSES)
        self._weighted += float(np.sum(concentration * energies[heard]))
        self._energy += float(np.sum(energies[heard]))

    def concentration(self) -> float:
        """Energy-weighted mean over the frames, 0..1; 0 for silence."""
        return min(1.0, max(0.0, self._weighted / self._energy)) if self._energy > 0.0 else 0.0
