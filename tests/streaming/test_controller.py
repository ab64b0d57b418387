"""What a play does, from the request to the last word, on fakes at the ports."""

import asyncio
import gc
import json
import math
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from analyses import analysis, probe, track
from structlog.testing import capture_logs

from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.audio import AudioFormat
from tonearm.model.errors import (
    DecodeError,
    FileMissing,
    FingerprintServerDown,
    FingerprintTimeout,
    LibraryUnavailable,
    NoAlbum,
    NotEnoughAudio,
    TonearmError,
    TrackNotFound,
)
from tonearm.model.measures import Analysis, Stored
from tonearm.model.plan import AlbumLevel, MasteringPlan, Preset, Target
from tonearm.model.probe import Probe
from tonearm.model.stream import Heard, Joint, MeterReading, Rendered
from tonearm.model.track import Track
from tonearm.protocol.flow import Flow
from tonearm.protocol.frames import AudioFrame, StreamEvent
from tonearm.protocol.messages import (
    EndReason,
    FingerprintProgress,
    PlanChanged,
    RequestRefused,
    StreamEnded,
    StreamFailed,
    StreamRequest,
    StreamStarted,
    StreamType,
)
from tonearm.protocol.requests import SampleFormat, Transport
from tonearm.streaming.controller import AudioStreamController
from tonearm.streaming.pool import RenderPool
from tonearm.streaming.ports import Opening, Running

RATE = 44_100


@dataclass
class Ramp:
    """A renderer of samples that tell which frame they are; may break off, may be watched."""

    opening: Opening
    length: int
    breaks_at: int | None = None
    joint: Joint | None = None
    constant: float | None = None
    retargeted: list[tuple[int, MasteringPlan, float, float]] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self.source, self.position = self.opening.source, self.opening.start_frame
        self.info = self.opening.track.info

    @property
    def format(self) -> AudioFormat:
        return AudioFormat(self.info.format.rate, min(2, self.info.format.channels))

    @property
    def plan(self) -> MasteringPlan:
        return self.source.plan if isinstance(self.source, HybridProcessor) else self.source

    @property
    def sixteen_bits(self) -> bool:
        return self.plan.bypass and self.info.bit_depth == 16

    def read(self, frames: int) -> Rendered:
        end = self.length if self.breaks_at is None else self.breaks_at
        taken = max(0, min(frames, end - self.position))
        if not taken and self.breaks_at is not None:
            raise DecodeError("/music/song.flac is damaged")
        numbers = np.arange(self.position, self.position + taken, dtype=np.float32)
        if self.constant is not None:
            numbers[:] = self.constant
        self.position += taken
        return Rendered(np.repeat(numbers[:, None], self.format.channels, axis=1), READING)

    def retarget(self, plan: MasteringPlan, match_gain_db: float, glide_s: float) -> None:
        self.retargeted.append((self.position, plan, match_gain_db, glide_s))
        self.source = plan

    def close(self) -> None:
        self.closed = True


READING = MeterReading(Heard(-3.0, -20.0), Heard(-1.0, -math.inf), 1.25)


@dataclass
class Fingerprints:
    """Answers what the test says, when the test says."""

    stored: Analysis | None = None
    place: str = "database"
    probe: Probe | None = None
    answer: Analysis | TonearmError | None = None
    serving: bool = True
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    calls: list[str] = field(default_factory=list)
    cancelled: bool = False

    async def lookup(self, wanted: Track) -> Stored | None:
        return None if self.stored is None else Stored(self.stored, self.place)

    async def generate_stages(self, wanted: Track) -> AsyncGenerator[Probe | Analysis, None]:
        self.calls.append("generate")
        try:
            if self.probe is not None:
                yield self.probe
            await self.ready.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if isinstance(self.answer, TonearmError):
            raise self.answer
        assert self.answer is not None
        yield self.answer

    def look_after(self) -> asyncio.Future[bool]:
        self.calls.append("look_after")
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(self.serving)
        return answer


@dataclass
class Counts:
    """What was counted, and the streams that play now."""

    fallbacks: list[str] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    late_frames: int = 0
    playing: list[Running] = field(default_factory=list)

    def begins_with(self, origin: str) -> None:
        self.origins.append(origin)

    def fell_back(self, code: str) -> None:
        self.fallbacks.append(code)

    def late(self) -> None:
        self.late_frames += 1

    @contextmanager
    def running(self, stream: Running) -> Iterator[None]:
        self.playing.append(stream)
        try:
            yield
        finally:
            self.playing.remove(stream)


@dataclass
class Tracks:
    known: Track
    error: TonearmError | None = None
    others: dict[int, Track] = field(default_factory=dict)

    def get(self, track_id: int) -> Track:
        if self.error is not None:
            raise self.error
        if track_id in self.others:
            return self.others[track_id]
        if track_id != self.known.id:
            raise TrackNotFound(f"track {track_id}")
        return self.known


@dataclass
class Albums:
    levels: dict[int, AlbumLevel] = field(default_factory=dict)

    def level(self, album_id: int | None) -> AlbumLevel | None:
        return None if album_id is None else self.levels.get(album_id)


def song(seconds: float, *, exact: bool = True, announced: int | None = None) -> Track:
    known = track()
    frames = round(seconds * RATE) if announced is None else announced
    return replace(known, info=replace(known.info, frames=frames, frames_exact=exact))


def counted(frames: int) -> Analysis:
    found = analysis(lufs=-18.0, crest_db=14.0)
    measures = replace(
        found.measures,
        frames=frames,
        rate=RATE,
        channels=2,
        true_peak_dbtp=-1.0,
        downmix_true_peak_dbtp=-1.0,
        downmix_lufs=-18.0,
        lra_lu=6.0,
        plr_db=17.0,
        psr_p10_db=12.0,
        bass_phase_correlation=0.9,
    )
    return replace(found, measures=measures)


