"""The reference decisions of the loudness-war restraint principle, through the whole chain.

Tracks are built to a loudness and a crest factor: a 1 kHz tone with two louder cycles ten times
a second. Independent meters say when they are there; then they are scanned and played.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from server import RunningServer, play, serving, wait_until
from truth import lufs

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("lwrp")]
RATE = 48_000
SECONDS = 12
DECISIONS = {
    "restore a little": (-11.0, 12.0, "restore", 0.10),
    "restore more": (-8.2, 8.5, "restore", 0.45),
    "preserve": (-10.0, 14.0, "preserve", 0.0),
    "master": (-18.0, 11.0, "master", 0.0),
}


def crest_db(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.max(np.abs(samples)) / np.sqrt(np.mean(samples.astype(np.float64) ** 2))))


def built_to(loudness: float, crest: float) -> np.ndarray:
    """A stereo track ``[frames, 2]`` of the given integrated loudness and crest factor."""
    time = np.arange(RATE * SECONDS) / RATE
    tone = np.sin(2 * np.pi * 1000.0 * time)
    peaks = (np.arange(len(time)) % (RATE // 10)) < RATE // 500
    tone_db, peak_db = loudness, loudness - 3.01 + crest
    for _ in range(20):
        envelope = np.where(peaks, 10 ** (peak_db / 20), 10 ** (tone_db / 20))
        track = np.repeat((tone * envelope)[:, None], 2, axis=1).astype(np.float32)
        loud, high = lufs(track, RATE), crest_db(track)
        if abs(loud - loudness) < 0.002 and abs(high - crest) < 0.002:
            return track
        tone_db += loudness - loud
        peak_db += (loudness - loud) + (crest - high)
    raise AssertionError(f"wanted {loudness} LUFS, crest {crest}; got {loud:.3f}, {high:.3f}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder: Path = tmp_path_factory.mktemp("lwrp")
    music = folder / "music"
    music.mkdir()
    for name, (loudness, crest, *_) in DECISIONS.items():
        soundfile.write(music / f"{name}.wav", built_to(loudness, crest), RATE, subtype="FLOAT")
    with serving(folder, music, TONEARM_STREAMING__LEAD_S="600") as running:
        wait_until(lambda: running.get("/api/library/fingerprints/status")["pending_tracks"] == 0)
        yield running


@pytest.mark.parametrize("name", DECISIONS)
def test_the_published_plan_has_the_right_class_and_amount(server: RunningServer, name: str) -> None:
    loudness, crest, policy, amount = DECISIONS[name]
    played = play(server, track_id=server.track_id(name))
    (plan,) = played.data("mastering_plan")
    assert played.start["mastering_state"] == "fingerprint"
    assert plan["measured"]["lufs"] == pytest.approx(loudness, abs=0.05)
    assert plan["measured"]["crest_db"] == pytest.approx(crest, abs=0.05)
    assert plan["lwrp"]["class"] == policy
    assert plan["lwrp"]["amount"] == pytest.approx(amount, abs=0.02)
    assert sum(plan["lwrp"]["weights"].values()) == pytest.approx(1.0, abs=1e-6)
    if policy == "preserve":
        assert plan["measured"]["psr_p10_db"] >= 10.0
        assert plan["lwrp"]["weights"]["preserve"] == pytest.approx(1.0, abs=0.005)
