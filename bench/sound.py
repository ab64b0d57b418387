"""The sound that everybody reads: four minutes of real music, as one WAV and in every format.

A folder of sound holds ``sound.wav`` (44.1 kHz, stereo, 16 bit) and the same samples as
``sound.flac``, ``.mp3``, ``.ogg`` (Vorbis), ``.opus`` and ``.m4a`` (AAC).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tonearm.audio.decode import Decoder, inspect
from tonearm.audio.encode import Encoder
from tonearm.audio.extras import Extras
from tonearm.audio.formats import BitDepth, encoding_for
from tonearm.model.audio import AudioFormat, Block
from tonearm.model.errors import DecodeError

FORMAT: Final = AudioFormat(44_100, 2)
LENGTH_S: Final = 240
WARM_UP_S: Final = 10
STEP_FRAMES: Final = 65_536

KINDS: Final = ("wav", "flac", "mp3", "ogg", "opus", "m4a")
NAMES: Final = {
    "wav": "WAV, 16 bit",
    "flac": "FLAC, 16 bit",
    "mp3": "MP3, 320 kbit/s",
    "ogg": "Ogg Vorbis, quality 6",
    "opus": "Opus, 192 kbit/s (48 kHz)",
    "m4a": "M4A (AAC), 256 kbit/s",
}
_VORBIS_QUALITY: Final = 0.6
_CLIP_SHORTEST_S: Final = 5.0
_TRACK_SHORTEST_S: Final = 120.0
_DEMO: Final = Path(__file__).parents[1] / "demo"


@dataclass(frozen=True, slots=True)
class Source:
    """Samples of four minutes, and where they come from in one sentence."""

    samples: Block
    origin: str


def source() -> Source:
    """The track of TONEARM_TEST_MUSIC whose length is closest to four minutes, else the demo clips.

    What is shorter is repeated from its start, what is longer is cut.

    Raises:
        SystemExit: there is no 44.1 kHz stereo file to take.
    """
    folder = Path(os.environ.get("TONEARM_TEST_MUSIC", _DEMO))
    lengths = {path: length for path in sorted(folder.iterdir()) if (length := _length_s(path)) is not None}
    tracks = {path: length for path, length in lengths.items() if length >= _TRACK_SHORTEST_S}
    if tracks:
        best = min(tracks, key=lambda path: abs(tracks[path] - LENGTH_S))
        origin = f"`{best.name}` ({tracks[best]:.1f} s)"
        return Source(_four_minutes([best]), origin)
    clips = [path for path, length in lengths.items() if length >= _CLIP_SHORTEST_S]
    if not clips:
        raise SystemExit(f"{folder} holds no 44.1 kHz stereo file of at least {_CLIP_SHORTEST_S:g} s")
    names = ", ".join(f"`{path.name}`" for path in clips)
    return Source(_four_minutes(clips), f"the demo clips {names} one after the other")


def write(samples: Block, folder: Path, kinds: Sequence[str]) -> None:
    """Write the samples into ``folder``, once for each kind."""
    for kind in kinds:
        path = folder / f"sound.{kind}"
        if kind == "ogg":
            _write_vorbis(path, samples)
        else:
            _write(path, samples)


def read(path: Path) -> list[Block]:
    """All samples of a file, in blocks of up to ``STEP_FRAMES``."""
    blocks = []
    with Decoder(path) as decoder:
        while len(block := decoder.read(STEP_FRAMES)):
            blocks.append(block)
    return blocks


def _length_s(path: Path) -> float | None:
    """Seconds of a file that is 44.1 kHz stereo; None for anything else."""
    if not path.is_file():
        return None
    try:
        info = inspect(path)
    except DecodeError:
        return None
    return info.duration_s if info.format == FORMAT else None


def _four_minutes(paths: Sequence[Path]) -> Block:
    whole = np.concatenate([block for path in paths for block in read(path)])
    frames = LENGTH_S * FORMAT.rate
    return np.tile(whole, (-(-frames // len(whole)), 1))[:frames]


def _write(path: Path, samples: Block) -> None:
    encoding = encoding_for(path, BitDepth.INT16)
    encoder = Encoder(path, encoding, FORMAT, "stereo", Extras({}, None), dithered=False)
    for start in range(0, len(samples), STEP_FRAMES):
        encoder.write(samples[start : start + STEP_FRAMES])
    encoder.close()


def _write_vorbis(path: Path, samples: Block) -> None:
    import soundfile

    with soundfile.SoundFile(
        path, "w", FORMAT.rate, FORMAT.channels, "VORBIS", compression_level=1.0 - _VORBIS_QUALITY
    ) as file:
        for start in range(0, len(samples), STEP_FRAMES):
            file.write(samples[start : start + STEP_FRAMES])
