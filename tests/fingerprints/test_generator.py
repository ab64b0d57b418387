"""Database, then file, then service; once for all who ask; never a wait for one who does not answer."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest
from analyses import analysis, probe, track
from structlog.testing import capture_logs

from tonearm.fingerprints.generator import FingerprintGenerator
from tonearm.model.errors import (
    AnalysisFailed,
    AnalysisTooLarge,
    AnalysisTooLong,
    DecodeError,
    FingerprintServerBusy,
    FingerprintServerDown,
    FingerprintServerFailed,
    FingerprintTimeout,
    InvalidFingerprint,
    LibraryUnavailable,
    NotEnoughAudio,
    TrackNotFound,
)
from tonearm.model.measures import Analysis, Stored
from tonearm.model.probe import Probe
from tonearm.model.track import FileSignature, Track

SIGNATURE = track().signature


class Database:
    """Keeps analyses in a dictionary; ``broken`` raises as a locked database does, ``left`` as one
    that the track has left."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, FileSignature], Analysis] = {}
        self.failures: dict[tuple[int, FileSignature], str] = {}
        self.broken = False
        self.left = False
        self.threads: set[int] = set()

    def get(self, track_id: int, signature: FileSignature) -> Analysis | None:
        self._touch()
        return self.rows.get((track_id, signature))

    def put(self, track_id: int, signature: FileSignature, measured: Analysis) -> None:
        self._touch(track_id)
        self.rows[track_id, signature] = measured

    def record_failure(self, track_id: int, signature: FileSignature, code: str) -> None:
        self._touch(track_id)
        self.failures[track_id, signature] = code

    def failure(self, track_id: int, signature: FileSignature) -> str | None:
        self._touch()
        return self.failures.get((track_id, signature))

    def _touch(self, written: int = 0) -> None:
        self.threads.add(threading.get_ident())
        if self.broken:
            raise LibraryUnavailable("database is locked")
        if self.left and written:
            raise TrackNotFound(f"no track {written}")


class Files:
    """Keeps analyses in a dictionary; ``full`` raises as a full disk does."""

    def __init__(self) -> None:
        self.kept: dict[FileSignature, Analysis] = {}
        self.full = False

    def load(self, signature: FileSignature) -> Analysis | None:
        return self.kept.get(signature)

    def store(self, signature: FileSignature, measured: Analysis) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.kept[signature] = measured


