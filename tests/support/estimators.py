"""Tempo by public estimators: librosa, and essentia and aubio where they are installed."""

import importlib.util
from collections.abc import Callable

import librosa
import numpy as np
from numpy.typing import NDArray

Mono = NDArray[np.float32]
Estimator = Callable[[Mono, int], float]
"""BPM of mono samples at 44.1 kHz."""


def by_librosa(x: Mono, rate: int) -> float:
    return float(np.atleast_1d(librosa.beat.beat_track(y=x, sr=rate)[0])[0])


def by_essentia(x: Mono, _rate: int) -> float:
    import essentia.standard

    return float(essentia.standard.RhythmExtractor2013(method="multifeature")(x)[0])


def by_aubio(x: Mono, rate: int) -> float:
    """The median interval of its beats, as ``aubio tempo`` reports it."""
    import aubio

    tracker = aubio.tempo("default", 1024, 512, rate)
    beats = [
        tracker.get_last_s()
        for start in range(0, len(x) - 511, 512)
        if tracker(np.ascontiguousarray(x[start : start + 512]))[0]
    ]
    return float(60.0 / np.median(np.diff(beats))) if len(beats) > 1 else 0.0


_KNOWN = {"librosa": by_librosa, "essentia": by_essentia, "aubio": by_aubio}


def installed() -> dict[str, Estimator]:
    return {name: estimator for name, estimator in _KNOWN.items() if importlib.util.find_spec(name)}
