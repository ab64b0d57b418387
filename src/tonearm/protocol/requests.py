"""What a client may say: inbound text, parsed and checked.

Types are strict (a boolean is no number, a number no string), ranges are checked, NaN and
infinities are refused, unknown keys are ignored.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeVar

from tonearm.model.errors import TonearmError
from tonearm.model.plan import Level, Preset

MAX_MESSAGE_BYTES: Final = 64 * 1024
MAX_TRACK_ID: Final = 2**63 - 1
MAX_POSITION_S: Final = 1e7
"""115 days: longer than any file, short enough that a frame count stays a sane integer."""

_ECHO_CHARACTERS: Final = 60


class Transport(StrEnum):
    """How samples travel: inside JSON text, or as a binary message after a text one."""

    BASE64 = "base64"
    BINARY = "binary"


class SampleFormat(StrEnum):
    """What a sample is: 32-bit float, or a 16-bit integer (dithered; in binary messages only)."""

    F32LE = "f32le"
    S16LE = "s16le"


class ErrorKind(StrEnum):
    INVALID_JSON = "invalid_json"
    VALIDATION = "validation_error"
    UNKNOWN_TYPE = "unknown_message_type"
    TOO_LARGE = "message_too_large"
    RATE_LIMIT = "rate_limit_exceeded"
    UNSUPPORTED_FRAME = "unsupported_frame_type"


class BadMessage(TonearmError):
    """A message that cannot be followed; ``kind`` and the text go back to the client."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True)
class PlayEnhanced:
    """Play a track mastered, from ``start_position`` seconds; ``after_track_id`` has just played.

    Of the mastering, what is None is as the listener prefers it.
    """

    track_id: int
    preset: Preset | None = None
    intensity: float | None = None
    start_position: float = 0.0
    transport: Transport | None = None
    sample_format: SampleFormat = SampleFormat.F32LE
    level: Level | None = None
    level_match: bool = False
    after_track_id: int | None = None


@dataclass(frozen=True, slots=True)
class PlayNormal:
    """Play a track as it is: bit for bit, or as loud as it is mastered."""

    track_id: int
    start_position: float = 0.0
    transport: Transport | None = None
    sample_format: SampleFormat = SampleFormat.F32LE
    level_match: bool = False


@dataclass(frozen=True, slots=True)
class Seek:
    """Go on at ``position`` seconds; what is None stays as it is in the running stream."""

    track_id: int
    position: float
    preset: Preset | None = None
    intensity: float | None = None
    level_match: bool | None = None


@dataclass(frozen=True, slots=True)
class SetEnhancement:
    """Change the mastering of the running stream from ``position`` seconds on; None stays as it is."""

    position: float
    enabled: bool | None = None
    preset: Preset | None = None
    intensity: float | None = None
    level_match: bool | None = None


