"""Similar tracks: exact, by a look at every fingerprint.

All points lie in one float32 matrix, 112 bytes a track with their norms and ids: 56 MB for 500,000. It is
read on the first request and kept true from then on: each request first takes in what arrived since, which
the revision of ``analyses`` tells. The scale is measured again, and everything read again, when the library
has doubled.
"""

import threading
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, false, func, select
from sqlalchemy.orm import Session

from tonearm.library.agreement import Agreement, Sample
from tonearm.library.nearness import Scale
from tonearm.library.queries import VISIBLE, chunks, is_id
from tonearm.library.sessions import DatabaseSessions
from tonearm.library.tables import analyses, library_state, track_fingerprints, tracks
from tonearm.model.errors import FingerprintNotReady, TrackNotFound
from tonearm.model.fingerprint import DIMENSION_NAMES

_SAMPLE: Final = 4_000
_CHUNK: Final = 20_000
_STRIDE: Final = 64
_SPARE: Final = 32
"""More than asked for are taken: those whose files are missing or have changed are left out."""

_VALUES: Final = tuple(track_fingerprints.c[name] for name in DIMENSION_NAMES)
_ARRIVED: Final = (
    select(analyses.c.revision, analyses.c.track_id, *_VALUES)
    .join_from(analyses, track_fingerprints, track_fingerprints.c.track_id == analyses.c.track_id)
    .order_by(analyses.c.revision)
)
# Coalesced, so that SQLite does not begin with the index of all analyses that hold: a few ids are asked for.
_HOLDS: Final = func.coalesce(analyses.c.holds, false())
_PRESENT: Final = (
    select(tracks.c.id, *_VALUES)
    .select_from(
        tracks.join(analyses, and_(analyses.c.track_id == tracks.c.id, _HOLDS)).join(
            track_fingerprints, track_fingerprints.c.track_id == tracks.c.id
        )
    )
    .where(VISIBLE)
)


@dataclass(frozen=True, slots=True)
class Similar:
    """A track that sounds like another.

    Attributes:
        track_id: which.
        distance: ``nearness``; 0 is the same sound.
        score: 1 for the same sound, towards 0 with the distance: ``1 / (1 + distance)``.
        because: in what the two agree more than tracks usually do, in words; the most unusual first.
    """

    track_id: int
    distance: float
    score: float
    because: tuple[str, ...]


class SimilarityRepository:
    """Neighbours among all fingerprints. Calls block; every method may raise ``LibraryUnavailable``."""

    def __init__(self, sessions: DatabaseSessions) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._points: _Points | None = None

    def similar(self, track_id: int, limit: int) -> list[Similar]:
        """The nearest other tracks whose files are there, the nearest first.

        Raises:
            TrackNotFound: there is no such track.
            FingerprintNotReady: the track has not been measured.
        """
        with self._sessions.reading() as session:
            wanted = _values(session, [track_id]).get(track_id)
            if wanted is None:
                raise _reason(session, track_id)
            with self._lock:
                points = self._points = _brought_up_to_date(session, self._points)
                agreement = points.agreement(wanted)
            taken = limit + _SPARE
            found = _values(session, self._nearest(points, wanted, taken))
            while len(found) <= limit and taken < points.count:
                taken *= 4
                found = _values(session, self._nearest(points, wanted, taken))
        found.pop(track_id, None)
        return _ranked(wanted, found, points.scale, agreement, limit)

    def _nearest(self, points: "_Points", wanted: NDArray[np.float64], count: int) -> list[int]:
        with self._lock:
            return points.nearest(wanted, count)


def _ranked(
    wanted: NDArray[np.float64],
    found: dict[int, NDArray[np.float64]],
    scale: Scale,
    agreement: Agreement,
    limit: int,
) -> list[Similar]:
    """Distances anew, in double precision and from what the database says now."""
    if not found:
        return []
    points = scale.place(np.array([wanted, *found.values()])).astype(np.float64)
    distances = np.sqrt(((points[1:] - points[0]) ** 2).sum(axis=1))
    rows = sorted(zip(distances.tolist(), found, strict=True))[:limit]
    return [
        Similar(other, distance, 1 / (1 + distance), agreement.words(found[other]))
        for distance, other in rows
    ]


