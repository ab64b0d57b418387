"""An analysis and a probe as protobuf messages, and back.

Fields are copied by the names of the dataclasses; a test ties the messages to them.
"""

from dataclasses import fields
from typing import Any, Final

from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.model.errors import InvalidFingerprint
from tonearm.model.fingerprint import ALGORITHM_VERSION, DIMENSION_NAMES, Fingerprint
from tonearm.model.measures import Analysis, TrackMeasures
from tonearm.model.probe import Probe

_MEASURE_NAMES: Final = tuple(measure.name for measure in fields(TrackMeasures))
_PROBE_NAMES: Final = tuple(value.name for value in fields(Probe))


def to_reply(analysis: Analysis, processing_time_ms: int) -> pb.MeasureReply:
    """The final reply to a request: all 25 values, all measures, and by which definitions."""
    measures = {name: getattr(analysis.measures, name) for name in _MEASURE_NAMES}
    return pb.MeasureReply(
        result=pb.Result(
            fingerprint=pb.Fingerprint(**analysis.fingerprint.as_mapping()),
            measures=pb.Measures(**measures),
        ),
        algorithm_version=analysis.algorithm_version,
        processing_time_ms=processing_time_ms,
    )


def to_probe_reply(probe: Probe, processing_time_ms: int) -> pb.MeasureReply:
    """The reply that comes before the final one, if a probe was asked for."""
    return pb.MeasureReply(
        probe=pb.Probe(**{name: getattr(probe, name) for name in _PROBE_NAMES}),
        algorithm_version=ALGORITHM_VERSION,
        processing_time_ms=processing_time_ms,
    )


def probe_from_reply(reply: pb.MeasureReply) -> Probe:
    """Read a probe, believing nothing.

    Raises:
        InvalidFingerprint: as ``from_reply``.
    """
    _require_version(reply)
    return Probe(**_present(reply.probe, _PROBE_NAMES))


def from_reply(reply: pb.MeasureReply) -> Analysis:
    """Read the final reply, believing nothing.

    Raises:
        InvalidFingerprint: a value is absent, not finite or out of range, the bands do not sum to
            100, or the numbers follow other definitions than this program's.
    """
    _require_version(reply)
    result = reply.result
    return Analysis(
        fingerprint=Fingerprint(**_present(result.fingerprint, DIMENSION_NAMES)),
        measures=TrackMeasures(**_present(result.measures, _MEASURE_NAMES)),
        algorithm_version=reply.algorithm_version,
    )


def _require_version(reply: pb.MeasureReply) -> None:
    if reply.algorithm_version != ALGORITHM_VERSION:
        raise InvalidFingerprint(
            f"wanted algorithm version {ALGORITHM_VERSION}, got {reply.algorithm_version}"
        )


def _present(message: pb.Fingerprint | pb.Measures | pb.Probe, names: tuple[str, ...]) -> dict[str, Any]:
    """The values of a message by name; repeated ones as tuples, whose length the dataclass checks."""
    values: dict[str, Any] = {}
    for name in names:
        value = getattr(message, name)
        if isinstance(value, int | float | bytes):
            if not message.HasField(name):
                raise InvalidFingerprint(f"{name} is absent from the reply")
            values[name] = value
        else:
            values[name] = tuple(value)
    return values
