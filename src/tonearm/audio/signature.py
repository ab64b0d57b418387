"""Telling one state of a file from another without reading all of it."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from tonearm.model.errors import FileMissing
from tonearm.model.track import FileSignature

_PIECE: Final = 64 * 1024
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A regular file as it was when it was opened, whatever takes its name meanwhile.

    Attributes:
        descriptor: to read from; closed by whoever opened it.
        size: bytes.
        head: the first 64 KiB.
        signature: size, time of the last change, and BLAKE2b (128 bits, hex) of the first and last 64 KiB.
    """

    descriptor: int
    size: int
    head: bytes
    signature: FileSignature

    def read_at(self, position: int, count: int) -> bytes:
        """At most ``count`` bytes from ``position`` on.

        Raises:
            OSError: they cannot be read.
        """
        if position + count <= len(self.head):
            return self.head[position : position + count]
        return os.pread(self.descriptor, count, position)


@contextmanager
def opened(path: Path) -> Iterator[OpenFile]:
    """The file at ``path``, open for as long as the context lasts.

    Raises:
        FileMissing: there is no such regular file, or it may not or cannot be read, also inside the context.
    """
    try:
        # Not blocking: opening a named pipe would wait for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            yield _read(path, descriptor)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise FileMissing(f"{path}: {exc}") from exc


def file_signature(path: Path) -> FileSignature:
    """Size, time of the last change, and BLAKE2b (128 bits, hex) of the first and last 64 KiB.

    A file of up to 128 KiB is hashed whole. Size and time belong to the very file whose bytes were
    hashed, also if another one takes its place meanwhile.

    Raises:
        FileMissing: there is no such regular file, or it may not or cannot be read.
    """
    with opened(path) as file:
        return file.signature


def _read(path: Path, descriptor: int) -> OpenFile:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise FileMissing(f"{path}: not a regular file")
    head = os.pread(descriptor, _PIECE, 0)
    digest = blake2b(head, digest_size=_DIGEST_BYTES)
    digest.update(os.pread(descriptor, _PIECE, max(_PIECE, status.st_size - _PIECE)))
    signature = FileSignature(size=status.st_size, mtime_ns=status.st_mtime_ns, content=digest.hexdigest())
    return OpenFile(descriptor, status.st_size, head, signature)
