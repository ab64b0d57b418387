"""Inbound messages: what is understood, what is refused, and that nothing breaks the parser."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonearm.model.plan import Preset
from tonearm.protocol.requests import (
    BadMessage,
    ErrorKind,
    PlayEnhanced,
    PlayNormal,
    SampleFormat,
    Seek,
    SetEnhancement,
    Signal,
    Transport,
    parse,
)


def said(kind: str, **data: object) -> str:
    return json.dumps({"type": kind, "data": data})


def refused(text: str) -> BadMessage:
    with pytest.raises(BadMessage) as caught:
        parse(text)
    return caught.value


def test_a_play_with_nothing_but_a_track_takes_the_defaults():
    assert parse(said("play_enhanced", track_id=7)) == PlayEnhanced(7, None, None, 0.0, None)
    assert parse(said("play_normal", track_id=7)) == PlayNormal(7)
    assert PlayNormal(7) == PlayNormal(7, 0.0, None, SampleFormat.F32LE, level_match=False)


def test_everything_named_is_read_and_unknown_keys_are_ignored():
    text = said(
        "play_enhanced",
        track_id=7,
        preset="warm",
        intensity=0,
        start_position=12,
        transport="binary",
        level="album",
        level_match=True,
        sample_format="s16le",
        after_track_id=6,
        colour="blue",
    )
    assert parse(text) == PlayEnhanced(
        7, Preset.WARM, 0.0, 12.0, Transport.BINARY, SampleFormat.S16LE, "album", True, 6
    )
    text = said("play_normal", track_id=7, sample_format="s16le", level_match=True, after_track_id="?")
    assert parse(text) == PlayNormal(7, sample_format=SampleFormat.S16LE, level_match=True)


def test_seek_and_set_enhancement_leave_open_what_they_do_not_name():
    assert parse(said("seek", track_id=7, position=3.5)) == Seek(7, 3.5, None, None)
    assert parse(said("set_enhancement", position=3.5, enabled=False)) == SetEnhancement(
        3.5, False, None, None, None
    )
    assert parse(said("seek", track_id=7, position=0, level_match=False)) == Seek(7, 0.0, level_match=False)
    changed = parse(said("set_enhancement", position=0, level_match=True))
    assert changed == SetEnhancement(0.0, level_match=True)


@pytest.mark.parametrize("kind", list(Signal))
def test_signals_need_no_data(kind):
    assert parse(json.dumps({"type": kind})) is Signal(kind)
    assert parse(json.dumps({"type": kind, "data": None})) is Signal(kind)


@pytest.mark.parametrize("track_id", [None, True, 0, -1, 1.0, "7", [7], {}, 2**63, 10**400])
def test_a_track_id_is_an_integer_that_a_database_can_hold(track_id):
    assert refused(said("play_enhanced", track_id=track_id)).kind is ErrorKind.VALIDATION


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("intensity", -0.01),
        ("intensity", 1.01),
        ("intensity", True),
        ("intensity", "1"),
        ("intensity", 10**400),
        ("start_position", -1),
        ("start_position", 1e300),
        ("start_position", False),
        ("start_position", []),
        ("preset", "loud"),
        ("preset", 3),
        ("preset", ["adaptive"]),
        ("transport", "pigeon"),
        ("level", "genre"),
        ("level", ["album"]),
        ("sample_format", "mp3"),
        ("level_match", "yes"),
        ("level_match", 1),
        ("after_track_id", 0),
        ("after_track_id", "6"),
        ("after_track_id", True),
    ],
)
def test_bad_values_are_refused_by_name(name, value):
    error = refused(said("play_enhanced", track_id=7, **{name: value}))
    assert error.kind is ErrorKind.VALIDATION
    assert name in error.message


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(number):
    kind = refused(f'{{"type":"play_enhanced","data":{{"track_id":7,"intensity":{number}}}}}').kind
    assert kind in {ErrorKind.INVALID_JSON, ErrorKind.VALIDATION}


@pytest.mark.parametrize(
    "missing", [said("seek", track_id=7), said("set_enhancement", enabled=True), said("seek")]
)
def test_what_is_required_is_asked_for(missing):
    assert refused(missing).kind is ErrorKind.VALIDATION


@pytest.mark.parametrize("text", ["", "{", "nul", "[" * 60_000, '{"type":"ping"' + " " * 10, "9" * 5_000])
def test_what_is_not_json_is_called_that(text):
    assert refused(text).kind is ErrorKind.INVALID_JSON


@pytest.mark.parametrize(
    "text", ["[]", "1", "null", '"ping"', "{}", '{"type":5}', '{"type":"pause","data":[1]}']
)
def test_json_of_another_shape_is_a_bad_value(text):
    assert refused(text).kind is ErrorKind.VALIDATION


def test_an_unknown_type_is_named_but_not_at_any_length():
    error = refused(json.dumps({"type": "\ud800" + "x" * 50_000}))
    assert error.kind is ErrorKind.UNKNOWN_TYPE
    assert len(error.message) < 200
    error.message.encode()


def test_the_limit_counts_bytes_not_characters():
    assert refused(" " * 65_537).kind is ErrorKind.TOO_LARGE
    assert refused(json.dumps("é" * 40_000, ensure_ascii=False)).kind is ErrorKind.TOO_LARGE
    padding = " " * (65_536 - len('{"type":"ping"}'))
    assert parse('{"type":"ping"}' + padding) is Signal.PING


_plain = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "warm", "binary", "album"])
)
_values = _plain | st.lists(_plain, max_size=2) | st.dictionaries(st.just("x"), _plain)
_names = st.sampled_from(
    ["track_id", "intensity", "preset", "position", "start_position", "transport", "level"]
)
_kinds = st.sampled_from(["play_enhanced", "play_normal", "seek", "set_enhancement", "stop"])


@given(kind=_kinds, data=st.dictionaries(_names, _values))
def test_any_json_is_understood_or_refused(kind, data):
    try:
        request = parse(json.dumps({"type": kind, "data": data}))
    except BadMessage as error:
        json.dumps(error.message).encode()
    else:
        assert isinstance(request, PlayEnhanced | PlayNormal | Seek | SetEnhancement | Signal)


@given(text=st.text())
def test_any_text_is_understood_or_refused(text):
    with pytest.raises(BadMessage):
        parse(text)


def test_null_is_as_good_as_absent():
    nulls = {"track_id": 1, "preset": None, "intensity": None, "transport": None, "after_track_id": None}
    assert parse(json.dumps({"type": "play_enhanced", "data": nulls})) == parse(
        json.dumps({"type": "play_enhanced", "data": {"track_id": 1}})
    )
