"""Second-order filter sections in series.

    y[n] = b0 x[n] + s1;  s1 = b1 x[n] - a1 y[n] + s2;  s2 = b2 x[n] - a2 y[n]

(transposed direct form II, float64 state). A cascade is float64 ``[sections, 5]`` with the rows
``b0 b1 b2 a1 a2``, ``a0`` being 1.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonearm.dsp.kernels import kernel
from tonearm.model.audio import Block, Samples64

IDENTITY = (1.0, 0.0, 0.0, 0.0, 0.0)


@kernel
def _run(x: Block, sections: Samples64, state: Samples64, y: Block) -> None:
    """Filter ``x [frames, channels]`` into ``y``; ``state [sections, channels, 2]`` goes on."""
    frames, channels = x.shape
    count = sections.shape[0]
    for c in range(channels):
        for n in range(frames):
            v = np.float64(x[n, c])
            for s in range(count):
                out = sections[s, 0] * v + state[s, c, 0]
                state[s, c, 0] = sections[s, 1] * v - sections[s, 3] * out + state[s, c, 1]
                state[s, c, 1] = sections[s, 2] * v - sections[s, 4] * out
                v = out
            y[n, c] = v


class Cascade:
    """Filter a stream of blocks; the tail of one block is the start of the next.

    Shape:
        in and out: [frames, channels]; any number of frames, including 0.
    Delay:
        0 frames (minimum phase).
    """

    def __init__(self, sections: Samples64, channels: int) -> None:
        if sections.ndim != 2 or sections.shape[1] != 5:
            raise ValueError(f"sections must be [n, 5], got {sections.shape}")
        self._sections = np.ascontiguousarray(sections, dtype=np.float64)
        self._state = np.zeros((len(sections), channels, 2))

    def process(self, block: Block) -> Block:
        out = np.empty_like(block)
        _run(block, self._sections, self._state, out)
        return out


def response_db(sections: Samples64, frequencies: ArrayLike, rate: int) -> NDArray[np.float64]:
    """Gain of a cascade at the given frequencies, dB; ``sections [n, 5]``, result ``[len(frequencies)]``."""
    z = np.exp(-2j * np.pi * np.asarray(frequencies, dtype=np.float64) / rate)[:, None]
    b = sections[:, 0] + sections[:, 1] * z + sections[:, 2] * z * z
    a = 1.0 + sections[:, 3] * z + sections[:, 4] * z * z
    magnitude: NDArray[np.float64] = np.abs(np.prod(b / a, axis=1))
    return 20.0 * np.log10(np.maximum(magnitude, 1e-30))