class Stage:
    """A controller with everything around it, and a way to let it play."""

    def __init__(self, pool: RenderPool, queries: ThreadPoolExecutor) -> None:
        self.pool, self.queries = pool, queries
        self.tracks = Tracks(song(3.0))
        self.albums = Albums()
        self.fingerprints = Fingerprints()
        self.make: Callable[..., Ramp] = Ramp
        self.renderers: list[Ramp] = []
        self.counts = Counts()
        self.length: int | None = None
        self.constant: float | None = None
        self.breaks_at: int | None = None
        self.cannot_open: TonearmError | None = None
        self.start_wait_s = 5.0
        self.lead_s = 600.0
        self.clock: Callable[[], float] = time.monotonic

    def open(self, opening: Opening) -> Ramp:
        if self.cannot_open is not None:
            raise self.cannot_open
        length = opening.track.info.frames if self.length is None else self.length
        joint = None if opening.earlier is None else Joint(gapless=True)
        made = Ramp(opening, length, self.breaks_at, joint, self.constant)
        self.renderers.append(made)
        return made

    def controller(self) -> AudioStreamController:
        return AudioStreamController(
            tracks=self.tracks,
            albums=self.albums,
            queries=self.queries,
            fingerprints=self.fingerprints,
            plans=AdaptiveMode(),
            target=Target(),
            open_stream=self.open,
            pool=self.pool,
            lead_s=self.lead_s,
            start_wait_s=self.start_wait_s,
            clock=self.clock,
            counts=self.counts,
        )

    def stream(self, request: StreamRequest, flow: Flow) -> Any:
        controller = self.controller()
        if request.stream_type is StreamType.NORMAL:
            return controller.stream_normal_audio(request, flow)
        return controller.stream_enhanced_audio(request, flow)

    async def play(self, **changes: object) -> list[StreamEvent]:
        async with asyncio.timeout(20):
            return [event async for event in self.stream(request(**changes), free_flow())]


def free_flow() -> Flow:
    return Flow(flow_controlled=True, paused=False)


def request(**changes: object) -> StreamRequest:
    asked = StreamRequest(
        track_id=1,
        stream_type=StreamType.ENHANCED,
        preset=Preset.ADAPTIVE,
        intensity=1.0,
        start_position=0.0,
        transport=Transport.BINARY,
        epoch=1,
    )
    return replace(asked, **changes)


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    made = RenderPool(2)
    yield made
    made.close(5)


@pytest.fixture(scope="module")
def queries() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


@pytest.fixture
def stage(pool: RenderPool, queries: ThreadPoolExecutor) -> Stage:
    return Stage(pool, queries)


def names(events: list[StreamEvent]) -> list[str]:
    """The kinds of events in order, frames as one word."""
    said: list[str] = []
    for event in events:
        word = event.status.value if isinstance(event, FingerprintProgress) else type(event).__name__
        if word != "AudioFrame" or said[-1:] != ["AudioFrame"]:
            said.append(word)
    return said


def samples(events: list[StreamEvent]) -> np.ndarray:
    blocks = [
        np.frombuffer(event.samples, "<f4").reshape(-1, event.channels)
        for event in events
        if isinstance(event, AudioFrame)
    ]
    return np.concatenate(blocks)[:, 0]


def first(events: list[StreamEvent], kind: type) -> Any:
    return next(event for event in events if isinstance(event, kind))


async def test_a_stored_fingerprint_is_used_from_the_first_sample(stage):
    stage.fingerprints.stored = counted(3 * RATE)
    with capture_logs() as log:
        events = await stage.play()
    assert names(events) == ["cached", "StreamStarted", "PlanChanged", "AudioFrame", "StreamEnded"]
    started = first(events, StreamStarted)
    assert (started.mastering_state, started.duration_exact) == ("fingerprint", True)
    plan = json.loads(first(events, PlanChanged).text())["data"]
    assert (plan["state"], plan["lwrp"]["class"], plan["stream_epoch"]) == ("fingerprint", "master", 1)
    np.testing.assert_array_equal(samples(events), np.arange(3 * RATE))
    ended = events[-1]
    assert (ended.total_frames, ended.reason) == (3 * RATE, EndReason.COMPLETED)
    assert [entry["event"] for entry in log] == [
        "Received play_enhanced",
        "FingerprintGenerator available",
        "Adaptive mastering will use fingerprint-optimized parameters",
        "Starting audio stream",
    ]
    assert all(entry["track_id"] == 1 for entry in log)
    assert log[-1].items() >= {"preset": "adaptive", "intensity": 1.0, "chunks": 1}.items()
    assert stage.counts.fallbacks == []


async def test_the_plan_is_the_one_that_adaptive_mode_decides(stage):
    stage.fingerprints.stored = found = counted(3 * RATE)
    await stage.play(preset=Preset.WARM, intensity=0.5)
    wanted = AdaptiveMode().plan(found.fingerprint, found.measures, Preset.WARM, 0.5, Target())
    assert stage.renderers[0].source == wanted


async def test_the_plan_aims_at_the_loudness_that_is_asked_for(stage):
    stage.tracks.known = replace(stage.tracks.known, album_id=7)
    stage.fingerprints.stored = found = counted(3 * RATE)
    stage.albums.levels[7] = level = AlbumLevel(lufs=-25.0, true_peak_dbtp=-6.0)
    mode = AdaptiveMode()
    for of, album in (("track", None), ("album", level)):
        await stage.play(level=of, target_lufs=-20.0)
        target = Target(lufs=-20.0, level=of, album=album)
        wanted = mode.plan(found.fingerprint, found.measures, Preset.ADAPTIVE, 1.0, target)
        assert stage.renderers[-1].source == wanted
        assert wanted.target_lufs == -20.0


