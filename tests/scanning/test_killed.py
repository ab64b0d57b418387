"""Scans that end at any moment: nothing is half there, and the next one goes on."""

import json
import subprocess
import sys
import wave
from pathlib import Path

import killed_scans
import numpy as np

KILLS = 20
FILES = 240


def id3(tags: dict[str, str]) -> bytes:
    """ID3v2.4, as a chunk of a WAV file holds it."""
    frames = b""
    for name, text in tags.items():
        data = b"\x03" + text.encode()
        frames += name.encode() + bytes((0, 0, len(data) >> 7, len(data) & 127)) + b"\x00\x00" + data
    size = len(frames)
    return b"ID3\x04\x00\x00" + bytes((0, size >> 14, size >> 7 & 127, size & 127)) + frames


def music(folder: Path) -> Path:
    noise = np.random.default_rng(1)
    for number in range(FILES):
        path = folder / f"album {number // 12}" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8_000, 0, "NONE", ""))
            file.writeframes(noise.integers(-8_000, 8_000, 800, np.int16).tobytes())
        tags = {
            "TIT2": f"Title{number:03}",
            "TALB": f"Album {number // 12}",
            "TPE1": f"Artist{number // 24:02}",
            "TCON": "Rock",
        }
        data = path.read_bytes() + b"id3 " + len(id3(tags)).to_bytes(4, "little") + id3(tags)
        path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    return folder


def test_killed_at_twenty_moments(tmp_path: Path) -> None:
    told = subprocess.run(
        [
            *(sys.executable, killed_scans.__file__, str(music(tmp_path / "music"))),
            *(str(tmp_path / "library.db"), str(KILLS), "1"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    report = json.loads(told.stdout)
    assert report["killed amid"] == report["opened"] == KILLS, told.stderr
    assert report["same"]
    assert report["tracks"] == FILES
    assert report["report"]["failed"] == report["report"]["missing"] == 0
