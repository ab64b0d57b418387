"""Where the tests find real music: the larger set if it is there, else the repository's clips."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO = REPOSITORY / "demo"
MUSIC = Path(os.environ["TONEARM_TEST_MUSIC"]) if os.environ.get("TONEARM_TEST_MUSIC") else DEMO


def clip(name: str) -> Path:
    """One of the repository's own clips."""
    path = DEMO / name
    assert path.is_file(), path
    return path
