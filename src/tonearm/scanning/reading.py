"""One audio file, read for the library."""

from pathlib import Path

from tonearm.audio.decode import inspect
from tonearm.audio.signature import file_signature
from tonearm.model.track import ScannedFile
from tonearm.scanning.tags import read_tags


def read_file(path: Path) -> ScannedFile:
    """Signature, container and tags of an audio file; its sound is not decoded.

    Raises:
        FileMissing: there is no such file, or it may not be read.
        DecodeError: it is not audio of an allowed kind.
    """
    signature = file_signature(path)
    return ScannedFile(path=path, signature=signature, info=inspect(path), tags=read_tags(path))
