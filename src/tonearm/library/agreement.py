"""In what two tracks agree, said in words.

Two tracks are both near 120 BPM: so are many. What counts is how unusual an agreement is, which is the
share of the library that comes as near in that dimension; of the dimensions that say nearly the same
(correlation over 0.7) only the most unusual one is named.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonearm.library.nearness import Scale
from tonearm.model.fingerprint import DIMENSIONS

_MOST: Final = 3
_UNUSUAL: Final = 0.25
"""An agreement that more than a quarter of the library shares is no reason."""

_SAME: Final = 0.05
_ALIKE: Final = 0.7


class Sample:
    """Some points of the library, ``[n, 25]`` as ``Scale.place`` gives them."""

    def __init__(self, points: NDArray[np.float32]) -> None:
        self.points = points


class Agreement:
    """What others have in common with one track.

    Args:
        wanted: its fingerprint, ``[25]``.
        scale: of the library.
        sample: how the library is spread.
    """

    def __init__(self, wanted: NDArray[np.float64], scale: Scale, sample: Sample) -> None:
        self._wanted = wanted
        self._scale = scale
        self._point = scale.place(wanted[np.newaxis])[0]
        self._apart = np.abs(sample.points - self._point)

    def words(self, other: NDArray[np.float64]) -> tuple[str, ...]:
        """At most three agreements with the fingerprint ``other`` ``[25]``, the most unusual first."""
        apart = np.abs(self._scale.place(other[np.newaxis])[0] - self._point)
        share = (self._apart <= apart).mean(axis=0)
        chosen: list[int] = []
        for dimension in np.argsort(share, kind="stable").tolist():
            if share[dimension] > _UNUSUAL or len(chosen) == _MOST:
                break
            if all(abs(self._scale.correlation[dimension, before]) <= _ALIKE for before in chosen):
                chosen.append(dimension)
        return tuple(_sentence(place, self._wanted[place], other[place], share[place]) for place in chosen)


def _sentence(dimension: int, here: float, there: float, share: float) -> str:
    about = DIMENSIONS[dimension].metadata
    name = about["meaning"].split(",")[0]
    word = "same" if share <= _SAME else "similar"
    unit = f" {about['unit']}" if about["unit"] else ""
    return f"{word} {name} ({_number(here)} and {_number(there)}{unit})"


def _number(value: float) -> str:
    """Three digits that count, without an exponent."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
