"""What is counted while the server works, for ``/metrics``.

Everything that is told here while sound is made is a counter and no more. What a stream is like now (its
state, how far ahead it is) is asked of it when somebody looks.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tonearm.model.plan import MasteringState
from tonearm.protocol.messages import EndReason, StreamType

GONE: Final = "gone"
"""How a stream ended whose client went away without a word."""

ORIGINS: Final = ("database", "sidecar", "service", "probe", "none")

FIRST_FRAME_S: Final = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Bounds about what is promised: 0.05 s where the fingerprint is stored, 0.15 s where the track is new."""


class Running(Protocol):
    """A stream that plays."""

    @property
    def stream_type(self) -> StreamType:
        """What was asked for."""
        ...

    @property
    def state(self) -> MasteringState:
        """On what its sound rests now."""
        ...

    @property
    def margin_s(self) -> float | None:
        """Seconds that keep the listener from a gap; None while the client holds the stream itself."""
        ...


class Metrics:
    """What streams and connections tell of themselves; its numbers are in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Each counter would come with a second one that says since when it counts.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry
        self._ended = Counter(
            "tonearm_streams_ended",
            "Streams on sockets that had started, by how they ended",
            ["reason"],
            registry=registry,
        )
        self._first_frame = Histogram(
            "tonearm_first_frame_seconds",
            "From a play, seek or switch on a socket to its first audio frame, by the state it began in",
            ["mastering_state"],
            buckets=FIRST_FRAME_S,
            registry=registry,
        )
        self._late = Counter(
            "tonearm_late_frames",
            "Frames made after real time had overtaken a stream that its client did not hold",
            registry=registry,
        )
        self._origins = Counter(
            "tonearm_fingerprint_sources",
            "Plays that wanted a fingerprint, by where what they began with came from",
            ["source"],
            registry=registry,
        )
        self._fallbacks = Counter(
            "tonearm_fallbacks",
            "Times that a play got less than it asked for (standard mastering, only a first impression, "
            "no level match, the track's level instead of the album's), by the code of the reason",
            ["reason"],
            registry=registry,
        )
        self._errors = Counter(
            "tonearm_stream_errors", "Errors told to clients on sockets, by code", ["code"], registry=registry
        )
        self._refusals = Counter(
            "tonearm_http_errors",
            "Problem documents that answered HTTP requests, by code",
            ["code"],
            registry=registry,
        )
        for reason in (*EndReason, GONE):
            self._ended.labels(reason)
        for origin in ORIGINS:
            self._origins.labels(origin)
        self._playing = _Playing()
        registry.register(self._playing)

    def begins_with(self, origin: str) -> None:
        """A play that wanted a fingerprint begins with what came from here; one of ``ORIGINS``."""
        self._origins.labels(origin).inc()

    def fell_back(self, code: str) -> None:
        """A play gets less than it asked for."""
        self._fallbacks.labels(code).inc()

    def late(self) -> None:
        """A frame was made after real time had overtaken its stream."""
        self._late.inc()

    @contextmanager
    def running(self, stream: Running) -> Iterator[None]:
        """Show a stream until the context is left."""
        self._playing.streams.append(stream)
        try:
            yield
        finally:
            self._playing.streams.remove(stream)

    def first_frame(self, seconds: float, state: MasteringState) -> None:
        """So long after it was asked for, the first sound of a stream is on its way."""
        self._first_frame.labels(state).observe(seconds)

    def ended(self, reason: str) -> None:
        """A stream that had started is over: an ``EndReason``, or ``GONE``."""
        self._ended.labels(reason).inc()

    def failed(self, code: str) -> None:
        """A client was told this error."""
        self._errors.labels(code).inc()

    def refused(self, code: str) -> None:
        """A request over HTTP was answered with this error."""
        self._refusals.labels(code).inc()

    def show(self, name: str, what: str, read: Callable[[], float]) -> None:
        """Show a number that somebody else keeps; ``read`` is called when it is asked for."""
        Gauge(name, what, registry=self._registry).set_function(read)


class _Playing(Collector):
    """The streams on sockets that play now."""

    def __init__(self) -> None:
        self.streams: list[Running] = []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        count = GaugeMetricFamily(
            "tonearm_streams", "Streams on sockets that play now", labels=["type", "mastering_state"]
        )
        tally = Tally((stream.stream_type, stream.state) for stream in self.streams)
        for kind in StreamType:
            for state in MasteringState:
                count.add_metric([kind, state], tally[kind, state])
        yield count
        least = GaugeMetricFamily(
            "tonearm_least_lead_seconds",
            "The least that lies ahead of any listener now, of those whose client does not hold the stream",
        )
        margins = [margin for stream in self.streams if (margin := stream.margin_s) is not None]
        if margins:
            least.add_metric([], min(margins))
        yield least


class Parts(Collector):
    """Whether each part of the server could do its work when it was last asked."""

    def __init__(self) -> None:
        self.states: Mapping[str, str] = {}

    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "tonearm_component_up", "1 where a part of the server can do its work", labels=["component"]
        )
        for name, state in self.states.items():
            family.add_metric([name], float(state == "ok"))
        yield family
