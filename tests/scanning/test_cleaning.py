"""Whatever tags hold, what is kept can be shown, stored and sorted."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.scanning.cleaning import MAX_LENGTH, MAX_VALUES, clean, clean_all, credits_of, number, year

ANY_TEXT = st.text(st.characters(), max_size=50)


@pytest.mark.parametrize(
    ("dirty", "kept"),
    [
        ("plain", "plain"),
        ("  a \t\r\n b\u00a0\u3000c  ", "a b c"),
        ("bell\x07 nul\x00 escape\x1b[31m", "bell nul escape[31m"),
        ("\u202egnp.exe", "gnp.exe"),
        ("\ufeffname", "name"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("family 👩\u200d👧", "family 👩\u200d👧"),
        ("東京事変", "東京事変"),
        ("x" * 5000, "x" * MAX_LENGTH),
        ("x" * (MAX_LENGTH - 1) + " y", "x" * (MAX_LENGTH - 1)),
        ("\x00\x01 \n", None),
        ("", None),
        (None, None),
    ],
)
def test_clean(dirty, kept):
    assert clean(dirty) == kept


@given(ANY_TEXT)
def test_what_is_kept_is_one_line_of_text(text):
    kept = clean(text)
    if kept is not None:
        kept.encode()
        assert kept == kept.strip()
        assert 0 < len(kept) <= MAX_LENGTH
        assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in kept)
        assert clean(kept) == kept


def test_a_book_in_the_title_is_cut_before_it_is_cleaned():
    assert clean("\x00" * 50_000_000) is None


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["A", "B"], ("A", "B")),
        (["A; B ;; A"], ("A", "B")),
        (["A\x00B\x00"], ("A", "B")),
        (["AC/DC"], ("AC/DC",)),
        (["Crosby, Stills & Nash"], ("Crosby, Stills & Nash",)),
        ([], ()),
        (["", "\x01", ";"], ()),
        ([str(n) for n in range(500)], tuple(str(n) for n in range(MAX_VALUES))),
    ],
)
def test_several_values(values, kept):
    assert clean_all(values) == kept


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["A feat. B", "A", "B"], ("A", "B")),
        (["A feat. B", "A"], ("A feat. B", "A")),
        (["A", "B", "C"], ("A", "B", "C")),
        (["A feat. B"], ("A feat. B",)),
    ],
)
def test_of_a_joint_credit_the_names_stay(values, kept):
    assert credits_of(values) == kept


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("03", 3), ("3/12", 3), (" 7 of 9", 7), ("12", 12), ("9999", 9999)]
    + [(text, None) for text in ("0", "0/0", "A1", "-3", "", None, "10000", "1" * 400, "٣", "/12", "³")],
)
def test_number(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("2005/06/05", 2005), ("1987-03-31T07:00:00Z", 1987), ("Oct 3, 1995", 1995), ("20050605", 2005)]
    + [("05.06.2005", 2005), ("(c) 1969 EMI", 1969), ("2009-09-04T14:20", 2009)]
    + [(text, None) for text in ("0000", "", None, "99", "123456", "3024", "abcd", "١٩٩٩", "9" * 5000)],
)
def test_year(text, value):
    assert year(text) == value
