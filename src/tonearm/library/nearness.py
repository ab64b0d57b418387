"""What makes two fingerprints near to each other.

    z_i = clip((f_i(x_i) - median_i) / scale_i, -4, 4)      scale_i = IQR_i / 1.349
    d(a, b) = sqrt(sum_i w_i (z_i(a) - z_i(b))^2)           w_i = 1 / sum_j r_ij^2, divided by their sum

``f`` follows from the unit: frequencies, tempi and densities are heard in ratios (log2), shares of energy
have long tails (square root), all else is heard as it is measured. Median and quartiles are those of the
library itself, so a step counts by how far it leads among this music; unlike mean and deviation they do not
follow a few odd tracks (0.5 s of noise, an hour of silence), and the clip keeps one such value from
deciding alone. ``r`` is the correlation of the dimensions: seven bands, centroid, rolloff and flatness all
say how bright a track is, and what several dimensions say together shall not count several times. So a
distance is in robust standard deviations: 0 for the same sound, about 1.4 between two tracks taken at
random.

Source: for median and quartiles, P. Huber, E. Ronchetti, "Robust Statistics", 2nd ed., section 5.1.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.model.fingerprint import DIMENSIONS

Vectors = NDArray[np.float64]
"""Fingerprints as rows, ``[n, 25]``."""

_CLIP: Final = 4.0
_IQR_OF_NORMAL: Final = 1.349
_UNITS: Final = np.array([dimension.metadata["unit"] for dimension in DIMENSIONS])
_RATIOS: Final = np.isin(_UNITS, ("Hz", "BPM", "1/s"))
_SHARES: Final = _UNITS == "%"


def heard(values: Vectors) -> Vectors:
    """``f``: the values on scales on which equal steps sound equally large, ``[n, 25]``."""
    scaled = values.astype(np.float64, copy=True)
    # One added, so that no pulse and no onset stand at 0.
    scaled[:, _RATIOS] = np.log2(1.0 + scaled[:, _RATIOS])
    scaled[:, _SHARES] = np.sqrt(scaled[:, _SHARES])
    return scaled


@dataclass(frozen=True, slots=True)
class Scale:
    """How a library measures distance.

    Attributes:
        median, spread: of each dimension as it is heard, ``[25]``.
        weights: of each dimension, sum 1, ``[25]``.
        correlation: of the dimensions, ``[25, 25]``.
    """

    median: Vectors
    spread: Vectors
    weights: Vectors
    correlation: Vectors

    @classmethod
    def of(cls, values: Vectors) -> "Scale":
        """The scale of a library, from some or all of its fingerprints ``[n, 25]``, n at least 1."""
        scaled = heard(values)
        low, median, high = np.quantile(scaled, (0.25, 0.5, 0.75), axis=0)
        spread = (high - low) / _IQR_OF_NORMAL
        # A dimension in which most tracks are alike: one step of it counts as one of its deviations, if any.
        deviation = scaled.std(axis=0)
        spread = np.where(spread > 1e-9, spread, np.where(deviation > 1e-9, deviation, 1.0))
        placed = np.clip((scaled - median) / spread, -_CLIP, _CLIP)
        correlation = _correlation(placed)
        weights = 1.0 / (correlation**2).sum(axis=0)
        return cls(median, spread, weights / weights.sum(), correlation)

    def place(self, values: Vectors) -> NDArray[np.float32]:
        """Points between which the plain distance is ``d``, ``[n, 25]``."""
        placed = np.clip((heard(values) - self.median) / self.spread, -_CLIP, _CLIP)
        return (placed * np.sqrt(self.weights)).astype(np.float32)


def _correlation(placed: Vectors) -> Vectors:
    centred = placed - placed.mean(axis=0)
    deviation = np.sqrt((centred**2).mean(axis=0))
    product = centred.T @ centred / len(placed)
    correlation = product / np.maximum(np.outer(deviation, deviation), 1e-12)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation, np.float64)
