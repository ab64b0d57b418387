"""Loudness as it is heard: K-weighting, gating, loudness range.

    loudness = -0.691 + 10 log10(sum over channels of weight * mean square of the K-weighted signal)

Blocks of 400 ms every 100 ms are gated at -70 LUFS and then at 10 LU under the mean of the rest.
The coefficients of other rates than 48 kHz keep the response (bilinear transform of the same
analogue prototype, as every published meter does).

Source: ITU-R BS.1770-5 (annex 1), EBU Tech 3341 (windows), EBU Tech 3342 (loudness range).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.dsp.channels import speakers
from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Signal, channel_signals
from tonearm.model.audio import Block, Samples64

ABSOLUTE_GATE_LUFS: Final = -70.0
RELATIVE_GATE_LU: Final = -10.0
RANGE_GATE_LU: Final = -20.0
HOPS_PER_BLOCK: Final = 4
HOPS_PER_SHORT_TERM: Final = 30
HOPS_PER_SECOND: Final = 10

_OFFSET_DB: Final = -0.691
_SURROUND_WEIGHT: Final = 1.41
_DUAL_MONO_WEIGHT: Final = 2.0


def k_weighting(rate: int) -> Samples64:
    """The two sections of the K-weighting, ``[2, 5]`` (``b0 b1 b2 a1 a2``): a shelf, then a high-pass.

    The numerator of the high-pass is 1 -2 1 at every rate, as the Recommendation prints it.
    """
    k = math.tan(math.pi * 1681.974450955533 / rate)
    high, q = 10.0 ** (3.999843853973347 / 20.0), 0.7071752369554196
    middle = high**0.4996667741545416
    a0 = 1.0 + k / q + k * k
    shelf = [
        (high + middle * k / q + k * k) / a0,
        2.0 * (k * k - high) / a0,
        (high - middle * k / q + k * k) / a0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / q + k * k) / a0,
    ]
    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    a0 = 1.0 + k / q + k * k
    high_pass = [1.0, -2.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0]
    return np.array([shelf, high_pass])


def channel_weights(channels: int, layout: str) -> Samples64:
    """Weight of each channel's power, ``[channels]``; ``layout`` is FFmpeg's name, "5.1(side)".

    1.41 between 60 and 120 degrees to the side, 0 for LFE, 1 elsewhere. Back channels stand at 110
    degrees unless side channels do. One channel counts twice: it is played by two loudspeakers.
    """
    if channels == 1:
        return np.array([_DUAL_MONO_WEIGHT])
    names = speakers(channels, layout)
    surround = {"SL", "SR"} if "SL" in names else {"BL", "BR"}
    return np.array([0.0 if n == "LFE" else _SURROUND_WEIGHT if n in surround else 1.0 for n in names])


def loudness(energy: float) -> float:
    """LUFS of a weighted mean square; -inf for none."""
    return _OFFSET_DB + 10.0 * math.log10(energy) if energy > 0.0 else -math.inf


def energy(lufs: float) -> float:
    """The weighted mean square that reads ``lufs``."""
    return float(10.0 ** ((lufs - _OFFSET_DB) / 10.0))


def loudness_of(energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """LUFS of each weighted mean square, -inf for none; same shape."""
    with np.errstate(divide="ignore"):
        return _OFFSET_DB + 10.0 * np.log10(energies)


def gated(energies: NDArray[np.float64], relative_lu: float) -> NDArray[np.bool_]:
    """Which windows lie above -70 LUFS and above ``relative_lu`` under the mean energy of those that do."""
    passing = energies > energy(ABSOLUTE_GATE_LUFS)
    if not passing.any():
        return passing
    threshold = float(np.mean(energies[passing])) * 10.0 ** (relative_lu / 10.0)
    both: NDArray[np.bool_] = passing & (energies > threshold)
    return both


def hops_before(position: int, rate: int, pace: int = HOPS_PER_SECOND) -> int:
    """How many hops are complete at frame ``position``, at ``pace`` hops a second."""
    return ((position + 1) * pace - 1) // rate


@kernel
def _weigh_pair(
    x: Signal,
    y: Signal,
    first: int,
    second: int,
    k: Samples64,
    state: Samples64,
    sums: Samples64,
    rate: int,
    pace: int,
    position: int,
    energies: Samples64,
) -> None:
    """K-weight ``x`` and ``y``, channels ``first`` and ``second``, and take their mean squares, hop by hop.

    Two channels at once, because each waits for its own last result; the state lives in locals.
    ``state [channels, 4]`` and ``sums [channels]`` go on; ``position`` is the first frame's place in
    the stream; ``energies [hops, channels]`` takes the hops that are complete.
    """
    b0, b1, b2, a1, a2 = k[0, 0], k[0, 1], k[0, 2], k[0, 3], k[0, 4]
    c1, c2 = k[1, 3], k[1, 4]
    p0, p1, p2, p3 = state[first, 0], state[first, 1], state[first, 2], state[first, 3]
    q0, q1, q2, q3 = state[second, 0], state[second, 1], state[second, 2], state[second, 3]
    p_sum, q_sum = sums[first], sums[second]
    done, n, frames = 0, 0, len(x)
    hop = ((position + 1) * pace - 1) // rate
    while n < frames:
        edge = (hop + 1) * rate // pace
        end = min(frames, n + edge - position)
        position += end - n
        for i in range(n, end):
            p = np.float64(x[i])
            q = np.float64(y[i])
            u = b0 * p + p0
            v = b0 * q + q0
            p0 = (b1 * p + p1) - a1 * u
            q0 = (b1 * q + q1) - a1 * v
            p1 = b2 * p - a2 * u
            q1 = b2 * q - a2 * v
            p = u + p2
            q = v + q2
            p2 = (p3 - 2.0 * u) - c1 * p
            q2 = (q3 - 2.0 * v) - c1 * q
            p3 = u - c2 * p
            q3 = v - c2 * q
            p_sum += p * p
            q_sum += q * q
        n = end
        if position == edge:
            length = edge - hop * rate // pace
            energies[done, first], energies[done, second] = p_sum / length, q_sum / length
            p_sum, q_sum = 0.0, 0.0
            done += 1
            hop += 1
    state[first, 0], state[first, 1], state[first, 2], state[first, 3] = p0, p1, p2, p3
    state[second, 0], state[second, 1], state[second, 2], state[second, 3] = q0, q1, q2, q3
    sums[first], sums[second] = p_sum, q_sum


class LoudnessMeter:
    """Measure a stream of blocks; cutting it another way gives the same numbers, bit for bit.

    Windows are counted from the first frame in hops (hop ``i`` starts at frame ``i * rate // pace``);
    one that is not complete at the end is left out, as the Recommendation says. At the usual pace of
    10 a second a hop is 100 ms, the step of the gating blocks; a multiple of it lets ``windows`` catch
    a short sound wherever it starts.

    Shape:
        in: [frames, channels]; ``weights`` [channels].
    """

    def __init__(self, rate: int, weights: Samples64, pace: int = HOPS_PER_SECOND) -> None:
        if pace <= 0 or pace % HOPS_PER_SECOND:
            raise ValueError(f"pace must be a multiple of {HOPS_PER_SECOND} hops a second, got {pace}")
        self._k = k_weighting(rate)
        self._weights = np.asarray(weights, dtype=np.float64)
        self._rate = rate
        self._pace = pace
        self._tenth = pace // HOPS_PER_SECOND
        self._position = 0
        self._state = np.zeros((len(weights), 4))
        self._sums = np.zeros(len(weights))
        self._hops: list[NDArray[np.float64]] = []

    def process(self, block: Block) -> None:
        channels = block.shape[1]
        if channels != len(self._weights):
            raise ValueError(f"wanted {len(self._weights)} channels, got {channels}")
        end = self._position + len(block)
        complete = hops_before(end, self._rate, self._pace)
        complete -= hops_before(self._position, self._rate, self._pace)
        energies = np.zeros((complete, channels))
        signals = channel_signals(block)
        for first in range(0, channels, 2):
            second = min(first + 1, channels - 1)
            _weigh_pair(
                signals[first],
                signals[second],
                first,
                second,
                self._k,
                self._state,
                self._sums,
                self._rate,
                self._pace,
                self._position,
                energies,
            )
        self._position = end
        if len(energies):
            # Added channel by channel: the order must not depend on how many hops there are.
            total = np.zeros(len(energies))
            for channel, weight in enumerate(self._weights):
                total += weight * energies[:, channel]
            self._hops.append(total)

    def forget(self, hops: int) -> None:
        """Let go of all complete hops but the last so many, as a meter that runs for hours must."""
        self._hops = [self.hop_energies[-hops:]]

    @property
    def hop_energies(self) -> NDArray[np.float64]:
        """Weighted mean square of each complete hop, ``[hops]``."""
        return np.concatenate(self._hops) if self._hops else np.zeros(0)

    def windows(self, hops: int, step: int = 1) -> NDArray[np.float64]:
        """Weighted mean square of windows of ``hops`` hops, every ``step`` hops."""
        energies = self.hop_energies
        if len(energies) < hops:
            return np.zeros(0)
        views = np.lib.stride_tricks.sliding_window_view(energies, hops)[::step]
        result: NDArray[np.float64] = views.mean(axis=1)
        return result

    @property
    def block_energies(self) -> NDArray[np.float64]:
        """Weighted mean square of the gating blocks (400 ms every 100 ms): the momentary loudness."""
        return self.windows(HOPS_PER_BLOCK * self._tenth, self._tenth)

    @property
    def short_term_energies(self) -> NDArray[np.float64]:
        """Weighted mean square of 3 s windows every second.

        Of a track that is shorter, the one window that is the whole of it.
        """
        count = min(HOPS_PER_SHORT_TERM * self._tenth, max(1, len(self.hop_energies)))
        return self.windows(count, self._pace)

    def integrated(self) -> float | None:
        """Integrated loudness, LUFS; None if no block passes the gates."""
        blocks = self.block_energies
        passing = gated(blocks, RELATIVE_GATE_LU)
        return loudness(float(np.mean(blocks[passing]))) if passing.any() else None

    def loudness_range(self) -> float:
        """Spread of the short-term loudness (10 a second) from the 10th to the 95th percentile, LU.

        0 where fewer than two windows pass the gates.
        """
        windows = self.windows(HOPS_PER_SHORT_TERM * self._tenth, self._tenth)
        passing = np.sort(windows[gated(windows, RANGE_GATE_LU)])
        if len(passing) < 2:
            return 0.0
        low, high = (passing[math.floor((len(passing) - 1) * p + 0.5)] for p in (0.10, 0.95))
        return loudness(float(high)) - loudness(float(low))