async def test_the_level_of_the_album_decides_the_gain(stage):
    stage.tracks.known = replace(stage.tracks.known, album_id=7)
    stage.fingerprints.stored = found = counted(3 * RATE)
    stage.albums.levels[7] = level = AlbumLevel(lufs=-25.0, true_peak_dbtp=-6.0)
    await stage.play(level="album")
    target = Target(level="album", album=level)
    wanted = AdaptiveMode().plan(found.fingerprint, found.measures, Preset.ADAPTIVE, 1.0, target)
    assert stage.renderers[0].source == wanted
    assert (
        wanted.gain_db
        != AdaptiveMode().plan(found.fingerprint, found.measures, Preset.ADAPTIVE, 1.0, Target()).gain_db
    )


@pytest.mark.parametrize(("album_id", "code"), [(None, "NO_ALBUM"), (8, "ALBUM_NOT_MEASURED")])
async def test_an_album_without_a_level_plays_at_the_tracks_own_and_everyone_is_told(stage, album_id, code):
    stage.tracks.known = replace(stage.tracks.known, album_id=album_id)
    stage.fingerprints.stored = counted(3 * RATE)
    with capture_logs() as log:
        events = await stage.play(level="album")
    found = stage.fingerprints.stored
    track_level = AdaptiveMode().plan(found.fingerprint, found.measures, Preset.ADAPTIVE, 1.0, Target())
    assert stage.renderers[0].plan.gain_db == track_level.gain_db
    assert json.loads(first(events, StreamStarted).text())["data"]["level"] == "track"
    told = json.loads(first(events, PlanChanged).text())["data"]
    assert told["level"] == "track"
    assert "the album's level was asked for" in told["parameters"]["target_lufs"]["reason"]
    assert stage.counts.fallbacks == [code]
    (warning,) = [entry for entry in log if entry["log_level"] == "warning"]
    assert (warning["event"], warning["code"]) == ("Streaming at the level of the track", code)
    with pytest.raises(TonearmError) as refused:
        await stage.controller().sound_of(request(level="album"))
    assert refused.value.code == code
    # The source needs no level.
    assert first(await stage.play(level="album", intensity=0.0), StreamStarted).mastering_state == "none"


@pytest.mark.parametrize("error", [FingerprintServerDown("refused"), NotEnoughAudio("0.2 s")])
@pytest.mark.parametrize("kind", list(StreamType))
async def test_the_album_that_was_asked_for_is_told_of_whatever_the_plan(stage, error, kind):
    stage.fingerprints.answer = error
    stage.fingerprints.ready.set()
    events = await stage.play(level="album", level_match=True, stream_type=kind)
    told = data_of(first(events, PlanChanged))
    assert told["state"] in {"standard", "none"}
    said = told["parameters"]["target_lufs"]["reason"]
    assert said.startswith(f"the album's level was asked for: {NoAlbum.sentence} ")
    assert said.count("the album's level was asked for") == 1
    assert stage.counts.fallbacks[0] == "NO_ALBUM"


async def test_the_sound_as_things_stand_is_that_of_a_play(stage):
    stage.fingerprints.stored = found = counted(3 * RATE)
    known, sound = await stage.controller().sound_of(request(preset=Preset.WARM))
    assert known == stage.tracks.known
    plan = AdaptiveMode().plan(found.fingerprint, found.measures, Preset.WARM, 1.0, Target())
    assert (sound.source, sound.frames) == (plan, 3 * RATE)
    _, original = await stage.controller().sound_of(request(stream_type=StreamType.NORMAL))
    assert original.source.bypass


async def test_the_sound_as_things_stand_leaves_no_one_waiting(stage):
    stage.fingerprints.probe = probe()
    _, sound = await stage.controller().sound_of(request())
    assert (sound.source.state, sound.listening) == ("provisional", None)
    assert stage.fingerprints.cancelled
    stage.fingerprints.probe, stage.start_wait_s = None, 0.01
    _, sound = await stage.controller().sound_of(request())
    assert isinstance(sound.source, HybridProcessor)
    assert stage.counts.fallbacks == ["START_WAIT"]
    assert stage.fingerprints.calls[-1] == "look_after"


async def test_a_track_that_is_measured_in_time_starts_with_its_fingerprint(stage):
    stage.fingerprints.answer = counted(3 * RATE)
    stage.fingerprints.ready.set()
    events = await stage.play()
    assert names(events)[:3] == ["analyzing", "complete", "StreamStarted"]
    assert first(events, StreamStarted).mastering_state == "fingerprint"
    assert stage.fingerprints.calls == ["generate"]


@pytest.mark.parametrize(
    "error", [FingerprintServerDown("refused"), FingerprintTimeout("late"), DecodeError("odd")]
)
async def test_without_a_fingerprint_the_fallback_plays_and_everyone_is_told(stage, error):
    stage.fingerprints.answer = error
    stage.fingerprints.ready.set()
    with capture_logs() as log:
        events = await stage.play()
    assert names(events)[:3] == ["analyzing", "failed", "StreamStarted"]
    assert error.sentence in first(events[1:], FingerprintProgress).message
    assert first(events, StreamStarted).mastering_state == "standard"
    assert isinstance(stage.renderers[0].source, HybridProcessor)
    assert events[-1].reason is EndReason.COMPLETED
    assert stage.counts.fallbacks == [error.code]
    warning = next(entry for entry in log if entry["log_level"] == "warning")
    assert warning["event"] == "Streaming with standard adaptive mastering"
    assert (warning["track_id"], warning["code"], warning["reason"]) == (1, error.code, str(error))


