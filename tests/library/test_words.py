"""Words: what is stored is found by what people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.library.words import MAX_WORD, MAX_WORDS, indexed, searched


@pytest.mark.parametrize(
    ("stored", "search"),
    [
        ("Björk", "bjork"),
        ("Motörhead", "motor"),
        ("AC/DC", "ac/dc"),
        ("AC/DC", "acdc"),
        ("AC/DC", "ac dc"),
        ("Don't Stop", "dont st"),
        ("R.E.M.", "rem"),
        ("!!!", "!!!"),
        ("Ed Sheeran ÷", "÷"),
        ("MØ", "mo"),
        ("Sigur Rós - Ágætis byrjun", "agaetis"),
        ("東京事変", "事変"),
        ("방탄소년단", "방탄"),
        ("ＷＩＤＥ", "wide"),
        ("Straße", "STRASSE"),
        ("snake_case", "case"),
    ],
)
def test_what_people_type_begins_a_word_that_is_stored(stored, search):
    words = indexed(stored).split(" ")
    assert searched(search)
    assert all(any(word.startswith(part) for word in words) for part in searched(search))


@pytest.mark.parametrize("search", ["", "  ", "\0", "\u0301"])
def test_what_holds_no_word_asks_for_nothing(search):
    assert searched(search) == ()


@given(st.text(max_size=60))
def test_what_is_stored_is_found_by_itself(text):
    words = indexed(text).split(" ")
    assert all(any(word.startswith(part) for word in words) for part in searched(text))


@given(st.text())
def test_words_can_be_stored_and_have_an_end(text):
    stored = indexed(text, text)
    stored.encode()
    assert "\0" not in stored
    assert all(0 < len(word) <= MAX_WORD for word in stored.split())
    assert len(searched(text * 100)) <= MAX_WORDS
