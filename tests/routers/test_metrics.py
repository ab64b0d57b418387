"""What ``/metrics`` shows of what it was told."""

from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tonearm.model.plan import MasteringState
from tonearm.protocol.messages import StreamType
from tonearm.routers.metrics import Metrics, Parts


@dataclass
class Playing:
    margin_s: float | None
    state: MasteringState = MasteringState.FINGERPRINT
    stream_type: StreamType = StreamType.ENHANCED


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    return Metrics(registry)


def test_streams_are_counted_as_they_are_now(registry, metrics):
    labels = {"type": "enhanced", "mastering_state": "provisional"}
    assert registry.get_sample_value("tonearm_streams", labels) == 0
    first, second = Playing(3.0), Playing(1.5, MasteringState.PROVISIONAL)
    with metrics.running(first), metrics.running(second):
        assert registry.get_sample_value("tonearm_streams", labels) == 1
        second.state = MasteringState.FINGERPRINT
        assert registry.get_sample_value("tonearm_streams", labels) == 0
        now = {"type": "enhanced", "mastering_state": "fingerprint"}
        assert registry.get_sample_value("tonearm_streams", now) == 2
        with pytest.raises(RuntimeError), metrics.running(Playing(0.1)):
            raise RuntimeError("it breaks off")
        assert registry.get_sample_value("tonearm_streams", now) == 2
    assert registry.get_sample_value("tonearm_streams", now) == 0


def test_the_least_lead_is_of_those_who_could_hear_a_gap(registry, metrics):
    assert registry.get_sample_value("tonearm_least_lead_seconds") is None
    held = Playing(None)
    with metrics.running(held):
        assert registry.get_sample_value("tonearm_least_lead_seconds") is None
        with metrics.running(Playing(4.0)), metrics.running(Playing(2.5)):
            assert registry.get_sample_value("tonearm_least_lead_seconds") == 2.5


def test_what_cannot_be_foreseen_starts_at_nothing_and_what_can_at_zero(registry, metrics):
    for name, label, values in (
        ("tonearm_streams_ended_total", "reason", ("completed", "stopped", "errored", "gone")),
        (
            "tonearm_fingerprint_sources_total",
            "source",
            ("database", "sidecar", "service", "probe", "none"),
        ),
    ):
        for value in values:
            assert registry.get_sample_value(name, {label: value}) == 0
    assert registry.get_sample_value("tonearm_late_frames_total") == 0
    assert registry.get_sample_value("tonearm_fallbacks_total", {"reason": "NO_ALBUM"}) is None


def test_what_is_told_is_counted(registry, metrics):
    metrics.fell_back("NO_ALBUM")
    metrics.failed("TRACK_NOT_FOUND")
    metrics.refused("INVALID_QUERY")
    metrics.ended("gone")
    metrics.begins_with("probe")
    metrics.late()
    metrics.first_frame(0.04, MasteringState.FINGERPRINT)
    metrics.first_frame(0.14, MasteringState.PROVISIONAL)
    metrics.show("tonearm_connections", "Open WebSocket connections", lambda: 3)
    for name, labels, value in (
        ("tonearm_fallbacks_total", {"reason": "NO_ALBUM"}, 1),
        ("tonearm_stream_errors_total", {"code": "TRACK_NOT_FOUND"}, 1),
        ("tonearm_http_errors_total", {"code": "INVALID_QUERY"}, 1),
        ("tonearm_streams_ended_total", {"reason": "gone"}, 1),
        ("tonearm_fingerprint_sources_total", {"source": "probe"}, 1),
        ("tonearm_late_frames_total", {}, 1),
        ("tonearm_first_frame_seconds_bucket", {"mastering_state": "fingerprint", "le": "0.05"}, 1),
        ("tonearm_first_frame_seconds_bucket", {"mastering_state": "provisional", "le": "0.1"}, 0),
        ("tonearm_first_frame_seconds_bucket", {"mastering_state": "provisional", "le": "0.15"}, 1),
        ("tonearm_connections", {}, 3),
    ):
        assert registry.get_sample_value(name, labels) == value, name
    assert b"album" in generate_latest(registry)


def test_no_number_comes_with_the_time_of_its_birth(registry, metrics):
    metrics.failed("TRACK_NOT_FOUND")
    metrics.first_frame(0.04, MasteringState.FINGERPRINT)
    text = generate_latest(registry).decode()
    assert 'tonearm_stream_errors_total{code="TRACK_NOT_FOUND"} 1.0' in text
    assert "_created" not in text


def test_parts_are_up_or_not(registry):
    parts = Parts()
    registry.register(parts)
    parts.states = {"database": "ok", "fingerprint_server": "unavailable"}
    assert registry.get_sample_value("tonearm_component_up", {"component": "database"}) == 1
    assert registry.get_sample_value("tonearm_component_up", {"component": "fingerprint_server"}) == 0
