"""A track's file as it lies there, byte for byte."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import BinaryIO, Final, Self

from tonearm.model.errors import DecodeError, FileMissing
from tonearm.model.plan import MasteringState

_PIECE_BYTES: Final = 1 << 18
_OTHER: Final = "application/octet-stream"
_MEDIA_TYPES: Final = {
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "flac": "audio/flac",
    "matroska": "audio/x-matroska",
    "mp3": "audio/mpeg",
    "mp4": "audio/mp4",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "wv": "audio/x-wavpack",
}


class UntouchedFile:
    """What can be sent of a file that was looked at, in the shape of a ``Rendition``.

    Attributes:
        media_type: what the file is.
        tag: names this state of it: another size or time of change has another name.
        length: bytes.
        state: nothing was done to it.
        divisible: any part can be sent by itself.
    """

    state: Final = MasteringState.NONE
    divisible: Final = True

    def __init__(self, path: Path, status: os.stat_result, container: str) -> None:
        self._path, self._status = path, status
        self.length: int | None = status.st_size
        self.media_type = _MEDIA_TYPES.get(container, _OTHER)
        self.tag = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:32]

    @classmethod
    async def look_at(cls, path: Path, container: str) -> Self:
        """The file as it is now; it is opened once, so that one that cannot be read is told at once.

        Raises:
            FileMissing: it is gone, or may not be read.
        """
        file = await asyncio.to_thread(_open, path)
        try:
            return cls(path, os.fstat(file.fileno()), container)
        finally:
            file.close()

    async def pieces(self, first: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from ``first`` up to ``end``.

        Raises:
            FileMissing: it has gone since it was looked at.
            DecodeError: it is another file by now, or has become shorter.
        """
        file = await asyncio.to_thread(_open, self._path)
        try:
            now = os.fstat(file.fileno())
            if (now.st_size, now.st_mtime_ns) != (self._status.st_size, self._status.st_mtime_ns):
                raise DecodeError(f"{self._path}: changed since it was looked at")
            file.seek(first)
            left = (self._status.st_size if end is None else end) - first
            while left > 0:
                piece = await asyncio.to_thread(_read, file, min(left, _PIECE_BYTES))
                if not piece:
                    raise DecodeError(f"{self._path}: ended {left} bytes early")
                left -= len(piece)
                yield piece
        finally:
            file.close()


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise FileMissing(f"{path}: {error}") from error


def _read(file: BinaryIO, size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise DecodeError(f"cannot be read: {error}") from error
