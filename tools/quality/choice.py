"""Which part of the checks is wanted: ``Q6,Q18,tabla`` is two criteria, and whatever is named so."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Self

from quality.criteria import CHECKS, Finding, Result, Unmeasured


@dataclass(frozen=True, slots=True)
class Choice:
    """What is wanted: of nothing, everything.

    Attributes:
        numbers: criteria of which every row is wanted.
        words: parts of the names of jobs of which every finding is wanted.
    """

    numbers: frozenset[str]
    words: frozenset[str]

    @classmethod
    def of(cls, text: str, known: Set[str]) -> Self:
        """From what was typed; ``known`` are the criteria there are."""
        parts = {part.strip() for part in text.split(",")} - {""}
        return cls(frozenset(parts & known), frozenset(parts - known))

    @property
    def everything(self) -> bool:
        return not self.numbers and not self.words

    def wants_job(self, name: str, numbers: Set[str]) -> bool:
        return self.everything or bool(self.numbers & numbers) or any(word in name for word in self.words)

    def checks(self) -> list[str]:
        """The checks of which something must have been found."""
        return [name for name, check in CHECKS.items() if self.everything or check.number in self.numbers]

    def of_results(self, results: Iterable[Result]) -> list[Result]:
        """Without what chosen jobs gave of criteria that were measured in part only."""
        if self.everything or self.words:
            return list(results)
        return [
            result
            for result in results
            if not isinstance(result, Finding | Unmeasured) or CHECKS[result.check].number in self.numbers
        ]