class _Points:
    """All fingerprints as points; room for more is kept ahead."""

    def __init__(self, scale: Scale, sample: Sample) -> None:
        self.scale = scale
        self.revision = -1
        self.count = 0
        self.scaled_at = 0
        self._sample = sample
        self._ids = np.empty(_CHUNK, np.int32)
        self._matrix = np.empty((_CHUNK, len(DIMENSION_NAMES)), np.float32)
        self._norms = np.empty(_CHUNK, np.float32)

    def agreement(self, wanted: NDArray[np.float64]) -> Agreement:
        return Agreement(wanted, self.scale, self._sample)

    def nearest(self, wanted: NDArray[np.float64], count: int) -> list[int]:
        """Ids of the nearest points, in no order; the track itself is among them."""
        point = self.scale.place(wanted[np.newaxis])[0]
        # |p - q|^2 without |q|^2, which is the same for all.
        squares = self._norms[: self.count] - 2.0 * (self._matrix[: self.count] @ point)
        if count >= self.count:
            everyone: list[int] = self._ids[: self.count].tolist()
            return everyone
        # The count-th of some is no nearer than the count-th of all: only what is as near needs a ranking.
        some = squares[::_STRIDE] if count * _STRIDE < self.count else squares
        near = np.flatnonzero(squares <= np.partition(some, count)[count])
        found: list[int] = self._ids[near[np.argsort(squares[near], kind="stable")[:count]]].tolist()
        return found

    def take(self, ids: NDArray[np.int32], values: NDArray[np.float64]) -> None:
        """Take in fingerprints ``[n, 25]``, over those of the same tracks; no id twice."""
        held = self._ids[: self.count]
        order = np.argsort(held, kind="stable")
        places = np.searchsorted(held, ids, sorter=order)
        known = np.zeros(len(ids), bool)
        inside = places < self.count
        known[inside] = held[order[places[inside]]] == ids[inside]
        rows = np.empty(len(ids), np.int64)
        rows[known] = order[places[known]]
        new = int((~known).sum())
        rows[~known] = np.arange(self.count, self.count + new)
        self._grow(self.count + new)
        points = self.scale.place(values)
        self._ids[rows], self._matrix[rows] = ids, points
        self._norms[rows] = (points**2).sum(axis=1)
        self.count += new

    def _grow(self, needed: int) -> None:
        room = len(self._ids)
        if needed > room:
            room = max(needed, room + room // 2)
            self._ids = np.resize(self._ids, room)
            self._matrix = np.resize(self._matrix, (room, self._matrix.shape[1]))
            self._norms = np.resize(self._norms, room)


def _brought_up_to_date(session: Session, points: _Points | None) -> _Points:
    """Take in what arrived since, or begin anew where the scale is of a library half as large."""
    revision = session.execute(select(library_state.c.fingerprints)).scalar_one()
    if points is not None and points.revision == revision:
        return points
    if points is None or points.count >= 2 * points.scaled_at:
        points = _begun(session)
    since = -1 if points.count == 0 else points.revision
    rows = session.execute(
        _ARRIVED.where(analyses.c.revision > since), execution_options={"yield_per": _CHUNK}
    )
    for part in rows.partitions(_CHUNK):
        read = np.array([tuple(row) for row in part], np.float64)
        points.take(read[:, 1].astype(np.int32), read[:, 2:])
    points.revision = revision
    points.scaled_at = points.scaled_at or points.count
    return points


def _begun(session: Session) -> _Points:
    """Empty, with the scale of a sample of the library: every k-th track, so the same one gives the same."""
    count = session.execute(select(func.count()).select_from(track_fingerprints)).scalar_one()
    step = max(1, count // _SAMPLE)
    rows = session.execute(select(*_VALUES).where(track_fingerprints.c.track_id % step == 0)).all()
    if not rows:
        rows = session.execute(select(*_VALUES).limit(_SAMPLE)).all()
    values = np.array([tuple(row) for row in rows], np.float64)
    scale = Scale.of(values)
    return _Points(scale, Sample(scale.place(values)))


def _values(session: Session, ids: list[int]) -> dict[int, NDArray[np.float64]]:
    """The fingerprints of those of the tracks whose files are there and as they were measured."""
    return {
        row[0]: np.array(row[1:], np.float64)
        for part in chunks([track_id for track_id in ids if is_id(track_id)])
        for row in session.execute(_PRESENT.where(tracks.c.id.in_(part)))
    }


def _reason(session: Session, track_id: int) -> FingerprintNotReady | TrackNotFound:
    there = is_id(track_id) and session.execute(select(tracks.c.id).where(tracks.c.id == track_id)).first()
    return (
        FingerprintNotReady(f"track {track_id}") if there else TrackNotFound(f"there is no track {track_id}")
    )
