"""Tracks made of numbers, for tests of decisions."""

from pathlib import Path

import pytest

from tonearm.mastering.corridor import MEDIANS_DB
from tonearm.model.fingerprint import Fingerprint
from tonearm.model.measures import HISTOGRAM_BINS, TrackMeasures


class MeasuredTrack:
    """A fingerprint and measures that agree, in the middle of the corridor unless said otherwise."""

    def __init__(self, lufs=-18.0, crest_db=16.0, psr_p10_db=12.0, true_peak_dbtp=-1.0, **changes):
        spectrum = changes.pop("spectrum_db", MEDIANS_DB)
        values = {
            "frames": 44_100 * 200,
            "rate": 44_100,
            "channels": 2,
            "true_peak_dbtp": true_peak_dbtp,
            "lra_lu": 6.0,
            "plr_db": true_peak_dbtp - lufs,
            "psr_p10_db": psr_p10_db,
            "clipped_ppm": 0.0,
            "dc_offset": 0.0,
            "bass_phase_correlation": 1.0,
            "downmix_lufs": lufs,
            "downmix_true_peak_dbtp": true_peak_dbtp,
            "third_octaves_db": tuple(level + lufs for level in spectrum),
            "gating_histogram": (0,) * HISTOGRAM_BINS,
            "waveform": bytes(2000),
        }
        self.measures = TrackMeasures(**(values | changes))
        self.fingerprint = Fingerprint(
            sub_bass_pct=5.0,
            bass_pct=30.0,
            low_mid_pct=20.0,
            mid_pct=25.0,
            upper_mid_pct=10.0,
            presence_pct=5.0,
            air_pct=5.0,
            lufs=lufs,
            crest_db=crest_db,
            bass_mid_ratio=0.0,
            tempo_bpm=120.0,
            rhythm_stability=0.9,
            transient_density=3.0,
            silence_ratio=0.0,
            spectral_centroid=1800.0,
            spectral_rolloff=5000.0,
            spectral_flatness=0.05,
            harmonic_ratio=0.6,
            pitch_stability=0.5,
            chroma_energy=0.4,
            dynamic_range_variation=2.0,
            loudness_variation_std=2.0,
            peak_consistency=0.8,
            stereo_width=0.2,
            phase_correlation=0.6,
        )


@pytest.fixture(scope="session")
def track():
    """Builds a measured track: ``track(lufs=-11.0, crest_db=12.0)``."""
    return MeasuredTrack


@pytest.fixture(scope="session")
def demo():
    """The folder of the demo clips."""
    return Path(__file__).parents[2] / "demo"
