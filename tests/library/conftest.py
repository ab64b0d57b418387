"""A library in a file of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that has just been made; copying it is quicker than making another."""
    path = tmp_path_factory.mktemp("empty") / "library.db"
    open_library(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def library(tmp_path: Path, empty_database: Path) -> Iterator[RepositoryFactory]:
    shutil.copy(empty_database, tmp_path / "library.db")
    opened = open_library(f"sqlite:///{tmp_path}/library.db")
    yield opened
    opened.close()
