"""Sounds that are hard on a mastering chain; float32 ``[frames, channels]``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from tonearm.audio.decode import Decoder
from tonearm.model.audio import Block
from tonearm.model.errors import DecodeError

RATES: Final = (
    8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 384_000
)  # fmt: skip
CEILINGS_DBTP: Final = (-1.0, 0.0, -0.1, -3.0, -6.0)
PUSHES_DB: Final = (3.0, 6.0, 9.0, 12.0)

_BLOCK = 1 << 18
_LIMITER = "alimiter=limit=1:level=disabled:attack=5:release=50:latency=1"


def waves(rate: int, frames: int) -> dict[str, NDArray[np.float64]]:
    """Hostile mono signals with a peak of about 1."""
    rng, n = np.random.default_rng(11), np.arange(frames)
    t = n / rate
    noise = rng.normal(size=frames)
    return {
        "square 100 Hz": np.sign(np.sin(2 * np.pi * 100.3 * t)),
        "square 997 Hz": np.sign(np.sin(2 * np.pi * 997 * t)),
        "clicks": (rng.random(frames) < 0.002) * noise,
        "one click": (n == frames // 2).astype(float),
        "first and last frame": ((n == 0) | (n == frames - 1)).astype(float),
        "fs/4 at 45 degrees": np.sin(np.pi / 2 * n + np.pi / 4),
        "direct current": np.ones(frames),
        "nyquist": np.cos(np.pi * n),
        "nyquist with flips": np.cos(np.pi * n) * np.sign(np.sin(2 * np.pi * 50.3 * t)),
        "nyquist, 40 frames": np.cos(np.pi * n) * (n < 40),
        "white noise": noise / 3,
        "signs": np.sign(noise),
        "bursts of signs": np.sign(noise) * (np.sin(2 * np.pi * 17 * t) > 0.6),
        "worst of the filter": np.tile(np.sign(np.sinc(np.arange(-19, 20) - 0.5)), frames)[:frames],
        "sweep": np.sin(2 * np.pi * np.cumsum(np.geomspace(20 / rate, 0.499, frames))),
        "swell": np.sin(2 * np.pi * 0.23 * n) * np.linspace(0, 1, frames) ** 4,
        "silence and full scale": np.sin(2 * np.pi * 0.11 * n) * (np.sin(2 * np.pi * 7 * t) > 0),
        "bass and treble": 0.7 * np.sin(2 * np.pi * 41 * t) + 0.3 * np.sign(np.sin(2 * np.pi * 0.31 * n)),
        "one sample, rest silence": (n == 0).astype(float),
        "silence": np.zeros(frames),
    }


def together(rate: int, frames: int, channels: int) -> Block:
    """As many of the waves as there are channels, another in each."""
    all_waves = list(waves(rate, frames).values())
    return np.stack([all_waves[(3 * c + channels) % len(all_waves)] for c in range(channels)], axis=1).astype(
        np.float32
    )


def amplified(x: NDArray[np.floating], gain_db: float) -> Block:
    """``x`` with a gain; a mono wave becomes one channel."""
    block = x[:, None] if x.ndim == 1 else x
    return (block * 10.0 ** (gain_db / 20.0)).astype(np.float32)


def pushed(x: Block, rate: int, push_db: float) -> Block:
    """The loudness war made to order: the peak at full scale, then so many dB into FFmpeg's alimiter."""
    layout = {1: "mono", 2: "stereo"}[x.shape[1]]
    gain = 10.0 ** (push_db / 20.0) / float(np.abs(x).max())
    graph = av.filter.Graph()
    source = graph.add_abuffer(format="flt", sample_rate=rate, layout=layout, time_base=f"1/{rate}")  # type: ignore[arg-type]
    name, _, arguments = _LIMITER.partition("=")
    limiter, sink = graph.add(name, arguments), graph.add("abuffersink")
    source.link_to(limiter)
    limiter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray((x * np.float32(gain)).reshape(1, -1), "flt", layout)
    frame.rate, frame.pts = rate, 0
    graph.push(frame)
    graph.push(None)
    parts = []
    while True:
        try:
            parts.append(graph.pull().to_ndarray())
        except (av.error.EOFError, av.error.BlockingIOError):
            break
    return np.asarray(np.concatenate(parts, axis=1).T.reshape(-1, x.shape[1]), np.float32)


def decoded(path: Path, seconds: float = 36_000.0, start_s: float = 0.0) -> tuple[Block, int]:
    """A file, or a part of it, and its rate."""
    with Decoder(path) as opened:
        rate = opened.info.format.rate
    with Decoder(path, round(start_s * rate)) as decoder:
        wanted, parts = round(seconds * rate), [np.zeros((0, decoder.info.format.channels), np.float32)]
        while wanted > 0 and len(block := decoder.read(min(wanted, _BLOCK))):
            parts.append(block)
            wanted -= len(block)
    return np.concatenate(parts), rate


def music_files(folder: Path) -> Iterator[Path]:
    """Every file of a folder that is audio, the longest first."""
    found = []
    for path in sorted(folder.iterdir()):
        try:
            with Decoder(path) as decoder:
                found.append((-decoder.info.duration_s, path))
        except DecodeError:
            continue  # CREDITS.md
    return (path for _, path in sorted(found))
