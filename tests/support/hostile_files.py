"""Files under the names of music that are none, lie about themselves, or are no files at all."""

import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

RATE = 44_100
SOUND = (0.2 * np.sin(np.arange(2 * RATE) / 20.0)[:, None] * [1.0, 0.9]).astype(np.float32)


def wav(path: Path, sound: np.ndarray = SOUND, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    soundfile.write(os.fsencode(path), sound, rate, subtype=subtype, format="WAV")
    return path


def lying_wav(path: Path, *, rate: int = RATE, channels: int = 2, codec: int = 1, size: int = 0) -> None:
    """A second of sound behind a header that says what it likes."""
    body = (SOUND[:RATE] * 32767).astype("<i2").tobytes()
    align = channels * 2 & 0xFFFF
    form = struct.pack("<HHIIHH", codec, channels, rate, rate * align & 0xFFFFFFFF, align, 16)
    head = b"RIFF" + struct.pack("<I", 36 + len(body)) + b"WAVEfmt " + struct.pack("<I", 16) + form
    path.write_bytes(head + b"data" + struct.pack("<I", size or len(body)) + body)


def cut(path: Path) -> None:
    """Leave the head of a WAV file and half of its sound."""
    content = path.read_bytes()
    path.write_bytes(content[: 44 + (len(content) - 44) // 2])


def _spoiled(value: float) -> np.ndarray:
    sound = SOUND.copy()
    sound[RATE : RATE + 50] = value
    return sound


def _socket(path: Path) -> None:
    # A socket's name may be 107 bytes long at most, so it is given from inside its folder.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


NOT_AUDIO: dict[str, Callable[[Path], object]] = {
    "empty.mp3": lambda path: path.write_bytes(b""),
    "text.ogg": lambda path: path.write_text("no music\n" * 500),
    "list.mp3": lambda path: path.write_text("ffconcat version 1.0\nfile good.wav\n"),
    "0hz.wav": lambda path: lying_wav(path, rate=0),
    "65535.wav": lambda path: lying_wav(path, channels=65_535),
    "unknown.wav": lambda path: lying_wav(path, codec=0x1234),
    "no.flac": lambda path: soundfile.write(path, SOUND[:0], RATE),
}
"""The scan names each as a failure."""

NO_FILES: dict[str, Callable[[Path], object]] = {
    "pipe.wav": os.mkfifo,
    "socket.wav": _socket,
    "nowhere.wav": lambda path: path.symlink_to("/nonexistent/nowhere.wav"),
    "loop.wav": lambda path: path.symlink_to(path.name),
    "round": lambda path: path.symlink_to(path.parent),
    "folder.flac": Path.mkdir,
}
"""The scan passes over each."""

WHOLE: dict[str, Callable[[Path], object]] = {
    "one.wav": lambda path: wav(path, SOUND[:1]),
    "silent.flac": lambda path: soundfile.write(path, np.zeros((2 * RATE, 2)), RATE),
    "nan.wav": lambda path: wav(path, _spoiled(np.nan), subtype="FLOAT"),
    "infinite.wav": lambda path: wav(path, _spoiled(np.inf), subtype="FLOAT"),
    "huge.wav": lambda path: wav(path, _spoiled(3e38), subtype="FLOAT"),
    "8k.wav": lambda path: wav(path, rate=8_000),
    "384k.wav": lambda path: wav(path, rate=384_000),
    "six.wav": lambda path: wav(path, np.repeat(SOUND[:, :1], 6, 1), 48_000),
    "new\nline.wav": wav,
    "\u202eright to left \U0001f3b5.wav": wav,
    os.fsdecode(b"bytes \xff\xfe\x80.wav"): wav,
    "concat:good.wav": wav,
}
"""Played to the end."""

BROKEN: dict[str, Callable[[Path], object]] = {
    "cut.wav": lambda path: cut(wav(path)),
    "2gb.wav": lambda path: lying_wav(path, size=0x7FFF_FFF0),
}
"""Played as far as they go, and then it is said that they are damaged."""


def make_all(folder: Path) -> None:
    folder.mkdir()
    for name, make in {**NOT_AUDIO, **NO_FILES, **WHOLE, **BROKEN}.items():
        make(folder / name)