async def test_too_little_audio_plays_unchanged_and_says_why(stage):
    stage.fingerprints.answer = NotEnoughAudio("0.2 s")
    stage.fingerprints.ready.set()
    events = await stage.play()
    assert names(events)[:3] == ["analyzing", "failed", "StreamStarted"]
    assert first(events, StreamStarted).mastering_state == "none"
    assert stage.renderers[0].source.bypass
    assert NotEnoughAudio.sentence in first(events, PlanChanged).text()
    assert stage.counts.fallbacks == []


@pytest.mark.parametrize("impressed", [False, True])
async def test_too_little_audio_that_turns_out_late_is_glided_to_unchanged(stage, impressed):
    stage.start_wait_s = 0.05
    stage.tracks.known = song(60.0)
    stage.fingerprints.probe = probe() if impressed else None
    stage.fingerprints.answer = NotEnoughAudio("nothing above the gate")
    stream = stage.stream(request(level_match=True), free_flow())
    events = await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
    stage.fingerprints.ready.set()
    events += [event async for event in stream]
    plans = [data_of(event) for event in events if isinstance(event, PlanChanged)]
    assert [plan["state"] for plan in plans] == ["provisional" if impressed else "standard", "none"]
    assert plans[-1]["level_match_gain_db"] == 0.0
    assert plans[-1]["parameters"]["gain_db"]["reason"] == NotEnoughAudio.sentence
    (failed,) = [
        event for event in events if isinstance(event, FingerprintProgress) and event.status == "failed"
    ]
    assert failed.message == f"{NotEnoughAudio.sentence} It plays unchanged."
    assert [(plan.bypass, *rest) for _, plan, *rest in stage.renderers[0].retargeted] == [(True, 0.0, 3.0)]
    assert stage.counts.fallbacks == ([] if impressed else ["START_WAIT"])


async def test_intensity_zero_is_the_source_and_needs_no_fingerprint(stage):
    events = await stage.play(intensity=0.0)
    assert names(events) == ["StreamStarted", "PlanChanged", "AudioFrame", "StreamEnded"]
    assert first(events, StreamStarted).mastering_state == "none"
    assert stage.renderers[0].source.bypass
    assert stage.fingerprints.calls == []


async def test_a_normal_play_is_the_source(stage):
    with capture_logs() as log:
        events = await stage.play(stream_type=StreamType.NORMAL, start_position=1.0)
    assert names(events) == ["StreamStarted", "PlanChanged", "AudioFrame", "StreamEnded"]
    assert stage.renderers[0].source.bypass
    start = json.loads(first(events, StreamStarted).text())["data"]
    assert (start["preset"], start["mastering_state"], start["start_position"]) == ("none", "none", 1.0)
    np.testing.assert_array_equal(samples(events), np.arange(RATE, 3 * RATE))
    assert log[-1].items() >= {"event": "Starting audio stream", "preset": "none"}.items()


async def collect(stream: Any, until: Callable[[list[StreamEvent]], bool]) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    async with asyncio.timeout(20):
        async for event in stream:
            events.append(event)
            if until(events):
                break
    return events


async def test_a_slow_fingerprint_is_folded_into_the_running_stream(stage):
    stage.start_wait_s = 0.05
    stage.tracks.known = song(60.0)
    stage.fingerprints.answer = counted(60 * RATE)
    stream = stage.stream(request(), free_flow())
    with capture_logs() as log:
        # The analysis cannot come before it is let through: that sound comes first is no matter of speed.
        events = await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
        stage.fingerprints.ready.set()
        events += [event async for event in stream]
    assert names(events) == [
        "analyzing",
        "analyzing",
        "StreamStarted",
        "PlanChanged",
        "AudioFrame",
        "complete",
        "PlanChanged",
        "AudioFrame",
        "StreamEnded",
    ]
    assert "standard mastering" in events[1].message
    assert first(events, StreamStarted).mastering_state == "standard"
    (position, plan, _, glide_s) = stage.renderers[0].retargeted[0]
    assert (plan.state, glide_s) == ("fingerprint", 3.0)
    assert position < 3 * RATE
    plans = [json.loads(event.text())["data"]["state"] for event in events if isinstance(event, PlanChanged)]
    assert plans == ["standard", "fingerprint"]
    np.testing.assert_array_equal(samples(events), np.arange(60 * RATE))
    assert stage.fingerprints.calls == ["generate", "look_after"]
    assert stage.counts.fallbacks == ["START_WAIT"]
    assert [entry["event"] for entry in log][
        -1
    ] == "Adaptive mastering will use fingerprint-optimized parameters"


async def test_a_first_impression_starts_the_sound_and_the_fingerprint_glides_in(stage):
    stage.tracks.known = song(60.0)
    stage.fingerprints.probe = impression = probe()
    stage.fingerprints.answer = found = counted(60 * RATE)
    stream = stage.stream(request(preset=Preset.WARM), free_flow())
    with capture_logs() as log:
        events = await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
        assert isinstance(stage.renderers[0].source, MasteringPlan)
        wanted = AdaptiveMode().plan_from_probe(impression, Preset.WARM, 1.0, Target())
        assert stage.renderers[0].source == wanted
        stage.fingerprints.ready.set()
        events += [event async for event in stream]
    assert names(events) == [
        "analyzing",
        "analyzing",
        "StreamStarted",
        "PlanChanged",
        "AudioFrame",
        "complete",
        "PlanChanged",
        "AudioFrame",
        "StreamEnded",
    ]
    assert "first impression" in events[1].message
    assert first(events, StreamStarted).mastering_state == "provisional"
    plans = [json.loads(event.text())["data"]["state"] for event in events if isinstance(event, PlanChanged)]
    assert plans == ["provisional", "fingerprint"]
    full = AdaptiveMode().plan(found.fingerprint, found.measures, Preset.WARM, 1.0, Target())
    assert [step[1:] for step in stage.renderers[0].retargeted] == [(full, 0.0, 3.0)]
    np.testing.assert_array_equal(samples(events), np.arange(60 * RATE))
    assert stage.counts.fallbacks == []
    assert not [entry for entry in log if entry["log_level"] == "warning"]


