from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audio_files import Samples, by_libsndfile
from hypothesis import given, settings
from hypothesis import strategies as st
from music import clip
from truth import decoded, true_peak_dbtp

from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.errors import DecodeError, FileMissing
from tonearm.model.plan import MasteringPlan, MasteringState, Preset, Target, untouched
from tonearm.rendering.chunked import ChunkedAudioProcessor

BYPASS = untouched("asked for")
PLAN = MasteringPlan(
    state=MasteringState.FINGERPRINT,
    gain_db=9.0,
    eq_db=(-2.0, 1.0, 0.5, 0.0, -1.0, 2.0, 1.5),
    limiting_db=2.0,
)
TABLA = clip("loop_tabla.flac")
VIBE = clip("Kevin_MacLeod_-_Vibe_Ace.ogg")


def rendered(
    path: Path,
    source: MasteringPlan | HybridProcessor,
    start: int = 0,
    frames: int = 1 << 40,
    step: int = 40_000,
) -> Samples:
    parts = []
    with ChunkedAudioProcessor(path, source, start) as track:
        assert track.position == start
        while frames > 0 and len(block := track.read(min(step, frames))):
            parts.append(block)
            frames -= len(block)
            assert track.position == start + sum(map(len, parts))
    return np.concatenate(parts)


def hybrid(rate: int = 44_100, channels: int = 2, intensity: float = 1.0) -> HybridProcessor:
    return HybridProcessor(rate, channels, Preset.ADAPTIVE, intensity, Target())


def test_bypass_is_the_source_bit_for_bit() -> None:
    expected, _ = decoded(str(TABLA))
    np.testing.assert_array_equal(rendered(TABLA, BYPASS), expected)
    np.testing.assert_array_equal(rendered(TABLA, BYPASS, 123_457), expected[123_457:])
    np.testing.assert_array_equal(rendered(TABLA, hybrid(intensity=0.0)), expected)


def test_surround_is_mixed_down_as_the_itu_says(tmp_path: Path) -> None:
    surround = np.random.default_rng(0).uniform(-0.3, 0.3, (60_000, 6)).astype(np.float32)
    path = by_libsndfile(tmp_path / "surround.wav", surround, 44_100, "FLOAT")
    half = np.sqrt(0.5)
    left, right, centre, _, left_back, right_back = surround.astype(np.float64).T
    expected = np.stack([left + half * (centre + left_back), right + half * (centre + right_back)], axis=1)
    np.testing.assert_allclose(rendered(path, BYPASS), expected, rtol=0, atol=1e-6)
    with ChunkedAudioProcessor(path, PLAN) as track:
        assert track.format.channels == 2
        assert track.info.format.channels == 6
        assert track.read(10).shape == (10, 2)
    with ChunkedAudioProcessor(path, BYPASS, most_channels=8) as track:
        np.testing.assert_array_equal(track.read(1 << 30), surround)


@pytest.mark.parametrize("path", [TABLA, clip("drum_roll.flac"), clip("ambi_choir.flac")])
def test_frames_out_are_frames_in(path: Path) -> None:
    source, _ = decoded(str(path))
    for start in (0, 1, len(source) // 2, len(source) - 1):
        out = rendered(path, PLAN, start)
        assert out.shape == source[start:].shape
        assert np.isfinite(out).all()
    assert true_peak_dbtp(rendered(path, PLAN)) <= PLAN.ceiling_dbtp + 0.02


def test_the_plan_is_heard() -> None:
    source, _ = decoded(str(TABLA))
    louder = rendered(TABLA, MasteringPlan(state=MasteringState.FINGERPRINT, gain_db=6.0))
    np.testing.assert_allclose(louder, source * 10 ** (6 / 20), rtol=0, atol=1e-6)


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(1, 90_000), min_size=1, max_size=8), by_ear=st.booleans())
def test_the_size_of_a_read_changes_nothing(cuts: list[int], by_ear: bool) -> None:
    whole = rendered(TABLA, hybrid() if by_ear else PLAN, frames=sum(cuts))
    with ChunkedAudioProcessor(TABLA, hybrid() if by_ear else PLAN) as track:
        parts = [track.read(cut) for cut in cuts]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("seconds", [0.3, 3.999, 17.77, 42.0])
@pytest.mark.parametrize("path", [VIBE, clip("teeworlds_menu.wv")])
def test_a_seek_yields_the_slice_of_the_whole(path: Path, seconds: float) -> None:
    with ChunkedAudioProcessor(path, PLAN) as track:
        start = min(round(seconds * 44_100), track.info.frames - 44_100)
        whole = track.read(start + 88_200)[start:]
    sought = rendered(path, PLAN, start, frames=len(whole))
    assert sought.shape == whole.shape
    assert np.max(np.abs(sought - whole)) <= 10 ** (-90 / 20)


