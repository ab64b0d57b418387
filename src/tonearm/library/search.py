"""Finding rows by the words that they begin with: FTS5 in SQLite, ``tsvector`` in Postgres.

Migrations made the indexes, and triggers keep them true in the transaction of the row. Words are cut by
``words``, so nothing in a search is an operator.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from tonearm.library.dialects import dialect
from tonearm.library.paging import Confined
from tonearm.library.tables import tracks
from tonearm.library.words import searched

_SHORT: Final = 3

_SPACE: Final = text("' '")
"""Written out, so that the expression is that of the index."""


def words_condition(search_text: ColumnElement[str], search: str) -> ColumnElement[bool]:
    """Every word of ``search`` begins a word of ``search_text``: a look at each row, without an index."""
    padded = literal(" ").concat(search_text)
    return and_(True, *(_contains(padded, f" {word}") for word in searched(search)))


def _contains(haystack: ColumnElement[str], needle: str) -> ColumnElement[bool]:
    return haystack.contains(needle, autoescape=True)


def found_in(session: Session, of: Table, search: str, *conditions: ColumnElement[bool]) -> Confined | None:
    """The rows of ``of`` in which every word of ``search`` begins a word; None for a search without words.

    ``of`` is ``tracks`` (of which only those are found whose files are there), ``albums`` or ``artists``;
    ``conditions`` are what rows have to meet besides to be counted.
    """
    words = searched(search)
    if not words:
        return None
    ids = _ids(session, of, words)
    count = select(func.count())
    count = count.where(*conditions, of.c.id.in_(ids)) if conditions else count.select_from(ids.subquery())
    # What several words have in common is found by a walk over what each of them finds. Short ones begin so
    # many words that it is mostly a long list, of which only a page is looked for. Postgres looks into its
    # table besides, so that to it one word is dear as well.
    shortest = min(map(len, words))
    sqlite = dialect(session) == "sqlite"
    dear = of is tracks and (len(words) > 1 and shortest > _SHORT if sqlite else shortest >= _SHORT)
    return Confined(ids, words_condition(of.c.search_text, search), count, dear)


def _ids(session: Session, of: Table, words: Sequence[str]) -> Select[Any]:
    if dialect(session) == "sqlite":
        index = table(f"{of.name}_words", column("rowid"))
        match = text(f"{index.name} MATCH :words").bindparams(bindparam("words", _fts5(words), unique=True))
        return select(index.c.rowid.label("id")).where(match)
    query = cast(_tsquery(words), TSQUERY)
    if of is tracks:
        apart = table("tracks_words", column("id"), column("words"))
        return select(apart.c.id).where(apart.c.words.bool_op("@@")(query))
    vector = func.array_to_tsvector(func.string_to_array(of.c.search_text, _SPACE))
    return select(of.c.id).where(vector.bool_op("@@")(query))


def _fts5(words: Sequence[str]) -> str:
    quoted = (word.replace('"', '""') for word in words)
    return " AND ".join(f'"{word}" *' for word in quoted)


def _tsquery(words: Sequence[str]) -> str:
    quoted = (word.replace("\\", "\\\\").replace("'", "''") for word in words)
    return " & ".join(f"'{word}':*" for word in quoted)