async def test_a_measurement_that_fails_leaves_the_first_impression_and_says_so(stage):
    stage.tracks.known = song(60.0)
    stage.fingerprints.probe = probe()
    stage.fingerprints.answer = FingerprintServerDown("killed")
    stream = stage.stream(request(), free_flow())
    with capture_logs() as log:
        events = await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
        stage.fingerprints.ready.set()
        events += [event async for event in stream]
    assert names(events)[-3:] == ["failed", "AudioFrame", "StreamEnded"]
    assert (
        "first impression"
        in next(
            event for event in events if isinstance(event, FingerprintProgress) and event.status == "failed"
        ).message
    )
    assert events[-1].reason is EndReason.COMPLETED
    assert stage.renderers[0].retargeted == []
    assert stage.counts.fallbacks == ["FINGERPRINT_SERVER_DOWN"]
    (warning,) = [entry for entry in log if entry["log_level"] == "warning"]
    assert (warning["event"], warning["state"]) == ("Playing on without a fingerprint", "provisional")


async def test_an_original_matched_by_a_first_impression_stays_so_if_measuring_fails(stage):
    stage.tracks.known = song(60.0)
    # Mastering turns this one down, so that it is the original that is matched.
    stage.fingerprints.probe = replace(probe(), lufs=-8.0, true_peak_dbtp=0.0)
    stage.fingerprints.answer = FingerprintServerDown("killed")
    stream = stage.stream(request(stream_type=StreamType.NORMAL, level_match=True), free_flow())
    events = await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
    assert data_of(first(events, StreamStarted))["level_match_gain_db"] < -1.0
    stage.fingerprints.ready.set()
    events += [event async for event in stream]
    (failed,) = [
        event for event in events if isinstance(event, FingerprintProgress) and event.status == "failed"
    ]
    assert "unmatched" not in failed.message
    assert "first impression" in failed.message
    assert stage.renderers[0].retargeted == []
    assert stage.counts.fallbacks == ["FINGERPRINT_SERVER_DOWN"]


async def test_a_server_that_gave_a_first_impression_after_all_is_waited_for_and_its_failure_told(stage):
    stage.start_wait_s = 0.05
    stage.tracks.known = song(60.0)
    stage.fingerprints.serving = False
    impressed = asyncio.Event()

    async def stages(wanted: Track) -> AsyncGenerator[Probe | Analysis, None]:
        await impressed.wait()
        yield probe()
        await stage.fingerprints.ready.wait()
        raise FingerprintServerDown("killed")

    stage.fingerprints.generate_stages = stages
    stream = stage.stream(request(), free_flow())
    events = await collect(stream, lambda seen: names(seen)[-1] == "failed")
    impressed.set()
    events += await collect(stream, lambda seen: isinstance(seen[-1], PlanChanged))
    assert data_of(events[-1])["state"] == "provisional"
    stage.fingerprints.ready.set()
    rest = [event async for event in stream]
    assert names(rest).count("failed") == 1
    assert "first impression" in first(rest, FingerprintProgress).message
    assert stage.counts.fallbacks == ["START_WAIT", "FINGERPRINT_SERVER_DOWN"]


async def test_a_first_impression_that_comes_late_is_folded_in_too(stage):
    stage.start_wait_s = 0.05
    stage.tracks.known = song(60.0)
    stage.fingerprints.answer = counted(60 * RATE)
    impressed = asyncio.Event()

    async def stages(wanted: Track) -> AsyncGenerator[Probe | Analysis, None]:
        await impressed.wait()
        yield probe()
        await stage.fingerprints.ready.wait()
        yield counted(60 * RATE)

    stage.fingerprints.generate_stages = stages
    stage.lead_s = 600.0
    stream = stage.stream(request(), free_flow())
    events = await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
    impressed.set()
    events += await collect(stream, lambda seen: isinstance(seen[-1], PlanChanged))
    stage.fingerprints.ready.set()
    events += [event async for event in stream]
    plans = [json.loads(event.text())["data"]["state"] for event in events if isinstance(event, PlanChanged)]
    assert plans == ["standard", "provisional", "fingerprint"]


async def test_an_analysis_as_fast_as_its_probe_is_used_at_once(stage):
    stage.fingerprints.probe = probe()
    stage.fingerprints.answer = counted(3 * RATE)
    stage.fingerprints.ready.set()
    events = await stage.play()
    assert names(events)[:3] == ["analyzing", "complete", "StreamStarted"]
    assert first(events, StreamStarted).mastering_state == "fingerprint"


async def test_little_is_made_ahead_while_a_better_plan_may_come(stage):
    stage.clock = lambda: 0.0
    stage.tracks.known = song(60.0)
    stage.fingerprints.probe = probe()
    stage.fingerprints.answer = counted(60 * RATE)
    stream = stage.stream(request(), free_flow())
    await collect(stream, lambda seen: bool(stage.renderers) and stage.renderers[0].position == 5 * RATE)
    more = asyncio.create_task(anext(stream))
    await asyncio.sleep(0.1)
    assert not more.done()
    stage.fingerprints.ready.set()
    assert (await asyncio.wait_for(more, 20)).status == "complete"
    await collect(stream, lambda _: stage.renderers[0].position == 10 * RATE)
    await stream.aclose()


