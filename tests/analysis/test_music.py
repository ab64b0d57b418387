"""Real music: the dimensions that have no closed form, beside librosa's."""

import io
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.stats
import soundfile
from music import DEMO, MUSIC
from numpy.typing import NDArray
from sounds import Samples, analysed
from truth import lufs

from tonearm.model.fingerprint import DIMENSION_NAMES

EXCERPT_S = 10
EXCERPTS = 3
ENOUGH = 15
"""Ranks and distances of fewer recordings than this say little."""
LIBROSA_RATE = 22_050
READABLE = {".ogg", ".flac", ".wav", ".mp3"}

Clip = tuple[Samples, int]


def excerpts(path: Path) -> list[Clip]:
    """Ten seconds from the middle of a file that libsndfile reads at 44.1 kHz or more, and two more
    where the file is long enough."""
    if path.suffix not in READABLE:
        return []
    info = soundfile.info(path)
    if info.samplerate < 44_100 or info.frames < 2 * info.samplerate:
        return []
    length = EXCERPT_S * info.samplerate
    places = (0.5, 0.25, 0.75) if info.frames > (EXCERPTS + 1) * length else (0.5,)
    starts = [max(0, int(place * info.frames) - length // 2) for place in places]
    return [soundfile.read(path, length, start, dtype="float32", always_2d=True) for start in starts]


@pytest.fixture(scope="module")
def recordings() -> list[list[Clip]]:
    paths = {path.name: path for folder in (MUSIC, DEMO) for path in sorted(folder.iterdir())}
    return [found for path in paths.values() if (found := excerpts(path))]


@pytest.fixture(scope="module")
def clips(recordings: list[list[Clip]]) -> list[Clip]:
    """All excerpts; the first of each recording come first."""
    return [found[0] for found in recordings] + [clip for found in recordings for clip in found[1:]]


@pytest.fixture(scope="module")
def enough(recordings: list[list[Clip]]) -> None:
    if len(recordings) < ENOUGH:
        pytest.skip("ranks need the larger music set (TONEARM_TEST_MUSIC)")


@pytest.fixture(scope="module")
def vectors(clips: list[Clip]) -> NDArray[np.float64]:
    return np.array([analysed(x, rate).fingerprint.as_vector() for x, rate in clips])


@pytest.fixture(scope="module")
def mono(clips: list[Clip]) -> list[NDArray[np.float32]]:
    """At the rate that librosa works at."""
    return [
        librosa.resample(x.mean(axis=1), orig_sr=rate, target_sr=LIBROSA_RATE, res_type="soxr_qq")
        for x, rate in clips
    ]


def column(vectors: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    return vectors[:, DIMENSION_NAMES.index(name)]


def agreement(found: NDArray[np.float64], wanted: list[float]) -> float:
    return float(scipy.stats.spearmanr(found, wanted).statistic)


def test_harmonic_share_is_that_of_librosa(
    recordings: list[list[Clip]], vectors: NDArray[np.float64], mono: list[NDArray[np.float32]]
):
    wanted = []
    for y in mono[: len(recordings)]:
        harmonic, percussive = librosa.effects.hpss(y)
        wanted.append(float(np.sum(harmonic**2) / (np.sum(harmonic**2) + np.sum(percussive**2))))
    found = column(vectors, "harmonic_ratio")[: len(wanted)]
    if len(wanted) >= ENOUGH:
        assert agreement(found, wanted) >= 0.95
    assert np.mean(np.abs(found - wanted)) <= 0.05


@pytest.mark.usefixtures("enough")
def test_onsets_rank_as_those_of_librosa(vectors: NDArray[np.float64], mono: list[NDArray[np.float32]]):
    wanted = [len(librosa.onset.onset_detect(y=y, sr=LIBROSA_RATE)) / (len(y) / LIBROSA_RATE) for y in mono]
    assert agreement(column(vectors, "transient_density"), wanted) >= 0.8


@pytest.mark.usefixtures("enough")
def test_chroma_ranks_as_that_of_librosa(vectors: NDArray[np.float64], mono: list[NDArray[np.float32]]):
    wanted = []
    for y in mono:
        chroma = librosa.feature.chroma_stft(
            y=y, sr=LIBROSA_RATE, norm=None, n_fft=4096, hop_length=2048, tuning=0.0
        )
        shares = (chroma + 1e-20) / (chroma + 1e-20).sum(axis=0)
        entropy = -(shares * np.log(shares)).sum(axis=0) / np.log(12)
        wanted.append(float(np.average(1 - entropy, weights=chroma.sum(axis=0))))
    assert agreement(column(vectors, "chroma_energy"), wanted) >= 0.9


def test_loudness_is_that_of_libebur128(clips: list[Clip], vectors: NDArray[np.float64]):
    wanted = [lufs(x, rate) for x, rate in clips]
    np.testing.assert_allclose(column(vectors, "lufs"), wanted, atol=0.03)


def resampled(x: Samples, rate: int) -> Clip:
    return librosa.resample(x, orig_sr=rate, target_sr=48_000, axis=0).astype(np.float32), 48_000


def encoded(x: Samples, rate: int) -> Clip:
    """As MP3 of 320 kbit/s; half as loud, since libsndfile clips what the encoder overshoots."""
    file = io.BytesIO()
    soundfile.write(file, 0.5 * x, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.0)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32", always_2d=True)
    return 2 * decoded, rate


@pytest.mark.usefixtures("enough")
@pytest.mark.parametrize("changed", [resampled, encoded])
def test_the_same_recording_in_another_format_stays_where_it_is(
    changed: Callable[[Samples, int], Clip], recordings: list[list[Clip]], vectors: NDArray[np.float64]
):
    """The median move is under a tenth of the median distance between recordings.

    Not every move: the flatness of a recording that reaches up to half its rate falls with every
    empty bin above it, and librosa counts these too.
    """
    first = vectors[: len(recordings)]
    low, high = np.percentile(first, [5, 95], axis=0)
    scaled = first / np.maximum(high - low, 1e-9)
    apart = [np.linalg.norm(a - b) for i, a in enumerate(scaled) for b in scaled[:i]]
    moves = []
    for ((x, rate), *_), before in zip(recordings, scaled, strict=True):
        if rate == 44_100:
            after = analysed(*changed(x, rate)).fingerprint.as_vector() / np.maximum(high - low, 1e-9)
            moves.append(np.linalg.norm(after - before))
    assert np.median(moves) < 0.1 * np.median(apart)
