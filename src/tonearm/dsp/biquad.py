"""Second-order filter sections in series, and the shelves and bells they are made of.

    y[n] = b0 x[n] + s1;  s1 = b1 x[n] - a1 y[n] + s2;  s2 = b2 x[n] - a2 y[n]

(transposed direct form II, float64 state). A cascade is float64 ``[sections, 5]`` with the rows
``b0 b1 b2 a1 a2``, ``a0`` being 1.

Source: R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients".
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonearm.dsp.kernels import kernel
from tonearm.model.audio import Block, Hz, Samples64

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

    def set_sections(self, sections: Samples64) -> None:
        """Go on with other coefficients and the same state; the number of sections stays."""
        if sections.shape != self._sections.shape:
            raise ValueError(f"wanted {self._sections.shape} coefficients, got {sections.shape}")
        self._sections = np.ascontiguousarray(sections, dtype=np.float64)


def _normalised(b0: float, b1: float, b2: float, a0: float, a1: float, a2: float) -> Samples64:
    return np.array([b0, b1, b2, a1, a2], dtype=np.float64) / a0


def _angle(frequency: float, rate: int) -> float:
    if not 0 < frequency < rate / 2:
        raise ValueError(f"frequency must lie in (0, {rate / 2:g}) Hz, got {frequency:g}")
    return 2.0 * math.pi * frequency / rate


def bell(frequency: Hz, gain_db: float, q: float, rate: int) -> Samples64:
    """A peaking section: ``gain_db`` at ``frequency``, width by ``q``. Returns ``[5]``."""
    w, a = _angle(frequency, rate), 10.0 ** (gain_db / 40.0)
    alpha, cos = math.sin(w) / (2.0 * q), math.cos(w)
    return _normalised(1 + alpha * a, -2 * cos, 1 - alpha * a, 1 + alpha / a, -2 * cos, 1 - alpha / a)


def low_shelf(frequency: Hz, gain_db: float, q: float, rate: int) -> Samples64:
    """A shelf of ``gain_db`` below ``frequency`` (half of it there). Returns ``[5]``."""
    w, a = _angle(frequency, rate), 10.0 ** (gain_db / 40.0)
    cos, beta = math.cos(w), 2.0 * math.sqrt(a) * math.sin(w) / (2.0 * q)
    return _normalised(
        a * ((a + 1) - (a - 1) * cos + beta),
        2 * a * ((a - 1) - (a + 1) * cos),
        a * ((a + 1) - (a - 1) * cos - beta),
        (a + 1) + (a - 1) * cos + beta,
        -2 * ((a - 1) + (a + 1) * cos),
        (a + 1) + (a - 1) * cos - beta,
    )


def high_shelf(frequency: Hz, gain_db: float, q: float, rate: int) -> Samples64:
    """A shelf of ``gain_db`` above ``frequency`` (half of it there). Returns ``[5]``."""
    w, a = _angle(frequency, rate), 10.0 ** (gain_db / 40.0)
    cos, beta = math.cos(w), 2.0 * math.sqrt(a) * math.sin(w) / (2.0 * q)
    return _normalised(
        a * ((a + 1) + (a - 1) * cos + beta),
        -2 * a * ((a - 1) + (a + 1) * cos),
        a * ((a + 1) + (a - 1) * cos - beta),
        (a + 1) - (a - 1) * cos + beta,
        2 * ((a - 1) - (a + 1) * cos),
        (a + 1) - (a - 1) * cos - beta,
    )


def response_db(sections: Samples64, frequencies: ArrayLike, rate: int) -> NDArray[np.float64]:
    """Gain of a cascade at the given frequencies, dB; ``sections [n, 5]``, result ``[len(frequencies)]``."""
    z = np.exp(-2j * np.pi * np.asarray(frequencies, dtype=np.float64) / rate)[:, None]
    b = sections[:, 0] + sections[:, 1] * z + sections[:, 2] * z * z
    a = 1.0 + sections[:, 3] * z + sections[:, 4] * z * z
    magnitude: NDArray[np.float64] = np.abs(np.prod(b / a, axis=1))
    return 20.0 * np.log10(np.maximum(magnitude, 1e-30))