def data_of(event: StreamEvent) -> dict[str, Any]:
    return json.loads(event.text())["data"]


@pytest.mark.parametrize("kind", list(StreamType))
async def test_a_pair_matched_in_level_is_opened_with_its_gains(stage, kind):
    stage.fingerprints.stored = found = counted(3 * RATE)
    events = await stage.play(stream_type=kind, level_match=True)
    plan = AdaptiveMode().plan(found.fingerprint, found.measures, Preset.ADAPTIVE, 1.0, Target())
    louder = plan.predicted.lufs - plan.measured["lufs"]
    assert louder > 1.0
    gain_db = -louder if kind is StreamType.ENHANCED else 0.0
    assert stage.renderers[0].opening.match_gain_db == pytest.approx(gain_db)
    assert data_of(first(events, StreamStarted))["level_match_gain_db"] == pytest.approx(gain_db)
    assert data_of(first(events, PlanChanged))["level_match_gain_db"] == pytest.approx(gain_db)
    assert stage.renderers[0].plan.bypass == (kind is StreamType.NORMAL)


@pytest.mark.parametrize("kind", list(StreamType))
async def test_unmatched_streams_say_nothing_of_matching(stage, kind):
    stage.fingerprints.stored = counted(3 * RATE)
    events = await stage.play(stream_type=kind)
    assert stage.renderers[0].opening.match_gain_db == 0.0
    for event in (first(events, StreamStarted), first(events, PlanChanged)):
        assert "level_match_gain_db" not in data_of(event)


@pytest.mark.parametrize("kind", list(StreamType))
async def test_a_match_that_becomes_known_is_glided_to_in_the_stream(stage, kind):
    stage.start_wait_s = 0.05
    stage.tracks.known = song(60.0)
    stage.fingerprints.answer = counted(60 * RATE)
    stream = stage.stream(request(stream_type=kind, level_match=True), free_flow())
    with capture_logs() as log:
        events = await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
        stage.fingerprints.ready.set()
        events += [event async for event in stream]
    assert data_of(first(events, StreamStarted))["level_match_gain_db"] is None
    (_, plan, gain_db, glide_s) = stage.renderers[0].retargeted[0]
    assert (plan.bypass, glide_s) == (kind is StreamType.NORMAL, 3.0)
    told = [data_of(event) for event in events if isinstance(event, PlanChanged)]
    assert [data["level_match_gain_db"] for data in told] == [None, gain_db]
    assert (gain_db < -1.0) == (kind is StreamType.ENHANCED)
    assert stage.counts.fallbacks == ["START_WAIT"]
    warnings = [entry["event"] for entry in log if entry["log_level"] == "warning"]
    mastered = kind is StreamType.ENHANCED
    assert warnings == [
        "Streaming with standard adaptive mastering" if mastered else "Streaming without level match"
    ]


async def test_an_original_that_cannot_be_matched_plays_on_and_says_so(stage):
    stage.fingerprints.answer = FingerprintServerDown("refused")
    stage.fingerprints.ready.set()
    events = await stage.play(stream_type=StreamType.NORMAL, level_match=True)
    assert "unmatched" in events[1].message
    assert names(events)[:3] == ["analyzing", "failed", "StreamStarted"]
    assert data_of(first(events, StreamStarted))["level_match_gain_db"] is None
    assert (first(events, StreamStarted).mastering_state, events[-1].reason) == ("none", EndReason.COMPLETED)


async def test_the_track_before_is_gone_through_if_it_can_be(stage):
    stage.fingerprints.stored = counted(3 * RATE)
    earlier = replace(stage.tracks.known, id=2)
    stage.tracks.others[2] = earlier
    started = first(await stage.play(after_track_id=2), StreamStarted)
    assert stage.renderers[0].opening.earlier == earlier
    assert data_of(started)["gapless"] is True
    started = first(await stage.play(after_track_id=3), StreamStarted)
    assert stage.renderers[1].opening.earlier is None
    assert data_of(started)["gapless"] is False
    assert TrackNotFound.sentence in data_of(started)["gapless_reason"]


@pytest.mark.parametrize(
    ("changes", "depth", "dithered"),
    [
        ({"stream_type": StreamType.NORMAL}, 16, False),
        ({"stream_type": StreamType.NORMAL}, 24, True),
        ({"intensity": 0.0}, 16, False),
        ({}, 16, True),
        ({"stream_type": StreamType.NORMAL, "level_match": True}, 16, False),
        ({"level_match": True, "intensity": 0.0}, 16, False),
    ],
)
async def test_sixteen_bits_are_dithered_unless_they_are_the_sources_own(stage, changes, depth, dithered):
    info = replace(stage.tracks.known.info, bit_depth=depth)
    stage.tracks.known = replace(stage.tracks.known, info=info)
    stage.fingerprints.stored = counted(3 * RATE)
    stage.constant = 100.4 / 32768
    events = await stage.play(sample_format=SampleFormat.S16LE, **changes)
    sent = b"".join(event.samples for event in events if isinstance(event, AudioFrame))
    values = np.frombuffer(sent, "<i2").reshape(-1, 2)
    assert len(values) == 3 * RATE
    # Between two steps: rounding gives one value, dither both and their neighbours.
    assert len(np.unique(values)) > 1 if dithered else np.all(values == 100)
    assert data_of_meta(events)["sample_format"] == "s16le"


def data_of_meta(events: list[StreamEvent]) -> dict[str, Any]:
    return json.loads(first(events, AudioFrame).messages()[0])["data"]


