"""What FFmpeg reads as metadata, for the formats that the tag reader does not know."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from av.stream import Disposition

from tonearm.audio.container import open_audio


@dataclass(frozen=True, slots=True)
class ContainerTags:
    """Metadata as it stands in the file, by lower-case key, and whether a picture is attached.

    FFmpeg has one value for a key; where a file has several it joins them with ``;``.
    """

    values: Mapping[str, str]
    has_cover: bool


def container_tags(path: Path) -> ContainerTags:
    """The metadata of the container and, over it, of the audio stream.

    Raises:
        FileMissing: there is no such file, or it may not be read.
        DecodeError: the file is not audio of an allowed kind.
    """
    source = open_audio(path)
    with source.container as container:
        metadata = {**container.metadata, **source.stream.metadata}
        has_cover = any(stream.disposition & Disposition.attached_pic for stream in container.streams.video)
    return ContainerTags({key.lower(): value for key, value in metadata.items()}, has_cover)
