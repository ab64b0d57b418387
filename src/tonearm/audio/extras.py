"""What an audio file carries besides its sound, to be copied into another: tags and the front cover.

What describes the samples themselves (loudness tags, encoder, delay) is left behind: it would be
untrue of another sound.
"""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from av.container import InputContainer

from tonearm.audio.container import open_container

_OF_THE_SOUND: Final = frozenset(
    {
        *("encoder", "encoded_by", "encoder_options", "itunsmpb", "itunnorm", "gapless_playback", "tlen"),
        *("major_brand", "minor_version", "compatible_brands", "creation_time", "handler_name"),
        *("vendor_id", "language", "duration", "metadata_block_picture"),
    }
)
_LOUDNESS: Final = ("replaygain_", "r128_", "mp3gain_")
_MIMES: Final = {"mjpeg": "image/jpeg", "png": "image/png"}
_MOST_COVER_BYTES: Final = 16 << 20
_FRONT_COVER: Final = 3
FRONT_COVER_COMMENT: Final = "Cover (front)"


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture as it lies in the file; ``codec`` is ``mjpeg`` or ``png``, the size in pixels."""

    codec: str
    width: int
    height: int
    data: bytes

    def as_vorbis_comment(self) -> str:
        """The value of a METADATA_BLOCK_PICTURE comment: RFC 9639, section 8.8, in base64."""
        mime = _MIMES[self.codec].encode()
        fields = (
            *(_number(_FRONT_COVER), _number(len(mime)), mime, _number(0)),
            *map(_number, (self.width, self.height, 24, 0, len(self.data))),
            self.data,
        )
        return base64.b64encode(b"".join(fields)).decode("ascii")


@dataclass(frozen=True, slots=True)
class Extras:
    """Tags by FFmpeg's common names, and the front cover, None where there is none that can be copied."""

    tags: dict[str, str]
    cover: Cover | None


def read_extras(path: Path) -> Extras:
    """Read the tags and the cover of an audio file.

    Raises:
        FileMissing, DecodeError: the file cannot be opened, or is not of an allowed kind.
    """
    with open_container(path) as container:
        # Ogg keeps its tags with the stream, the others with the container.
        tags = dict(container.metadata)
        for stream in container.streams.audio[:1]:
            tags |= stream.metadata
        return Extras({name: text for name, text in tags.items() if _travels(name)}, _cover(container))


def _travels(name: str) -> bool:
    return name.lower() not in _OF_THE_SOUND and not name.lower().startswith(_LOUDNESS)


def _cover(container: InputContainer) -> Cover | None:
    """The picture that calls itself the front cover, else the first one."""
    found: list[tuple[bool, Cover]] = []
    for stream in container.streams.video:
        codec = stream.codec_context
        if (
            codec is None
            or codec.name not in _MIMES
            or not stream.disposition & stream.disposition.attached_pic
        ):
            continue
        packet = next(container.demux(stream), None)
        if packet is None or not 0 < packet.size <= _MOST_COVER_BYTES:
            continue
        data = bytes(packet)
        size = _png_size(data) if codec.name == "png" else _jpeg_size(data)
        if size is not None:
            front = stream.metadata.get("comment") == FRONT_COVER_COMMENT
            found.append((front, Cover(codec.name, *size, data)))
    return max(found, key=lambda item: item[0])[1] if found else None


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the IHDR chunk; None if it is not a PNG."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the start-of-frame segment (ITU-T T.81, B.2.2); None if there is none."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
