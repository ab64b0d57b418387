"""The exact length of the audio in an MP4 file, and what its headers say about AAC.

An edit list states its length in the movie's time scale, mostly milliseconds, so FFmpeg's stream
duration is up to 22 frames wrong; the media header counts frames, encoder delay included.

Source: ISO/IEC 14496-12, sections 8.3.1 (trak), 8.4.2 (mdhd), 8.4.3 (hdlr), 8.6.6 (elst).
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

_MOST_HEADER_BYTES: Final = 64 << 20

_ES, _DECODER_CONFIG, _DECODER_SPECIFIC = 3, 4, 5
"""Tags of the descriptors in ``esds``."""

_AAC, _LOW_COMPLEXITY = 0x40, 2
_RATES: Final = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
)


def mp4_frames(path: Path, rate: int) -> int | None:
    """Frames of the first audio track after its encoder delay; None where the headers do not say.

    A file in fragments does not say.
    """
    with path.open("rb") as file:

        def read_at(at: int, count: int) -> bytes:
            file.seek(at)
            return file.read(count)

        return _frames(movie_of(read_at), rate)


def itunes_frames(comment: str) -> int:
    """The third number after the leading zeros of iTunSMPB: frames without delay and padding; else 0."""
    fields = comment.split()
    try:
        return int(fields[3], 16) if len(fields) > 3 else 0
    except ValueError:
        return 0


@dataclass(frozen=True, slots=True)
class Aac:
    """What the headers say of a track of AAC-LC; ``bitrate`` in bit/s."""

    rate: int
    channels: int
    frames: int
    bitrate: int


def aac_in(movie: bytes) -> Aac | None:
    """The only track of a movie, where it is AAC-LC and its headers say all about it; else None."""
    kinds = [kind for kind, _ in _boxes(movie)]
    if kinds.count(b"trak") != 1 or b"mvex" in kinds:
        return None
    track = dict(_boxes(movie))[b"trak"]
    for kind in (b"mdia", b"minf", b"stbl", b"stsd"):
        track = dict(_boxes(track)).get(kind, b"")
    entries = list(_boxes(track[8:]))
    if len(entries) != 1 or entries[0][0] != b"mp4a" or entries[0][1][8:10] != b"\0\0":
        return None
    said = _decoder_config(dict(_boxes(entries[0][1][28:])).get(b"esds", b""))
    if said is None:
        return None
    rate, channels, bitrate = said
    frames = itunes_frames(_comment(movie, b"iTunSMPB")) or _frames(movie, rate)
    return Aac(rate, channels, frames, bitrate) if frames and bitrate else None


def _decoder_config(box: bytes) -> tuple[int, int, int] | None:
    """Rate, channels and average bit rate of an ``esds`` box that says AAC-LC and nothing on top of it.

    Source: ISO/IEC 14496-1, section 7.2.6 (descriptors); 14496-3, section 1.6.2.1 (AudioSpecificConfig).
    """
    at, config = 4, b""
    while at + 2 <= len(box):
        tag, length, at = box[at], 0, at + 1
        while at < len(box) and box[at] & 0x80:
            length, at = length << 7 | box[at] & 0x7F, at + 1
        if at >= len(box):
            return None
        length, at = length << 7 | box[at], at + 1
        if tag == _ES:
            if at + 3 > len(box) or box[at + 2]:
                return None
            at += 3
        elif tag == _DECODER_CONFIG:
            config, at = box[at : at + 13], at + 13
        elif tag == _DECODER_SPECIFIC:
            return _lc(config, box[at : at + length])
        else:
            return None
    return None


def _lc(config: bytes, specific: bytes) -> tuple[int, int, int] | None:
    if len(config) < 13 or config[0] != _AAC or not 2 <= len(specific) <= 5:
        return None
    bits = int.from_bytes(specific[:2], "big")
    kind, index, channels, rest = bits >> 11, bits >> 7 & 15, bits >> 3 & 15, bits & 7
    # What follows could only be the sign of another band, or of another frame length.
    extended = len(specific) == 5 and specific[2:4] == b"\x56\xe5" and specific[4] & 0x80
    if kind != _LOW_COMPLEXITY or index >= len(_RATES) or rest or extended:
        return None
    return _RATES[index], channels, int.from_bytes(config[9:13], "big")


def _comment(movie: bytes, name: bytes) -> str:
    """The text of one of iTunes's own comments."""
    at = movie.find(b"data", max(0, movie.find(b"name\0\0\0\0" + name)))
    if name not in movie or at < 4:
        return ""
    return movie[at + 12 : at - 4 + int.from_bytes(movie[at - 4 : at], "big")].decode("ascii", "replace")


def _frames(movie: bytes, rate: int) -> int | None:
    movie_scale = next((_scale_and_length(box)[0] for kind, box in _boxes(movie) if kind == b"mvhd"), 0)
    for kind, track in _boxes(movie):
        if kind == b"trak" and (length := _track_length(track, movie_scale)) is not None:
            return round(length * rate)
    return None


def movie_of(read_at: Callable[[int, int], bytes]) -> bytes:
    """The content of the moov box, wherever it stands among the others; of a file read from any place."""
    at = 0
    while len(head := read_at(at, 16)) >= 8:
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        header = 8
        if size == 1:
            size, header = int.from_bytes(head[8:], "big"), 16
        if kind == b"moov":
            return read_at(at + header, min(size - header, _MOST_HEADER_BYTES)) if size > header else b""
        if size < header:
            break
        at += size
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
