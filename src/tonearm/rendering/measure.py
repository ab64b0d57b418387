"""A file to its fingerprint and measures."""

from collections.abc import Callable
from pathlib import Path

from tonearm.analysis.extract import Extractor
from tonearm.audio.decode import Decoder
from tonearm.model.measures import Analysis

_BLOCK_FRAMES = 65_536


def ignore(_frames: int) -> None:
    """Nobody watches the progress."""


def measure_file(path: Path, on_progress: Callable[[int], None] = ignore) -> Analysis:
    """Decode a file from end to end and measure it, in bounded memory.

    Args:
        path: the file.
        on_progress: told the frames measured so far after every block; what it raises ends the work.

    Raises:
        FileMissing, DecodeError: as ``Decoder``; a file that is cut off or damaged is not measured,
            for numbers of a part would look like those of the whole.
        NotEnoughAudio: under 0.4 s, or nothing above the loudness gate.
    """
    with Decoder(path) as decoder:
        audio = decoder.info
        extractor = Extractor(audio.format.rate, audio.format.channels, audio.channel_layout)
        while len(block := decoder.read(_BLOCK_FRAMES)):
            extractor.process(block)
            on_progress(decoder.position)
    return extractor.finish()
