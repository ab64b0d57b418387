"""The words by which music is found, the same on every database.

The databases' own tokenizers differ, and know neither ``AC/DC`` nor a band called ``!!!``. So text is cut
into words here, both what is stored and what is searched; a database only finds words that begin so.

    Motörhead        motorhead
    AC/DC            ac dc acdc       ("ac/dc", "ac dc" and "acdc" find it)
    Don't            don t dont
    !!!              !!!              (symbols are a word where they stand alone)
    東京事変          東 京 事 変       (nothing parts the words, so each sign is one)
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from tonearm.library.text import fold

MAX_WORD: Final = 64
"""Characters of a word that count."""

MAX_WORDS: Final = 16
"""Words of a search that count."""

_MAX_STORED: Final = 1_000

_BARE_LETTERS: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
"""Letters whose stroke or ligature Unicode does not count as an accent."""

_SIGNS: Final = (
    "\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_PART: Final = re.compile(f"[{_SIGNS}]|[^\\W_{_SIGNS}]+")
_SIGN: Final = re.compile(f"[{_SIGNS}]")


def indexed(*texts: str | None) -> str:
    """The distinct words of all ``texts`` with a space between each two, at most 1,000."""
    words = dict.fromkeys(word for text in texts if text for word in _stored(text))
    return " ".join(list(words)[:_MAX_STORED])


def searched(search: str) -> tuple[str, ...]:
    """The words that a search asks for; the first 16 distinct ones count."""
    words = dict.fromkeys(
        part[:MAX_WORD] for chunk in _bare(search[:10_000]).split() for part in _parts(chunk)
    )
    return tuple(words)[:MAX_WORDS]


@lru_cache(maxsize=4096)
def _stored(text: str) -> tuple[str, ...]:
    return tuple(word[:MAX_WORD] for chunk in _bare(text).split() for word in _words(chunk))


def _words(chunk: str) -> Iterable[str]:
    # Most are one word and nothing else; a scan looks at millions.
    return (chunk,) if chunk.isascii() and chunk.isalnum() else _with_joined(_parts(chunk))


def _bare(text: str) -> str:
    return fold(text).translate(_BARE_LETTERS)


def _parts(chunk: str) -> list[str]:
    return _PART.findall(chunk) or [chunk]


def _with_joined(parts: list[str]) -> Iterator[str]:
    yield from parts
    letters = [part for part in parts if not _SIGN.match(part)]
    if len(letters) > 1:
        yield "".join(letters)