class Service:
    """Answers ``answer`` or raises it, once ``gate`` is open; raises ``faults`` before that, one a call."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked: list[tuple[bool, bool]] = []
        self.ended = 0
        self.probe: Probe | None = None
        self.faults: list[Exception] = []
        self.answer: Analysis | Exception = analysis()
        self.gate = asyncio.Event()
        self.gate.set()
        self.serving = True
        self.health_calls = 0

    async def measure_stream(
        self, wanted: Track, *, background: bool, probe_first: bool
    ) -> AsyncGenerator[Probe | Analysis, None]:
        self.calls += 1
        self.asked.append((background, probe_first))
        try:
            if probe_first and self.probe is not None:
                yield self.probe
            await self.gate.wait()
            if self.faults:
                raise self.faults.pop(0)
            if isinstance(self.answer, Exception):
                raise self.answer
            yield self.answer
        finally:
            self.ended += 1

    async def healthy(self) -> bool:
        self.health_calls += 1
        return self.serving


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


class World:
    def __init__(self, executor: ThreadPoolExecutor, deadline_s: float = 10.0) -> None:
        self.database, self.files, self.service = Database(), Files(), Service()
        self.generator = FingerprintGenerator(self.database, self.files, self.service, deadline_s, executor)


@asynccontextmanager
async def world(executor: ThreadPoolExecutor, deadline_s: float = 10.0):
    made = World(executor, deadline_s)
    yield made
    await made.generator.close()


def events(logs: list) -> list[str]:
    return [entry["event"] for entry in logs]


async def test_a_stored_fingerprint_comes_from_the_database_alone(executor) -> None:
    with capture_logs() as logs:
        async with world(executor) as here:
            here.database.rows[1, SIGNATURE] = analysis()
            assert await here.generator.get_or_generate(track()) == analysis()
            assert here.service.calls == 0
            assert threading.get_ident() not in here.database.threads
    assert events(logs) == ["FingerprintGenerator available", "Loaded fingerprint from database"]
    assert logs[1]["track_id"] == 1


async def test_a_sidecar_answers_and_fills_the_database(executor) -> None:
    async with world(executor) as here:
        here.files.kept[SIGNATURE] = analysis()
        assert await here.generator.lookup(track()) == Stored(analysis(), "sidecar")
        assert here.database.rows == {(1, SIGNATURE): analysis()}
        assert here.service.calls == 0


async def test_an_unknown_track_is_measured_and_kept_before_it_is_told(executor) -> None:
    with capture_logs() as logs:
        async with world(executor) as here:
            assert await here.generator.lookup(track()) is None
            assert await here.generator.get_or_generate(track()) == analysis()
            assert here.database.rows == {(1, SIGNATURE): analysis()}
            assert here.files.kept == {SIGNATURE: analysis()}
            assert here.generator.measuring == 0
    assert events(logs) == [
        "FingerprintGenerator available",
        "Fingerprint not cached, generating via gRPC",
        "Calling gRPC server",
        "gRPC server returned fingerprint",
        "Generated and cached fingerprint",
    ]
    assert all(entry["track_id"] == 1 for entry in logs[1:])


async def test_a_database_that_is_locked_for_writing_keeps_no_other_track_waiting(executor) -> None:
    async with world(executor) as here:
        unlocked = threading.Event()
        put = here.database.put

        def locked(*row) -> None:
            unlocked.wait(10)
            put(*row)

        here.database.put = locked
        here.database.rows[9, SIGNATURE] = analysis()
        tracks = [track(track_id=number) for number in range(1, 6)]
        waiting = [asyncio.create_task(here.generator.generate(wanted)) for wanted in tracks]
        try:
            while here.service.ended < len(waiting):
                await asyncio.sleep(0.001)
            async with asyncio.timeout(2):
                assert await here.generator.lookup(track(track_id=9)) == Stored(analysis(), "database")
            assert not any(task.done() for task in waiting)
        finally:
            unlocked.set()
        assert await asyncio.gather(*waiting) == [analysis()] * 5


async def test_another_state_of_the_file_is_another_measurement(executor) -> None:
    async with world(executor) as here:
        await here.generator.get_or_generate(track(content="old"))
        await here.generator.get_or_generate(track(content="new"))
        assert here.service.calls == 2


async def test_fifty_who_ask_at_once_share_one_measurement(executor) -> None:
    async with world(executor) as here:
        here.service.gate.clear()
        asking = [asyncio.create_task(here.generator.get_or_generate(track())) for _ in range(50)]
        while not here.service.calls:
            await asyncio.sleep(0.001)
        here.service.gate.set()
        assert await asyncio.gather(*asking) == [analysis()] * 50
        assert here.service.calls == 1


async def test_one_who_looked_before_it_was_stored_does_not_measure_again(executor) -> None:
    async with world(executor) as here:
        assert await here.generator.lookup(track()) is None
        await here.generator.generate(track())
        assert await here.generator.generate(track()) == analysis()
        assert here.service.calls == 1


async def test_two_tracks_are_measured_side_by_side(executor) -> None:
    async with world(executor) as here:
        here.service.gate.clear()
        asking = [asyncio.create_task(here.generator.generate(track(track_id=n))) for n in (1, 2)]
        async with asyncio.timeout(5):
            while here.service.calls < 2:
                await asyncio.sleep(0.001)
        assert here.generator.measuring == 2
        quiet = asyncio.create_task(here.generator.idle())
        await asyncio.sleep(0)
        assert not quiet.done()
        here.service.gate.set()
        await asyncio.gather(*asking)
        await asyncio.wait_for(quiet, 5)
        assert here.generator.measuring == 0


async def test_one_who_stops_waiting_does_not_stop_it_for_others(executor) -> None:
    async with world(executor) as here:
        here.service.gate.clear()
        first = asyncio.create_task(here.generator.generate(track()))
        second = asyncio.create_task(here.generator.generate(track()))
        while not here.service.calls:
            await asyncio.sleep(0.001)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        here.service.gate.set()
        assert await second == analysis()
        assert here.service.calls == 1


async def test_when_all_stop_waiting_it_is_finished_and_kept(executor) -> None:
    async with world(executor) as here:
        here.service.gate.clear()
        alone = asyncio.create_task(here.generator.generate(track()))
        while not here.service.calls:
            await asyncio.sleep(0.001)
        alone.cancel()
        here.service.gate.set()
        async with asyncio.timeout(5):
            while here.generator.measuring:
                await asyncio.sleep(0.001)
        assert (1, SIGNATURE) in here.database.rows


async def test_a_locked_database_is_told_and_does_not_keep_a_track_from_being_measured(executor) -> None:
    with capture_logs() as logs:
        async with world(executor) as here:
            here.database.broken = True
            assert await here.generator.get_or_generate(track()) == analysis()
            assert here.files.kept == {SIGNATURE: analysis()}
    warnings = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert "Fingerprint not looked up in database" in warnings
    assert "Fingerprint not stored in database" in warnings
    (cached,) = [entry for entry in logs if entry["event"] == "Generated and cached fingerprint"]
    assert (cached["database"], cached["file"]) == (False, True)


async def test_what_could_not_be_kept_anywhere_is_not_called_cached(executor) -> None:
    with capture_logs() as logs:
        async with world(executor) as here:
            here.database.broken = here.files.full = True
            assert await here.generator.get_or_generate(track()) == analysis()
    assert "Generated and cached fingerprint" not in events(logs)
    assert "Fingerprint not stored in .25d file" in events(logs)


async def test_a_track_that_left_the_library_meanwhile_is_still_answered(executor) -> None:
    async with world(executor) as here:
        here.database.left = True
        assert await here.generator.get_or_generate(track()) == analysis()
        here.service.answer = NotEnoughAudio("short")
        with pytest.raises(NotEnoughAudio):
            await here.generator.get_or_generate(track(content="other"))
        assert here.database.rows == {}


@pytest.mark.parametrize("verdict", [NotEnoughAudio("short"), DecodeError("not audio")])
async def test_a_verdict_on_the_file_is_recorded(executor, verdict) -> None:
    async with world(executor) as here:
        here.service.answer = verdict
        with pytest.raises(type(verdict)):
            await here.generator.get_or_generate(track())
        assert here.database.failures == {(1, SIGNATURE): verdict.code}
        assert here.database.rows == {}
        assert here.files.kept == {}


@pytest.mark.parametrize(
    "fault",
    [
        FingerprintServerDown("refused"),
        FingerprintServerBusy("full"),
        FingerprintServerFailed("died"),
        InvalidFingerprint("NaN"),
    ],
)
async def test_a_fault_of_the_service_is_told_and_not_recorded(executor, fault) -> None:
    with capture_logs() as logs:
        async with world(executor) as here:
            here.service.answer = fault
            with pytest.raises(type(fault)):
                await here.generator.get_or_generate(track())
            assert here.database.failures == {}
            assert not here.generator.suspect
            here.service.answer = analysis()
            assert await here.generator.get_or_generate(track()) == analysis()
    (told,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert told["code"] == fault.code


async def test_after_a_timeout_nobody_waits_until_health_says_serving(executor) -> None:
    with capture_logs() as logs:
        async with world(executor, deadline_s=0.05) as here:
            here.service.gate.clear()
            here.service.serving = False
            with pytest.raises(FingerprintTimeout):
                await here.generator.get_or_generate(track())
            assert here.generator.suspect
            # The gate is still closed: had it asked, this would be a time-out again.
            with pytest.raises(FingerprintServerDown):
                await here.generator.get_or_generate(track())
            assert here.service.calls == 1
            assert not await here.generator.check_health()
            assert here.generator.suspect
            here.service.gate.set()
            here.service.serving = True
            assert await here.generator.check_health()
            assert await here.generator.get_or_generate(track()) == analysis()
    assert "Fingerprint server timeout" in events(logs)
    assert "Fingerprint server works again" in events(logs)


async def test_a_timeout_told_by_the_service_counts_as_one(executor) -> None:
    async with world(executor) as here:
        here.service.answer = FingerprintTimeout("DEADLINE_EXCEEDED")
        with pytest.raises(FingerprintTimeout):
            await here.generator.generate(track())
        assert here.generator.suspect


async def test_a_slow_service_is_asked_in_the_background_until_it_works(executor) -> None:
    async with world(executor) as here:
        here.service.serving = False
        for _ in range(2):
            assert not await here.generator.look_after()
        assert here.generator.suspect
        with pytest.raises(FingerprintServerDown):
            await here.generator.generate(track())
        here.service.serving = True
        async with asyncio.timeout(20):
            while here.generator.suspect:
                await asyncio.sleep(0.01)
        assert here.service.health_calls >= 3
        assert await here.generator.generate(track()) == analysis()


async def test_whoever_waited_in_vain_has_the_service_looked_after_and_need_not_stay(executor) -> None:
    async with world(executor) as here:
        here.service.serving = False
        asked = [here.generator.look_after() for _ in range(3)]
        for one in asked[1:]:
            one.cancel()
        assert await asked[0] is False
        assert here.service.health_calls == 1
        assert here.generator.suspect
        here.service.serving = True
        assert await here.generator.look_after() is True
        assert not here.generator.suspect


async def test_a_service_is_found_out_even_if_nobody_stays_to_hear_it(executor) -> None:
    async with world(executor) as here:
        here.service.serving = False
        here.generator.look_after().cancel()
        async with asyncio.timeout(5):
            while not here.generator.suspect:
                await asyncio.sleep(0.001)


async def test_a_suspect_service_does_not_keep_stored_fingerprints_back(executor) -> None:
    async with world(executor) as here:
        here.database.rows[1, SIGNATURE] = analysis()
        here.service.serving = False
        assert not await here.generator.look_after()
        assert await here.generator.get_or_generate(track()) == analysis()


async def test_closing_ends_what_is_under_way(executor) -> None:
    async with world(executor) as here:
        here.service.gate.clear()
        waiting = asyncio.create_task(here.generator.generate(track()))
        while not here.service.calls:
            await asyncio.sleep(0.001)
        here.service.serving = False
        assert not await here.generator.look_after()
        await here.generator.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert here.generator.measuring == 0


async def test_a_play_that_joins_background_work_begins_it_anew_and_both_get_one_outcome(executor) -> None:
    async with world(executor) as here:
        here.service.gate.clear()
        patient = asyncio.create_task(here.generator.generate(track(), background=True))
        async with asyncio.timeout(5):
            while not here.service.calls:
                await asyncio.sleep(0.001)
            playing = asyncio.create_task(here.generator.generate(track()))
            while here.service.calls < 2 or not here.service.ended:
                await asyncio.sleep(0.001)
        assert here.service.asked == [(True, False), (False, False)]
        late = asyncio.create_task(here.generator.generate(track(), background=True))
        await asyncio.sleep(0)
        here.service.gate.set()
        assert await asyncio.gather(patient, playing, late) == [analysis()] * 3
        assert here.service.calls == 2
        assert here.generator.measuring == 0


async def test_background_work_alone_is_asked_for_once_and_as_such(executor) -> None:
    async with world(executor) as here:
        here.service.gate.clear()
        asking = [asyncio.create_task(here.generator.generate(track(), background=True)) for _ in range(3)]
        while not here.service.calls:
            await asyncio.sleep(0.001)
        here.service.gate.set()
        assert await asyncio.gather(*asking) == [analysis()] * 3
        assert here.service.asked == [(True, False)]


async def test_slow_background_work_makes_nobody_suspect_the_service(executor) -> None:
    async with world(executor) as here:
        here.service.answer = FingerprintTimeout("DEADLINE_EXCEEDED")
        with pytest.raises(FingerprintTimeout):
            await here.generator.generate(track(), background=True)
        assert not here.generator.suspect


async def test_closing_ends_background_work(executor) -> None:
    async with world(executor) as here:
        here.service.gate.clear()
        waiting = asyncio.create_task(here.generator.generate(track(), background=True))
        while not here.service.calls:
            await asyncio.sleep(0.001)
        await here.generator.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(5):
            while not here.service.ended:
                await asyncio.sleep(0.001)


async def stages(here: World) -> list[Probe | Analysis]:
    return [stage async for stage in here.generator.generate_stages(track())]


async def test_all_who_play_get_the_probe_and_then_the_analysis(executor) -> None:
    async with world(executor) as here:
        here.service.gate.clear()
        here.service.probe = probe()
        first = here.generator.generate_stages(track())
        assert await anext(first) == probe()
        second = here.generator.generate_stages(track())
        assert await anext(second) == probe()
        here.service.gate.set()
        assert [stage async for stage in first] == [analysis()]
        assert [stage async for stage in second] == [analysis()]
        assert here.service.asked == [(False, True)]


async def test_a_probe_that_is_not_to_be_had_or_comes_too_late_is_left_out(executor) -> None:
    async with world(executor) as here:
        assert await stages(here) == [analysis()]
        here.service.probe = probe()
        assert await stages(here) == [analysis()], "it is stored by now"


async def test_a_play_that_joins_background_work_gets_a_probe(executor) -> None:
    async with world(executor) as here:
        here.service.gate.clear()
        here.service.probe = probe()
        patient = asyncio.create_task(here.generator.generate(track(), background=True))
        while not here.service.calls:
            await asyncio.sleep(0.001)
        playing = here.generator.generate_stages(track())
        assert await anext(playing) == probe()
        here.service.gate.set()
        assert [stage async for stage in playing] == [analysis()]
        assert await patient == analysis()


async def test_a_worker_that_dies_once_is_bad_luck(executor) -> None:
    async with world(executor) as here:
        here.service.faults = [AnalysisFailed("killed")]
        assert await here.generator.generate(track()) == analysis()
        assert here.service.calls == 2
        assert here.database.failures == {}


@pytest.mark.parametrize(
    "fault", [AnalysisFailed("-9"), AnalysisTooLarge("1 GiB"), AnalysisTooLong("10 min")]
)
async def test_a_file_that_kills_the_worker_twice_is_not_tried_again(executor, fault) -> None:
    async with world(executor) as here:
        here.service.faults = [fault, fault]
        with pytest.raises(type(fault)):
            await here.generator.generate(track())
        assert here.database.failures == {(1, SIGNATURE): fault.code}
        assert not here.generator.suspect
        with pytest.raises(type(fault)):
            await here.generator.generate(track())
        assert here.service.calls == 2
        assert await here.generator.generate(track(content="another state")) == analysis()


async def test_a_verdict_stands_without_asking_the_service_again(executor) -> None:
    async with world(executor) as here:
        here.database.failures[1, SIGNATURE] = "NOT_ENOUGH_AUDIO"
        with pytest.raises(NotEnoughAudio):
            await here.generator.get_or_generate(track())
        assert here.service.calls == 0
        here.database.failures[1, SIGNATURE] = "A_CODE_OF_ANOTHER_PROGRAM"
        assert await here.generator.get_or_generate(track()) == analysis()


async def test_one_who_ends_without_an_analysis_has_failed(executor) -> None:
    class Silent(Service):
        async def measure_stream(self, wanted, *, background, probe_first):
            yield probe()

    generator = FingerprintGenerator(Database(), Files(), Silent(), 10.0, executor)
    with pytest.raises(FingerprintServerFailed):
        await generator.generate(track())
    await generator.close()
