"""The identity of the outputs: socket, HTTP and file give the same samples before they are encoded."""

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import httpx
import numpy as np
import soundfile
from audio_files import LOSSY
from server import Played, RunningServer, play, serving, wait_until

from quality.criteria import Finding
from quality.cutting import differing
from quality.material import decoded
from tonearm.audio.decode import inspect
from tonearm.model.audio import Block
from tonearm.model.plan import MasteringState

SHORTEST_S: Final = 4.0
LONGEST_S: Final = 60.0
MADE: Final = ("mp3-vbr", "aac", "opus")
_EXCERPT_S: Final = 15.0
_TRANSPORTS: Final = ("binary", "base64")
_PATIENCE_S: Final = 120.0
_STEPS_24: Final = 2.0**23
_MEASURED_WITHIN_S: Final = 600.0
_SETTINGS: Final = {
    "TONEARM_FINGERPRINTS__BACKGROUND": "true",
    # Nobody listens, so it comes as fast as it is read.
    "TONEARM_STREAMING__LEAD_S": "600",
}


def one_of_each(tracks: Sequence[Path]) -> list[Path]:
    """The shortest file of each suffix, rate and number of channels, but of very short and long ones."""
    found: dict[tuple[str, int, int], tuple[float, Path]] = {}
    for path in tracks:
        info = inspect(path)
        key = (path.suffix, info.format.rate, info.format.channels)
        if SHORTEST_S < info.duration_s < LONGEST_S:
            found[key] = min(found.get(key, (LONGEST_S, path)), (info.duration_s, path))
    return [path for _, path in found.values()]


def gathered(tracks: Sequence[Path], excerpt: Path, folder: Path, made: Sequence[str] = MADE) -> list[Path]:
    """Copies of these tracks, and an excerpt of one in other formats, in one folder."""
    files = [Path(shutil.copy(path, folder)) for path in tracks]
    sound, _ = decoded(excerpt, _EXCERPT_S, 5.0)
    return files + [LOSSY[kind](folder, sound) for kind in made]


def three_outputs(files: Sequence[Path], folder: Path) -> Iterator[Finding]:
    """Each file of a folder of music by a server of its own, beside the master."""
    with serving(folder, files[0].parent, **_SETTINGS) as server:
        # What is played before its fingerprint is there is another sound.
        wait_until(lambda: _all_measured(server, len(files)), _MEASURED_WITHIN_S)
        numbers = {row["filesize"]: row["id"] for row in server.tracks()}
        for path in files:
            yield from alike(server, numbers[path.stat().st_size], path, folder)


def alike(server: RunningServer, track_id: int, path: Path, folder: Path) -> Iterator[Finding]:
    """What the server sends of one track beside the file that ``tonearm master`` writes."""
    wanted = _floats(master(path, folder / "master.wav").read_bytes())
    info = inspect(path)
    case = f"{path.name}, {info.format.rate} Hz, {info.format.channels} channels"
    for transport in _TRANSPORTS:
        played = play(server, track_id=track_id, transport=transport)
        yield received(played, wanted, f"socket, {transport}", case)
    for kind in ("wav", "flac"):
        answer = httpx.get(
            f"{server.url}/api/tracks/{track_id}/audio", params={"format": kind}, timeout=_PATIENCE_S
        )
        state = answer.headers.get("tonearm-state", f"refused: {answer.status_code}")
        expected = wanted if kind == "wav" else np.rint(wanted * _STEPS_24).astype(np.float32) / _STEPS_24
        found = _floats(answer.content) if answer.status_code == 200 else wanted[:0]
        yield by_the_plan(state, found, np.asarray(expected, np.float32), f"HTTP, {kind}", case)


def received(played: Played, wanted: Block, material: str, case: str) -> Finding:
    """A stream beside what it should be."""
    return by_the_plan(played.start["mastering_state"], played.samples, wanted, material, case)


def by_the_plan(state: str, found: Block, wanted: Block, material: str, case: str) -> Finding:
    """Samples that differ; without the fingerprint's plan it is another sound, and all of them count."""
    if state == MasteringState.FINGERPRINT:
        return differing("outputs", found, wanted, material, case)
    return Finding("outputs", material, float(wanted.size), f"{case}: mastered by {state}")


def master(path: Path, destination: Path) -> Path:
    """By the program's own command, in one pass as a stream is."""
    command = [sys.executable, "-m", "tonearm", "master", str(path), str(destination)]
    subprocess.run(
        [*command, "--passes", "1", "--bit-depth", "32f"], check=True, capture_output=True, timeout=600
    )
    return destination


def _all_measured(server: RunningServer, count: int) -> bool:
    states = [row["fingerprint_status"] for row in server.tracks()]
    return len(states) == count and "pending" not in states


def _floats(data: bytes) -> Block:
    return np.asarray(soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0])
