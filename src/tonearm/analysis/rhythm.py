"""What happens when: the onset envelope, onsets, tempo, evenness of the beats.

Onset strength is the rise from frame to frame of 64 mel bands, rectified: once of E^(1/8), which
hears quiet onsets nearly as well as loud ones (it behaves like a logarithm, but needs no reference
level), and once of E^(1/2), in which beats stand out from what lies between them. What lies more
than 80 dB under the loudest band so far counts as that.

Source: Böck and Widmer, "Maximum filter vibrato suppression for onset detection" (2013) for the
flux; peak picking as in librosa.util.peak_pick.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from tonearm.analysis.tempo import Envelope, Pulse, beat_evenness, find_pulse
from tonearm.dsp.kernels import kernel
from tonearm.dsp.stft import Powers, Signal

_BANDS: Final = 64
_LOWEST_HZ: Final = 30.0
_HIGHEST_HZ: Final = 10_000.0
_LOW_HZ: Final = 200.0
_FLOOR: Final = 1e-4
_THRESHOLD: Final = 0.08
_LEAST_RISE: Final = 0.02
_NEAR_S: Final = 0.03
_AROUND_S: Final = 0.1
_FINE, _LOW, _HIGH = 0, 1, 2


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale: linear to 1 kHz, logarithmic above."""
    linear = hz / (200.0 / 3.0)
    return np.where(hz < 1000.0, linear, 15.0 + 27.0 * np.log(np.maximum(hz, 1.0) / 1000.0) / np.log(6.4))


@kernel
def _rises(
    powers: Powers,
    band: NDArray[np.int64],
    upper: Signal,
    low: int,
    bands: Powers,
    floors: Signal,
    out: Powers,
) -> float:
    """Rises of the bands' fourth roots and amplitudes, ``out [3, frames]``: fine, strong low, strong high.

    Frames lie in columns, so that every inner loop runs along them. Bin ``k`` of ``powers [bins,
    frames]`` is shared between band ``band[k]`` and the next one, which gets the part ``upper[k]``; the
    first and the last of ``bands [bands + 2, 1 + frames]`` only catch what falls outside. The last
    columns of ``bands`` (amplitudes) and ``floors [1 + frames]`` go on as the first ones. Returns
    the sum of the fourth roots, which ``fine`` is a part of.
    """
    frames = powers.shape[1]
    bands[:, 0], floors[0] = bands[:, -1], floors[-1]
    bands[:, 1:], floors[1:] = np.float32(0.0), np.float32(0.0)
    for k in range(len(band)):
        rest = np.float32(1.0) - upper[k]
        for f in range(frames):
            bands[band[k], 1 + f] += rest * powers[k, f]
            bands[band[k] + 1, 1 + f] += upper[k] * powers[k, f]
    for b in range(1, len(bands) - 1):
        for f in range(1, 1 + frames):
            bands[b, f] = np.sqrt(bands[b, f])
            floors[f] = max(floors[f], np.float32(_FLOOR) * bands[b, f])
    for f in range(1, 1 + frames):
        floors[f] = max(floors[f], floors[f - 1])
    level = 0.0
    for b in range(1, len(bands) - 1):
        strong = out[1 if b <= low else 2]
        for f in range(1, 1 + frames):
            now, before = max(bands[b, f], floors[f]), max(bands[b, f - 1], floors[f])
            root = np.sqrt(np.sqrt(now))
            level += root
            out[0, f - 1] += max(np.float32(0.0), root - np.sqrt(np.sqrt(before)))
            strong[f - 1] += max(np.float32(0.0), now - before)
    return level


