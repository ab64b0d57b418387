"""Sound over HTTP from the real program: every format, beside the socket and the offline master."""

import io
from collections.abc import Iterator
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
import soundfile
from music import DEMO, clip
from server import Played, RunningServer, play, serving, wait_until
from truth import lufs, true_peak_dbtp

from tonearm.rendering.offline import master_file

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("audio_over_http")]

TITLE = "loop_tabla"
SOURCE = clip(f"{TITLE}.flac")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with serving(
        tmp_path_factory.mktemp("server"), DEMO, TONEARM_FINGERPRINTS__BACKGROUND="false"
    ) as running:
        measured = f"{running.url}/api/tracks/{running.track_id(TITLE)}/fingerprint"
        wait_until(lambda: httpx.get(measured).status_code == 200)
        yield running


@pytest.fixture(scope="module")
def played(server: RunningServer) -> Played:
    """The track as the socket plays it."""
    return play(server, track_id=server.track_id(TITLE))


def url(server: RunningServer) -> str:
    return f"{server.url}/api/tracks/{server.track_id(TITLE)}/audio"


def fetch(server: RunningServer, format_: str, **params: object) -> httpx.Response:
    answer = httpx.get(url(server), params={"format": format_, **params}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def floats(data: bytes) -> np.ndarray:
    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0]


def decoded(data: bytes) -> tuple[np.ndarray, int]:
    """By FFmpeg: [frames, channels] and the rate."""
    with av.open(io.BytesIO(data)) as container:
        planar = av.AudioResampler("fltp")
        rate = container.streams.audio[0].rate
        blocks = [part.to_ndarray() for frame in container.decode(audio=0) for part in planar.resample(frame)]
    return np.concatenate(blocks, axis=1).T, rate


def test_socket_http_and_offline_are_the_same_samples(
    server: RunningServer, played: Played, tmp_path: Path
) -> None:
    assert played.start["mastering_state"] == "fingerprint"
    answer = fetch(server, "wav")
    assert answer.headers["tonearm-state"] == "fingerprint"
    assert int(answer.headers["content-length"]) == len(answer.content)
    np.testing.assert_array_equal(floats(answer.content), played.samples)
    master_file(SOURCE, tmp_path / "master.wav", bit_depth="32f", passes=1)
    np.testing.assert_array_equal(floats((tmp_path / "master.wav").read_bytes()), played.samples)


def test_flac_is_those_samples_in_24_bits(server: RunningServer, played: Played) -> None:
    answer = fetch(server, "flac")
    assert answer.headers["content-type"] == "audio/flac"
    rounded = np.rint(played.samples * 2.0**23).astype(np.float32) / 2.0**23
    np.testing.assert_array_equal(floats(answer.content), rounded)


@pytest.mark.parametrize(("format_", "rate", "delay"), [("opus", 48_000, 0), ("mp3", 44_100, 1_105)])
def test_lossy_formats_are_that_sound(
    server: RunningServer, played: Played, format_: str, rate: int, delay: int
) -> None:
    found, found_rate = decoded(fetch(server, format_).content)
    assert found_rate == rate
    assert len(found) >= len(played.samples) * rate // 44_100
    # Loudness over time, in tenths of a second, is that of the source of the encoding.
    tenths = [
        np.sqrt(np.mean(samples[skipped:].reshape(-1)[: 2 * 100 * step].reshape(100, -1) ** 2, axis=1))
        for samples, skipped, step in (
            (played.samples, 0, 4_410),
            (found, delay, rate // 10),
        )
    ]
    np.testing.assert_allclose(tenths[1], tenths[0], rtol=0.05, atol=2e-3)


def test_the_original_is_the_source(server: RunningServer) -> None:
    source = soundfile.read(SOURCE, dtype="float32", always_2d=True)[0]
    for params in ({"preset": "none"}, {"intensity": 0}):
        answer = fetch(server, "flac", **params)
        assert answer.headers["tonearm-state"] == "none"
        np.testing.assert_array_equal(floats(answer.content), source)
    raw = fetch(server, "raw")
    assert raw.content == SOURCE.read_bytes()
    part = httpx.get(url(server), params={"format": "raw"}, headers={"range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, SOURCE.read_bytes()[1000:2000])


def test_a_part_of_the_wav_is_that_part(server: RunningServer) -> None:
    whole = fetch(server, "wav").content
    first, last = 58 + 8 * 250_000, 58 + 8 * 350_000 - 1
    headers = {"range": f"bytes={first}-{last}"}
    answer = httpx.get(url(server), params={"format": "wav"}, headers=headers, timeout=60)
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
    part, same = (np.frombuffer(data, "<f4") for data in (answer.content, whole[first : last + 1]))
    np.testing.assert_allclose(part, same, atol=10 ** (-90 / 20))
    head = httpx.head(url(server), params={"format": "wav"})
    assert head.headers["content-length"] == str(len(whole))
    assert head.content == b""


def test_presets_intensity_and_start_are_heard(server: RunningServer, played: Played) -> None:
    warm = floats(fetch(server, "wav", preset="warm", intensity=0.5).content)
    assert warm.shape == played.samples.shape
    assert not np.allclose(warm, played.samples, atol=1e-3)
    assert true_peak_dbtp(warm) <= -1.0 + 0.02
    late = floats(fetch(server, "wav", start=4.5).content)
    np.testing.assert_allclose(late, played.samples[round(4.5 * 44_100) :], atol=10 ** (-90 / 20))


@pytest.mark.parametrize(("kind", "params"), [("play_enhanced", {}), ("play_normal", {"preset": "none"})])
def test_matched_in_level_it_is_what_the_socket_plays(
    server: RunningServer, kind: str, params: dict[str, str]
) -> None:
    over_http = floats(fetch(server, "wav", level_match="true", **params).content)
    matched = play(server, kind, track_id=server.track_id(TITLE), level_match=True)
    np.testing.assert_array_equal(over_http, matched.samples)
    assert (matched.start["level_match_gain_db"] < 0.0) == (lufs_apart(server, params) > 0.0)


def lufs_apart(server: RunningServer, params: dict[str, str]) -> float:
    """How much louder than its other it is without being matched, dB."""
    mastered, original = (floats(fetch(server, "wav", **of).content) for of in ({}, {"preset": "none"}))
    louder = lufs(mastered, 44_100) - lufs(original, 44_100)
    return -louder if params else louder


def test_what_cannot_be_had_is_a_problem(server: RunningServer) -> None:
    missing = httpx.get(f"{server.url}/api/tracks/999999/audio")
    assert (missing.status_code, missing.json()["code"]) == (404, "TRACK_NOT_FOUND")
    beyond = httpx.get(url(server), params={"start": 600})
    assert (beyond.status_code, beyond.json()["code"]) == (422, "VALIDATION_ERROR")
    album = httpx.get(url(server), params={"level": "album"})
    assert album.status_code == 404
    assert album.json()["code"] in {"NO_ALBUM", "ALBUM_NOT_MEASURED"}
    assert str(DEMO) not in missing.text + beyond.text + album.text
    assert "Traceback" not in server.log()
