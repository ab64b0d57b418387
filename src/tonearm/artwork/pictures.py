"""Pictures as they are shown, made once and kept in a folder."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from tonearm.artwork.scaling import UnusablePicture, scaled
from tonearm.artwork.sources import Candidate, Source, sources
from tonearm.model.errors import NoArtwork

SIZES: Final = (64, 128, 256, 512, 1024)
"""Pixels of the longer side. A fixed set, so that nobody can fill the disk with sizes."""

KEPT_BYTES: Final = 1 << 30
_MOST_TOLD: Final = 10_000
_TEMPORARY: Final = ".tmp"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG; ``tag`` names its contents."""

    data: bytes
    tag: str


class Pictures:
    """Makes pictures and keeps them. Calls block; any thread may make them.

    Args:
        folder: where they are kept; it may be deleted at any time.
        kept_bytes: ``sweep`` leaves at most so much of it, the last used.
    """

    def __init__(self, folder: Path, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder = folder
        self._kept_bytes = kept_bytes
        self._told: set[str] = set()

    def picture(self, candidates: Sequence[Candidate], size: int) -> Picture:
        """The picture of the music in these files.

        Args:
            candidates: the files of a track or an album, the likeliest first.
            size: one of ``SIZES``.

        Raises:
            NoArtwork: there is none that can be shown.
            ValueError: another size.
        """
        if size not in SIZES:
            raise ValueError(f"wanted one of {SIZES}, got {size}")
        reasons = []
        for source in sources(candidates):
            tag = hashlib.sha256(f"{source.identity} {size}".encode()).hexdigest()[:32]
            if (kept := self._kept(tag)) is not None:
                return Picture(kept, tag)
            try:
                made = scaled(source.read(), size)
            except UnusablePicture as error:
                self._tell(source, error)
                reasons.append(f"{source.path.name!r}: {error}")
                continue
            self._keep(tag, made)
            return Picture(made, tag)
        raise NoArtwork("; ".join(reasons) or "no picture in the files or beside them")

    def sweep(self) -> None:
        """Take away what has not been used for longest, and what was never finished."""
        kept = []
        for file in self._folder.glob("*/*"):
            try:
                status = file.stat()
            except FileNotFoundError:
                continue
            kept.append((max(status.st_atime_ns, status.st_mtime_ns), status.st_size, file))
        left = self._kept_bytes
        for _, size, file in sorted(kept, reverse=True):
            left -= size
            if left < 0 or file.suffix == _TEMPORARY:
                file.unlink(missing_ok=True)

    def _tell(self, source: Source, error: UnusablePicture) -> None:
        """Once for each state of a picture, however often it is asked for."""
        if source.identity in self._told or len(self._told) == _MOST_TOLD:
            return
        self._told.add(source.identity)
        log.warning("A cover gives way to the next", file=ascii(source.path.name), reason=str(error))

    def _path(self, tag: str) -> Path:
        return self._folder / tag[:2] / f"{tag}.jpg"

    def _kept(self, tag: str) -> bytes | None:
        try:
            return self._path(tag).read_bytes()
        except OSError:
            return None

    def _keep(self, tag: str, data: bytes) -> None:
        """Under a temporary name first, so that no one sees half of it. A disk that is full is told of."""
        path = self._path(tag)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            number, temporary = tempfile.mkstemp(dir=path.parent, suffix=_TEMPORARY)
            try:
                with os.fdopen(number, "wb") as file:
                    file.write(data)
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            log.warning("A cover cannot be kept, so it is made each time", reason=error.strerror)