class RhythmAnalysis:
    """Follow the onsets of a stream of power spectra.

    Shape:
        in: float32 [frames, bins].
    """

    def __init__(self, rate: float, size: int, hop: int) -> None:
        self._frame_rate = rate / hop
        frequencies = np.arange(size // 2 + 1) * rate / size
        limits = _mel(np.array([_LOWEST_HZ, min(_HIGHEST_HZ, 0.95 * rate / 2.0)]))
        place = (_mel(frequencies) - limits[0]) / (limits[1] - limits[0]) * (_BANDS + 1)
        centres = np.interp(np.arange(1, _BANDS + 1), place, frequencies)
        self._low = int(np.count_nonzero(centres < _LOW_HZ))
        inside = np.flatnonzero((place >= 0.0) & (place < _BANDS + 1))
        self._bins = slice(int(inside[0]), int(inside[-1]) + 1)
        self._band = np.floor(place[self._bins]).astype(np.int64)
        self._upper = (place[self._bins] - self._band).astype(np.float32)
        # Before the first frame nothing can rise.
        self._bands = np.full((_BANDS + 2, 1), np.inf, dtype=np.float32)
        self._floors = np.zeros(1, dtype=np.float32)
        self._level = 0.0
        self._rises: list[Powers] = []

    def process(self, powers: Powers) -> None:
        count = len(powers)
        if count == 0:
            return
        bands = np.empty((_BANDS + 2, 1 + count), dtype=np.float32)
        floors = np.empty(1 + count, dtype=np.float32)
        bands[:, -1], floors[-1] = self._bands[:, -1], self._floors[-1]
        rises = np.zeros((3, count), dtype=np.float32)
        columns = np.ascontiguousarray(powers[:, self._bins].T)
        self._level += _rises(columns, self._band, self._upper, self._low, bands, floors, rises)
        self._bands, self._floors = bands[:, -1:].copy(), floors[-1:].copy()
        self._rises.append(rises)

    def _envelope(self, row: int) -> Envelope:
        """Of hours there is much of it, so it stays in float32, and what it is made of is not kept twice."""
        return _smoothed(
            np.concatenate([np.zeros(0, dtype=np.float32), *(part[row] for part in self._rises)])
        )

    def _least_rise(self, frames: int) -> float:
        """Where even the highest rise is less, it is the ripple of steady tones under the window."""
        return _LEAST_RISE * self._level / max(1, frames)

    def onsets(self) -> int:
        """Peaks of the onset envelope."""
        envelope = self._envelope(_FINE)
        highest = float(envelope.max(initial=0.0))
        if not highest > self._least_rise(len(envelope)):
            return 0
        near, reach = max(1, round(_NEAR_S * self._frame_rate)), max(1, round(_AROUND_S * self._frame_rate))
        peaks = envelope >= maximum_filter1d(envelope, 2 * near + 1, mode="nearest")
        around = uniform_filter1d(envelope, 2 * reach + 1, mode="nearest")
        above = envelope >= around + _THRESHOLD * highest
        found = np.flatnonzero(peaks & above)
        return len(found) - int(np.count_nonzero(np.diff(found) <= near))

    def pulse(self) -> Pulse:
        """Tempo and the salience of the pulse."""
        fine = self._envelope(_FINE)
        if not fine.max(initial=0.0) > self._least_rise(len(fine)):
            return Pulse(0.0, 0.0)
        strong = _balanced(self._envelope(_LOW))
        strong += _balanced(self._envelope(_HIGH))
        return find_pulse(fine, strong, self._frame_rate)

    def stability(self, pulse: Pulse) -> float:
        """1 / (1 + coefficient of variation of the inter-beat intervals); 0 with fewer than 4 beats."""
        return beat_evenness(self._envelope(_FINE), pulse, self._frame_rate)


def _smoothed(envelope: Envelope) -> Envelope:
    if len(envelope) < 3:
        return envelope
    return np.convolve(envelope, np.array([0.25, 0.5, 0.25], dtype=np.float32), mode="same")


def _balanced(envelope: Envelope) -> Envelope:
    """Scaled to an RMS of 1, in place, so that kick drum and snare weigh the same whatever the mix."""
    rms = float(np.sqrt(np.mean(envelope**2, dtype=np.float64))) if len(envelope) else 0.0
    if rms > 0.0:
        envelope /= np.float32(rms)
    return envelope