async def test_the_meters_travel_with_each_frame(stage):
    events = await stage.play(stream_type=StreamType.NORMAL)
    assert data_of_meta(events)["meter"] == {
        "gain_reduction_db": 1.25,
        "before": {"true_peak_dbtp": -3.0, "short_term_lufs": -20.0},
        "after": {"true_peak_dbtp": -1.0, "short_term_lufs": None},
    }


async def test_a_server_that_hangs_is_told_once_and_music_plays(stage):
    stage.start_wait_s = 0.05
    stage.tracks.known = song(60.0)
    stage.fingerprints.serving = False
    stage.fingerprints.answer = FingerprintTimeout("60 s")
    stream = stage.stream(request(), free_flow())
    events = await collect(stream, lambda seen: names(seen)[-1] == "failed")
    stage.fingerprints.ready.set()
    events += [event async for event in stream]
    assert names(events).count("failed") == 1
    assert names(events).index("failed") > names(events).index("StreamStarted")
    assert stage.fingerprints.calls == ["generate", "look_after"]
    assert events[-1].reason is EndReason.COMPLETED


async def test_news_reach_a_stream_that_waits_for_its_client(stage):
    stage.start_wait_s = 0.05
    stage.tracks.known = song(60.0)
    stage.fingerprints.answer = counted(60 * RATE)
    flow = free_flow()
    stream = stage.stream(request(), flow)
    await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
    flow.set_full(True)
    news = asyncio.create_task(anext(stream))
    await asyncio.sleep(0.05)
    assert not news.done()
    stage.fingerprints.ready.set()
    assert (await asyncio.wait_for(news, 5)).status == "complete"
    assert isinstance(await asyncio.wait_for(anext(stream), 5), PlanChanged)
    await stream.aclose()


async def test_a_stream_that_is_dropped_lets_go_of_everything(stage):
    stage.start_wait_s = 0.05
    stage.tracks.known = song(60.0)
    stream = stage.stream(request(), free_flow())
    await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
    await stream.aclose()
    assert stage.fingerprints.cancelled
    async with asyncio.timeout(5):
        while not stage.renderers[0].closed:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("whole", [True, False])
async def test_a_stream_that_is_over_leaves_nothing_for_the_collector_of_garbage(stage, whole):
    """What it leaves lies between the buffers of those that follow, and memory grows."""
    stage.fingerprints.stored = counted(3 * RATE)
    stage.tracks.known = song(3.0)
    flow = free_flow()
    gone = weakref.ref(flow)
    gc.collect()
    gc.disable()
    try:
        stream = stage.stream(request(), flow)
        await collect(stream, lambda seen: isinstance(seen[-1], StreamEnded if whole else AudioFrame))
        await stream.aclose()
        renderer = weakref.ref(stage.renderers.pop())
        del stream, flow
        async with asyncio.timeout(10):
            while gone() is not None or renderer() is not None:
                await asyncio.sleep(0.005)
    finally:
        gc.enable()


async def test_a_play_that_is_cancelled_while_it_waits_lets_go(stage):
    waiting = asyncio.create_task(stage.play())
    while not stage.fingerprints.calls:
        await asyncio.sleep(0.005)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert stage.fingerprints.cancelled
    assert stage.renderers == []


async def test_nothing_is_made_beyond_the_lead(stage):
    stage.lead_s = 5.0
    # The lead soon has its full length, and in a pause nothing is played of it.
    stage.clock = lambda: 100.0 * time.monotonic()
    stage.tracks.known = song(60.0)
    stream = stage.stream(request(intensity=0.0), Flow(flow_controlled=True, paused=True))
    frames = 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            async for event in stream:
                frames += event.frames if isinstance(event, AudioFrame) else 0
    assert frames == stage.renderers[0].position == 5 * RATE


@pytest.mark.parametrize(
    ("error", "code"),
    [(LibraryUnavailable("locked"), "LIBRARY_UNAVAILABLE"), (TrackNotFound("1"), "TRACK_NOT_FOUND")],
)
@pytest.mark.parametrize("kind", list(StreamType))
async def test_a_library_that_does_not_answer_is_an_error_and_nothing_starts(stage, error, code, kind):
    stage.tracks.error = error
    (failed,) = await stage.play(stream_type=kind)
    assert isinstance(failed, StreamFailed)
    assert (failed.code, failed.sentence) == (code, error.sentence)


@pytest.mark.parametrize("error", [FileMissing("/music/song.flac"), DecodeError("/music/song.flac")])
async def test_a_file_that_cannot_be_opened_is_an_error_that_names_no_path(stage, error):
    stage.fingerprints.stored = counted(3 * RATE)
    stage.cannot_open = error
    events = await stage.play()
    assert names(events) == ["cached", "StreamFailed"]
    assert events[-1].code == error.code
    assert "/music" not in events[-1].text()


@pytest.mark.parametrize("kind", list(StreamType))
async def test_without_threads_for_the_sound_nothing_starts(stage, kind):
    stage.fingerprints.stored = counted(3 * RATE)
    stage.pool = RenderPool(1)
    stage.pool.close(5)
    events = await stage.play(stream_type=kind)
    assert (events[-1].code, events[-1].sentence) == (
        "PROCESSOR_UNAVAILABLE",
        "The mastering processor is not available.",
    )
    assert not [event for event in events if isinstance(event, StreamStarted)]


