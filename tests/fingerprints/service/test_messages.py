"""The protobuf messages say what the dataclasses say, and a reply is believed only if it can be true."""

import math
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from analyses import analysis, probe
from google.protobuf import descriptor_pb2

import tonearm
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service.messages import (
    from_reply,
    probe_from_reply,
    to_probe_reply,
    to_reply,
)
from tonearm.model.errors import InvalidFingerprint
from tonearm.model.fingerprint import DIMENSION_NAMES
from tonearm.model.measures import TrackMeasures
from tonearm.model.probe import Probe

PROTO = "tonearm/fingerprints/service/fingerprint.proto"
MEASURE_NAMES = tuple(measure.name for measure in fields(TrackMeasures))
PROBE_NAMES = tuple(value.name for value in fields(Probe))


def test_fingerprint_message_has_the_dimensions_in_order_all_optional_doubles() -> None:
    found = pb.Fingerprint.DESCRIPTOR.fields
    assert tuple(field.name for field in found) == DIMENSION_NAMES
    assert [field.number for field in found] == list(range(1, 26))
    assert all(field.has_presence and field.type == field.TYPE_DOUBLE for field in found)


def test_measures_message_has_the_fields_of_track_measures_in_order() -> None:
    found = pb.Measures.DESCRIPTOR.fields
    assert tuple(field.name for field in found) == MEASURE_NAMES
    assert all(field.has_presence or field.is_repeated for field in found)


def test_probe_message_has_the_fields_of_probe() -> None:
    found = pb.Probe.DESCRIPTOR.fields
    assert {field.name for field in found} == set(PROBE_NAMES)
    assert all(field.has_presence or field.is_repeated for field in found)


def test_a_probe_survives_the_wire_bit_for_bit() -> None:
    wire = to_probe_reply(probe(), processing_time_ms=3).SerializeToString()
    assert probe_from_reply(pb.MeasureReply.FromString(wire)) == probe()


@pytest.mark.parametrize("name", PROBE_NAMES)
def test_a_probe_with_a_value_absent_is_none(name: str) -> None:
    reply = to_probe_reply(probe(), 1)
    reply.probe.ClearField(name)
    with pytest.raises(InvalidFingerprint):
        probe_from_reply(reply)


def test_a_probe_by_other_definitions_is_none() -> None:
    reply = to_probe_reply(probe(), 1)
    reply.algorithm_version += 1
    with pytest.raises(InvalidFingerprint):
        probe_from_reply(reply)


def test_committed_code_is_what_the_proto_generates(tmp_path: Path) -> None:
    source = Path(tonearm.__file__).parents[1]
    generated = tmp_path / "set"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{source}", f"--descriptor_set_out={generated}"]
    subprocess.run([*command, PROTO], cwd=source, check=True)
    (wanted,) = descriptor_pb2.FileDescriptorSet.FromString(generated.read_bytes()).file
    committed = descriptor_pb2.FileDescriptorProto.FromString(pb.DESCRIPTOR.serialized_pb)
    for file in (wanted, committed):
        for message in file.message_type:
            for field in message.field:
                field.ClearField("json_name")
    assert committed == wanted


def test_an_analysis_survives_the_wire_bit_for_bit() -> None:
    original = analysis()
    wire = to_reply(original, processing_time_ms=17).SerializeToString()
    reply = pb.MeasureReply.FromString(wire)
    assert from_reply(reply) == original
    assert reply.processing_time_ms == 17


def test_a_zero_is_a_value() -> None:
    quiet = analysis(tempo_bpm=0.0, stereo_width=0.0)
    wire = to_reply(quiet, 1).SerializeToString()
    assert from_reply(pb.MeasureReply.FromString(wire)) == quiet


@pytest.mark.parametrize("name", DIMENSION_NAMES)
def test_24_numbers_are_no_fingerprint(name: str) -> None:
    reply = to_reply(analysis(), 1)
    reply.result.fingerprint.ClearField(name)
    with pytest.raises(InvalidFingerprint, match=name):
        from_reply(reply)


@pytest.mark.parametrize("name", MEASURE_NAMES)
def test_an_absent_measure_is_no_analysis(name: str) -> None:
    reply = to_reply(analysis(), 1)
    reply.result.measures.ClearField(name)
    with pytest.raises(InvalidFingerprint):
        from_reply(reply)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lufs", math.nan),
        ("tempo_bpm", math.inf),
        ("lufs", -70.5),
        ("stereo_width", 1.001),
        ("phase_correlation", -1.001),
        ("crest_db", -0.001),
        ("mid_pct", 23.0),
    ],
)
def test_numbers_that_cannot_be_true_are_refused(name: str, value: float) -> None:
    reply = to_reply(analysis(), 1)
    setattr(reply.result.fingerprint, name, value)
    with pytest.raises(InvalidFingerprint):
        from_reply(reply)


def test_numbers_by_other_definitions_are_refused() -> None:
    reply = to_reply(analysis(), 1)
    reply.algorithm_version += 1
    with pytest.raises(InvalidFingerprint, match="version"):
        from_reply(reply)


def test_not_a_number_among_the_measures_is_refused() -> None:
    reply = to_reply(analysis(), 1)
    reply.result.measures.lra_lu = math.nan
    with pytest.raises(InvalidFingerprint, match="lra_lu"):
        from_reply(reply)
