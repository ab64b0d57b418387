"""Parameters that several routes take."""

from typing import Annotated, Final

from fastapi import Path, Query

MAX_PAGE: Final = 500

TrackId = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""A track's number; as large as a database can count."""


RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""The number of an album, an artist, a genre, a playlist and what else is counted."""

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
Offset = Annotated[int, Query(ge=0, le=2**53)]
Search = Annotated[str, Query(max_length=1000)]
"""Words that all have to begin a word of what is found."""

OrderBy = Annotated[str, Query(max_length=40)]
"""The name of an order; a minus before it turns it round."""

Intensity = Annotated[float, Query(ge=0.0, le=1.0, allow_inf_nan=False)]
"""How much of a plan is applied; 0 is the source, bit for bit."""
