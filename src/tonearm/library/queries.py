"""Pieces that several repositories build their statements from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Float, and_, cast

from tonearm.library.tables import analyses, tracks
from tonearm.library.text import contains_pattern, fold

T = TypeVar("T")

_CHUNK: Final = 500
_MAX_WORDS: Final = 32
_LARGEST_ID: Final = 2**31 - 1
_LARGEST_OFFSET: Final = 2**53

VISIBLE: Final = tracks.c.missing_since.is_(None)
"""The file of the track was there when it was last looked for."""

DURATION_S: Final = cast(tracks.c.frames, Float) / tracks.c.rate

ANALYSIS_OF_THIS_FILE: Final = and_(
    analyses.c.track_id == tracks.c.id,
    analyses.c.size == tracks.c.size,
    analyses.c.mtime_ns == tracks.c.mtime_ns,
    analyses.c.content == tracks.c.content,
)
"""The analysis belongs to the file as it is now, not to what stood there before."""


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Parts small enough for the parameters of one statement."""
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def is_id(value: int) -> bool:
    """Whether a number can be the id of a row at all; larger ones the database would choke on."""
    return 0 < value <= _LARGEST_ID


def require_page(limit: int, offset: int) -> None:
    """Raises ValueError unless ``limit`` and ``offset`` can cut a page out of a list."""
    if not 0 <= limit <= _LARGEST_ID:
        raise ValueError(f"limit must lie in 0..{_LARGEST_ID}, got {limit}")
    if not 0 <= offset <= _LARGEST_OFFSET:
        raise ValueError(f"offset must lie in 0..{_LARGEST_OFFSET}, got {offset}")


def matches(column: ColumnElement[str], search: str) -> ColumnElement[bool]:
    """Every word of ``search`` occurs in ``column``; nothing in it has a special meaning.

    From the 32nd word on the rest has to occur as one piece, because databases limit how long a
    condition may be.
    """
    terms = dict.fromkeys(fold(search).split(maxsplit=_MAX_WORDS - 1))
    return and_(True, *(column.like(contains_pattern(term), escape="\\") for term in terms))


def ordering(choices: Mapping[str, Sequence[ColumnElement[Any]]], order_by: str) -> list[ColumnElement[Any]]:
    """The order that a name stands for; a minus before it turns it round.

    Raises:
        ValueError: there is no such order.
    """
    name = order_by.removeprefix("-")
    if name not in choices:
        raise ValueError(f"order_by must be one of {', '.join(sorted(choices))}, got {order_by!r}")
    # Written out, because databases differ in where they put what is absent.
    if order_by.startswith("-"):
        return [column.desc().nulls_last() for column in choices[name]]
    return [column.asc().nulls_first() for column in choices[name]]
