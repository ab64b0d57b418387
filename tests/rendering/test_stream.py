"""What a listener is sent: meters against outside ones, level match, and tracks that run on (Q6)."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyebur128
import pytest
from audio_files import LOSSY, Samples, by_ffmpeg, by_libsndfile
from music import clip
from scipy.signal import resample_poly
from truth import decoded

from tonearm.model.plan import MasteringPlan, MasteringState, untouched
from tonearm.model.stream import Rendered
from tonearm.rendering.stream import StreamRenderer
from tonearm.rendering.tail import tail

BYPASS = untouched("asked for")
PLAN = MasteringPlan(
    state=MasteringState.FINGERPRINT,
    gain_db=14.0,
    eq_db=(-2.0, 1.0, 0.5, 0.0, -1.0, 2.0, 1.5),
    limiting_db=2.0,
)
RATE = 44_100
VIBE = clip("Kevin_MacLeod_-_Vibe_Ace.ogg")
TABLA = clip("loop_tabla.flac")


def rendered(stream: StreamRenderer, step: int = RATE // 2) -> list[Rendered]:
    parts = []
    while len((part := stream.read(step)).block):
        parts.append(part)
    stream.close()
    return parts


def sound(parts: list[Rendered]) -> Samples:
    return np.concatenate([part.block for part in parts])


def render(
    path: Path, plan: MasteringPlan = PLAN, start: int = 0, match_db: float = 0.0, earlier: Path | None = None
) -> Samples:
    return sound(rendered(StreamRenderer.open(path, plan, start, match_db, earlier)))


MAKERS = {"flac": lambda folder, x: by_libsndfile(folder / "16.flac", x, RATE, "PCM_16"), **LOSSY}


@pytest.fixture(scope="module")
def halves() -> tuple[Samples, Samples]:
    """Two tracks of one take, which is cut where it is loud."""
    take, _ = decoded(str(TABLA))
    take = take * np.float32(3.0)
    assert np.abs(take[250_000:260_000]).max() > 0.5
    return take[:254_321], take[254_321:]


ALBUM_PLAN = replace(PLAN, gain_db=3.0)
"""Its limiter takes off some 2 dB, as plans have it do."""


@pytest.mark.parametrize("kind", ["flac", "mp3-cbr", "mp3-vbr", "vorbis", "opus", "aac"])
def test_tracks_rendered_one_by_one_are_the_album_rendered_whole(
    kind: str, halves: tuple[Samples, Samples], tmp_path: Path
) -> None:
    files = []
    for name, half in zip("ab", halves, strict=True):
        (tmp_path / name).mkdir()
        files.append(MAKERS[kind](tmp_path / name, half))
    rate = 48_000 if kind == "opus" else RATE
    sources = [render(file, BYPASS) for file in files]
    assert [len(source) for source in sources] == [len(half) for half in halves], "frames are lost or added"
    whole = render(by_libsndfile(tmp_path / "whole.wav", np.concatenate(sources), rate, "FLOAT"), ALBUM_PLAN)

    first, second = render(files[0], ALBUM_PLAN), render(files[1], ALBUM_PLAN, earlier=files[0])
    alone = render(files[1], ALBUM_PLAN)

    joined, join = np.concatenate([first, second]), len(first)
    assert len(joined) == len(whole)
    error = np.abs(joined - whole)
    assert error[: join - round(0.05 * rate)].max() <= 10 ** (-90 / 20)
    assert error[join:].max() <= 10 ** (-90 / 20)
    assert np.abs(alone - second).max() > 10 ** (-60 / 20), "without its past the track sounds the same"
    # Between, the end of the first hears silence come: its gain may differ, but never by a step.
    ms = rate // 1000
    span = slice(join - 60 * ms, join + 5 * ms)
    levels = [10 * np.log10(np.sum(x[span].reshape(65, -1) ** 2, axis=1)) for x in (joined, whole)]
    assert np.abs(np.diff(levels[0] - levels[1])).max() <= 0.1


def test_another_rate_or_another_number_of_channels_is_told_and_nothing_is_gone_through(
    tmp_path: Path,
) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (60_000, 2)).astype(np.float32)
    own = by_libsndfile(tmp_path / "own.wav", noise, RATE)
    mono = by_libsndfile(tmp_path / "mono.wav", noise[:, :1], RATE)
    fast = by_libsndfile(tmp_path / "fast.wav", noise, 48_000)
    surround = by_libsndfile(tmp_path / "5.1.wav", np.tile(noise, (1, 3)), RATE)
    alone = render(own)
    for earlier, said in ((mono, "1 channel,"), (fast, "48000 Hz")):
        stream = StreamRenderer.open(own, PLAN, 0, 0.0, earlier)
        assert stream.joint is not None
        assert not stream.joint.gapless
        assert said in stream.joint.reason
        np.testing.assert_array_equal(sound(rendered(stream)), alone)
    # A stream has two channels at most, so these two are alike.
    assert StreamRenderer.open(own, PLAN, 0, 0.0, surround).joint.gapless


def test_an_earlier_track_that_cannot_be_read_costs_nothing_but_its_end(tmp_path: Path) -> None:
    broken = tmp_path / "broken.flac"
    broken.write_bytes(TABLA.read_bytes()[:-100_000])
    for earlier in (broken, tmp_path / "gone.flac"):
        stream = StreamRenderer.open(TABLA, PLAN, 0, 0.0, earlier)
        assert not stream.joint.gapless
        assert stream.joint.reason.startswith("The track before: ")
        assert str(tmp_path) not in stream.joint.reason
        assert len(stream.read(1_000).block) == 1_000


def test_amid_a_track_and_without_mastering_there_is_nothing_to_go_through() -> None:
    amid = StreamRenderer.open(TABLA, PLAN, 100_000, 0.0, VIBE)
    assert not amid.joint.gapless
    np.testing.assert_array_equal(sound(rendered(amid)), render(TABLA, start=100_000))
    plain = StreamRenderer.open(TABLA, BYPASS, 0, 0.0, VIBE)
    assert plain.joint.gapless
    np.testing.assert_array_equal(sound(rendered(plain)), decoded(str(TABLA))[0])
    assert StreamRenderer.open(TABLA, PLAN, 0, 0.0, None).joint is None


@pytest.mark.parametrize("frames", [1, 1_000, 4 * RATE, 10 * RATE])
@pytest.mark.parametrize("kind", ["flac", "mp3", "adts", "short"])
def test_a_tail_is_the_end_of_the_whole(kind: str, frames: int, tmp_path: Path) -> None:
    take = np.tile(decoded(str(TABLA))[0], (4, 1))[: 30 * RATE + 7]
    path = {
        "flac": lambda: by_libsndfile(tmp_path / "a.flac", take, RATE),
        # Neither of these two says how long it is.
        "mp3": lambda: by_ffmpeg(
            tmp_path / "a.mp3", take, RATE, "libmp3lame", container_options={"write_xing": "0"}
        ),
        "adts": lambda: by_ffmpeg(tmp_path / "a.aac", take, RATE, "aac", codec_options={"aac_pns": "0"}),
        "short": lambda: by_libsndfile(tmp_path / "a.wav", take[:500], RATE),
    }[kind]()
    whole = render(path, BYPASS)
    ending = tail(path, frames)
    assert len(ending) == min(frames, len(whole))
    np.testing.assert_allclose(ending, whole[-frames:], rtol=0, atol=10 ** (-90 / 20))


def test_a_level_match_turns_down_behind_the_limiter_and_nothing_else() -> None:
    plain = render(TABLA)
    np.testing.assert_allclose(render(TABLA, match_db=-6.5), plain * 10 ** (-6.5 / 20), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(render(TABLA, match_db=0.0), plain)
    with pytest.raises(ValueError, match="never turns up"):
        StreamRenderer.open(TABLA, PLAN, 0, 0.5, None)


def test_another_plan_and_its_level_match_are_glided_to_together() -> None:
    plan = replace(PLAN, gain_db=0.0, eq_db=(0.0,) * 7)
    stream = StreamRenderer.open(VIBE, plan, 0, -6.0, None)
    stream.read(RATE)
    stream.retarget(replace(plan, gain_db=-3.0), -3.0, 3.0)
    during = stream.read(3 * RATE).block
    stream.read(RATE)
    after = stream.read(RATE).block
    source = render(VIBE, BYPASS)
    np.testing.assert_allclose(after, source[5 * RATE : 6 * RATE] * 10 ** (-6 / 20), rtol=1e-5, atol=1e-7)
    # One gain falls as the other rises; half a second of the track is under way between them.
    loud = np.abs(source[RATE : 4 * RATE]) > 0.05
    gain_db = 20 * np.log10(during[loud] / source[RATE : 4 * RATE][loud])
    assert np.abs(gain_db + 6.0).max() < 0.6


def true_peak_of(x: Samples, start: int, end: int) -> float:
    """Of the frames ``start`` to ``end``, shifted by the meter's 10 frames of delay."""
    begin = max(0, start - 500)
    up = resample_poly(x[begin : end + 500].astype(np.float64), 16, 1, axis=0, window=("kaiser", 12.0))
    first = 16 * (max(0, start - 10) - begin)
    return float(20 * np.log10(np.abs(up[first : 16 * (end - 10 - begin)]).max()))


