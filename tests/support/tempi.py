"""Tempo of built tracks, and how tempi are scored (Gouyon 2006).

Accuracy1 counts what is within 4 %, Accuracy2 also its double, triple, half and third.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sounds import analysed, drums

TEMPI = (62, 70, 78, 84, 92, 100, 108, 116, 126, 132, 140, 150, 160, 172, 184, 196)
_RATE = 22_050
_TOLERANCE = 0.04
_OCTAVES = (1.0, 2.0, 3.0, 1 / 2, 1 / 3)


def found_tempi() -> NDArray[np.float64]:
    """What the program says of a drum track of half a minute at each of ``TEMPI``."""
    return np.array([analysed(drums(bpm, 30.0, _RATE), _RATE).fingerprint.tempo_bpm for bpm in TEMPI])


def same_tempo(found: ArrayLike, wanted: ArrayLike) -> NDArray[np.bool_]:
    return np.asarray(np.abs(np.asarray(found) / np.asarray(wanted) - 1.0) < _TOLERANCE)


def related_tempo(found: ArrayLike, wanted: ArrayLike) -> NDArray[np.bool_]:
    """The same or an octave error."""
    return np.any([same_tempo(found, factor * np.asarray(wanted)) for factor in _OCTAVES], axis=0)
