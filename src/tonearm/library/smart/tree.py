"""What a query says, as a tree of values."""

from dataclasses import dataclass
from datetime import date, timedelta

Value = float | str | date | timedelta
"""A number, a text, a day, or how long ago."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``sign`` is one of ``= != < <= > >=``."""

    field: str
    sign: str
    value: Value


@dataclass(frozen=True, slots=True)
class Between:
    """Both ends included."""

    field: str
    low: Value
    high: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Flag:
    field: str


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class AllOf:
    """True of everything where there is no condition."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple["Condition", ...]


Condition = Comparison | Between | OneOf | Contains | Flag | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class OrderKey:
    field: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query; ``limit`` None is no limit."""

    condition: Condition
    order: tuple[OrderKey, ...]
    limit: int | None
