"""A first impression of a track, from short windows spread over it; never stored, never a fingerprint."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

from tonearm.model.audio import MAX_RATE, MIN_RATE
from tonearm.model.errors import InvalidFingerprint
from tonearm.model.fingerprint import ALGORITHM_VERSION, BAND_NAMES, BAND_SUM_TOLERANCE, DIMENSIONS
from tonearm.model.measures import THIRD_OCTAVE_COUNT

_RANGES: Final = {
    dimension.name: (dimension.metadata["low"], dimension.metadata["high"])
    for dimension in DIMENSIONS
    if dimension.name in {"lufs", "crest_db"}
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What some seconds of a track say of all of it. Every value is finite and in its range.

    Definitions are those of ``Fingerprint`` and ``TrackMeasures``, over the windows in place of the
    track. More than two channels are probed as their ITU stereo downmix, which is what a stream carries.

    Attributes:
        lufs: loudness, gated over the blocks of all windows.
        crest_db: sample peak over the RMS of the blocks that pass the gate.
        true_peak_dbtp: highest true peak in any window, at 16x; the track may peak higher elsewhere.
        bands_pct: shares of the seven bands, percent; they sum to 100.
        third_octaves_db: mean power in each third-octave band, dB full scale; 30 values.
        rate: sample rate, Hz.
        windows: how many windows were measured; 1 where the track is short enough to be one.
        seconds: how much audio that was.

    Raises:
        InvalidFingerprint: a value that cannot be true.
    """

    lufs: float
    crest_db: float
    true_peak_dbtp: float
    bands_pct: tuple[float, ...]
    third_octaves_db: tuple[float, ...]
    rate: int
    windows: int
    seconds: float

    def __post_init__(self) -> None:
        levels = (self.lufs, self.crest_db, self.true_peak_dbtp, self.seconds)
        if not all(map(math.isfinite, (*levels, *self.bands_pct, *self.third_octaves_db))):
            raise InvalidFingerprint(f"every value of a probe must be finite, got {self}")
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidFingerprint(f"{name} must lie in {low}..{high}, got {getattr(self, name)}")
        if len(self.bands_pct) != len(BAND_NAMES) or not all(
            0.0 <= share <= 100.0 for share in self.bands_pct
        ):
            raise InvalidFingerprint(f"wanted {len(BAND_NAMES)} shares in 0..100, got {self.bands_pct}")
        if abs(sum(self.bands_pct) - 100.0) > BAND_SUM_TOLERANCE:
            raise InvalidFingerprint(
                f"the seven bands must sum to 100 percent, got {sum(self.bands_pct):.3f}"
            )
        if len(self.third_octaves_db) != THIRD_OCTAVE_COUNT:
            raise InvalidFingerprint(
                f"wanted {THIRD_OCTAVE_COUNT} third-octave levels, got {len(self.third_octaves_db)}"
            )
        if not MIN_RATE <= self.rate <= MAX_RATE or self.windows < 1 or self.seconds <= 0.0:
            raise InvalidFingerprint(
                f"a probe of {self.windows} windows, {self.seconds} s at {self.rate} Hz cannot be"
            )


def describe_probe(probe: Probe) -> dict[str, Any]:
    """A probe as a JSON object; the bands by the names that the fingerprint has for them."""
    values = {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(probe).items()
    }
    values["bands_pct"] = dict(zip(BAND_NAMES, probe.bands_pct, strict=True))
    return {"stage": "probe", "algorithm_version": ALGORITHM_VERSION, "probe": values}
