"""Q6 on real music: an album rendered track by track beside the album rendered whole."""

from pathlib import Path

import numpy as np
import pytest
from brickwall import limited
from music import clip
from quality.gapless import Album, at_once, beside, cut_up, joined, lengths, limiting, steepest, streamed
from quality.material import decoded
from quality.playing import decided
from sounds import analysed
from verdicts import assert_inside, assert_refused

from tonearm.model.audio import Block
from tonearm.model.plan import MasteringPlan

RATE = 44_100


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Album:
    take, rate = decoded(clip("loop_tabla.flac"))
    return Album.of("tabla", "FLAC", tmp_path_factory.mktemp("album"), cut_up(take, rate, [5.3], 0.0), rate)


@pytest.fixture(scope="module")
def plan(album: Album) -> MasteringPlan:
    return limiting(album, 0.0)


@pytest.fixture(scope="module")
def whole(album: Album, plan: MasteringPlan) -> Block:
    return at_once(album, plan)


def test_tracks_that_run_on_are_the_album(album: Album, plan: MasteringPlan, whole: Block) -> None:
    assert_inside(lengths(album))
    findings = list(beside(album, joined(album, plan), whole, "limited"))
    assert {finding.check for finding in findings} == {"join", "join-length", "join-step"}
    assert_inside(findings)


def test_tracks_that_begin_anew_are_refused(album: Album, plan: MasteringPlan, whole: Block) -> None:
    anew = [streamed(file, plan, None) for file in album.files]
    findings = beside(album, anew, whole, "limited")
    assert "join" in {finding.check for finding in findings if not finding.inside}


def test_a_step_a_shift_and_a_lost_frame_are_refused(album: Album, whole: Block) -> None:
    (join,) = album.joins
    step = whole.copy()
    step[join - 500 : join] *= np.float32(10 ** (0.15 / 20))
    slope = whole.copy()
    slope[join - 2_000 : join] *= 10 ** (np.linspace(0, 1.5, 2_000, dtype=np.float32) / 20)[:, None]
    refused = {"step": {"join-step"}, "slope": {"join-step"}, "short": {"join-length"}, "shift": {"join"}}
    for name, wrong in {
        "step": step, "slope": slope, "short": whole[:-1], "shift": np.roll(whole, 1, axis=0)
    }.items():  # fmt: skip
        findings = list(beside(album, [wrong[:join], wrong[join:]], whole, name))
        assert refused[name] <= {finding.check for finding in findings if not finding.inside}, name


def test_attacks_are_opened_alike_wherever_a_track_begins(tmp_path: Path) -> None:
    """Three tracks whose lengths are multiples of nothing; each is streamed after the one before."""
    take, rate = decoded(clip("loop_tabla.flac"))
    loud = limited(np.concatenate([take, take]) / np.abs(take).max(), rate, 15.0)
    album = Album.of("tabla", "FLAC", tmp_path, np.split(loud, [250_003, 501_938]), rate)
    plan = decided(analysed(album.whole, rate))
    assert plan.restoration.boost_db > 1.0
    whole, tracks = at_once(album, plan), joined(album, plan)
    assert_inside([finding for finding in beside(album, tracks, whole, "") if finding.check != "join-step"])
    anew = [streamed(file, plan, None) for file in album.files]
    for track, alone in zip(tracks[1:], anew[1:], strict=True):
        assert np.abs(alone - track)[5 * rate :].max() < 10 ** (-90 / 20)
    assert np.abs(anew[1] - tracks[1])[:rate].max() > 0.001
    opened = 20 * np.log10(np.abs(whole).max() / np.abs(album.whole).max()) - plan.gain_db
    assert opened > 0.5


def test_a_gain_that_falls_slowly_is_no_step() -> None:
    x = np.random.default_rng(0).normal(0, 0.1, (RATE, 2)).astype(np.float32)
    falling = x * 10 ** (np.linspace(0, -60, RATE, dtype=np.float32) / 20)[:, None]
    assert steepest(falling, x, RATE) == pytest.approx(0.06, abs=0.02)
    assert steepest(x, x, RATE) == 0.0


def test_files_that_lost_frames_are_refused(tmp_path: Path) -> None:
    take, rate = decoded(clip("drum_roll.flac"))
    album = Album.of("drum", "FLAC", tmp_path, cut_up(take, rate, [2.0, 2.0], 0.1), rate)
    assert len(album.files) == 3
    np.testing.assert_array_equal(album.whole, take)
    cut = Album(album.name, album.kind, rate, album.files, [source[1:] for source in album.sources], [0] * 3)
    assert_refused(lengths(cut))
