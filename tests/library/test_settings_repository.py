"""Settings: JSON in, the same JSON out."""

import math

import pytest


@pytest.mark.parametrize("value", ["warm", 0.75, -14, True, None, ["a", 1], {"deep": {"er": "é"}}])
def test_a_value_comes_back(library, value):
    library.settings.put("name", value)
    assert library.settings.get("name") == value
    assert library.settings.all() == {"name": value}


def test_a_later_value_takes_the_place(library):
    library.settings.put("name", 1)
    library.settings.put("other", 2)
    library.settings.put("name", 3)
    assert library.settings.all() == {"name": 3, "other": 2}


def test_what_was_never_put_is_none(library):
    assert library.settings.get("name") is None


@pytest.mark.parametrize("value", [object(), math.nan, {1, 2}])
def test_what_is_not_json_is_refused(library, value):
    with pytest.raises((TypeError, ValueError), match="JSON"):
        library.settings.put("name", value)
    assert library.settings.all() == {}


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_an_impossible_name_is_refused(library, key):
    with pytest.raises(ValueError, match=r"1\.\.200"):
        library.settings.put(key, 1)
