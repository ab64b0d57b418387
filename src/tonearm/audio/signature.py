"""Telling one state of a file from another without reading all of it."""

import os
import stat
from hashlib import blake2b
from pathlib import Path
from typing import Final

from tonearm.model.errors import FileMissing
from tonearm.model.track import FileSignature

_PIECE: Final = 64 * 1024
_DIGEST_BYTES: Final = 16


def file_signature(path: Path) -> FileSignature:
    """Size, time of the last change, and BLAKE2b (128 bits, hex) of the first and last 64 KiB.

    A file of up to 128 KiB is hashed whole. Size and time belong to the very file whose bytes were
    hashed, also if another one takes its place meanwhile.

    Raises:
        FileMissing: there is no such regular file, or it may not or cannot be read.
    """
    try:
        # Not blocking: opening a named pipe would wait for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _signature(path, descriptor)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise FileMissing(f"{path}: {exc}") from exc


def _signature(path: Path, descriptor: int) -> FileSignature:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise FileMissing(f"{path}: not a regular file")
    digest = blake2b(os.pread(descriptor, _PIECE, 0), digest_size=_DIGEST_BYTES)
    digest.update(os.pread(descriptor, _PIECE, max(_PIECE, status.st_size - _PIECE)))
    return FileSignature(size=status.st_size, mtime_ns=status.st_mtime_ns, content=digest.hexdigest())
