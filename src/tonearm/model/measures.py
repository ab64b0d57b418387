"""The measures that travel with a fingerprint: what a mastering plan and a player need besides it."""

import math
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from tonearm.model.errors import InvalidFingerprint
from tonearm.model.fingerprint import ALGORITHM_VERSION, Fingerprint

THIRD_OCTAVE_COUNT: Final = 30
THIRD_OCTAVES_HZ: Final = tuple(1000.0 * 2.0 ** (k / 3.0) for k in range(-16, 14))
"""Exact centres of the 30 third-octave bands from 25 Hz to 20 kHz (IEC 61260, base 2)."""

SILENT_BAND_DB: Final = -200.0
"""Level of a third-octave band that holds nothing or lies above the audio's bandwidth."""

HISTOGRAM_LOW_LUFS: Final = -70.0
HISTOGRAM_STEP_LU: Final = 0.1
HISTOGRAM_BINS: Final = 800
"""Gating blocks are counted in 0.1 LU bins from -70 to +10 LUFS; the last bin takes what is louder."""

WAVEFORM_PAIRS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackMeasures:
    """Levels, peaks and spectra of one whole track. All finite.

    Attributes:
        frames: decoded sample frames, counted.
        rate: sample rate, Hz.
        channels: channels of the source.
        true_peak_dbtp: highest true peak of any channel (BS.1770-5 Annex 2, at 16x).
        lra_lu: loudness range (EBU Tech 3342).
        plr_db: true peak minus integrated loudness.
        psr_p10_db: 10th percentile of true peak minus short-term loudness of gated 3 s windows.
        clipped_ppm: samples at or over 0.9999 full scale, per million.
        dc_offset: largest absolute channel mean, full scale.
        bass_phase_correlation: correlation of left and right below 120 Hz, -1..1.
        downmix_lufs: integrated loudness of the ITU stereo downmix (the track's own for 1-2 channels).
        downmix_true_peak_dbtp: true peak of that downmix.
        third_octaves_db: mean power in each third-octave band, dB full scale; 30 values.
        gating_histogram: gating blocks above -70 LUFS counted in 0.1 LU bins; 800 values.
        waveform: 1,000 pairs (lowest, highest) over the track's length, as signed bytes, 127 = full scale.
    """

    frames: int
    rate: int
    channels: int
    true_peak_dbtp: float
    lra_lu: float
    plr_db: float
    psr_p10_db: float
    clipped_ppm: float
    dc_offset: float
    bass_phase_correlation: float
    downmix_lufs: float
    downmix_true_peak_dbtp: float
    third_octaves_db: tuple[float, ...]
    gating_histogram: tuple[int, ...]
    waveform: bytes

    def __post_init__(self) -> None:
        for measure in fields(self):
            value = getattr(self, measure.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise InvalidFingerprint(f"{measure.name} must be finite, got {value}")
        if len(self.third_octaves_db) != THIRD_OCTAVE_COUNT or not all(
            map(math.isfinite, self.third_octaves_db)
        ):
            raise InvalidFingerprint(f"wanted {THIRD_OCTAVE_COUNT} finite third-octave levels")
        if len(self.gating_histogram) != HISTOGRAM_BINS:
            raise InvalidFingerprint(
                f"wanted {HISTOGRAM_BINS} histogram bins, got {len(self.gating_histogram)}"
            )
        if len(self.waveform) != 2 * WAVEFORM_PAIRS:
            raise InvalidFingerprint(f"wanted {2 * WAVEFORM_PAIRS} waveform bytes, got {len(self.waveform)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What one full pass over a track gives: its fingerprint, its measures, and by which definitions."""

    fingerprint: Fingerprint
    measures: TrackMeasures
    algorithm_version: int = ALGORITHM_VERSION


@dataclass(frozen=True, slots=True)
class Stored:
    """An analysis that was kept, and where: in the database, or in its ``.25d`` file."""

    analysis: Analysis
    place: Literal["database", "sidecar"]


def describe_analysis(analysis: Analysis) -> dict[str, Any]:
    """An analysis as a JSON object; the waveform as 2,000 integers, lowest and highest in turn."""
    measures: dict[str, Any] = {}
    for measure in fields(analysis.measures):
        value = getattr(analysis.measures, measure.name)
        if isinstance(value, bytes):
            value = [byte - 256 if byte > 127 else byte for byte in value]
        measures[measure.name] = list(value) if isinstance(value, tuple) else value
    return {
        "stage": "full",
        "algorithm_version": analysis.algorithm_version,
        "fingerprint": analysis.fingerprint.as_mapping(),
        "measures": measures,
    }
