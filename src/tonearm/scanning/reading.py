"""One audio file, read for the library."""

from pathlib import Path

from tonearm.audio.decode import inspect
from tonearm.audio.glance import glance
from tonearm.audio.signature import opened
from tonearm.model.track import ScannedFile
from tonearm.scanning.tags import read_tags


def read_file(path: Path) -> ScannedFile:
    """Signature, container and tags of an audio file; its sound is not decoded.

    Raises:
        FileMissing: there is no such file, or it may not be read.
        DecodeError: it is not audio of an allowed kind.
    """
    with opened(path) as file:
        info = glance(file.head, file.size, file.read_at) or inspect(path)
        return ScannedFile(path, file.signature, info, read_tags(path, file.descriptor))
