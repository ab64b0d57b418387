"""Smart lists: queries with a name, and the tracks that they ask for now."""

from datetime import UTC, datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from tonearm.library.playlist_repository import name_values
from tonearm.library.queries import is_id, require_page
from tonearm.library.sessions import DatabaseSessions
from tonearm.library.smart.compiler import compiled
from tonearm.library.smart.parser import parse
from tonearm.library.tables import smart_lists
from tonearm.library.track_repository import summaries
from tonearm.library.values import SmartList, TrackPage
from tonearm.model.errors import SmartListNotFound

MOST_ROWS = 2**53
"""Of a list without a limit: more than any library has."""

_COLUMNS = (
    smart_lists.c.id,
    smart_lists.c.name,
    smart_lists.c.query,
    smart_lists.c.created_at,
    smart_lists.c.updated_at,
)


class SmartListRepository:
    """Smart lists. Calls block; every method may raise ``LibraryUnavailable``, those that name a list
    ``SmartListNotFound``, those that take a query ``InvalidQuery``."""

    def __init__(self, sessions: DatabaseSessions) -> None:
        self._sessions = sessions

    def all(self) -> tuple[SmartList, ...]:
        """Every smart list, by name."""
        statement = select(*_COLUMNS).order_by(smart_lists.c.sort_name, smart_lists.c.id)
        with self._sessions.reading() as session:
            return tuple(SmartList(**row._mapping) for row in session.execute(statement))

    def get(self, list_id: int) -> SmartList:
        """One smart list."""
        with self._sessions.reading() as session:
            return _smart_list(session, list_id)

    def create(self, name: str, query: str) -> SmartList:
        """A new smart list.

        Raises:
            InvalidQuery: the name is empty or longer than 200 characters, or the query cannot be read.
        """
        parse(query)
        now = datetime.now(UTC)
        values = {**name_values(name), "query": query, "created_at": now, "updated_at": now}
        with self._sessions.writing() as session:
            created = session.execute(insert(smart_lists).values(**values).returning(smart_lists.c.id))
            return _smart_list(session, created.scalar_one())

    def change(self, list_id: int, name: str, query: str) -> SmartList:
        """Give a smart list another name and query.

        Raises:
            InvalidQuery: as for ``create``.
        """
        parse(query)
        values = {**name_values(name), "query": query, "updated_at": datetime.now(UTC)}
        with self._sessions.writing() as session:
            _smart_list(session, list_id)
            session.execute(update(smart_lists).where(smart_lists.c.id == list_id).values(**values))
            return _smart_list(session, list_id)

    def delete(self, list_id: int) -> None:
        """Forget a smart list."""
        with self._sessions.writing() as session:
            _smart_list(session, list_id)
            session.execute(delete(smart_lists).where(smart_lists.c.id == list_id))

    def tracks(self, query: str, now: datetime, limit: int, offset: int) -> TrackPage:
        """A part of the tracks whose files are there and that a query asks for at ``now``.

        Raises:
            ValueError: a negative limit or offset.
        """
        require_page(limit, offset)
        parsed = parse(query)
        ordered = compiled(parsed, now)
        most = MOST_ROWS if parsed.limit is None else parsed.limit
        wanted = max(0, min(limit, most - offset))
        with self._sessions.reading() as session:
            found = session.execute(ordered.limit(wanted).offset(offset)).all() if wanted else []
            # A page that is empty does not say how many there are.
            first = found[:1] or session.execute(ordered.limit(1)).all()
            total = min(first[0].total, most) if first else 0
            return TrackPage(rows=summaries(session, [row.id for row in found]), total=total)


def _smart_list(session: Session, list_id: int) -> SmartList:
    row = None
    if is_id(list_id):
        row = session.execute(select(*_COLUMNS).where(smart_lists.c.id == list_id)).one_or_none()
    if row is None:
        raise SmartListNotFound(f"there is no smart list {list_id}")
    return SmartList(**row._mapping)
