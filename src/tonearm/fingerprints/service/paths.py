"""Paths as they stand in a request, and which of them may be read.

File names are bytes and protobuf strings are Unicode: a path goes as it is where its name is UTF-8,
and as a percent-encoded ``file:`` URI where it is not. An absolute path begins with a slash, so the
two cannot be mistaken for each other.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

from tonearm.model.errors import FileMissing, OutsideLibrary

_URI: Final = "file://"


def to_text(path: Path) -> str:
    """An absolute path as text that protobuf can carry."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return path.as_uri()
    return str(path)


def from_text(text: str) -> Path:
    """The path that ``to_text`` was given."""
    if text.startswith(_URI):
        return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(_URI))))
    return Path(text)


def permitted(text: str, roots: Sequence[Path]) -> Path:
    """The file a request asks for, links resolved, if it lies below one of the roots.

    Blocking: it asks the file system.

    Raises:
        OutsideLibrary: it lies elsewhere; whether it exists is not told.
        FileMissing: there is no regular file.
    """
    asked = from_text(text)
    if not asked.is_absolute() or "\0" in str(asked):
        raise OutsideLibrary(f"wanted an absolute path, got {text!r}")
    path = os.path.realpath(asked)
    # Compared by parts: /music_private does not lie below /music. Roots are resolved each time,
    # because what a link or a mount point leads to may change while the server runs.
    if not any(os.path.commonpath([root, path]) == root for root in map(os.path.realpath, roots)):
        raise OutsideLibrary(f"{path} lies below none of the roots")
    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except OSError as error:
        raise FileMissing(f"{path}: {error.strerror}") from error
    if not regular:
        raise FileMissing(f"{path} is not a regular file")
    return Path(path)
