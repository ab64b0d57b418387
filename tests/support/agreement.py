"""How far two lists of numbers agree, and whether that is near enough."""

from dataclasses import dataclass, field

import numpy as np
import scipy.stats

ENOUGH_FOR_RANKS = 15
"""The ranks of fewer recordings than this say little."""


@dataclass(frozen=True)
class Bounds:
    """What must hold; what is None need not.

    ``worst`` and ``mean`` are absolute errors (in ``unit``), ``rank`` is Spearman's correlation.
    """

    worst: float | None = None
    mean: float | None = None
    rank: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        parts = (
            [] if self.worst is None else [f"{self.worst:g} {self.unit}".strip() if self.worst else "exact"]
        )
        parts += [] if self.mean is None else [f"mean {self.mean:g} {self.unit}".strip()]
        parts += [] if self.rank is None else [f"rank >= {self.rank:g}"]
        return ", ".join(parts) or "none"


@dataclass
class Agreement:
    """What was found beside what is true, case by case."""

    name: str
    by: str
    on: str
    bounds: Bounds
    found: list[float] = field(default_factory=list)
    wanted: list[float] = field(default_factory=list)
    scale: list[float] = field(default_factory=list)
    """What an error of one unit is, in each case (1 percent of the true value, the width of a bin)."""

    def add(self, found: float, wanted: float, scale: float = 1.0) -> None:
        self.found.append(found)
        self.wanted.append(wanted)
        self.scale.append(scale)

    @property
    def errors(self) -> list[float]:
        differences = np.abs(np.array(self.found) - np.array(self.wanted))
        scale = np.array(self.scale)
        return list((differences / np.where(scale > 0.0, scale, 1.0)).tolist())

    @property
    def worst(self) -> float:
        return max(self.errors)

    @property
    def mean(self) -> float:
        return float(np.mean(self.errors))

    @property
    def rank(self) -> float:
        return float(scipy.stats.spearmanr(self.found, self.wanted).statistic)

    @property
    def inside(self) -> bool:
        bounds = self.bounds
        return (
            len(self.found) > 0
            and (bounds.worst is None or self.worst <= bounds.worst)
            and (bounds.mean is None or self.mean <= bounds.mean)
            and (bounds.rank is None or self.rank >= bounds.rank)
        )

    def __str__(self) -> str:
        rows = zip(self.found, self.wanted, self.errors, strict=True)
        listed = "; ".join(f"{found:.6g} for {wanted:.6g} ({error:.3g})" for found, wanted, error in rows)
        return f"{self.name} by {self.by} on {self.on}, wanted {self.bounds}: {listed}"
