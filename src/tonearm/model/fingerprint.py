"""The fingerprint: 25 numbers that say what a recording sounds like.

This dataclass is the only place where the names, units, ranges and the order are written.
Database columns, protobuf fields, JSON and vectors are derived from it or tested against it.
"""

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from tonearm.model.errors import InvalidFingerprint

ALGORITHM_VERSION: Final = 2
"""Raised whenever the definition of any dimension or measure changes."""

BAND_EDGES_HZ: Final = (20.0, 60.0, 250.0, 500.0, 2000.0, 4000.0, 6000.0, 20000.0)
"""Edges of the seven bands, in the order of the first seven dimensions."""

BAND_SUM_TOLERANCE: Final = 0.1


def _dimension(unit: str, low: float, high: float, meaning: str) -> Any:
    return field(metadata={"unit": unit, "low": low, "high": high, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """25 finite numbers, each inside its range; the seven bands sum to 100 percent.

    Raises:
        InvalidFingerprint: a value is not finite or out of range, or the bands do not sum up.
    """

    sub_bass_pct: float = _dimension("%", 0, 100, "energy in 20-60 Hz")
    bass_pct: float = _dimension("%", 0, 100, "energy in 60-250 Hz")
    low_mid_pct: float = _dimension("%", 0, 100, "energy in 250-500 Hz")
    mid_pct: float = _dimension("%", 0, 100, "energy in 500-2000 Hz")
    upper_mid_pct: float = _dimension("%", 0, 100, "energy in 2000-4000 Hz")
    presence_pct: float = _dimension("%", 0, 100, "energy in 4000-6000 Hz")
    air_pct: float = _dimension("%", 0, 100, "energy in 6000-20000 Hz")
    lufs: float = _dimension("LUFS", -70, 30, "integrated loudness, BS.1770-5")
    crest_db: float = _dimension("dB", 0, 200, "sample peak over RMS of the gated blocks")
    bass_mid_ratio: float = _dimension("dB", -60, 60, "60-250 Hz over 250-2000 Hz")
    tempo_bpm: float = _dimension("BPM", 0, 240, "tempo, 0 where there is no pulse")
    rhythm_stability: float = _dimension("", 0, 1, "evenness of the beats")
    transient_density: float = _dimension("1/s", 0, 1000, "onsets per second")
    silence_ratio: float = _dimension("", 0, 1, "share of silent 50 ms frames")
    spectral_centroid: float = _dimension("Hz", 0, 200_000, "median magnitude centroid")
    spectral_rolloff: float = _dimension("Hz", 0, 200_000, "median 85 % magnitude rolloff")
    spectral_flatness: float = _dimension("", 0, 1, "median flatness of the power spectrum")
    harmonic_ratio: float = _dimension("", 0, 1, "harmonic share of the energy")
    pitch_stability: float = _dimension("", 0, 1, "steadiness of the fundamental")
    chroma_energy: float = _dimension("", 0, 1, "concentration of the chroma")
    dynamic_range_variation: float = _dimension("dB", 0, 200, "deviation of the crest of 1 s frames")
    loudness_variation_std: float = _dimension("LU", 0, 200, "deviation of short-term loudness")
    peak_consistency: float = _dimension("", 0, 1, "evenness of the peaks of 0.5 s frames")
    stereo_width: float = _dimension("", 0, 1, "side energy over mid plus side energy")
    phase_correlation: float = _dimension("", -1, 1, "correlation of left and right")

    def __post_init__(self) -> None:
        for dimension in DIMENSIONS:
            value = getattr(self, dimension.name)
            low, high = dimension.metadata["low"], dimension.metadata["high"]
            if not math.isfinite(value) or not low <= value <= high:
                raise InvalidFingerprint(f"{dimension.name} must lie in {low}..{high}, got {value}")
        total = sum(getattr(self, name) for name in BAND_NAMES)
        if abs(total - 100.0) > BAND_SUM_TOLERANCE:
            raise InvalidFingerprint(f"the seven bands must sum to 100 percent, got {total:.3f}")

    @classmethod
    def from_mapping(cls, values: Mapping[str, float]) -> Self:
        """Build from exactly the 25 names.

        Raises:
            InvalidFingerprint: a name is missing or unknown, or a value cannot be true.
        """
        if values.keys() != set(DIMENSION_NAMES):
            odd = sorted(values.keys() ^ set(DIMENSION_NAMES))
            raise InvalidFingerprint(
                f"wanted exactly the {len(DIMENSION_NAMES)} dimensions, differs in {odd}"
            )
        return cls(**{name: float(values[name]) for name in DIMENSION_NAMES})

    def as_mapping(self) -> dict[str, float]:
        """The 25 values by name, in order."""
        return {name: getattr(self, name) for name in DIMENSION_NAMES}

    def as_vector(self) -> NDArray[np.float64]:
        """The 25 values in order, float64 ``[25]``."""
        return np.array([getattr(self, name) for name in DIMENSION_NAMES], dtype=np.float64)


DIMENSIONS: Final[tuple[Field[float], ...]] = fields(Fingerprint)
DIMENSION_NAMES: Final = tuple(dimension.name for dimension in DIMENSIONS)
BAND_NAMES: Final = DIMENSION_NAMES[:7]