class Signal(StrEnum):
    """Messages that carry no data."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    BUFFER_FULL = "buffer_full"
    BUFFER_READY = "buffer_ready"
    PING = "ping"
    PONG = "pong"
    HEARTBEAT = "heartbeat"


KEEP_ALIVE: Final = frozenset({Signal.PING, Signal.PONG, Signal.HEARTBEAT})

Request = PlayEnhanced | PlayNormal | Seek | SetEnhancement | Signal

_Choice = TypeVar("_Choice", bound=StrEnum)


def parse(text: str) -> Request:
    """One inbound text message as a request.

    Raises:
        BadMessage: it is too large, no JSON object, of an unknown type, or holds a bad value.
    """
    if len(text) > MAX_MESSAGE_BYTES or len(text.encode()) > MAX_MESSAGE_BYTES:
        raise BadMessage(ErrorKind.TOO_LARGE, f"a message may have at most {MAX_MESSAGE_BYTES} bytes")
    try:
        message = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadMessage(ErrorKind.INVALID_JSON, "the message is not valid JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise _invalid("a message is a JSON object with a string 'type'")
    kind, data = message["type"], message.get("data")
    if data is not None and not isinstance(data, dict):
        raise _invalid("'data' must be an object")
    if kind in _PARSERS:
        return _PARSERS[kind](_Fields(data or {}))
    try:
        return Signal(kind)
    except ValueError as error:
        raise BadMessage(ErrorKind.UNKNOWN_TYPE, f"unknown type {_echo(kind)}") from error


class _Fields:
    """Typed reading of one ``data`` object; a key that is absent or null gives None."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = {name: value for name, value in data.items() if value is not None}

    def track_id(self, name: str = "track_id") -> int:
        value = self._data.get(name)
        if type(value) is not int or not 1 <= value <= MAX_TRACK_ID:
            raise _invalid(f"{name} must be an integer > 0, got {_echo(value)}")
        return value

    def after_track_id(self) -> int | None:
        return self.track_id("after_track_id") if "after_track_id" in self._data else None

    def number(self, name: str, high: float) -> float | None:
        """A number in 0..``high``."""
        if name not in self._data:
            return None
        value = self._data[name]
        # Compared before it is converted: an integer may be too large for a float.
        if type(value) not in {int, float} or not 0 <= value <= high:
            raise _invalid(f"{name} must be a number from 0 to {high:g}, got {_echo(value)}")
        return float(value)

    def position(self, name: str) -> float:
        value = self.number(name, MAX_POSITION_S)
        if value is None:
            raise _invalid(f"{name} is required")
        return value

    def intensity(self) -> float | None:
        return self.number("intensity", 1.0)

    def start_position(self) -> float:
        return self.number("start_position", MAX_POSITION_S) or 0.0

    def boolean(self, name: str) -> bool | None:
        if name not in self._data:
            return None
        value = self._data[name]
        if type(value) is not bool:
            raise _invalid(f"{name} must be true or false, got {_echo(value)}")
        return value

    def choice(self, name: str, choices: type[_Choice]) -> _Choice | None:
        if name not in self._data:
            return None
        value = self._data[name]
        if not isinstance(value, str) or value not in set(choices):
            raise _invalid(f"{name} must be one of {', '.join(choices)}, got {_echo(value)}")
        return choices(value)

    def preset(self) -> Preset | None:
        return self.choice("preset", Preset)

    def level(self) -> Level | None:
        if "level" not in self._data:
            return None
        value = self._data["level"]
        if value not in ("track", "album"):
            raise _invalid(f"level must be track or album, got {_echo(value)}")
        return "album" if value == "album" else "track"

    def sample_format(self) -> SampleFormat:
        return self.choice("sample_format", SampleFormat) or SampleFormat.F32LE


def _play_enhanced(fields: _Fields) -> PlayEnhanced:
    return PlayEnhanced(
        track_id=fields.track_id(),
        preset=fields.preset(),
        intensity=fields.intensity(),
        start_position=fields.start_position(),
        transport=fields.choice("transport", Transport),
        sample_format=fields.sample_format(),
        level=fields.level(),
        level_match=fields.boolean("level_match") or False,
        after_track_id=fields.after_track_id(),
    )


def _play_normal(fields: _Fields) -> PlayNormal:
    return PlayNormal(
        track_id=fields.track_id(),
        start_position=fields.start_position(),
        transport=fields.choice("transport", Transport),
        sample_format=fields.sample_format(),
        level_match=fields.boolean("level_match") or False,
    )


def _seek(fields: _Fields) -> Seek:
    return Seek(
        fields.track_id(),
        fields.position("position"),
        fields.preset(),
        fields.intensity(),
        fields.boolean("level_match"),
    )


def _set_enhancement(fields: _Fields) -> SetEnhancement:
    return SetEnhancement(
        fields.position("position"),
        fields.boolean("enabled"),
        fields.preset(),
        fields.intensity(),
        fields.boolean("level_match"),
    )


_PARSERS: Final[Mapping[str, Callable[[_Fields], Request]]] = {
    "play_enhanced": _play_enhanced,
    "play_normal": _play_normal,
    "seek": _seek,
    "set_enhancement": _set_enhancement,
}


def _invalid(message: str) -> BadMessage:
    return BadMessage(ErrorKind.VALIDATION, message)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _echo(value: object) -> str:
    """A client's own value, short enough to send back."""
    if type(value) is int and abs(value) > MAX_TRACK_ID:
        return "a number that is too large"
    text = json.dumps(value)
    return text if len(text) <= _ECHO_CHARACTERS else text[:_ECHO_CHARACTERS] + "..."
