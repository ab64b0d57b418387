"""Everything that can go wrong, as a small tree.

Raise the specific error, chain the cause, say what was wanted and what was found. The text of
an error is for the log; a client gets ``code`` and ``sentence``, which name no path and no cause.
"""

from typing import ClassVar


class TonearmError(Exception):
    """The root. ``code`` is what a program reads on the wire, ``sentence`` what a person reads."""

    code: ClassVar[str] = "STREAMING_ERROR"
    sentence: ClassVar[str] = "Something went wrong while playing this track."


class TrackNotFound(TonearmError):
    code = "TRACK_NOT_FOUND"
    sentence = "There is no such track in the library."


class FileMissing(TonearmError):
    """The library knows the track, but its file is not there or may not be read."""

    code = "FILE_NOT_FOUND"
    sentence = "The file of this track is missing or cannot be read."


class DecodeError(TonearmError):
    """The file is not audio, or is damaged, or is of a kind that is not allowed."""

    code = "DECODE_ERROR"
    sentence = "The file of this track cannot be decoded."


class EncodeError(TonearmError):
    """A file cannot be written: no such folder, no permission, no room."""

    code = "ENCODE_ERROR"
    sentence = "The file cannot be written."


class NotEnoughAudio(TonearmError):
    """Under 0.4 s, or nothing above the loudness gate: there is nothing to measure."""

    code = "NOT_ENOUGH_AUDIO"
    sentence = "This track is too short or too quiet to be measured."


class AlbumNotMeasured(TonearmError):
    """The level of an album was asked for, and not all of its tracks have been measured yet."""

    code = "ALBUM_NOT_MEASURED"
    sentence = "Not every track of this album has been measured yet."


class NoAlbum(TonearmError):
    """The level of an album was asked for a track that belongs to none."""

    code = "NO_ALBUM"
    sentence = "This track does not belong to an album."


class NoArtwork(TonearmError):
    """There is no picture of this music, or none that can be shown."""

    code = "ARTWORK_NOT_FOUND"
    sentence = "There is no picture of this music."


class AlbumNotFound(TonearmError):
    code = "ALBUM_NOT_FOUND"
    sentence = "There is no such album in the library."


class ArtistNotFound(TonearmError):
    code = "ARTIST_NOT_FOUND"
    sentence = "There is no such artist in the library."


class GenreNotFound(TonearmError):
    code = "GENRE_NOT_FOUND"
    sentence = "There is no such genre in the library."


class FingerprintNotReady(TonearmError):
    """What was asked for follows from a fingerprint, and the track has none yet."""

    code = "FINGERPRINT_NOT_READY"
    sentence = "This track has not been measured yet."


class InvalidQuery(TonearmError, ValueError):
    """What was asked for makes no sense. Its text is made of what the client sent, and meant for it.

    Attributes:
        position: of the character where it stops to make sense, from 1; None where there is no such place.
        wanted: what could stand there.
    """

    code = "INVALID_QUERY"
    sentence = "This cannot be asked for."

    def __init__(self, text: str, position: int | None = None, wanted: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.position = position
        self.wanted = wanted


class PlaylistNotFound(TonearmError):
    code = "PLAYLIST_NOT_FOUND"
    sentence = "There is no such playlist, or no such entry in it."


class PlaylistFull(TonearmError):
    code = "PLAYLIST_FULL"
    sentence = "A playlist holds 10,000 entries at most."


class SmartListNotFound(TonearmError):
    code = "SMART_LIST_NOT_FOUND"
    sentence = "There is no such smart list."


class ProcessorUnavailable(TonearmError):
    code = "PROCESSOR_UNAVAILABLE"
    sentence = "The mastering processor is not available."


class ServerBusy(TonearmError):
    code = "SERVER_BUSY"
    sentence = "The server is playing as many streams as it may. Try again in a moment."


class LibraryUnavailable(TonearmError):
    """The database is locked, read-only or gone."""

    code = "LIBRARY_UNAVAILABLE"
    sentence = "The library is not available right now."


class ScanInProgress(TonearmError):
    code = "SCAN_IN_PROGRESS"
    sentence = "A scan is already running."


class OutsideLibrary(TonearmError):
    """A path that does not lie below the configured roots after resolving links."""

    code = "OUTSIDE_LIBRARY"
    sentence = "That folder is not part of the library."


class FingerprintUnavailable(TonearmError):
    """No fingerprint can be had at the moment; playing goes on without one, and says so."""

    code = "FINGERPRINT_UNAVAILABLE"
    sentence = "The fingerprint is not available right now."


class FingerprintServerDown(FingerprintUnavailable):
    """The service refused the connection or vanished during the call."""

    code = "FINGERPRINT_SERVER_DOWN"
    sentence = "The fingerprint server cannot be reached."


class FingerprintTimeout(FingerprintUnavailable):
    code = "FINGERPRINT_TIMEOUT"
    sentence = "The fingerprint server did not answer in time."


class FingerprintServerBusy(FingerprintUnavailable):
    code = "FINGERPRINT_SERVER_BUSY"
    sentence = "The fingerprint server has too much to do."


class FingerprintServerFailed(FingerprintUnavailable):
    """The service answered that it failed (a worker died, an internal error)."""

    code = "FINGERPRINT_SERVER_FAILED"
    sentence = "The fingerprint server failed on this track."


class AnalysisFailed(FingerprintServerFailed):
    """The worker died on this file. Twice in a row is a verdict on the file, once may be bad luck."""

    code = "ANALYSIS_FAILED"
    sentence = "The analysis of this track broke off."


class AnalysisTooLong(AnalysisFailed):
    """The file used up the time that one file may take."""

    code = "ANALYSIS_TOO_LONG"
    sentence = "The analysis of this track takes too long."


class AnalysisTooLarge(AnalysisFailed):
    """The file used up the memory that one file may take."""

    code = "ANALYSIS_TOO_LARGE"
    sentence = "The analysis of this track needs too much memory."


class InvalidFingerprint(FingerprintUnavailable):
    """Numbers that cannot be a fingerprint: one absent, non-finite or out of range."""

    code = "FINGERPRINT_INVALID"
    sentence = "The fingerprint server answered with numbers that cannot be true."
