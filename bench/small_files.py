"""A music folder of many small real files: some masters encoded, each copied often with other tags."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.stream import Disposition
from PIL import Image

from bench.large import PER_ALBUM, Names

ALBUMS_PER_ARTIST: Final = 3
_COVER_SIDE: Final = 200
_VORBIS: Final = Path(__file__).parents[1] / "demo" / "Chimes They Fade.ogg"
"""Beginnings of this: FFmpeg's own Vorbis encoder stamps what it makes oddly."""


@dataclass(frozen=True)
class Kind:
    """One kind of file, and how many of twenty masters are of it."""

    suffix: str
    encoder: str
    sample_format: str
    masters: int
    covers: bool
    rate: int = 44_100


KINDS: Final = (
    Kind("flac", "flac", "s16", 6, covers=True),
    Kind("mp3", "libmp3lame", "fltp", 7, covers=True),
    Kind("m4a", "aac", "fltp", 3, covers=False),
    Kind("opus", "libopus", "flt", 1, covers=False, rate=48_000),
    Kind("wav", "pcm_s16le", "s16", 1, covers=False),
)


def make(folder: Path, count: int) -> None:
    """Write ``count`` files below ``folder``, in albums of eleven, all of one kind in an album."""
    masters = folder.with_name(f"{folder.name}-masters")
    masters.mkdir()
    made = cycle(list(_masters(masters)))
    names = Names()
    artist = ""
    for number in range(-(-count // PER_ALBUM)):
        if number % ALBUMS_PER_ARTIST == 0:
            artist = names.name(3)
        album, master = names.name(4), next(made)
        place = folder / artist / f"{number:05} {album}"
        place.mkdir(parents=True)
        shared = {"artist": artist, "album": album, "genre": names.name(1), "date": str(1960 + number % 66)}
        for track in range(1, min(PER_ALBUM, count - number * PER_ALBUM) + 1):
            title = names.name(5)
            tags = {**shared, "title": title, "track": str(track)}
            _copy(master, place / f"{track:02} {title}{master.suffix}", tags)


def _masters(folder: Path) -> Iterator[Path]:
    dice = np.random.default_rng(4)
    number = 0
    for kind in KINDS:
        for _ in range(kind.masters):
            path = folder / f"{number:02}.{kind.suffix}"
            seconds = 2.0 + 2.0 * dice.random()
            at = np.arange(int(seconds * kind.rate)) / kind.rate
            tone = 0.3 * np.sin(2 * np.pi * dice.uniform(80, 800) * at)
            _encode(path, kind, np.stack([tone, tone]) + 0.002 * dice.standard_normal((2, len(at))))
            if kind.covers and number % 2 == 0:
                _add_cover(path, dice)
            yield path
            number += 1
    for seconds in (2, 3):
        path = folder / f"{number:02}.ogg"
        _copy(_VORBIS, path, {}, seconds)
        yield path
        number += 1


def _encode(path: Path, kind: Kind, sound: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(kind.encoder, rate=kind.rate, layout="stereo")
        stream.codec_context.format = kind.sample_format
        planes = np.ascontiguousarray(sound, np.float32)
        frame = AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
        frame.sample_rate = kind.rate
        frame.time_base = Fraction(1, kind.rate)
        stream.codec_context.open()
        piece_frames = stream.codec_context.frame_size or 4096
        cutter = AudioResampler(kind.sample_format, "stereo", kind.rate, piece_frames)
        for piece in (*cutter.resample(frame), *cutter.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


def _add_cover(path: Path, dice: np.random.Generator) -> None:
    picture = BytesIO()
    noise = dice.integers(0, 255, (_COVER_SIDE, _COVER_SIDE, 3), np.uint8)
    Image.fromarray(noise).save(picture, "JPEG", quality=60)
    bare = path.rename(path.with_name(f"bare-{path.name}"))
    with av.open(str(bare)) as source, av.open(str(path), "w") as target:
        sound = target.add_stream_from_template(source.streams.audio[0])
        cover = target.add_stream("mjpeg")
        cover.width = cover.height = _COVER_SIDE
        cover.pix_fmt = "yuvj420p"
        cover.disposition = Disposition.attached_pic
        packet = av.Packet(picture.getvalue())
        packet.stream, packet.pts, packet.dts, packet.time_base = cover, 0, 0, Fraction(1, 90_000)
        target.start_encoding()
        target.mux(packet)
        for part in source.demux(source.streams.audio[0]):
            if part.dts is not None:
                part.stream = sound
                target.mux(part)
    bare.unlink()


def _copy(master: Path, path: Path, tags: dict[str, str], seconds: float = 60.0) -> None:
    with av.open(str(master)) as source, av.open(str(path), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for stream in source.streams.video:
            streams[stream.index].disposition = Disposition.attached_pic
        target.metadata.update(tags)
        for stream in streams.values():
            if path.suffix in {".ogg", ".opus"}:
                stream.metadata.update(tags)
        for packet in source.demux():
            if packet.pts is not None and packet.pts * packet.time_base > seconds:
                break
            if packet.size:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
