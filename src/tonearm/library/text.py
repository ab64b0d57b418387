"""How text is compared: without regard to case, accents and width, the same on every database."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

LAST: Final = "\U0010ffff"
"""Sorts behind every text: what has no name stands at the end of a list."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """Text that can be encoded: bytes of a file name that are not UTF-8 become U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """The form in which text is searched and sorted: no accents, no case, single spaces, no NUL."""
    if text.isascii():
        return " ".join(text.replace("\0", " ").lower().split())
    decomposed = unicodedata.normalize("NFKD", printable(text))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).replace("\0", " ")
    return " ".join(bare.casefold().split())


@lru_cache(maxsize=4096)
def identity(text: str) -> str:
    """The form in which two names are the same name: case and width do not count, accents do."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", printable(text)).casefold().split())
