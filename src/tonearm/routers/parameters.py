"""Parameters that several routes take."""

from typing import Annotated

from fastapi import Path, Query

TrackId = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""A track's number; as large as a database can count."""

AlbumId = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""An album's number."""

Intensity = Annotated[float, Query(ge=0.0, le=1.0, allow_inf_nan=False)]
"""How much of a plan is applied; 0 is the source, bit for bit."""
