"""Where the picture of some music lies: in an audio file, or beside it.

What a file carries is its own picture; a folder may hold many albums. So the files are asked first, and
only then the folder, and the one above it where the folder is one disc of several.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tonearm.artwork.scaling import UnusablePicture
from tonearm.audio.extras import read_extras
from tonearm.model.errors import DecodeError, FileMissing
from tonearm.model.track import is_disc_folder

MOST_BYTES: Final = 32 << 20
"""A file beside the music that is larger is no cover."""

_STEMS: Final = ("cover", "folder", "front", "album", "albumart", "artwork")
_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An audio file that may carry a picture; ``has_cover`` is what its tags said when it was scanned."""

    path: Path
    has_cover: bool


@dataclass(frozen=True, slots=True)
class Source:
    """One picture in one state.

    Attributes:
        path: the picture, or the audio file that carries it.
        embedded: whether it is the latter.
        identity: names the picture and its state; another size or time of the file has another name.
    """

    path: Path
    embedded: bool
    identity: str

    def read(self) -> bytes:
        """The picture as it lies there, in its own format.

        Raises:
            UnusablePicture: it cannot be read, or there is none after all.
        """
        try:
            if not self.embedded:
                return self.path.read_bytes()
            cover = read_extras(self.path).cover
        except OSError as exc:
            raise UnusablePicture(exc.strerror or "it cannot be read") from exc
        except (FileMissing, DecodeError) as exc:
            raise UnusablePicture(exc.sentence) from exc
        if cover is None:
            raise UnusablePicture(
                "the tags speak of a picture of a kind that cannot be shown, or it is empty"
            )
        return cover.data


def sources(candidates: Sequence[Candidate]) -> Iterator[Source]:
    """Every place where the picture may be, the likeliest first. The rest are not looked at before."""
    for candidate in candidates:
        if candidate.has_cover and (found := _source(candidate.path, embedded=True)) is not None:
            yield found
    for folder in dict.fromkeys(_folders(candidate.path for candidate in candidates)):
        yield from _beside(folder)


def _folders(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield path.parent
        if is_disc_folder(path.parent.name):
            yield path.parent.parent


def _beside(folder: Path) -> Iterator[Source]:
    """The pictures of a folder by their names. A link may lead anywhere, so none is followed."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                stem, suffix = os.path.splitext(entry.name.lower())  # noqa: PTH122 - a name, not a path
                if stem in _STEMS and suffix in _SUFFIXES and entry.is_file(follow_symlinks=False):
                    found.append((_STEMS.index(stem), _SUFFIXES.index(suffix), entry.name))
    except OSError:
        return
    for _, _, name in sorted(found):
        source = _source(folder / name, embedded=False)
        if source is not None:
            yield source


def _source(path: Path, *, embedded: bool) -> Source | None:
    try:
        status = path.stat()
    except OSError:
        return None
    if not embedded and status.st_size > MOST_BYTES:
        return None
    state = f"{embedded} {status.st_size} {status.st_mtime_ns} ".encode() + os.fsencode(path)
    return Source(path, embedded, hashlib.sha256(state).hexdigest()[:32])
