"""The exact length of the audio in an MP4 file.

An edit list states its length in the movie's time scale, mostly milliseconds, so FFmpeg's stream
duration is up to 22 frames wrong; the media header counts frames, encoder delay included.

Source: ISO/IEC 14496-12, sections 8.3.1 (trak), 8.4.2 (mdhd), 8.4.3 (hdlr), 8.6.6 (elst).
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final

_MOST_HEADER_BYTES: Final = 64 << 20


def mp4_frames(path: Path, rate: int) -> int | None:
    """Frames of the first audio track after its encoder delay; None where the headers do not say.

    A file in fragments does not say.
    """
    with path.open("rb") as file:
        movie = _movie(file)
    movie_scale = next((_scale_and_length(box)[0] for kind, box in _boxes(movie) if kind == b"mvhd"), 0)
    for kind, track in _boxes(movie):
        if kind == b"trak" and (length := _track_length(track, movie_scale)) is not None:
            return round(length * rate)
    return None


def _movie(file: BinaryIO) -> bytes:
    """The content of the moov box, wherever it stands among the others."""
    while len(head := file.read(8)) == 8:
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        header = 8
        if size == 1:
            size, header = int.from_bytes(file.read(8), "big"), 16
        if kind == b"moov":
            return file.read(min(size - header, _MOST_HEADER_BYTES)) if size > header else b""
        if size < header:
            break
        file.seek(size - header, 1)
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def _scale_and_length(box: bytes) -> tuple[int, int]:
    """Time scale and duration of an mvhd or mdhd box; (0, 0) if it is too short."""
    wide = box[:1] == b"\1"
    layout, at = (">IQ", 20) if wide else (">II", 12)
    if len(box) < at + struct.calcsize(layout):
        return 0, 0
    scale, length = struct.unpack_from(layout, box, at)
    return scale, length


def _track_length(track: bytes, movie_scale: int) -> Fraction | None:
    """Length in seconds, delay removed; None for a track that is not audio or does not say."""
    boxes = dict(_boxes(track))
    media = dict(_boxes(boxes.get(b"mdia", b"")))
    scale, length = _scale_and_length(media.get(b"mdhd", b""))
    if media.get(b"hdlr", b"")[8:12] != b"soun" or not scale or not length:
        return None
    edit = _edit(dict(_boxes(boxes.get(b"edts", b""))).get(b"elst", b""))
    if edit is None:
        return Fraction(length, scale)
    shown, delay = edit
    whole = Fraction(max(0, length - delay), scale)
    if not shown or not movie_scale:
        return whole
    # Where both agree to a tick of the coarse clock, the fine one is right; else the list cuts more.
    return whole if Fraction(shown + 1, movie_scale) >= whole else Fraction(shown, movie_scale)


def _edit(box: bytes) -> tuple[int, int] | None:
    """Segment length (movie scale) and delay (media scale) of an edit list's only edit with media."""
    wide = box[:1] == b"\1"
    layout = ">QqI" if wide else ">IiI"
    size = struct.calcsize(layout)
    entries = [struct.unpack_from(layout, box, at) for at in range(8, len(box) - size + 1, size)]
    with_media = [entry for entry in entries if entry[1] >= 0]
    return (with_media[0][0], with_media[0][1]) if len(with_media) == 1 else None
