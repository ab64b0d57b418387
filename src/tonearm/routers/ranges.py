"""The part of an answer that a client asks for.

One range is answered exactly; several, or one that is no range at all, are answered with the whole,
as RFC 9110, section 14.2 allows.
"""

import re
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


class RangeBeyondEndError(ValueError):
    """No byte of the range exists."""


def wanted_part(header: str | None, length: int) -> tuple[int, int] | None:
    """First byte and the byte after the last of what a Range header asks of ``length`` bytes; None = all.

    Raises:
        RangeBeyondEndError: no byte of it exists.
    """
    match = _ONE_RANGE.fullmatch(header or "")
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if not first:
        begin, end = max(0, length - int(last)), length
    else:
        begin, end = int(first), min(length, int(last) + 1) if last else length
        if last and int(last) < begin:
            return None
    if begin >= end:
        raise RangeBeyondEndError(f"wanted bytes from {begin} of {length}")
    return begin, end
