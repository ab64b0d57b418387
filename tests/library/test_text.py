"""The forms in which text is compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.library.text import fold, identity, printable

ANY_TEXT = st.text(st.characters(), max_size=30)


@pytest.mark.parametrize(
    ("text", "folded", "name"),
    [
        ("Björk", "bjork", "björk"),
        ("Bjo\u0308rk", "bjork", "björk"),
        ("  AC/DC \t\n Live", "ac/dc live", "ac/dc live"),
        ("ＡＢＢＡ", "abba", "abba"),
        ("Straße", "strasse", "strasse"),
        ("a\0b", "a b", "a\0b"),
        ("é\0b", "e b", "é\0b"),
        ("x\udcff", "x\ufffd", "x\ufffd"),
        ("東京", "東京", "東京"),
        ("", "", ""),
    ],
)
def test_forms(text, folded, name):
    assert (fold(text), identity(text)) == (folded, name)


@given(ANY_TEXT)
def test_forms_can_be_stored_and_do_not_change_again(text):
    for form in (fold, identity, printable):
        form(text).encode()
    assert "\0" not in fold(text)
    assert identity(identity(text)) == identity(text)


@given(ANY_TEXT, ANY_TEXT)
def test_what_folds_alike_is_found(before, after):
    assert fold("Björk") in fold(f"{before} BJORK {after}")
