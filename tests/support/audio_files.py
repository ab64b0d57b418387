"""Short files of every kind, written by libsndfile and by FFmpeg's encoders, not by the program."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from music import DEMO
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Made:
    """A file, and the samples and the rate that went into it."""

    path: Path
    source: Samples
    rate: int


def by_libsndfile(path: Path, sound: Samples, rate: int, subtype: str | None = None) -> Path:
    soundfile.write(path, sound, rate, subtype=subtype)
    return path


def by_ffmpeg(
    path: Path,
    sound: Samples,
    rate: int,
    codec: str,
    sample_format: str = "fltp",
    codec_options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[sound.shape[1]]
    with av.open(path, "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.codec_context.layout = layout
        stream.codec_context.format = sample_format
        stream.codec_context.options = codec_options or {}
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound).reshape(1, -1), "flt", layout)
        frame.rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return path


def _tabla() -> Samples:
    # A length that is no multiple of any codec's packet, nor of a millisecond.
    sound, _ = soundfile.read(DEMO / "loop_tabla.flac", dtype="float32", frames=300_007)
    return np.asarray(sound) * np.float32(3.0)


Maker = Callable[[Path, Samples], Path]

EXACT: dict[str, Maker] = {
    "wav-u8": lambda folder, x: by_libsndfile(folder / "u8.wav", x, 44_100, "PCM_U8"),
    "wav-16": lambda folder, x: by_libsndfile(folder / "16.wav", x, 44_100, "PCM_16"),
    "wav-24": lambda folder, x: by_libsndfile(folder / "24.wav", x, 44_100, "PCM_24"),
    "wav-32": lambda folder, x: by_libsndfile(folder / "32.wav", x, 44_100, "PCM_32"),
    "wav-float": lambda folder, x: by_libsndfile(folder / "float.wav", x, 44_100, "FLOAT"),
    "wav-double": lambda folder, x: by_libsndfile(folder / "double.wav", x, 44_100, "DOUBLE"),
    "aiff": lambda folder, x: by_libsndfile(folder / "24.aiff", x, 44_100, "PCM_24"),
    "flac-16": lambda folder, x: by_libsndfile(folder / "16.flac", x, 44_100, "PCM_16"),
    "flac-24": lambda folder, x: by_libsndfile(folder / "24.flac", x, 44_100, "PCM_24"),
    "alac": lambda folder, x: by_ffmpeg(folder / "alac.m4a", x, 44_100, "alac", "s16p"),
    "wavpack": lambda folder, x: by_ffmpeg(folder / "pack.wv", x, 44_100, "wavpack", "s16p"),
    "tta": lambda folder, x: by_ffmpeg(folder / "true.tta", x, 44_100, "tta", "s16"),
}
LOSSY: dict[str, Maker] = {
    "mp3-cbr": lambda folder, x: by_ffmpeg(
        folder / "cbr.mp3", x, 44_100, "libmp3lame", codec_options={"b": "192000"}
    ),
    "mp3-vbr": lambda folder, x: by_ffmpeg(
        folder / "vbr.mp3",
        x,
        44_100,
        "libmp3lame",
        codec_options={"flags": "+qscale", "global_quality": "236"},
    ),
    "vorbis": lambda folder, x: by_libsndfile(folder / "vorbis.ogg", x, 44_100, "VORBIS"),
    "opus": lambda folder, x: by_ffmpeg(folder / "opus.opus", x, 48_000, "libopus", "flt"),
    "aac": lambda folder, x: by_ffmpeg(
        folder / "aac.m4a", x, 44_100, "aac", codec_options={"b": "256000", "aac_pns": "0"}
    ),
}
UNCOUNTED: dict[str, Maker] = {
    "mp3-bare": lambda folder, x: by_ffmpeg(
        folder / "bare.mp3", x, 44_100, "libmp3lame", container_options={"write_xing": "0"}
    ),
    "adts": lambda folder, x: by_ffmpeg(folder / "raw.aac", x, 44_100, "aac", codec_options={"aac_pns": "0"}),
    "matroska": lambda folder, x: by_ffmpeg(folder / "flac.mka", x, 44_100, "flac", "s16"),
}
ALL = {**EXACT, **LOSSY, **UNCOUNTED}


class Files:
    """A file by the name of its kind; each is written once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._source = _tabla()
        self._files: dict[str, Made] = {}

    def __call__(self, kind: str) -> Made:
        if kind not in self._files:
            rate = 48_000 if kind == "opus" else 44_100
            self._files[kind] = Made(ALL[kind](self._folder, self._source), self._source, rate)
        return self._files[kind]
