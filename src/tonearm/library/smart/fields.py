"""What can be asked for, and of which kind it is. Measured values come from the vocabulary."""

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from types import MappingProxyType
from typing import Final

from tonearm.model.fingerprint import DIMENSION_NAMES
from tonearm.model.measures import TrackMeasures


class Kind(Enum):
    """What a field holds, as it is said to people."""

    NUMBER = "a number"
    TEXT = "a text"
    TEXTS = "one or more texts"
    MOMENT = "a date"
    FLAG = "true or false"


_NUMBERS: Final = (
    "year",
    "track_number",
    "disc_number",
    "duration",
    "sample_rate",
    "channels",
    "bit_depth",
    "bitrate",
    "filesize",
    "play_count",
)

MEASURED_NUMBERS: Final = tuple(
    measure.name
    for measure in fields(TrackMeasures)
    if measure.type in (int, float, "int", "float") and measure.name not in {"frames", "rate", "channels"}
)

FIELDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        **dict.fromkeys(("title", "album", "album_artist", "format"), Kind.TEXT),
        **dict.fromkeys(("artist", "genre"), Kind.TEXTS),
        **dict.fromkeys(_NUMBERS, Kind.NUMBER),
        **dict.fromkeys(("added", "updated", "last_played"), Kind.MOMENT),
        **dict.fromkeys(("favorite",), Kind.FLAG),
        **dict.fromkeys((*DIMENSION_NAMES, *MEASURED_NUMBERS), Kind.NUMBER),
    }
)
"""Every field by its name."""
