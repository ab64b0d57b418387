"""The library's tracks, as their files are at the moment someone presses play.

A file may have been replaced since the scan that wrote its row. What was measured on the file before
does not belong to the one that is there now, nor do its rate and its length.
"""

from dataclasses import replace

from tonearm.audio.decode import inspect
from tonearm.audio.signature import file_signature
from tonearm.model.errors import FileMissing
from tonearm.model.track import Track
from tonearm.streaming.ports import Tracks


class PresentTracks:
    """Tracks whose signature and format are those of the file that would be played now.

    Args:
        tracks: the library; its rows are left to the next scan.
    """

    def __init__(self, tracks: Tracks) -> None:
        self._tracks = tracks

    def get(self, track_id: int) -> Track:
        """One track; blocks.

        Raises:
            TrackNotFound, LibraryUnavailable: as the library's ``get``.
            FileMissing, DecodeError: the file has gone, or has become something that cannot be played.
        """
        track = self._tracks.get(track_id)
        try:
            status = track.path.stat()
        except OSError as exc:
            raise FileMissing(f"{track.path}: {exc}") from exc
        if (status.st_size, status.st_mtime_ns) == (track.signature.size, track.signature.mtime_ns):
            return track
        return replace(track, signature=file_signature(track.path), info=inspect(track.path))
