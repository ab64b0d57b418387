"""Words to a tree, by recursive descent. Errors say where, what was found and what was wanted."""

import math
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Final

from tonearm.library.smart.fields import FIELDS, Kind
from tonearm.library.smart.tokens import Mark, Token, tokens
from tonearm.library.smart.tree import (
    AllOf,
    AnyOf,
    Between,
    Comparison,
    Condition,
    Contains,
    Flag,
    Not,
    OneOf,
    OrderKey,
    Query,
    Value,
)
from tonearm.model.errors import InvalidQuery

MAX_DEPTH: Final = 24
MAX_CONDITIONS: Final = 100
MAX_VALUES: Final = 100
MAX_LIMIT: Final = 10_000
_MAX_KEYS: Final = 4

_SIGNS: Final = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_HOURS: Final = {"hour": 1, "day": 24, "week": 168, "month": 30 * 24, "year": 365 * 24}
_KEYWORDS: Final = {"and", "or", "not", "between", "in", "contains", "order", "by", "limit", "asc", "desc"}


def parse(query: str) -> Query:
    """Read a query.

    Raises:
        InvalidQuery: it cannot be read; its text says where and what was wanted.
    """
    return _Parser(tokens(query)).query()


class _Parser:
    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._place = 0
        self._conditions = 0

    @property
    def _next(self) -> Token:
        return self._words[self._place]

    def query(self) -> Query:
        condition: Condition = AllOf(())
        if not (self._is("order") or self._is("limit") or self._next.mark is Mark.END):
            condition = self._condition(0)
        order = self._order() if self._take("order") else ()
        limit = self._limit() if self._take("limit") else None
        if self._next.mark is not Mark.END:
            wanted = ["limit"] if order else ["and", "or", "order by", "limit"]
            raise self._unexpected([*wanted, "the end"] if limit is None else ["the end"])
        return Query(condition, order, limit)

    def _condition(self, depth: int) -> Condition:
        return self._joined("or", AnyOf, lambda: self._joined("and", AllOf, lambda: self._one(depth)))

    def _joined(
        self,
        word: str,
        join: Callable[[tuple[Condition, ...]], Condition],
        part: Callable[[], Condition],
    ) -> Condition:
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else join(tuple(parts))

    def _one(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise self._error(f"conditions are nested more than {MAX_DEPTH} deep")
        if self._take("not"):
            return Not(self._one(depth + 1))
        if self._take("("):
            condition = self._condition(depth + 1)
            self._want(")")
            return condition
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise self._error(f"a query has at most {MAX_CONDITIONS} conditions")
        return self._comparison()

    def _comparison(self) -> Condition:
        name, kind = self._field()
        if kind is Kind.FLAG:
            return Flag(name)
        if self._next.mark is Mark.SIGN and self._next.text in _SIGNS:
            return self._compared(name, kind)
        negated = self._take("not")
        condition: Condition
        if self._take("between"):
            condition = self._between(name, kind)
        elif self._take("in"):
            condition = OneOf(name, self._values(name, kind))
        elif self._take("contains"):
            condition = self._contained(name, kind)
        else:
            words = ["between", "in", "contains"]
            raise self._unexpected(words if negated else [*_SIGNS, *words, "not"])
        return Not(condition) if negated else condition

    def _compared(self, name: str, kind: Kind) -> Condition:
        sign = _SIGNS[self._next.text]
        if kind is Kind.TEXTS and sign not in {"=", "!="}:
            raise self._error(f"{name} is {kind.value}, which has no order", ["=", "!=", "in", "contains"])
        self._place += 1
        return Comparison(name, sign, self._value(name, kind))

    def _between(self, name: str, kind: Kind) -> Condition:
        if kind is Kind.TEXTS:
            raise self._error(f"{name} is {kind.value}, which has no order", ["=", "!=", "in", "contains"])
        low = self._value(name, kind)
        self._want("and")
        return Between(name, low, self._value(name, kind))

    def _values(self, name: str, kind: Kind) -> tuple[Value, ...]:
        self._want("(")
        values = [self._value(name, kind)]
        while self._take(","):
            if len(values) == MAX_VALUES:
                raise self._error(f"at most {MAX_VALUES} values can be listed")
            values.append(self._value(name, kind))
        self._want(")")
        return tuple(values)

    def _contained(self, name: str, kind: Kind) -> Condition:
        if kind not in {Kind.TEXT, Kind.TEXTS}:
            raise self._error(f"{name} is {kind.value}, and only texts contain something")
        return Contains(name, str(self._value(name, Kind.TEXT)))

    def _value(self, name: str, kind: Kind) -> Value:
        word = self._next
        if kind is Kind.NUMBER and word.mark is Mark.NUMBER:
            self._place += 1
            return self._number(word)
        if kind in {Kind.TEXT, Kind.TEXTS} and word.mark is Mark.TEXT:
            self._place += 1
            return word.text
        if kind is Kind.MOMENT and word.mark is Mark.DATE:
            self._place += 1
            return self._date(word)
        if kind is Kind.MOMENT and word.mark is Mark.NUMBER:
            return self._ago()
        shown = {
            Kind.NUMBER: ["a number such as 12.5"],
            Kind.MOMENT: ["a date such as 2025-12-31", "a time such as 30 days ago"],
        }.get(kind, ['a text in quotes such as "Techno"'])
        raise self._error(f"{name} is {kind.value}; found {word}", shown)

    def _number(self, word: Token) -> float:
        value = float(word.text)
        if not math.isfinite(value) or abs(value) > 1e15:
            raise InvalidQuery(f"position {word.position}: {word} is too large", word.position)
        return value

    def _date(self, word: Token) -> date:
        try:
            return date.fromisoformat(word.text)
        except ValueError as exc:
            raise InvalidQuery(
                f"position {word.position}: there is no day {word.text}", word.position
            ) from exc

    def _ago(self) -> timedelta:
        start = self._next
        count = self._number(start)
        self._place += 1
        hours = _HOURS.get(self._next.text.removesuffix("s")) if self._next.mark is Mark.WORD else None
        if hours is None:
            raise self._unexpected([f"{unit}s" for unit in _HOURS])
        self._place += 1
        self._want("ago")
        if not 0 <= count * hours <= 200 * _HOURS["year"]:
            raise InvalidQuery(f"position {start.position}: wanted 0 to 200 years ago", start.position)
        return timedelta(hours=count * hours)

    def _order(self) -> tuple[OrderKey, ...]:
        self._want("by")
        keys = [self._key()]
        while self._take(","):
            keys.append(self._key())
        if len(keys) > _MAX_KEYS:
            raise self._error(f"an order has at most {_MAX_KEYS} keys")
        return tuple(keys)

    def _key(self) -> OrderKey:
        start = self._next
        name, kind = self._field()
        if name == "genre":
            raise InvalidQuery(
                f"position {start.position}: {name} is {kind.value}, which has no order", start.position
            )
        descending = self._take("desc")
        if not descending:
            self._take("asc")
        return OrderKey(name, descending)

    def _limit(self) -> int:
        word = self._next
        if word.mark is not Mark.NUMBER or not word.text.isdecimal() or not 1 <= int(word.text) <= MAX_LIMIT:
            raise self._unexpected([f"a whole number from 1 to {MAX_LIMIT}"])
        self._place += 1
        return int(word.text)

    def _field(self) -> tuple[str, Kind]:
        word = self._next
        if word.mark is not Mark.WORD or word.text in _KEYWORDS:
            raise self._unexpected(["the name of a field", "not", "("])
        kind = FIELDS.get(word.text)
        if kind is None:
            near = get_close_matches(word.text, FIELDS, 3, 0.5)
            near += [name for name in FIELDS if word.text in name.split("_") and name not in near]
            raise self._error(f"there is no field {word}", near[:3])
        self._place += 1
        return word.text, kind

    def _is(self, text: str) -> bool:
        return self._next.mark in {Mark.WORD, Mark.SIGN} and self._next.text == text

    def _take(self, text: str) -> bool:
        if not self._is(text):
            return False
        self._place += 1
        return True

    def _want(self, text: str) -> None:
        if not self._take(text):
            raise self._unexpected([text])

    def _unexpected(self, wanted: Iterable[str]) -> InvalidQuery:
        return self._error(f"found {self._next}", wanted)

    def _error(self, what: str, wanted: Iterable[str] = ()) -> InvalidQuery:
        choices = tuple(wanted)
        hint = f"; wanted {' or '.join(choices)}" if choices else ""
        position = self._next.position
        return InvalidQuery(f"position {position}: {what}{hint}", position, choices)