def short_term(x: Samples, end: int) -> float:
    state = pyebur128.R128State(x.shape[1], RATE, pyebur128.MeasurementMode.MODE_S)
    state.add_frames(np.ascontiguousarray(x[:end]).reshape(-1), end)
    return float(pyebur128.get_loudness_shortterm(state))


@pytest.mark.parametrize("match_db", [0.0, -4.0])
def test_the_meters_read_what_an_outside_meter_reads(match_db: float) -> None:
    parts = rendered(StreamRenderer.open(VIBE, PLAN, 0, match_db, None))[:40]
    out, source = sound(parts), render(VIBE, BYPASS)
    ends = list(itertools.accumulate(len(part.block) for part in parts))
    for number in (0, 7, 20, 39):
        start, end, reading = ends[number] - len(parts[number].block), ends[number], parts[number].reading
        for heard, x in ((reading.before, source), (reading.after, out)):
            assert heard.true_peak_dbtp == pytest.approx(true_peak_of(x, start, end), abs=0.01)
            if number > 7:
                assert heard.short_term_lufs == pytest.approx(short_term(x, end), abs=0.3)
    assert max(part.reading.after.true_peak_dbtp for part in parts) <= -1.0 + match_db + 0.02
    reductions = [part.reading.gain_reduction_db for part in parts]
    assert max(reductions) > 0.5, "14 dB up must be limited somewhere"
    unlimited = 20 * np.log10(np.abs(render(VIBE, replace(PLAN, ceiling_dbtp=40.0))[: len(out)]).max())
    assert max(reductions) >= unlimited - (-1.0) - 0.5


