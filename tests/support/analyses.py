"""Analyses and tracks as the tests need them, plausible and all different from each other."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

from tonearm.model.audio import AudioFormat, AudioInfo
from tonearm.model.fingerprint import BAND_NAMES, DIMENSIONS, Fingerprint
from tonearm.model.measures import (
    HISTOGRAM_BINS,
    THIRD_OCTAVE_COUNT,
    WAVEFORM_PAIRS,
    Analysis,
    TrackMeasures,
)
from tonearm.model.probe import Probe
from tonearm.model.track import FileSignature, Tags, Track


def analysis(**changes: float) -> Analysis:
    """An analysis in which no two values are alike; ``changes`` are to the fingerprint."""
    values = {
        dimension.name: dimension.metadata["low"]
        + (dimension.metadata["high"] - dimension.metadata["low"]) * (0.31 + number / 70)
        for number, dimension in enumerate(DIMENSIONS)
    }
    values |= dict(zip(BAND_NAMES, (5.5, 24, 18, 22, 12.5, 8, 10), strict=True))
    numbers = {
        measure.name: measure.type(1000 + 10 * number)
        for number, measure in enumerate(fields(TrackMeasures))
        if measure.type in (int, float)
    }
    measures = TrackMeasures(
        **numbers,
        third_octaves_db=tuple(-30.5 - band for band in range(THIRD_OCTAVE_COUNT)),
        gating_histogram=tuple(range(HISTOGRAM_BINS)),
        waveform=bytes(range(250)) * (2 * WAVEFORM_PAIRS // 250),
    )
    return Analysis(fingerprint=Fingerprint(**(values | changes)), measures=measures)


def probe() -> Probe:
    """A probe in which no two values are alike."""
    return Probe(
        lufs=-14.5,
        crest_db=11.25,
        true_peak_dbtp=-0.75,
        bands_pct=(5.5, 24, 18, 22, 12.5, 8, 10),
        third_octaves_db=tuple(-30.5 - band for band in range(THIRD_OCTAVE_COUNT)),
        rate=44_100,
        windows=16,
        seconds=32.5,
    )


def track(path: Path = Path("/music/song.flac"), track_id: int = 1, content: str = "c0ffee") -> Track:
    """A track of four minutes."""
    info = AudioInfo(
        format=AudioFormat(44_100, 2),
        frames=240 * 44_100,
        frames_exact=True,
        codec="flac",
        container="flac",
        bit_depth=16,
        bitrate=900_000,
        channel_layout="stereo",
    )
    now = datetime(2025, 1, 1, tzinfo=UTC)
    signature = FileSignature(size=1234, mtime_ns=1_700_000_000_000_000_000, content=content)
    return Track(track_id, path, signature, info, Tags(), created_at=now, updated_at=now)


def signed(unsigned: Track, signature: FileSignature) -> Track:
    """The same track with another state of its file."""
    return replace(unsigned, signature=signature)
