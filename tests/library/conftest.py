"""A library of its own for each test, once in SQLite and once in Postgres."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from postgres import PostgresServer, postgres_server
from sqlalchemy import Engine, create_engine, make_url

from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.library.tables import metadata


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that has just been made; copying it is quicker than making another."""
    path = tmp_path_factory.mktemp("empty") / "library.db"
    open_library(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """A database that is used again and again; emptying it is quicker than making another."""
    with postgres.database() as name:
        open_library(postgres.url(name)).close()
        yield postgres.url(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty library is, on either database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_database"), tmp_path / "library.db")
        yield f"sqlite:///{tmp_path}/library.db"
        return
    url: str = request.getfixturevalue("postgres_url")
    with psycopg.connect(url, autocommit=True) as connection:
        emptied = ", ".join(set(metadata.tables) - {"library_state"})
        connection.execute(f"TRUNCATE {emptied} RESTART IDENTITY CASCADE")
    yield url


@pytest.fixture
def library(database_url: str) -> Iterator[RepositoryFactory]:
    opened = open_library(database_url)
    yield opened
    opened.close()


@pytest.fixture
def raw(database_url: str) -> Iterator[Engine]:
    """The database of ``library`` without the library, to look at and to damage."""
    url = make_url(database_url)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    yield engine
    engine.dispose()
