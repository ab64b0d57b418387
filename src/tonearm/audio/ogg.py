"""How an Ogg file ends: whether it is whole, and whether it is one stream.

Source: RFC 3533, section 6 (page header: capture pattern, flags at 5, serial number at 14,
number of segments at 26, their lengths from 27).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TAIL: Final = 1 << 17
"""Two of the largest pages."""

_CAPTURE: Final = b"OggS"
_LAST_PAGE: Final = 4


@dataclass(frozen=True, slots=True)
class OggEnding:
    """``complete``: the last page is whole and marked as the last. ``one_stream``: it belongs to the
    stream that the file begins with, so that its position counts the frames of the whole file."""

    complete: bool
    one_stream: bool


def ogg_ending(path: Path) -> OggEnding:
    """Read the last page of an Ogg file."""
    with path.open("rb") as file:
        first_serial = file.read(18)[14:18]
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    at = _last_page(tail)
    if at is None:
        return OggEnding(complete=False, one_stream=False)
    page = tail[at:]
    body = sum(page[27 : 27 + page[26]])
    whole = len(page) >= 27 + page[26] + body
    return OggEnding(
        complete=whole and bool(page[5] & _LAST_PAGE),
        one_stream=page[14:18] == first_serial,
    )


def _last_page(tail: bytes) -> int | None:
    at = len(tail)
    while (at := tail.rfind(_CAPTURE, 0, at)) >= 0:
        if len(tail) - at > 27 and tail[at + 4] == 0:
            return at
    return None
