"""Short-time Fourier transform of a stream.

    X[i, k] = sum over n of w[n] x[i hop + n] exp(-2 pi j k n / size),   w = periodic Hann

Frame ``i`` starts at sample ``i hop``: nothing is padded, and samples at the end that fill no
frame are left out, as Welch's method does it.

Source: J. O. Smith, "Spectral Audio Signal Processing", chapter "The Short-Time Fourier Transform".
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from tonearm.dsp.kernels import kernel
from tonearm.model.audio import Block

Signal = NDArray[np.float32]
"""One channel, float32 ``[samples]``."""

Spectra = NDArray[np.complex64]
"""complex64 ``[frames, size // 2 + 1]``."""

Powers = NDArray[np.float32]
"""Power spectra, float32 ``[frames, size // 2 + 1]``."""

_BATCH_SAMPLES: Final = 131_072
"""Samples transformed at once: few enough to stay in the cache."""


def hann(size: int) -> Signal:
    """The periodic Hann window, ``[size]``."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


def nearest_power_of_two(samples: float) -> int:
    """The power of two that is nearest to ``samples``, at least 2."""
    lower = 1 << max(1, int(samples).bit_length() - 1)
    return lower if samples - lower <= 2 * lower - samples else 2 * lower


@kernel
def split_channels(block: Block, planes: NDArray[np.float32]) -> None:
    """Write the channels of a block to the rows of ``planes [channels, frames]``."""
    frames, channels = block.shape
    if channels == 2:  # said once more, for a distance of two that is known is read in vectors
        left, right = planes[0], planes[1]
        for n in range(frames):
            left[n], right[n] = block[n, 0], block[n, 1]
    else:
        for c in range(channels):
            for n in range(frames):
                planes[c, n] = block[n, c]


def channel_signals(block: Block) -> list[Signal]:
    """The channels of a block, each in one piece; not copied where it lies channel by channel."""
    return [np.ascontiguousarray(block[:, channel]) for channel in range(block.shape[1])]


@kernel
def power(spectra: Spectra) -> Powers:
    """|X|^2 of each bin."""
    frames, bins = spectra.shape
    powers = np.empty((frames, bins), dtype=np.float32)
    for f in range(frames):
        for k in range(bins):
            a, b = spectra[f, k].real, spectra[f, k].imag
            powers[f, k] = a * a + b * b
    return powers


class Stft:
    """Transform a stream of one channel, frame by frame.

    Shape:
        in: [samples], any number; out: batches of [frames, size // 2 + 1].
    Delay:
        a frame comes out with the block that completes it.
    """

    def __init__(self, size: int, hop: int) -> None:
        if not 0 < hop <= size:
            raise ValueError(f"hop must lie in 1..{size}, got {hop}")
        self._size, self._hop = size, hop
        self._window = hann(size)
        self._waiting = np.zeros(0, dtype=np.float32)
        self._batch = max(1, _BATCH_SAMPLES // size)
        self._windowed = np.empty((self._batch, size), dtype=np.float32)

    @property
    def bins(self) -> int:
        return self._size // 2 + 1

    def process(self, signal: Signal) -> Iterator[Spectra]:
        """The frames that ``signal`` completes, in batches; exhaust it before the next call."""
        held = np.concatenate([self._waiting, signal])
        count = max(0, (len(held) - self._size) // self._hop + 1)
        self._waiting = held[count * self._hop :].copy()
        if count == 0:
            return
        frames = np.lib.stride_tricks.sliding_window_view(held, self._size)[:: self._hop]
        for start in range(0, count, self._batch):
            batch = frames[start : start + self._batch]
            yield rfft(np.multiply(batch, self._window, out=self._windowed[: len(batch)]), axis=1)