def test_what_passes_untouched_reads_the_same_before_and_after() -> None:
    for part in rendered(StreamRenderer.open(TABLA, BYPASS, 12_345, 0.0, None))[:5]:
        assert part.reading.before == part.reading.after
        assert part.reading.gain_reduction_db == 0.0


def test_a_match_that_comes_later_is_metered_with_all_that_was_heard_before() -> None:
    stream = StreamRenderer.open(VIBE, BYPASS, 0, 0.0, None)
    parts = [stream.read(RATE) for _ in range(3)]
    stream.retarget(BYPASS, -6.0, 0.0)
    parts += [stream.read(RATE) for _ in range(2)]
    stream.close()
    out = sound(parts)
    assert not np.array_equal(out, render(VIBE, BYPASS)[: len(out)])
    for seconds in (3, 4, 5):
        heard = parts[seconds - 1].reading.after.short_term_lufs
        assert heard == pytest.approx(short_term(out, seconds * RATE), abs=0.1)
    assert parts[2].reading.before == parts[2].reading.after
    assert parts[4].reading.after.short_term_lufs < parts[4].reading.before.short_term_lufs - 2.0


def test_silence_reads_as_nothing(tmp_path: Path) -> None:
    path = by_libsndfile(tmp_path / "silence.wav", np.zeros((RATE, 2), np.float32), RATE)
    (part,) = rendered(StreamRenderer.open(path, PLAN, 0, 0.0, None), RATE)
    assert part.reading.after.true_peak_dbtp == part.reading.after.short_term_lufs == -np.inf


def test_rubbish_in_the_source_reads_as_silence(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (RATE, 2)).astype(np.float32)
    noise[100], noise[200], noise[300] = np.nan, np.inf, 1e30
    path = by_libsndfile(tmp_path / "rubbish.wav", noise, RATE, "FLOAT")
    (part,) = rendered(StreamRenderer.open(path, PLAN, 0, 0.0, None), RATE)
    assert -8.0 < part.reading.before.true_peak_dbtp < 6.0


@pytest.mark.parametrize(
    ("subtype", "channels", "plan", "whole"),
    [
        ("PCM_16", 2, BYPASS, True),
        ("PCM_U8", 1, BYPASS, True),
        ("PCM_24", 2, BYPASS, False),
        ("FLOAT", 2, BYPASS, False),
        ("PCM_16", 6, BYPASS, False),
        ("PCM_16", 2, PLAN, False),
    ],
)
def test_who_gives_sixteen_bits(
    subtype: str, channels: int, plan: MasteringPlan, whole: bool, tmp_path: Path
) -> None:
    path = by_libsndfile(tmp_path / "a.wav", np.zeros((RATE, channels), np.float32), RATE, subtype)
    assert StreamRenderer.open(path, plan, 0, 0.0, None).sixteen_bits is whole
