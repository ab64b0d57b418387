"""Making what tags say fit to be shown, stored and sorted.

Tags come from anywhere: they hold line breaks, terminal codes, text that turns the writing direction
round, broken encodings, and whole books in the field for the title.
"""

import re
from collections.abc import Iterable
from typing import Final

MAX_LENGTH: Final = 1_000
MAX_VALUES: Final = 50
_MAX_NUMBER: Final = 9_999

_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
"""Control characters other than white space, marks that turn the writing direction, and non-characters."""

_SEPARATORS: Final = re.compile("[;\x00]")
_LEADING_NUMBER: Final = re.compile(r"\s*(\d{1,9})(?!\d)", re.ASCII)
_YEAR: Final = re.compile(r"(?<!\d)([12]\d{3})(?:\d{4})?(?!\d)", re.ASCII)


def clean(text: str | None) -> str | None:
    """One line of at most 1,000 visible characters, or None where nothing is left."""
    if not text:
        return None
    # What is cut away later need not be cleaned; ten times the limit leaves room for what vanishes.
    visible = _INVISIBLE.sub("", _SURROGATES.sub("\ufffd", text[: 10 * MAX_LENGTH]))
    return " ".join(visible.split())[:MAX_LENGTH].rstrip() or None


def clean_all(values: Iterable[str]) -> tuple[str, ...]:
    """The distinct values, in order; one string may hold several, parted by ``;`` or NUL."""
    parts = (clean(part) for value in values for part in _SEPARATORS.split(value[: 10 * MAX_LENGTH]))
    return tuple(dict.fromkeys(part for part in parts if part))[:MAX_VALUES]


def credits_of(values: Iterable[str]) -> tuple[str, ...]:
    """The artists. Of a joint credit and the names in it (``A feat. B``, ``A``, ``B``) the names stay."""
    names = clean_all(values)
    first, others = names[:1], names[1:]
    if len(others) > 1 and all(other in first[0] for other in others):
        return others
    return names


def number(text: str | None) -> int | None:
    """The number that ``3``, ``03`` or ``3/12`` begins with, 1..9999; None for all else."""
    match = _LEADING_NUMBER.match(text or "")
    value = int(match.group(1)) if match else 0
    return value if 0 < value <= _MAX_NUMBER else None


def year(text: str | None) -> int | None:
    """The first year 1000..2999 in a date of any spelling; None where there is none."""
    match = _YEAR.search((text or "")[:MAX_LENGTH])
    return int(match.group(1)) if match else None


def spelled_out(text: str) -> str:
    """For the log: what cannot be shown, or would steer a terminal, by its escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
