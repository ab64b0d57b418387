"""A tree to conditions of the database. Every value becomes a bound parameter."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, assert_never

from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    and_,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from tonearm.library.queries import ANALYSIS_OF_THIS_FILE, DURATION_S, VISIBLE
from tonearm.library.smart.fields import FIELDS, MEASURED_NUMBERS, Kind
from tonearm.library.smart.tree import (
    AllOf,
    AnyOf,
    Between,
    Comparison,
    Condition,
    Contains,
    Flag,
    Not,
    OneOf,
    OrderKey,
    Query,
    Value,
)
from tonearm.library.tables import (
    Moment,
    analyses,
    artists,
    favourites,
    genres,
    play_counts,
    track_artists,
    track_fingerprints,
    track_genres,
    track_measures,
    tracks,
)
from tonearm.library.text import LAST, fold
from tonearm.model.fingerprint import DIMENSION_NAMES

_SIGNS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}

_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    "title": tracks.c.sort_title,
    "album": func.nullif(tracks.c.sort_album, LAST),
    "album_artist": func.lower(tracks.c.album_artist),
    "format": func.lower(tracks.c.codec),
    "artist": tracks.c.sort_artist,
    "year": tracks.c.year,
    "track_number": tracks.c.track_number,
    "disc_number": tracks.c.disc_number,
    "duration": DURATION_S,
    "sample_rate": tracks.c.rate,
    "channels": tracks.c.channels,
    "bit_depth": tracks.c.bit_depth,
    "bitrate": tracks.c.bitrate,
    "filesize": tracks.c.size,
    "play_count": func.coalesce(play_counts.c.count, 0),
    "last_played": play_counts.c.last_played_at,
    "added": tracks.c.created_at,
    "updated": tracks.c.updated_at,
    **{name: track_fingerprints.c[name] for name in DIMENSION_NAMES},
    **{name: track_measures.c[name] for name in MEASURED_NUMBERS},
}

_FAVOURITE: Final = select(favourites.c.track_id).where(favourites.c.track_id == tracks.c.id).exists()
_SOURCE: Final = (
    tracks.outerjoin(analyses, ANALYSIS_OF_THIS_FILE)
    .outerjoin(track_fingerprints, track_fingerprints.c.track_id == analyses.c.track_id)
    .outerjoin(track_measures, track_measures.c.track_id == analyses.c.track_id)
    .outerjoin(play_counts, play_counts.c.track_id == tracks.c.id)
)


def compiled(query: Query, now: datetime) -> tuple[Select[Any], Select[Any]]:
    """The ids of the tracks that a query asks for, in its order, and how many there are.

    ``now`` is when ``30 days ago`` is counted from.
    """
    found = select(tracks.c.id).select_from(_SOURCE).where(VISIBLE, _Compiler(now).condition(query.condition))
    keys = [part for key in query.order for part in _order(key)]
    if not keys:
        keys = [tracks.c.sort_artist, tracks.c.sort_album, tracks.c.album_position]
    limited = found.limit(query.limit)
    count = select(func.count()).select_from(limited.subquery())
    return limited.order_by(*keys, tracks.c.id), count


def _order(key: OrderKey) -> list[ColumnElement[Any]]:
    column = _FAVOURITE if key.field == "favorite" else _COLUMNS[key.field]
    # What is not known stands at the end either way; written out, because databases differ.
    return [column.desc().nulls_last() if key.descending else column.asc().nulls_last()]


class _Compiler:
    def __init__(self, now: datetime) -> None:
        self._now = now

    def condition(self, condition: Condition) -> ColumnElement[bool]:  # noqa: PLR0911 (one a kind)
        match condition:
            case AllOf(parts):
                return and_(true(), *map(self.condition, parts))
            case AnyOf(parts):
                return or_(false(), *map(self.condition, parts))
            case Not(part):
                return not_(self.condition(part))
            case Flag():
                return _FAVOURITE
            case Comparison(field, sign, value):
                return self._compared(field, sign, value)
            case Between(field, low, high):
                column = _column(field)
                return _known(and_(column >= self._bound(field, low), column <= self._bound(field, high)))
            case OneOf(field, values):
                return or_(false(), *(self._compared(field, "=", value) for value in values))
            case Contains(field, text):
                return self._contains(field, text)
            case _:
                assert_never(condition)

    def _compared(self, field: str, sign: str, value: Value) -> ColumnElement[bool]:
        if FIELDS[field] is Kind.TEXTS:
            named = _named(field, lambda name: name == self._bound(field, value))
            return not_(named) if sign == "!=" else named
        if FIELDS[field] is Kind.MOMENT and isinstance(value, date) and sign in {"=", "!=", "<=", ">"}:
            return self._against_day(_COLUMNS[field], sign, value)
        return _known(_SIGNS[sign](_column(field), self._bound(field, value)))

    def _against_day(self, column: ColumnElement[Any], sign: str, day: date) -> ColumnElement[bool]:
        """A day is not a moment: ``= 2025-12-31`` is any time of it, ``> 2025-12-31`` the next day."""
        start = _moment(_midnight(day))
        end = _moment(_midnight(day) + timedelta(days=1))
        if sign in {"=", "!="}:
            within = _known(and_(column >= start, column < end))
            return within if sign == "=" else _known(or_(column < start, column >= end))
        return _known(column >= end if sign == ">" else column < end)

    def _contains(self, field: str, text: str) -> ColumnElement[bool]:
        part = _folded(field, text)
        if FIELDS[field] is Kind.TEXTS:
            return _named(field, lambda name: name.contains(part, autoescape=True))
        return _known(_COLUMNS[field].contains(part, autoescape=True))

    def _bound(self, field: str, value: Value) -> ColumnElement[Any]:
        match value:
            case float():
                return literal(value, Double)
            case str():
                return literal(_folded(field, value))
            case timedelta():
                return _moment(self._now - value)
            case date():
                return _moment(_midnight(value))
            case _:
                assert_never(value)


def _column(field: str) -> ColumnElement[Any]:
    column = _COLUMNS[field]
    return cast(column, Double) if FIELDS[field] is Kind.NUMBER else column


def _known(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """False instead of unknown, so that ``not`` means what it says."""
    return func.coalesce(condition, false())


def _named(field: str, meets: Callable[[ColumnElement[str]], ColumnElement[bool]]) -> ColumnElement[bool]:
    """One of the artists or genres of the track meets a condition."""
    links, names, key = (
        (track_artists, artists, track_artists.c.artist_id)
        if field == "artist"
        else (track_genres, genres, track_genres.c.genre_id)
    )
    joined = select(links.c.track_id).join(names, names.c.id == key)
    return joined.where(links.c.track_id == tracks.c.id, meets(names.c.sort_name)).exists()


def _folded(field: str, text: str) -> str:
    """The text as the column holds it."""
    if field in {"album_artist", "format"}:
        return text.replace("\0", " ").lower()
    return fold(text)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _moment(value: datetime) -> ColumnElement[Any]:
    return literal(value, Moment)