def test_a_hybrid_plans_as_it_hears() -> None:
    source, _ = decoded(str(TABLA))
    with ChunkedAudioProcessor(TABLA, hybrid()) as track:
        assert track.plan.gain_db == 0.0
        out = track.read(1 << 30)
        later = track.plan
    assert later.state is MasteringState.STANDARD
    # -26.6 LUFS and -9.7 dBTP: room for all of the 3 dB of lift, which takes 6 s.
    assert 2.5 < later.gain_db <= 3.0
    np.testing.assert_allclose(out[:22_050], source[:22_050], rtol=0, atol=1e-6)
    at = slice(8 * 44_100, None)
    assert np.std(out[at]) > 1.25 * np.std(source[at])


def test_a_hybrid_steps_on_the_grid_of_the_track_after_a_seek() -> None:
    start = 9 * 44_100 + 777
    grid = hybrid().grid_frames
    with ChunkedAudioProcessor(VIBE, hybrid(), start) as track:
        gains = []
        for _ in range(40):
            track.read(2_205)
            gains.append(track.plan.gain_db)
    # 2 s of sound in 40 reads: the plan may change where a half second of the track ends, no oftener.
    assert 1 < len(set(gains)) <= 2 + 40 * 2_205 // grid


def test_a_plan_takes_over_from_a_hybrid() -> None:
    with ChunkedAudioProcessor(VIBE, hybrid()) as track:
        before = track.read(5 * 44_100)
        track.retarget(PLAN, 3.0)
        assert track.plan == PLAN
        during = track.read(6 * 44_100)
        after = track.read(4 * 44_100)
        assert track.plan == PLAN
    whole = rendered(VIBE, PLAN, frames=15 * 44_100)
    np.testing.assert_allclose(after[44_100:], whole[12 * 44_100 :], rtol=0, atol=1e-4)
    joint = np.concatenate([before, during])[:, 0]
    steps = np.abs(np.diff(joint[5 * 44_100 - 100 : 5 * 44_100 + 100]))
    assert steps.max() <= 1.5 * np.abs(np.diff(joint[4 * 44_100 : 6 * 44_100])).max()


@pytest.mark.parametrize("source", [PLAN, None], ids=["plan", "hybrid"])
def test_a_glide_to_bypass_ends_in_the_source_bit_for_bit(source: MasteringPlan | None) -> None:
    with ChunkedAudioProcessor(VIBE, source or hybrid()) as track:
        track.read(2 * 44_100)
        track.retarget(BYPASS, 1.0)
        assert track.plan == BYPASS
        before = track.read(44_100)
        rest = track.read(1 << 30)
        assert track.plan == BYPASS
    whole = rendered(VIBE, BYPASS)
    assert not np.array_equal(before, whole[2 * 44_100 : 3 * 44_100])
    # What was in the works, the glide, and what the filters and the limiter's release take to fade.
    settled = 5 * 44_100
    assert len(whole) > settled + 44_100
    np.testing.assert_array_equal(rest[settled - 3 * 44_100 :], whole[settled:])


def test_no_glide_leads_out_of_bypass() -> None:
    with ChunkedAudioProcessor(TABLA, BYPASS) as track:
        track.read(100)
        with pytest.raises(ValueError, match="glide"):
            track.retarget(PLAN, 3.0)
        assert track.plan == BYPASS
        track.retarget(replace(BYPASS, preset=Preset.WARM), 3.0)
        assert track.plan.preset is Preset.WARM


@pytest.mark.parametrize("source", [BYPASS, PLAN], ids=["bypass", "plan"])
def test_what_is_left_of_a_broken_file_is_played(tmp_path: Path, source: MasteringPlan) -> None:
    broken = tmp_path / "broken.flac"
    broken.write_bytes(TABLA.read_bytes()[:250_000])
    whole = rendered(TABLA, source)
    with ChunkedAudioProcessor(broken, source) as track:
        heard = track.read(1 << 30)
        assert 100_000 < len(heard) < len(whole)
        assert track.position == len(heard)
        for _ in range(2):
            with pytest.raises(DecodeError):
                track.read(1)
    np.testing.assert_allclose(heard[:-9_000], whole[: len(heard) - 9_000], rtol=0, atol=1e-6)


def test_after_the_end_there_is_nothing() -> None:
    with ChunkedAudioProcessor(TABLA, PLAN, 10**9) as track:
        assert track.read(100).shape == (0, 2)
    with ChunkedAudioProcessor(TABLA, PLAN) as track:
        track.read(1 << 30)
        assert track.read(1).shape == (0, 2)


def test_errors_are_typed(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        ChunkedAudioProcessor(tmp_path / "nowhere.flac", PLAN)
    with pytest.raises(ValueError, match="start_frame"):
        ChunkedAudioProcessor(TABLA, PLAN, -1)
