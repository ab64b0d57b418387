"""The commands as a user types them: their output, their exit codes, what they leave behind."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from music import DEMO, clip
from server import environment, wait_until
from truth import decoded, lufs, true_peak_dbtp

import tonearm as tonearm_package
from tonearm.cli.common import interrupted_between_steps
from tonearm.model.fingerprint import DIMENSION_NAMES

pytestmark = [pytest.mark.e2e]


def tonearm(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    (folder / "home").mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "tonearm", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(folder / "home"),
        cwd=folder,
        timeout=120,
        check=False,
    )


def test_fingerprint_prints_every_file_and_names_the_ones_that_failed(tmp_path: Path) -> None:
    text = tmp_path / "shopping.mp3"
    text.write_text("milk, bread, eggs\n" * 100)
    ran = tonearm(tmp_path, "fingerprint", clip("loop_tabla.flac"), text, "--json")
    assert ran.returncode == 1
    good, bad = json.loads(ran.stdout)
    assert good["path"].endswith("loop_tabla.flac")
    assert good["stage"] == "full"
    assert list(good["fingerprint"]) == list(DIMENSION_NAMES)
    source, rate = decoded(str(clip("loop_tabla.flac")))
    assert good["fingerprint"]["lufs"] == pytest.approx(lufs(source, rate), abs=0.03)
    assert good["measures"]["frames"] == len(source)
    assert bad["error"]["code"] == "DECODE_ERROR"
    assert "Traceback" not in ran.stderr


def test_a_probe_is_a_first_impression_and_no_fingerprint(tmp_path: Path) -> None:
    ran = tonearm(tmp_path, "fingerprint", "--probe", clip("loop_tabla.flac"), "--json")
    assert ran.returncode == 0, ran.stderr
    (said,) = json.loads(ran.stdout)
    assert said["stage"] == "probe"
    assert "fingerprint" not in said
    source, rate = decoded(str(clip("loop_tabla.flac")))
    assert said["probe"]["lufs"] == pytest.approx(lufs(source, rate), abs=1.0)
    assert list(said["probe"]["bands_pct"]) == list(DIMENSION_NAMES[:7])
    for_people = tonearm(tmp_path, "fingerprint", "--probe", clip("loop_tabla.flac"))
    assert "bass_pct" in for_people.stdout


def test_scan_takes_in_a_folder_and_a_second_scan_changes_nothing(tmp_path: Path) -> None:
    first = tonearm(tmp_path, "scan", DEMO, "--data-dir", tmp_path / "data", "--json")
    assert first.returncode == 0, first.stderr
    report = json.loads(first.stdout)
    audio = [path for path in DEMO.iterdir() if path.suffix != ".md"]
    assert report["files_added"] == len(audio)
    second = json.loads(tonearm(tmp_path, "scan", DEMO, "--data-dir", tmp_path / "data", "--json").stdout)
    assert second["files_added"] == second["files_updated"] == 0
    assert second["files_skipped"] == len(audio)


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--database-url", "no url"),
        ("serve", "--database-url", "postgresql+nodriver://localhost/x"),
        ("serve", "--database-url", "mysql://localhost/x"),
        ("scan", str(DEMO), "--database-url", "no url"),
        ("master", str(clip("drum_roll.flac")), "out.xyz"),
        ("serve", "--port", "99999"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = tonearm(tmp_path, *arguments)
    assert ran.returncode == 2
    assert ran.stderr.strip()
    assert "Traceback" not in ran.stderr


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    ran = tonearm(tmp_path, "scan", tmp_path / "nowhere", "--data-dir", tmp_path / "data")
    assert ran.returncode == 2
    assert "nowhere" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(("suffix", "arguments"), [("flac", ()), ("wav", ("--bit-depth", "32f"))])
def test_master_writes_a_louder_file_under_the_ceiling(
    tmp_path: Path, suffix: str, arguments: tuple[str, ...]
) -> None:
    out = tmp_path / f"mastered.{suffix}"
    ran = tonearm(tmp_path, "master", clip("loop_tabla.flac"), out, "--json", *arguments)
    assert ran.returncode == 0, ran.stderr
    source, rate = decoded(str(clip("loop_tabla.flac")))
    mastered, out_rate = decoded(str(out))
    assert out_rate == rate
    assert mastered.shape == source.shape
    assert true_peak_dbtp(mastered) <= -1.0 + 0.02
    assert lufs(mastered, rate) > lufs(source, rate) + 3.0
    report = json.loads(ran.stdout)
    assert report["after"]["lufs"] == pytest.approx(lufs(mastered, rate), abs=0.1)
    assert report["plan"]["lwrp"]["class"] == "master"


def test_intensity_zero_writes_the_source_bit_for_bit(tmp_path: Path) -> None:
    out = tmp_path / "same.flac"
    ran = tonearm(tmp_path, "master", clip("loop_tabla.flac"), out, "--intensity", "0", "--bit-depth", "16")
    assert ran.returncode == 0, ran.stderr
    np.testing.assert_array_equal(decoded(str(out))[0], decoded(str(clip("loop_tabla.flac")))[0])


def test_a_failed_master_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = tmp_path / "broken.flac"
    broken.write_bytes(clip("loop_tabla.flac").read_bytes()[:200_000])
    ran = tonearm(tmp_path, "master", broken, tmp_path / "out.wav")
    assert ran.returncode == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.flac", "home"]


def test_a_file_is_never_mastered_onto_itself(tmp_path: Path) -> None:
    own = tmp_path / "own.wav"
    soundfile.write(own, np.zeros((44_100, 2), np.float32), 44_100)
    before = own.read_bytes()
    assert tonearm(tmp_path, "master", own, own).returncode == 2
    assert own.read_bytes() == before


def test_a_folder_becomes_a_folder_at_one_level(tmp_path: Path) -> None:
    source = tmp_path / "album"
    source.mkdir()
    for name in ("loop_tabla.flac", "drum_roll.flac"):
        (source / name).write_bytes(clip(name).read_bytes())
    (source / "broken.flac").write_bytes(clip("loop_tabla.flac").read_bytes()[:200_000])
    ran = tonearm(tmp_path, "master", source, tmp_path / "out", "--level", "album", "--json")
    assert ran.returncode == 1, ran.stderr
    broken, drums, tabla = json.loads(ran.stdout)
    assert broken["error"]["code"] == "DECODE_ERROR"
    lifts = [one["after"]["lufs"] - one["before"]["lufs"] for one in (drums, tabla)]
    assert lifts[0] == pytest.approx(lifts[1], abs=0.1)
    for one in (drums, tabla):
        mastered, _ = decoded(one["written"])
        assert true_peak_dbtp(mastered) <= -1.0 + 0.02
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["drum_roll.flac", "loop_tabla.flac"]
    for_people = tonearm(tmp_path, "master", source, tmp_path / "people", "--passes", "1")
    assert "3/3 loop_tabla.flac" in for_people.stderr
    assert "broken.flac" in for_people.stderr


def test_a_folder_is_never_mastered_onto_itself_and_must_hold_audio(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments in ((DEMO, DEMO), (DEMO, DEMO.parent), (empty, tmp_path / "out")):
        ran = tonearm(tmp_path, "master", *arguments)
        assert ran.returncode == 2, arguments
        assert "Traceback" not in ran.stderr


def test_ctrl_c_amid_a_master_leaves_what_is_whole_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    sound = np.tile(decoded(str(clip("loop_tabla.flac")))[0], (100, 1))
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "long.wav", sound, 44_100)
    command = [sys.executable, "-m", "tonearm", "master", "in", "out", "--passes", "1"]
    with subprocess.Popen(
        command, env=environment(tmp_path / "home"), cwd=tmp_path, stderr=subprocess.PIPE
    ) as running:
        wait_until(lambda: list(tmp_path.glob("out/.*.part")) or running.poll() is not None)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said.decode()
    assert b"Traceback" not in said, said.decode()
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture
def answering_to_ctrl_c() -> Iterator[None]:
    """As a program is that someone started; the workers of a parallel run of tests ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_for_the_end_of_a_step_and_a_second_one_does_not(answering_to_ctrl_c: None) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupted_between_steps() as step:
        step()
        signal.raise_signal(signal.SIGINT)
        done.append("the rest of the step")
        step()
        done.append("another step")
    assert done == ["the rest of the step"]
    with pytest.raises(KeyboardInterrupt), interrupted_between_steps():
        signal.raise_signal(signal.SIGINT)
        done.append("work that has no further step")
    with pytest.raises(KeyboardInterrupt), interrupted_between_steps():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append("never")
    assert done == ["the rest of the step", "work that has no further step"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_the_built_player_the_server_says_so_and_does_not_start(tmp_path: Path) -> None:
    package = Path(tonearm_package.__file__).parent
    shutil.copytree(package, tmp_path / "tonearm", ignore=shutil.ignore_patterns("static", "__pycache__"))
    ran = tonearm(tmp_path, "serve", DEMO, "--port", "0")  # a module of the working directory comes first
    assert ran.returncode == 1
    assert "The web player is not built" in ran.stderr + ran.stdout
    assert "Traceback" not in ran.stderr


def test_config_show_names_every_value_and_its_origin(tmp_path: Path) -> None:
    ran = tonearm(tmp_path, "config", "show", "--json")
    assert ran.returncode == 0
    rows = {row["name"]: row for row in json.loads(ran.stdout)}
    assert rows["server.port"] == {"name": "server.port", "value": 8765, "origin": "default"}
    assert rows["streaming.start_wait_s"]["value"] == 1.0


def test_the_library_face_imports_no_server(tmp_path: Path) -> None:
    program = (
        "import sys, tonearm; [getattr(tonearm, name) for name in tonearm.__all__]; "
        "print([name for name in ('fastapi', 'sqlalchemy', 'grpc', 'uvicorn') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_library_is_saved_checked_and_brought_back(tmp_path: Path) -> None:
    kept = ("--data-dir", tmp_path / "data")
    assert tonearm(tmp_path, "scan", DEMO, *kept).returncode == 0
    saved = tonearm(tmp_path, "db", "backup", "saved.db", *kept)
    assert (saved.returncode, (tmp_path / "saved.db").stat().st_size > 10_000) == (0, True)
    assert ".25d" in saved.stderr
    checked = tonearm(tmp_path, "db", "check", *kept, "--json")
    assert (checked.returncode, json.loads(checked.stdout)) == (0, {"ok": True, "problems": []})
    (tmp_path / "data" / "library.db").write_bytes(b"damaged")
    assert tonearm(tmp_path, "db", "check", *kept).returncode == 1
    brought = tonearm(tmp_path, "db", "restore", "saved.db", *kept)
    assert (brought.returncode, "is kept" in brought.stderr) == (0, True)
    assert tonearm(tmp_path, "db", "check", *kept).returncode == 0
    (tmp_path / "diary").write_text("mine")
    assert tonearm(tmp_path, "db", "backup", "diary", *kept).returncode == 2
    assert (tmp_path / "diary").read_text() == "mine"


def test_for_postgres_its_own_programs_are_named(tmp_path: Path) -> None:
    for command, program in (("backup", "pg_dump"), ("restore", "pg_restore")):
        told = tonearm(tmp_path, "db", command, "x.dump", "--database-url", "postgresql://me:secret@h/d")
        assert (told.returncode, program in told.stderr, "secret" in told.stderr) == (2, True, False)
