"""What the listener likes and has heard."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from tonearm.library.queries import DURATION_S, is_id, require_page
from tonearm.library.sessions import DatabaseSessions
from tonearm.library.tables import favourites, play_counts, plays, tracks
from tonearm.library.track_repository import summaries
from tonearm.library.values import Play, PlayPage
from tonearm.model.errors import TrackNotFound

COUNTS_AFTER_S: Final = 240.0
"""A track counts as played when half of it was heard, or four minutes, whichever comes first: what scrobblers
agree on (Last.fm, "Scrobbling 2.0", section "When is a scrobble a scrobble?")."""


def require_track(session: Session, track_id: int) -> float:
    """The length of a track in seconds.

    Raises:
        TrackNotFound: there is no such row.
    """
    if is_id(track_id):
        found = session.execute(select(DURATION_S).where(tracks.c.id == track_id)).scalar_one_or_none()
        if found is not None:
            return float(found)
    raise TrackNotFound(f"there is no track {track_id}")


class FavouriteRepository:
    """Marks on tracks. Calls block; every method may raise ``LibraryUnavailable``."""

    def __init__(self, sessions: DatabaseSessions) -> None:
        self._sessions = sessions

    def add(self, track_id: int) -> None:
        """Mark a track; a second time changes nothing.

        Raises:
            TrackNotFound: there is no such track.
        """
        with self._sessions.writing() as session:
            require_track(session, track_id)
            marked = select(favourites.c.track_id).where(favourites.c.track_id == track_id)
            if session.execute(marked).one_or_none() is None:
                session.execute(insert(favourites).values(track_id=track_id, added_at=datetime.now(UTC)))

    def remove(self, track_id: int) -> None:
        """Take a mark away, if there is one.

        Raises:
            TrackNotFound: there is no such track.
        """
        with self._sessions.writing() as session:
            require_track(session, track_id)
            session.execute(delete(favourites).where(favourites.c.track_id == track_id))


class HistoryRepository:
    """Plays and how often. Calls block; every method may raise ``LibraryUnavailable``."""

    def __init__(self, sessions: DatabaseSessions) -> None:
        self._sessions = sessions

    def record(self, track_id: int, played_seconds: float, completed: bool, at: datetime) -> bool:
        """Note that a track was played; whether it was enough to count.

        Args:
            track_id: what was played.
            played_seconds: how much was really heard, jumps not included.
            completed: it was heard to its end, however long it is said to be.
            at: when it began; with a zone.

        Raises:
            TrackNotFound: there is no such track.
            ValueError: ``played_seconds`` is negative or not finite, or ``at`` has no zone.
        """
        if not 0 <= played_seconds < float("inf"):
            raise ValueError(f"played_seconds must be 0 or more and finite, got {played_seconds}")
        if at.tzinfo is None:
            raise ValueError("the time of a play needs a zone")
        with self._sessions.writing() as session:
            duration_s = require_track(session, track_id)
            counted = completed or played_seconds >= min(duration_s / 2, COUNTS_AFTER_S)
            play = {"track_id": track_id, "played_at": at, "played_seconds": played_seconds}
            session.execute(insert(plays).values(**play, counted=counted))
            if counted:
                _count(session, track_id, at)
        return counted

    def page(self, limit: int, offset: int) -> PlayPage:
        """Plays, the latest first.

        Raises:
            ValueError: a negative limit or offset.
        """
        require_page(limit, offset)
        latest = select(plays).order_by(plays.c.played_at.desc(), plays.c.id.desc())
        with self._sessions.reading() as session:
            rows = session.execute(latest.limit(limit).offset(offset)).all()
            known = {row.id: row for row in summaries(session, _distinct(row.track_id for row in rows))}
            total = session.execute(select(func.count()).select_from(plays)).scalar_one()
        return PlayPage(
            tuple(
                Play(row.id, known[row.track_id], row.played_at, row.played_seconds, row.counted)
                for row in rows
            ),
            total,
        )

    def clear(self) -> None:
        """Forget what was played when; how often stays."""
        with self._sessions.writing() as session:
            session.execute(delete(plays))


def _distinct(ids: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(ids))


def _count(session: Session, track_id: int, at: datetime) -> None:
    columns = (play_counts.c.count, play_counts.c.last_played_at)
    held = session.execute(select(*columns).where(play_counts.c.track_id == track_id)).one_or_none()
    if held is None:
        session.execute(insert(play_counts).values(track_id=track_id, count=1, last_played_at=at))
        return
    times, latest = held
    statement = update(play_counts).where(play_counts.c.track_id == track_id)
    session.execute(statement.values(count=times + 1, last_played_at=max(latest, at)))
