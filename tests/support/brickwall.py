"""The loudness war, made to order: FFmpeg's brick-wall limiter, which is not ours."""

from fractions import Fraction

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_STEP = 8192


def limited(x: Samples, rate: int, push_db: float) -> Samples:
    """``x [frames, channels]`` turned up by ``push_db`` into a limiter at full scale (5 ms, 50 ms)."""
    layout, base = ("mono", "stereo")[x.shape[1] - 1], Fraction(1, rate)
    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=rate, layout=layout, time_base=base)
    parts = [
        graph.add("volume", f"volume={push_db}dB:precision=float"),
        graph.add("alimiter", "limit=1:attack=5:release=50:level=0:latency=1"),
        graph.add("aformat", "sample_fmts=flt"),
        graph.add("abuffersink"),
    ]
    for before, after in zip([source, *parts], parts, strict=False):
        before.link_to(after)
    graph.configure()
    out: list[Samples] = []
    for start in range(0, len(x), _STEP):
        block = np.ascontiguousarray(x[start : start + _STEP], np.float32)
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, base
        source.push(frame)
        out += _ready(parts[-1], x.shape[1])
    source.push(None)
    out += _ready(parts[-1], x.shape[1])
    return np.concatenate(out)


def _ready(sink: av.filter.context.FilterContext, channels: int) -> list[Samples]:
    blocks = []
    while True:
        try:
            blocks.append(sink.pull().to_ndarray().reshape(-1, channels))
        except (av.BlockingIOError, av.EOFError):
            return blocks