async def test_threads_that_go_away_amid_a_stream_end_it_with_a_code(stage):
    stage.tracks.known = song(60.0)
    stage.pool = RenderPool(1)
    stream = stage.stream(request(stream_type=StreamType.NORMAL), free_flow())
    events = await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
    stage.pool.close(5)
    events += [event async for event in stream]
    failed, ended = events[-2:]
    assert (failed.code, ended.reason) == ("PROCESSOR_UNAVAILABLE", EndReason.ERRORED)
    assert ended.total_frames == len(samples(events))


async def test_a_damaged_file_plays_as_far_as_it_goes_and_says_so(stage):
    stage.breaks_at = 100_003
    events = await stage.play(stream_type=StreamType.NORMAL)
    assert names(events) == ["StreamStarted", "PlanChanged", "AudioFrame", "StreamFailed", "StreamEnded"]
    np.testing.assert_array_equal(samples(events), np.arange(100_003))
    failed, ended = events[-2:]
    assert (failed.code, failed.recovery_position) == ("DECODE_ERROR", pytest.approx(100_003 / RATE))
    assert (ended.reason, ended.total_frames) == (EndReason.ERRORED, 100_003)


async def test_damage_at_the_border_of_a_frame_is_noticed_too(stage):
    stage.breaks_at = RATE
    events = await stage.play(stream_type=StreamType.NORMAL)
    assert (events[-1].reason, events[-1].total_frames) == (EndReason.ERRORED, RATE)


@pytest.mark.parametrize(
    ("announced", "real"), [(100_000, 123_456), (200_000, 123_456), (200_000, 5 * 11_025)]
)
async def test_an_estimate_that_is_wrong_stays_an_estimate(stage, announced, real):
    stage.tracks.known, stage.length = song(0, exact=False, announced=announced), real
    events = await stage.play(stream_type=StreamType.NORMAL)
    started, ended = first(events, StreamStarted), events[-1]
    assert (started.duration_exact, started.total_frames) == (False, announced)
    assert (ended.reason, ended.total_frames) == (EndReason.COMPLETED, real)
    np.testing.assert_array_equal(samples(events), np.arange(real))


@pytest.mark.parametrize("kind", list(StreamType))
async def test_a_counted_length_replaces_the_estimate(stage, kind):
    stage.tracks.known, stage.length = song(0, exact=False, announced=100_000), 123_456
    stage.fingerprints.stored = counted(123_456)
    started = first(await stage.play(stream_type=kind), StreamStarted)
    assert (started.duration_exact, started.total_frames) == (True, 123_456)


@pytest.mark.parametrize("position", [3.0, 3.1, 1e6])
@pytest.mark.parametrize("kind", list(StreamType))
async def test_nothing_starts_beyond_the_end(stage, position, kind):
    stage.fingerprints.stored = counted(3 * RATE)
    events = await stage.play(start_position=position, stream_type=kind)
    refused = events[-1]
    assert isinstance(refused, RequestRefused)
    assert refused.error.kind == "validation_error"
    assert not [event for event in events if isinstance(event, StreamStarted | StreamEnded)]


async def test_the_last_frame_can_be_played_alone(stage):
    events = await stage.play(start_position=(3 * RATE - 1) / RATE, stream_type=StreamType.NORMAL)
    assert list(samples(events)) == [3 * RATE - 1]
    assert (events[-1].total_frames, events[-1].reason) == (3 * RATE, EndReason.COMPLETED)


async def test_sound_is_made_in_the_pool_and_nowhere_else(stage):
    threads = set()
    opened = stage.open

    def open_and_watch(opening: Opening) -> Ramp:
        threads.add(threading.current_thread().name)
        made = opened(opening)
        read = made.read
        made.read = lambda frames: (threads.add(threading.current_thread().name), read(frames))[1]
        return made

    stage.open = open_and_watch
    await stage.play(stream_type=StreamType.NORMAL)
    assert threads
    assert all(name.startswith("render-") for name in threads)


async def test_what_plays_begin_with_is_counted(stage):
    stage.fingerprints.stored, stage.fingerprints.place = counted(3 * RATE), "sidecar"
    await stage.play()
    stage.fingerprints.stored = None
    stage.fingerprints.ready.set()
    for answer in (counted(3 * RATE), NotEnoughAudio("0.2 s"), FingerprintServerDown("refused")):
        stage.fingerprints.answer = answer
        await stage.play()
    stage.fingerprints.ready.clear()
    stage.fingerprints.probe = probe()
    stream = stage.stream(request(), free_flow())
    await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
    await stream.aclose()
    await stage.play(intensity=0.0)
    assert stage.counts.origins == ["sidecar", "service", "none", "none", "probe"]


async def test_a_stream_is_shown_while_it_plays_with_its_state_as_it_changes(stage):
    stage.clock = lambda: 0.0
    stage.tracks.known = song(60.0)
    stage.fingerprints.probe = probe()
    stage.fingerprints.answer = counted(60 * RATE)
    flow = free_flow()
    stream = stage.stream(request(), flow)
    await collect(stream, lambda seen: isinstance(seen[-1], PlanChanged))
    assert stage.counts.playing == []
    await collect(stream, lambda seen: isinstance(seen[-1], AudioFrame))
    (shown,) = stage.counts.playing
    assert (shown.stream_type, shown.state) == ("enhanced", "provisional")
    assert shown.margin_s == pytest.approx(stage.renderers[0].position / RATE)
    flow.set_full(True)
    assert shown.margin_s is None
    flow.set_full(False)
    stage.fingerprints.ready.set()
    await collect(stream, lambda seen: isinstance(seen[-1], PlanChanged))
    assert shown.state == "fingerprint"
    await stream.aclose()
    assert stage.counts.playing == []
    stage.breaks_at = RATE
    assert (await stage.play(stream_type=StreamType.NORMAL))[-1].reason is EndReason.ERRORED
    assert stage.counts.playing == []
