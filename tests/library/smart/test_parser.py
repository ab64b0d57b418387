"""The language: what it means, and what is said where it cannot be read."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.library.smart.fields import FIELDS
from tonearm.library.smart.parser import MAX_CONDITIONS, MAX_DEPTH, MAX_VALUES, parse
from tonearm.library.smart.tokens import MAX_LENGTH
from tonearm.library.smart.tree import (
    AllOf,
    AnyOf,
    Between,
    Comparison,
    Contains,
    Flag,
    Not,
    OneOf,
    OrderKey,
)
from tonearm.model.errors import InvalidQuery

LOUD = Comparison("lufs", ">", -9.0)
LIKED = Flag("favorite")
FAST = Between("tempo_bpm", 120.0, 130.0)
TECHNO = Comparison("genre", "=", "Techno")


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("", AllOf(())),
        ("lufs > -9", LOUD),
        ('lufs>-9 AND Tempo_BPM between 120 and 130 and genre="Techno"', AllOf((LOUD, FAST, TECHNO))),
        ("lufs > -9 or genre = 'Techno' and favorite", AnyOf((LOUD, AllOf((TECHNO, Flag("favorite")))))),
        ("(lufs > -9 or favorite) and not favorite", AllOf((AnyOf((LOUD, LIKED)), Not(LIKED)))),
        ("not not favorite", Not(Not(Flag("favorite")))),
        ("year not between 1980 and 1990", Not(Between("year", 1980.0, 1990.0))),
        ("format in ('flac', \"alac\")", OneOf("format", ("flac", "alac"))),
        ("channels not in (1, 2)", Not(OneOf("channels", (1.0, 2.0)))),
        ("title not contains 'live'", Not(Contains("title", "live"))),
        (r'title = "a \"b\" \\ c"', Comparison("title", "=", 'a "b" \\ c')),
        ("added > 30 days ago", Comparison("added", ">", timedelta(days=30))),
        ("added >= 2025-12-31", Comparison("added", ">=", date(2025, 12, 31))),
        ("year <> 1.5e3", Comparison("year", "!=", 1500.0)),
    ],
)  # fmt: skip
def test_what_is_written_is_what_is_meant(query, condition):
    assert parse(query).condition == condition


def test_order_and_limit_follow():
    parsed = parse("favorite order by year desc, title asc, lufs limit 50")
    assert parsed.order == (OrderKey("year", True), OrderKey("title", False), OrderKey("lufs", False))
    assert parsed.limit == 50
    assert parse("limit 5").condition == AllOf(())
    assert parse("order by added desc").limit is None


@pytest.mark.parametrize(
    ("query", "position", "words"),
    [
        ("tempo > 120", 1, ["no field", "tempo_bpm"]),
        ("lufs > -9 and luffs < 0", 15, ["no field", "lufs"]),
        ("lufs", 5, ["the end", "between", "<="]),
        ("lufs >", 7, ["lufs is a number", "the end", "12.5"]),
        ("lufs > 'loud'", 8, ["lufs is a number", '"loud"']),
        ("genre = 5", 9, ["in quotes"]),
        ("genre > 'A'", 7, ["no order", "contains"]),
        ("lufs > -9 genre = 'A'", 11, ['found "genre"', "and", "or", "order by"]),
        ("(lufs > -9", 11, ["the end", ")"]),
        ("lufs between 1 or 2", 16, ["and"]),
        ("year in 5", 9, ["("]),
        ("year in ()", 10, ["year is a number"]),
        ("year contains '5'", 15, ["only texts"]),
        ('title = "open', 9, ["no closing"]),
        ("lufs > 5 ; drop table tracks", 10, ['";" means nothing']),
        ("added > 30", 11, ["days"]),
        ("added > 30 days", 16, ["ago"]),
        ("added > 2025-02-30", 9, ["no day"]),
        ("added > 99999 years ago", 9, ["200 years"]),
        ("order by genre", 10, ["no order"]),
        ("favorite limit 0", 16, ["whole number"]),
        ("favorite limit 5 limit 6", 18, ["the end"]),
        ("and", 1, ["name of a field"]),
        ("lufs > 1e300", 8, ["too large"]),
        ("lufs > 5x", 8, ["means nothing"]),
        ("title = 'a\0b'", 11, ["means nothing"]),
    ],
)
def test_errors_say_where_and_what_was_wanted(query, position, words):
    with pytest.raises(InvalidQuery) as caught:
        parse(query)
    assert caught.value.position == position
    assert str(caught.value).startswith(f"position {position}: ")
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        "(" * (MAX_DEPTH + 2) + "favorite" + ")" * (MAX_DEPTH + 2),
        "not " * (MAX_DEPTH + 2) + "favorite",
        " or ".join(["favorite"] * (MAX_CONDITIONS + 1)),
        f"year in ({', '.join(['1'] * (MAX_VALUES + 1))})",
        " " * MAX_LENGTH + "favorite",
        "order by year, year, year, year, year",
    ],
)
def test_everything_has_an_end(query):
    with pytest.raises(InvalidQuery, match=r"most|more than"):
        parse(query)


SIGNS = ["and", "or", "not", "(", ")", "<", "=", "5", "'x'", "in", "between", ",", "ago", "limit"]
WORDS = st.sampled_from([*FIELDS, *SIGNS])


@given(st.one_of(st.text(max_size=50), st.lists(WORDS, max_size=20).map(" ".join)))
def test_anything_is_read_or_refused_in_words(query):
    try:
        parse(query)
    except InvalidQuery as error:
        assert error.position is not None
        assert 1 <= error.position <= len(query) + 1
