"""Text to words of the language, each with the place where it stands."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tonearm.model.errors import InvalidQuery

MAX_LENGTH: Final = 2_000


class Mark(Enum):
    """What kind of word it is."""

    WORD = "a word"
    NUMBER = "a number"
    DATE = "a date"
    TEXT = "a text"
    SIGN = "a sign"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a query.

    Attributes:
        position: of its first character, counted from 1.
        text: as it stands there; of a text what is between the quotes, of a word in lower case.
    """

    mark: Mark
    text: str
    position: int

    def __str__(self) -> str:
        return self.mark.value if self.mark is Mark.END else f'"{self.text[:40]}"'


_PATTERN: Final = re.compile(
    r"""\s*(?:
      (?P<DATE>\d{4}-\d{2}-\d{2}(?![\w-]))
    | (?P<NUMBER>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,3})?(?![\w.]))
    | (?P<WORD>[^\W\d]\w*)
    | (?P<TEXT>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<SIGN>!=|<>|<=|>=|[=<>(),])
    | (?P<END>\Z)
    )""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


def tokens(query: str) -> list[Token]:
    """Cut a query into words; the last is always the end.

    Raises:
        InvalidQuery: it is too long, or holds something that is no word.
    """
    if len(query) > MAX_LENGTH:
        raise InvalidQuery(
            f"a query has at most {MAX_LENGTH:,} characters, got {len(query):,}", MAX_LENGTH + 1
        )
    if "\0" in query:
        raise _no_word(query, query.index("\0"))
    found: list[Token] = []
    place = 0
    while not found or found[-1].mark is not Mark.END:
        match = _PATTERN.match(query, place)
        if match is None or match.lastgroup is None:
            raise _no_word(query, place)
        name = match.lastgroup
        found.append(Token(Mark[name], _meant(name, match.group(name)), match.start(name) + 1))
        place = match.end()
    return found


def _meant(name: str, text: str) -> str:
    if name == "TEXT":
        return _ESCAPE.sub(r"\1", text[1:-1])
    return text.lower() if name == "WORD" else text


def _no_word(query: str, place: int) -> InvalidQuery:
    start = place + len(query[place:]) - len(query[place:].lstrip())
    if query[start] in "\"'":
        return InvalidQuery(f"position {start + 1}: this text has no closing {query[start]}", start + 1)
    return InvalidQuery(f'position {start + 1}: "{query[start]}" means nothing here', start + 1)
