"""Pieces that several repositories build their statements from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from sqlalchemy import Float, and_, cast, select

from tonearm.library.paging import Order
from tonearm.library.tables import analyses, artists, track_artists, tracks
from tonearm.model.errors import InvalidQuery

T = TypeVar("T")

_CHUNK: Final = 500
_LARGEST_ID: Final = 2**31 - 1
_LARGEST_OFFSET: Final = 2**53

VISIBLE: Final = tracks.c.missing_since.is_(None)
"""The file of the track was there when it was last looked for."""

ARTIST_THERE: Final = (
    select(track_artists.c.track_id)
    .join(tracks, tracks.c.id == track_artists.c.track_id)
    .where(VISIBLE, track_artists.c.artist_id == artists.c.id)
    .exists()
)
"""A track names the artist whose file is there."""

DURATION_S: Final = cast(tracks.c.frames, Float) / tracks.c.rate

ANALYSIS_OF_THIS_FILE: Final = and_(analyses.c.track_id == tracks.c.id, analyses.c.holds)
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


def order_named(choices: Mapping[str, Order], order_by: str) -> tuple[Order, bool]:
    """The order that a name stands for, and whether a minus before it turns it round.

    Raises:
        InvalidQuery: there is no such order.
    """
    name = order_by.removeprefix("-")
    if name not in choices:
        raise InvalidQuery(f"order_by must be one of {', '.join(sorted(choices))}, got {order_by!r}")
    return choices[name], order_by.startswith("-")
