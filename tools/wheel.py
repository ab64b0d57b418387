"""``make test-wheel``: what is published plays where nothing is installed.

Builds a source distribution, from that a wheel, and a wheel from the tree; both wheels have to hold the same,
the player and nothing of its sources. The first is installed into a new environment for a user with an
empty home and nothing but that environment on the path, so without Node.js. There it serves a folder, and
what comes over the socket has to be what its own ``tonearm master`` writes, bit for bit, under the ceiling.

Nothing of Tonearm is imported here: what is checked is the wheel alone.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx
import numpy as np
import soundfile
from scipy.signal import resample_poly
from server import RunningServer, environment, serving, wait_until

TREE: Final = Path(__file__).resolve().parents[1]
CLIP: Final = TREE / "demo" / "loop_tabla.flac"
CLIENT: Final = TREE / "examples" / "play.py"
CEILING_DBTP: Final = -1.0
TOLERANCE_DB: Final = 0.02
"""What scipy's interpolation at 16x and the limiter's at 4x may differ by."""

_SOURCES: Final = (".ts", ".svelte", ".map", "package.json", "package-lock.json")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tonearm-wheel-") as folder:
        wheel = _built(Path(folder))
        _say(f"{wheel.name} holds the player and none of its sources")
        python = _installed(Path(folder) / "env", wheel)
        _say("installed into an environment of its own")
        with serving(
            Path(folder) / "server",
            _music(Path(folder)),
            python=str(python),
            **_nothing_else(Path(folder), python),
        ) as server:
            _check_page(server)
            _check_sound(server, python, Path(folder))
            if "Compiling" not in server.log():
                raise SystemExit("the first start did not say that it compiles")
    _say("done")


def _built(folder: Path) -> Path:
    """The wheel made from the source distribution, looked into, and held beside one from the tree."""
    tools = folder / "tools"
    venv.create(tools, with_pip=True)
    python = tools / "bin" / "python"
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "build"])
    out = folder / "dist"
    _run([python, "-m", "build", "--outdir", out, TREE])
    direct = folder / "direct"
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    _run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", direct, TREE])
    (source,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    (other,) = direct.glob("*.whl")
    names = _names(wheel)
    if names != _names(other):
        raise SystemExit(f"{source.name} makes another wheel than the tree: {names ^ _names(other)}")
    page = zipfile.ZipFile(wheel).read("tonearm/static/index.html").decode()
    wanted = set(re.findall(r'/static/(assets/[^"]+)"', page))
    missing = [name for name in wanted if f"tonearm/static/{name}" not in names]
    if not wanted or missing:
        raise SystemExit(f"the player is not whole: {missing or 'its page names no file'}")
    strays = [name for name in names if name.endswith(_SOURCES) or not name.startswith("tonearm")]
    if strays:
        raise SystemExit(f"what does not belong into a wheel: {strays}")
    return wheel


def _names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def _installed(folder: Path, wheel: Path) -> Path:
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel])
    return python


def _nothing_else(folder: Path, python: Path) -> dict[str, str]:
    """An empty home, caches in it, and a path on which there is nothing but the environment."""
    home = folder / "server" / "home"
    return {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "PATH": str(python.parent),
        "PYTHONPATH": "",
    }


def _music(folder: Path) -> Path:
    music = folder / "music"
    music.mkdir()
    shutil.copy(CLIP, music)
    return music


def _check_page(server: RunningServer) -> None:
    page = httpx.get(server.url).raise_for_status().text
    files = re.findall(r'"(/static/assets/[^"]+)"', page)
    sizes = [len(httpx.get(server.url + file).raise_for_status().content) for file in files]
    if not sizes or min(sizes) == 0:
        raise SystemExit(f"the page has no player: {page}")
    _say(f"the page is there, with {len(sizes)} files of {sum(sizes)} bytes")


def _check_sound(server: RunningServer, python: Path, folder: Path) -> None:
    (track,) = server.tracks()
    fingerprint = f"{server.url}/api/tracks/{track['id']}/fingerprint"
    wait_until(lambda: httpx.get(fingerprint).status_code == 200)
    played, mastered = folder / "played.wav", folder / "mastered.wav"
    home = environment(folder / "server" / "home", **_nothing_else(folder, python))
    _run([python, CLIENT, server.address, str(track["id"]), played, "binary"], env=home, cwd=folder)
    command = [python.parent / "tonearm", "master", CLIP, mastered, "--bit-depth", "32f", "--passes", "1"]
    _run(command, env=home, cwd=folder)
    heard, rate = soundfile.read(played, dtype="float32", always_2d=True)
    wanted, _ = soundfile.read(mastered, dtype="float32", always_2d=True)
    source = soundfile.info(CLIP)
    if (rate, len(heard)) != (source.samplerate, source.frames):
        raise SystemExit(f"{len(heard)} frames at {rate} Hz were played of {source.frames}")
    if not np.array_equal(heard, wanted):
        raise SystemExit("what is played is not what tonearm master writes")
    peak_db = 20 * np.log10(np.abs(resample_poly(heard.astype(np.float64), 16, 1, axis=0)).max())
    if not -60.0 < peak_db <= CEILING_DBTP + TOLERANCE_DB:
        raise SystemExit(f"the true peak is {peak_db:.2f} dBTP")
    if np.array_equal(heard, soundfile.read(CLIP, dtype="float32", always_2d=True)[0]):
        raise SystemExit("nothing was done to the sound")
    _say(f"{len(heard)} frames, bit for bit those of tonearm master, true peak {peak_db:.2f} dBTP")


def _run(command: Sequence[str | Path], env: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH"}}
    done = subprocess.run(
        list(map(str, command)), env=env or clean, cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def _say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())
