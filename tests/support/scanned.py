"""Files as a scan reads them, made of numbers."""

from pathlib import Path
from typing import Any

from tonearm.model.audio import AudioFormat, AudioInfo
from tonearm.model.track import FileSignature, ScannedFile, Tags


def scanned(
    path: str | Path,
    content: str = "c0ffee",
    mtime_ns: int = 1_700_000_000,
    size: int = 1_000,
    frames: int = 60 * 48_000,
    **tags: Any,
) -> ScannedFile:
    """A file of one minute at 48 kHz; further keywords are its tags."""
    info = AudioInfo(
        format=AudioFormat(48_000, 2),
        frames=frames,
        frames_exact=True,
        codec="flac",
        container="flac",
        bit_depth=24,
        bitrate=None,
        channel_layout="stereo",
    )
    return ScannedFile(Path(path), FileSignature(size, mtime_ns, content), info, Tags(**tags))
