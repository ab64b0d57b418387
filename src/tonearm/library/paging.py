"""Pages of long lists, as quick at the end of a list as at its start.

A page is asked for by limit and offset. Walking over 400,000 rows to leave them out takes a database 30
to 100 ms, so what earlier pages began and ended with is kept as anchors, and a page begins at the nearest
one: at a key, which the index of the order answers at once. Both ends of the list are anchors as well.

    order by (title, id), rows 400,000..400,049, anchor at 399,950:
    WHERE (title, id) >= (anchor) ORDER BY title, id LIMIT 50 OFFSET 50

Anchors and totals hold for one version of the library, which is read in the transaction of the page; triggers
raise it with every change of the tracks. So a page is never a page of what was.

Of a list that is confined to few rows all keys are read and sorted here, once for each version. One of
many rows is walked through in its order, and each row on the way tested; between these, the ids come first.
"""

import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, func, select, tuple_
from sqlalchemy.orm import Session

from tonearm.library.dialects import dialect, in_order, one_of
from tonearm.library.tables import library_state

FEW: Final = 1_000
"""So many rows are read and sorted within some milliseconds."""

_MOST_HELD: Final = {"sqlite": 4_000, "postgresql": 10_000}
"""So many ids are held of a list that is dear to find."""

_LISTS: Final = 64
_ANCHORS: Final = 1_000

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """Columns without nulls, the last the id; an index holds them in this order."""

    name: str
    columns: tuple[ColumnElement[Any], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of rows of ``table``.

    Attributes:
        name: tells this list from others, apart from its order.
        table: where the rows are.
        conditions: what all of its rows meet.
        confined: to which rows the list is confined, or None.
        versioned: whether ``library_state.version`` rises with every change of the list.
    """

    name: Hashable
    table: Table
    conditions: tuple[ColumnElement[bool], ...]
    confined: "Confined | None" = None
    versioned: bool = True


@dataclass(frozen=True, slots=True)
class Confined:
    """Some rows of a table, asked for in three ways, of which each is quick for another number of rows.

    Attributes:
        ids: a selection of their ids.
        test: whether a row is one of them.
        count: how many of them meet the conditions of the list.
        dear: whether to find them takes so long that they are looked for once, and not first to be counted
            and then for each page. All of them have to meet the conditions of the list.
    """

    ids: Select[Any]
    test: ColumnElement[bool]
    count: Select[Any]
    dear: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """The ids of a page in order, and how many rows the whole list has."""

    ids: tuple[int, ...]
    total: int


@dataclass(slots=True)
class _Known:
    """What is known about a list in one order.

    Attributes:
        sorted_ids: all of it, where it is short.
        ids: all of it in no order, where it is not long and was dear to find.
    """

    version: int
    total: int
    offsets: list[int] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    sorted_ids: tuple[int, ...] | None = None
    ids: "array[int] | None" = None


class Pages:
    """Cuts pages out of lists. May be used from any thread.

    Args:
        few: of a list that is confined to so many rows all keys are read at once.
    """

    def __init__(self, few: int) -> None:
        self._few = few
        self._lists: OrderedDict[Hashable, _Known] = OrderedDict()
        self._values: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def cut(
        self, session: Session, listing: Listing, order: Order, limit: int, offset: int, *, descending: bool
    ) -> Slice:
        """One page; in descending order the list is the other way round."""
        known = self._known(session, listing, order)
        total = known.total
        end = min(offset + limit, total)
        if offset >= end:
            return Slice((), total)
        if descending:
            offset, end = total - end, total - offset
        ids = self._ascending(session, listing, order, known, offset, end)
        return Slice(tuple(reversed(ids)) if descending else tuple(ids), total)

    def value(self, session: Session, name: Hashable, compute: Callable[[], Any]) -> Any:
        """What ``compute`` returns, kept until the tracks change."""
        version = _version(session)
        with self._lock:
            held = self._values.get(name)
        if held is not None and held[0] == version:
            return held[1]
        computed = compute()
        with self._lock:
            self._values[name] = (version, computed)
            while len(self._values) > _LISTS:
                self._values.popitem(last=False)
        return computed

    def _known(self, session: Session, listing: Listing, order: Order) -> _Known:
        version, name = _version(session), (listing.name, order.name)
        with self._lock:
            known = self._lists.get(name)
            if listing.versioned and known is not None and known.version == version:
                self._lists.move_to_end(name)
                return known
        known = self._looked_up(session, listing, version, order)
        if listing.versioned:
            with self._lock:
                self._lists[name] = known
                while len(self._lists) > _LISTS:
                    self._lists.popitem(last=False)
        return known

    def _looked_up(self, session: Session, listing: Listing, version: int, order: Order) -> _Known:
        confined = listing.confined
        if confined is not None and confined.dear:
            most = _MOST_HELD[dialect(session)]
            found = session.execute(confined.ids.limit(most + 1)).scalars().all()
            if len(found) <= self._few:
                return _Known(version, len(found), sorted_ids=_sorted_ids(session, listing, found, order))
            if len(found) <= most:
                return _Known(version, len(found), ids=array("q", found))
        known = _Known(version, self._total(session, listing))
        if confined is not None and known.total <= self._few:
            found = session.execute(confined.ids).scalars().all()
            known.sorted_ids = _sorted_ids(session, listing, found, order)
        return known

    def _total(self, session: Session, listing: Listing) -> int:
        def count() -> int:
            statement = select(func.count()).select_from(listing.table).where(*listing.conditions)
            if listing.confined is not None:
                statement = listing.confined.count
            counted: int = session.execute(statement).scalar_one()
            return counted

        if not listing.versioned:
            return count()
        total: int = self.value(session, ("total", listing.name), count)
        return total

    def _ascending(
        self, session: Session, listing: Listing, order: Order, known: _Known, offset: int, end: int
    ) -> Sequence[int]:
        if known.sorted_ids is not None:
            return known.sorted_ids[offset:end]
        with self._lock:
            walk = _walk(known, offset, end)
        everything = self._total(session, replace(listing, name=(listing.table.name, ()), confined=None))
        looked_at = (walk.distance + end - offset) * everything / known.total
        told = _told(session, listing, known, test=looked_at <= self._few)
        keys = _keys(session, listing, order, walk, end - offset, told)
        with self._lock:
            _remember(known, offset, keys)
        return [key[-1] for key in keys]


@dataclass(frozen=True, slots=True)
class _Walk:
    """How to get to a page: from ``key``, ``distance`` rows forward, or backward from before it."""

    forward: bool
    key: Key | None
    distance: int


def _walk(known: _Known, offset: int, end: int) -> _Walk:
    """The shortest way to the rows ``offset`` to ``end``."""
    place = bisect_left(known.offsets, offset + 1)
    before, before_key = (known.offsets[place - 1], known.keys[place - 1]) if place else (0, None)
    place = bisect_left(known.offsets, end)
    after, after_key = (
        (known.offsets[place], known.keys[place]) if place < len(known.offsets) else (known.total, None)
    )
    if offset - before <= after - end:
        return _Walk(forward=True, key=before_key, distance=offset - before)
    return _Walk(forward=False, key=after_key, distance=after - end)


def _told(session: Session, listing: Listing, known: _Known, *, test: bool) -> list[ColumnElement[bool]]:
    """How rows on the way are told from those to which the list is not confined."""
    if listing.confined is None:
        return []
    # The sum keeps the databases from beginning with the ids and sorting all that they lead to.
    walked = listing.table.c.id + 0
    if known.ids is not None:
        return [one_of(session, walked, known.ids)]
    return [listing.confined.test if test else walked.in_(listing.confined.ids)]


def _keys(
    session: Session,
    listing: Listing,
    order: Order,
    walk: _Walk,
    count: int,
    told: Sequence[ColumnElement[bool]],
) -> list[Key]:
    """The keys of a page in ascending order."""
    columns = order.columns
    statement = select(*columns).where(*listing.conditions, *told)
    if walk.key is not None:
        here, there = tuple_(*columns), tuple_(*walk.key)
        statement = statement.where(here >= there if walk.forward else here < there)
    directed = [column if walk.forward else column.desc() for column in columns]
    with in_order(session):
        found = session.execute(statement.order_by(*directed).limit(count).offset(walk.distance)).all()
    keys = [tuple(row) for row in found]
    return keys if walk.forward else keys[::-1]


def _remember(known: _Known, offset: int, keys: Sequence[Key]) -> None:
    for at, key in ((offset, keys[0]), (offset + len(keys) - 1, keys[-1])) if keys else ():
        place = bisect_left(known.offsets, at)
        if len(known.offsets) < _ANCHORS and (place == len(known.offsets) or known.offsets[place] != at):
            known.offsets.insert(place, at)
            known.keys.insert(place, key)


def _sorted_ids(session: Session, listing: Listing, ids: Sequence[int], order: Order) -> tuple[int, ...]:
    """Those of ``ids`` that meet the conditions of the list, in its order."""
    statement = select(*order.columns).where(*listing.conditions)
    distinct = sorted(set(ids))
    keys = session.execute(statement.where(one_of(session, listing.table.c.id, distinct))).all()
    # Texts compare by code point here, which is the order of their bytes in the databases.
    return tuple(row[-1] for row in sorted(keys, key=tuple))


def _version(session: Session) -> int:
    version: int = session.execute(select(library_state.c.version)).scalar_one()
    return version
