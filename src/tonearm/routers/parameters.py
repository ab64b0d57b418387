"""Parameters that several routes take."""

from typing import Annotated

from fastapi import Path

TrackId = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""A track's number; as large as a database can count."""
