"""What three containers say about their length that FFmpeg passes over.

It takes the length of a cut-off WAV from the size of the file, guesses that of an MP3 whose Xing tag
does not fit, and does not tell whether the last page of an Ogg file is there.

Sources: RFC 3533, section 6 (Ogg pages); Microsoft "Multimedia Programming Interface" 1.0 (RIFF);
G. Bouvigne, "Mp3 Info Tag revision 1" (Xing and LAME tags).
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

_TWO_OGG_PAGES: Final = 1 << 17
_OGG_LAST_PAGE: Final = 4
_STREAMED: Final = 0xFFFF_0000
"""Sizes from here on mean: written by a program that could not know."""


@dataclass(frozen=True, slots=True)
class OggEnding:
    """``complete``: the last page is whole and marked as the last. ``one_stream``: it belongs to the
    stream that the file begins with, so that its position counts the frames of the whole file."""

    complete: bool
    one_stream: bool


def ogg_ending(path: Path) -> OggEnding:
    """Read the last page of an Ogg file."""
    with path.open("rb") as file:
        first_serial = file.read(18)[14:18]
        size = file.seek(0, 2)
        file.seek(max(0, size - _TWO_OGG_PAGES))
        tail = file.read()
    at = len(tail)
    while (at := tail.rfind(b"OggS", 0, at)) >= 0:
        page = tail[at:]
        if len(page) > 27 and page[4] == 0:
            whole = len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
            return OggEnding(whole and bool(page[5] & _OGG_LAST_PAGE), page[14:18] == first_serial)
    return OggEnding(complete=False, one_stream=False)


def wav_frames(path: Path) -> int | None:
    """Frames that the data chunk of a RIFF WAVE file claims to hold; None where it does not say."""
    with path.open("rb") as file:
        return _wav_frames(file)


def wav_frames_in(head: bytes) -> int | None:
    """The same of the beginning of a file; None as well where that does not reach the data."""
    return _wav_frames(BytesIO(head))


def _wav_frames(file: BinaryIO) -> int | None:
    if file.read(12)[8:12] != b"WAVE":
        return None
    block_align = 0
    while len(head := file.read(8)) == 8:
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if name == b"data":
            return size // block_align if block_align and 0 < size < _STREAMED else None
        if name == b"fmt ":
            block_align = int.from_bytes(file.read(14)[12:14], "little")
            size -= 14
        file.seek(max(0, size) + size % 2, 1)
    return None


def lame_frames(path: Path) -> int | None:
    """Frames of an MP3 without encoder delay and padding, by its Xing and LAME tags; None without."""
    with path.open("rb") as file:
        head = file.read(10)
        tag = 10 + sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
        file.seek(tag if head[:3] == b"ID3" else 0)
        return lame_frames_in(file.read(1 << 12))


def lame_frames_in(data: bytes) -> int | None:
    """The same of the first 4 KiB behind the ID3 tag."""
    at = max(data.find(b"Xing"), data.find(b"Info"))
    # All four optional fields stand before the LAME tag: frames, bytes, table of contents, quality.
    if at < 4 or len(data) < at + 144 or data[at + 7] & 15 != 15:
        return None
    sync = data.rfind(b"\xff", 0, at - 3)
    mpeg1 = sync >= 0 and data[sync + 1] & 0x18 == 0x18
    packets = int.from_bytes(data[at + 8 : at + 12], "big")
    trims = int.from_bytes(data[at + 141 : at + 144], "big")
    return packets * (1152 if mpeg1 else 576) - (trims >> 12) - (trims & 0xFFF)
