"""Every dimension and measure that an independent program can be asked for, and how near it must come."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from agreement import ENOUGH_FOR_RANKS, Agreement, Bounds
from level_truth import LevelTruth, Samples
from sounds import analysed
from spectral_truth import SpectralTruth

from tonearm.model.fingerprint import BAND_NAMES
from tonearm.model.measures import Analysis

Clip = tuple[Samples, int]


def value(analysis: Analysis, name: str) -> float:
    """A dimension or a measure by its name."""
    fingerprint = analysis.fingerprint
    return float(getattr(fingerprint if hasattr(fingerprint, name) else analysis.measures, name))


@dataclass
class Heard:
    """One recording: what the program found and where the truth can be asked."""

    analysis: Analysis
    level: LevelTruth
    spectral: SpectralTruth

    @classmethod
    def of(cls, clip: Clip) -> "Heard":
        x, rate = clip
        return cls(analysed(x, rate), LevelTruth(x, rate), SpectralTruth(x, rate))


Row = tuple[float, float, float]
"""Found, true, what an error of one unit is."""


@dataclass(frozen=True)
class Comparison:
    """``whole`` ones are cheap enough for whole tracks."""

    name: str
    by: str
    bounds: Bounds
    whole: bool
    row: Callable[[Heard], Row]
    least_s: float = 0.0


def compare(comparisons: Sequence[Comparison], recordings: Iterable[Heard], on: str) -> list[Agreement]:
    """All comparisons over all recordings, of which only one at a time is held."""
    agreements = [Agreement(c.name, c.by, on, c.bounds) for c in comparisons]
    for heard in recordings:
        for comparison, agreement in zip(comparisons, agreements, strict=True):
            if heard.level.frames >= comparison.least_s * heard.level.rate:
                agreement.add(*comparison.row(heard))
    for agreement in agreements:
        if len(agreement.found) < ENOUGH_FOR_RANKS:
            agreement.bounds = replace(agreement.bounds, rank=None)
    return agreements


def _level(
    name: str, by: str, worst: float, unit: str = "", *, whole: bool = True, least_s: float = 0
) -> Comparison:
    def row(heard: Heard) -> Row:
        return value(heard.analysis, name), float(getattr(heard.level, name)), 1.0

    return Comparison(name, by, Bounds(worst=worst, unit=unit), whole, row, least_s)


def _spectral(name: str, by: str, bounds: Bounds, true_name: str = "", least_s: float = 0.0) -> Comparison:
    def row(heard: Heard) -> Row:
        return value(heard.analysis, name), float(getattr(heard.spectral, true_name or name)), 1.0

    return Comparison(name, by, bounds, whole=False, row=row, least_s=least_s)


def _percent(name: str, by: str = "librosa", true_name: str = "") -> Comparison:
    def row(heard: Heard) -> Row:
        wanted = float(getattr(heard.spectral, true_name or name))
        return value(heard.analysis, name), wanted, 0.01 * wanted

    return Comparison(name, by, Bounds(worst=1.0, unit="%"), whole=False, row=row)


def _band(index: int, name: str) -> Comparison:
    def row(heard: Heard) -> Row:
        return value(heard.analysis, name), float(heard.spectral.bands_pct[index]), 1.0

    return Comparison(name, "scipy welch", Bounds(worst=0.5, unit="points"), whole=False, row=row)


def _rolloff(heard: Heard) -> Row:
    return value(heard.analysis, "spectral_rolloff"), heard.spectral.spectral_rolloff, heard.spectral.bin_hz


def _worst_third_octave(heard: Heard) -> Row:
    """Of those over -120 dB, under which the rounding of float32 spectra shows."""
    found, wanted = np.array(heard.analysis.measures.third_octaves_db), heard.spectral.third_octaves_db
    known = wanted > -120
    worst = int(np.argmax(np.abs(found - wanted) * known))
    return float(found[worst]), float(wanted[worst]), 1.0


def _histogram(heard: Heard) -> Row:
    return heard.level.histogram_distance(heard.analysis.measures.gating_histogram), 0.0, 1.0


def _waveform(heard: Heard) -> Row:
    return heard.level.waveform_distance(heard.analysis.measures.waveform), 0.0, 1.0


COMPARISONS = (
    *(_band(index, name) for index, name in enumerate(BAND_NAMES)),
    _level("lufs", "pyebur128", 0.03, "LU"),
    _level("crest_db", "numpy, blocks gated by pyebur128", 0.01, "dB"),
    _spectral("bass_mid_ratio", "scipy welch", Bounds(worst=0.1, unit="dB")),
    _spectral("transient_density", "librosa onset_detect", Bounds(rank=0.8)),
    _level("silence_ratio", "numpy", 0.0),
    _percent("spectral_centroid"),
    Comparison("spectral_rolloff", "librosa", Bounds(worst=1.0, unit="bin"), whole=False, row=_rolloff),
    _percent("spectral_flatness", "librosa, its floor 20 dB lower for each 20 dB under -20 dBFS"),
    replace(
        _percent("spectral_flatness", "librosa, its own floor", "flatness_over_default_floor"),
        bounds=Bounds(unit="%"),
    ),
    _spectral("harmonic_ratio", "librosa hpss", Bounds(mean=0.05, rank=0.95)),
    _spectral(
        "harmonic_ratio",
        "librosa hpss, windows as defined",
        Bounds(mean=0.015),
        "harmonic_ratio_as_defined",
        least_s=5.0,
    ),
    _spectral("chroma_energy", "librosa chroma_stft", Bounds(rank=0.9)),
    _level("dynamic_range_variation", "numpy", 0.05, "dB"),
    _level("loudness_variation_std", "pyebur128, numpy", 0.05, "LU"),
    _level("peak_consistency", "numpy", 0.01),
    _level("stereo_width", "numpy", 1e-6),
    _level("phase_correlation", "numpy", 1e-4),
    _level("frames", "numpy", 0.0, "frames"),
    _level("rate", "the file", 0.0, "Hz"),
    _level("channels", "the file", 0.0),
    _level("true_peak_dbtp", "scipy resample_poly, 16x", 0.01, "dB", whole=False),
    _level("lra_lu", "pyebur128", 0.1, "LU"),
    _level("plr_db", "scipy, pyebur128", 0.04, "dB", whole=False),
    _level("psr_p10_db", "scipy, pyebur128", 0.1, "dB", whole=False, least_s=3.0),
    _level("clipped_ppm", "numpy", 1e-6, "ppm"),
    _level("dc_offset", "numpy", 1e-6),
    _spectral("bass_phase_correlation", "scipy csd", Bounds(worst=1e-3)),
    _level("downmix_lufs", "pyebur128", 0.03, "LU"),
    _level("downmix_true_peak_dbtp", "scipy resample_poly, 16x", 0.01, "dB", whole=False),
    Comparison(
        "third_octaves_db", "scipy welch", Bounds(worst=0.1, unit="dB"), whole=False, row=_worst_third_octave
    ),
    Comparison("gating_histogram", "pyebur128", Bounds(worst=0.03, unit="LU"), whole=True, row=_histogram),
    Comparison("waveform", "numpy", Bounds(worst=0.51, unit="steps"), whole=True, row=_waveform),
)


def downmixed(x: Samples, rate: int) -> list[Agreement]:
    """The measures of the stereo downmix of 5.1 channels, beside those of numpy's (ITU-R BS.775)."""
    left, right, centre, _, back_left, back_right = x.T
    half = np.sqrt(0.5)
    stereo = np.stack([left + half * (centre + back_left), right + half * (centre + back_right)], axis=1)
    analysis, truth = analysed(x, rate, "5.1"), LevelTruth(stereo.astype(np.float32), rate)
    agreements = []
    for name, worst, unit in (("downmix_lufs", 0.03, "LU"), ("downmix_true_peak_dbtp", 0.01, "dB")):
        agreement = Agreement(name, "numpy downmix", "noise in 5.1 channels", Bounds(worst=worst, unit=unit))
        agreement.add(value(analysis, name), float(getattr(truth, name)))
        agreements.append(agreement)
    return agreements
