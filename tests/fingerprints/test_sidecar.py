"""The .25d file gives back what was put in, or nothing."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from analyses import analysis, track
from structlog.testing import capture_logs

from tonearm.fingerprints.sidecar import Sidecars
from tonearm.model.fingerprint import ALGORITHM_VERSION, DIMENSION_NAMES

SIGNATURE = track().signature


@pytest.fixture
def sidecars(tmp_path: Path) -> Sidecars:
    return Sidecars(tmp_path / "fingerprints")


def test_what_was_stored_is_loaded_bit_for_bit(sidecars: Sidecars) -> None:
    original = analysis(lufs=-14.1 / 3)
    sidecars.store(SIGNATURE, original)
    assert sidecars.load(SIGNATURE) == original


def test_the_file_is_json_with_everything_named(sidecars: Sidecars) -> None:
    sidecars.store(SIGNATURE, analysis())
    path = sidecars.path(SIGNATURE)
    assert path.name == f"{SIGNATURE}.25d"
    document = json.loads(path.read_text())
    assert document["format_version"] == 1
    assert document["algorithm_version"] == ALGORITHM_VERSION
    assert document["signature"] == {
        "size": SIGNATURE.size,
        "mtime_ns": SIGNATURE.mtime_ns,
        "content": SIGNATURE.content,
    }
    assert tuple(document["fingerprint"]) == DIMENSION_NAMES
    assert isinstance(document["measures"]["waveform"], str)


def test_nothing_stored_is_nothing_loaded_and_nothing_logged(sidecars: Sidecars) -> None:
    with capture_logs() as logs:
        assert sidecars.load(SIGNATURE) is None
    assert logs == []


def test_another_state_of_the_file_has_no_sidecar(sidecars: Sidecars) -> None:
    sidecars.store(SIGNATURE, analysis())
    touched = replace(SIGNATURE, mtime_ns=SIGNATURE.mtime_ns + 1)
    assert sidecars.load(touched) is None
    sidecars.path(SIGNATURE).rename(sidecars.path(touched))
    assert sidecars.load(touched) is None


@pytest.mark.parametrize("version", ["format_version", "algorithm_version"])
def test_another_version_is_a_miss(sidecars: Sidecars, version: str) -> None:
    sidecars.store(SIGNATURE, analysis())
    path = sidecars.path(SIGNATURE)
    document = json.loads(path.read_text())
    document[version] += 1
    path.write_text(json.dumps(document))
    assert sidecars.load(SIGNATURE) is None


def _without(*keys: str):
    def spoil(document):
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]

    return spoil


def _with(value, *keys: str):
    def spoil(document):
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        _without("fingerprint", "lufs"),
        _without("measures", "frames"),
        _without("measures"),
        _without("signature"),
        _without("format_version"),
        _with(float("nan"), "fingerprint", "tempo_bpm"),
        _with("-14", "fingerprint", "lufs"),
        _with(True, "fingerprint", "stereo_width"),
        _with(99.0, "fingerprint", "mid_pct"),
        _with(1.0, "fingerprint", "a_26th"),
        _with(1.5, "measures", "frames"),
        _with(None, "measures", "lra_lu"),
        _with([1.0] * 29, "measures", "third_octaves_db"),
        _with("not base64!", "measures", "waveform"),
        _with("", "measures", "waveform"),
        _with([], "fingerprint"),
    ],
)
def test_a_spoilt_file_is_a_miss_and_logged(sidecars: Sidecars, spoil) -> None:
    sidecars.store(SIGNATURE, analysis())
    path = sidecars.path(SIGNATURE)
    document = json.loads(path.read_text())
    spoil(document)
    path.write_text(json.dumps(document))
    with capture_logs() as logs:
        assert sidecars.load(SIGNATURE) is None
    assert [entry["log_level"] for entry in logs] == ["warning"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"1" * 5000])
def test_garbage_is_a_miss_and_logged(sidecars: Sidecars, content: bytes) -> None:
    sidecars.store(SIGNATURE, analysis())
    sidecars.path(SIGNATURE).write_bytes(content)
    with capture_logs() as logs:
        assert sidecars.load(SIGNATURE) is None
    assert [entry["log_level"] for entry in logs] == ["warning"]


def test_a_file_cut_off_anywhere_is_a_miss(sidecars: Sidecars) -> None:
    sidecars.store(SIGNATURE, analysis())
    whole = sidecars.path(SIGNATURE).read_bytes()
    for length in range(0, len(whole), 101):
        sidecars.path(SIGNATURE).write_bytes(whole[:length])
        assert sidecars.load(SIGNATURE) is None


def test_storing_replaces_and_leaves_no_other_file(sidecars: Sidecars) -> None:
    sidecars.store(SIGNATURE, analysis(lufs=-20.0))
    sidecars.store(SIGNATURE, analysis(lufs=-10.0))
    loaded = sidecars.load(SIGNATURE)
    assert loaded is not None
    assert loaded.fingerprint.lufs == -10.0
    assert list(sidecars.path(SIGNATURE).parent.iterdir()) == [sidecars.path(SIGNATURE)]


def test_a_failed_store_is_told_and_leaves_no_file(sidecars: Sidecars) -> None:
    path = sidecars.path(SIGNATURE)
    path.mkdir(parents=True)
    with pytest.raises(OSError):
        sidecars.store(SIGNATURE, analysis())
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_program_left_is_swept_away_and_nothing_else(sidecars: Sidecars) -> None:
    sidecars.sweep()
    sidecars.store(SIGNATURE, analysis())
    folder = sidecars.path(SIGNATURE).parent
    abandoned, in_work = folder / ".abandoned.tmp", folder / ".inwork.tmp"
    abandoned.write_text("{")
    in_work.write_text("{")
    an_hour_ago = in_work.stat().st_mtime - 3_600
    os.utime(abandoned, (an_hour_ago, an_hour_ago))
    os.utime(sidecars.path(SIGNATURE), (an_hour_ago, an_hour_ago))
    sidecars.sweep()
    assert sorted(path.name for path in folder.iterdir()) == sorted([in_work.name, f"{SIGNATURE}.25d"])
