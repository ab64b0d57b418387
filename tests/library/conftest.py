"""A library in a file of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory


@pytest.fixture
def library(tmp_path: Path) -> Iterator[RepositoryFactory]:
    opened = open_library(f"sqlite:///{tmp_path}/library.db")
    yield opened
    opened.close()
