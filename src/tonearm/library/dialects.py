"""What SQLite and Postgres are told in different words."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import ColumnElement, Integer, any_, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

_WALKING: Final = {"enable_sort": "off", "max_parallel_workers_per_gather": "0"}
"""Settings of Postgres; the second may stay for the rest of a page."""


def dialect(session: Session) -> str:
    """``sqlite`` or ``postgresql``."""
    return session.get_bind().dialect.name


@contextmanager
def in_order(session: Session) -> Iterator[None]:
    """Make Postgres walk as well. It knows nothing of which words are common, so it would rather look at all
    rows, with helpers whose start takes longer than a page, and sort the few that it expects."""
    if dialect(session) == "sqlite":
        yield
        return
    local = [func.set_config(name, bindparam(name), True) for name in _WALKING]
    session.execute(select(*local), _WALKING)
    yield
    session.execute(select(func.set_config("enable_sort", "on", True)))


def one_of(session: Session, column: ColumnElement[int], ids: Sequence[int]) -> ColumnElement[bool]:
    """Whether a column is one of many ids, which are handed over in one piece."""
    if dialect(session) == "sqlite":
        return column.in_(select(func.json_each(json.dumps(list(ids))).table_valued("value").c.value))
    return column == any_(cast(list(ids), ARRAY(Integer)))
