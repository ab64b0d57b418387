"""What happens when: the onset envelope, onsets, tempo, evenness of the beats.

Onset strength is the rise from frame to frame of 64 mel bands, rectified: once of E^(1/8), which
hears quiet onsets nearly as well as loud ones (it behaves like a logarithm, but needs no floor and
no reference level), and once of E^(1/2), in which beats stand out from what lies between them.

Source: Böck and Widmer, "Maximum filter vibrato suppression for onset detection" (2013) for the
flux; peak picking as in librosa.util.peak_pick.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from tonearm.analysis.series import Series, joined
from tonearm.analysis.tempo import Pulse, beat_evenness, find_pulse
from tonearm.analysis.tone import Powers
from tonearm.dsp.kernels import kernel

_BANDS: Final = 64
_LOWEST_HZ: Final = 30.0
_HIGHEST_HZ: Final = 10_000.0
_LOW_HZ: Final = 200.0
_THRESHOLD: Final = 0.1
_NEAR_S: Final = 0.03
_AROUND_S: Final = 0.1


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale: linear to 1 kHz, logarithmic above."""
    linear = hz / (200.0 / 3.0)
    return np.where(hz < 1000.0, linear, 15.0 + 27.0 * np.log(np.maximum(hz, 1.0) / 1000.0) / np.log(6.4))


@kernel
def _band_powers(powers: Powers, band: NDArray[np.int64], upper: NDArray[np.float32], out: Powers) -> None:
    """Triangular bands of frames that lie in columns: ``powers [bins, frames]``, ``out [bands + 2, frames]``.

    Bin ``k`` is shared between ``band[k]`` and the next one, which gets the part ``upper[k]``.
    """
    for k in range(len(band)):
        if band[k] < 0:
            continue
        below, above, part = out[band[k]], out[band[k] + 1], upper[k]
        rest = np.float32(1.0) - part
        for f in range(powers.shape[1]):
            below[f] += rest * powers[k, f]
            above[f] += part * powers[k, f]


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
        band = np.floor(place)
        inside = (band >= 0) & (band <= _BANDS)
        self._band = np.where(inside, band, -1).astype(np.int64)
        self._upper = (place - band).astype(np.float32)
        centres = np.interp(np.arange(1, _BANDS + 1), place, frequencies)
        self._low = int(np.count_nonzero(centres < _LOW_HZ))
        self._previous: Powers | None = None
        self._fine: list[NDArray[np.float64]] = []
        self._strong: list[NDArray[np.float64]] = []

    def process(self, powers: Powers) -> None:
        if len(powers) == 0:
            return
        bands = np.zeros((_BANDS + 2, len(powers)), dtype=np.float32)
        _band_powers(np.ascontiguousarray(powers.T), self._band, self._upper, bands)
        amplitude = np.sqrt(bands[1:-1])
        if self._previous is None:
            self._previous = amplitude[:, :1]
        joint = np.concatenate([self._previous, amplitude], axis=1)
        self._previous = amplitude[:, -1:]
        fine = np.maximum(np.diff(np.sqrt(np.sqrt(joint)), axis=1), np.float32(0.0))
        strong = np.maximum(np.diff(joint, axis=1), np.float32(0.0))
        self._fine.append(fine.sum(axis=0).astype(np.float64))
        self._strong.append(
            np.stack([strong[: self._low].sum(axis=0), strong[self._low :].sum(axis=0)]).astype(np.float64)
        )

    def onsets(self) -> int:
        """Peaks of the onset envelope."""
        envelope = _smoothed(joined(self._fine))
        highest = float(envelope.max(initial=0.0))
        if highest <= 0.0:
            return 0
        envelope = envelope / highest
        near, around = max(1, round(_NEAR_S * self._frame_rate)), max(1, round(_AROUND_S * self._frame_rate))
        peaks = envelope >= maximum_filter1d(envelope, 2 * near + 1, mode="nearest")
        above = envelope >= _local_mean(envelope, around) + _THRESHOLD
        found = np.flatnonzero(peaks & above)
        return len(found) - int(np.count_nonzero(np.diff(found) <= near))

    def pulse(self) -> Pulse:
        """Tempo and the salience of the pulse."""
        fine = _smoothed(joined(self._fine))
        low, high = (_smoothed(joined([part[row] for part in self._strong])) for row in (0, 1))
        return find_pulse(fine, _balanced(low) + _balanced(high), self._frame_rate)

    def stability(self, pulse: Pulse) -> float:
        """1 / (1 + coefficient of variation of the inter-beat intervals); 0 with fewer than 4 beats."""
        return beat_evenness(_smoothed(joined(self._fine)), pulse, self._frame_rate)


def _smoothed(envelope: Series) -> Series:
    if len(envelope) < 3:
        return envelope
    return np.convolve(envelope, [0.25, 0.5, 0.25], mode="same")


def _balanced(envelope: Series) -> Series:
    """Scaled to an RMS of 1, so that kick drum and snare weigh the same whatever the mix."""
    rms = float(np.sqrt(np.mean(envelope**2))) if len(envelope) else 0.0
    return envelope / rms if rms > 0.0 else envelope


def _local_mean(envelope: Series, reach: int) -> Series:
    """Mean of the values up to ``reach`` frames away."""
    running = np.concatenate([[0.0], np.cumsum(envelope)])
    index = np.arange(len(envelope))
    first, last = np.maximum(0, index - reach), np.minimum(len(envelope), index + reach + 1)
    return np.asarray((running[last] - running[first]) / (last - first))
