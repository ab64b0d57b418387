"""The one place where real parts are built and joined."""

import asyncio
import gc
import os
import socket
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from tonearm.artwork.pictures import Pictures
from tonearm.audio.decode import Decoder
from tonearm.fingerprints.background import BackgroundAnalysis
from tonearm.fingerprints.generator import FingerprintGenerator, FingerprintService
from tonearm.fingerprints.service.client import FingerprintClient
from tonearm.fingerprints.service.supervised import SupervisedService
from tonearm.fingerprints.service.supervisor import FingerprintServerProcess
from tonearm.fingerprints.sidecar import Sidecars
from tonearm.library.database import open_library
from tonearm.library.repositories import RepositoryFactory
from tonearm.logs import configure_logging
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.model.errors import LibraryUnavailable, TrackNotFound
from tonearm.model.plan import Target
from tonearm.model.track import ScannedFile, Track
from tonearm.protocol.heard import Heard
from tonearm.rendering.chunked import ChunkedAudioProcessor
from tonearm.rendering.stream import StreamRenderer
from tonearm.rendering.warm import warm_kernels
from tonearm.routers.app import build_app
from tonearm.routers.artwork import build_artwork_router
from tonearm.routers.audio import AudioRouter
from tonearm.routers.collection import build_collection_routers
from tonearm.routers.connection import Times
from tonearm.routers.enhancement import build_enhancement_router
from tonearm.routers.fingerprints import build_fingerprint_router
from tonearm.routers.health import build_health_router
from tonearm.routers.library import build_library_router
from tonearm.routers.metrics import Metrics
from tonearm.routers.newsroom import ScanNews
from tonearm.routers.preferences import ListenerPreferences, build_preferences_router
from tonearm.routers.problems import CountedProblems
from tonearm.routers.slots import StreamSlots
from tonearm.routers.system import SocketRouter
from tonearm.routers.web import build_web_router, player_is_here
from tonearm.routers.web_server import WebServer
from tonearm.scanning.jobs import ScanJobs
from tonearm.scanning.reading import read_file
from tonearm.scanning.report import ScanProgress
from tonearm.scanning.scanner import Scanner
from tonearm.scanning.watch import Intervals, LibraryWatch
from tonearm.settings import Settings, UnusableSetting
from tonearm.streaming.controller import AudioStreamController
from tonearm.streaming.encoded import Renditions
from tonearm.streaming.pool import RenderPool
from tonearm.streaming.ports import Opening, Source
from tonearm.streaming.present import PresentTracks

DATABASE_THREADS: Final = 4
UPLOAD_THREADS: Final = 2
DRAWING_THREADS: Final = 2
"""A page asks for dozens of covers at once; they wait for each other, not the sound for them."""

SETTLED_S: Final = 1.5
"""A folder is scanned when nothing has changed in it for so long."""

SCAN_READERS: Final = 2
"""Threads that read tags while another one stores what they read."""

STAND_ASIDE_S: Final = 0.1
"""How long the reading of a file waits at most for those who are about to run out of sound."""

COMPILE_TOLD_S: Final = 2.0
PATIENCE_S: Final = 0.4
"""How long the end waits for a client that does not read, or for a step of sound."""

HTTP_STALL_S: Final = 600.0
"""A player that fetches sound may have enough for minutes, or be paused, and reads nothing meanwhile."""

LEAST_RENDERERS: Final = 2
"""Threads that render are as many as the cores, but at least so many: one read from a slow disk does not hold
up every stream. More than the cores only take the interpreter from each other: with two beyond two cores a
first frame among 100 listeners took three times as long, and 140 had underruns that they have not so."""

COMPILED_FIRST: Final = float("-inf")
"""The lead of compiling: before any stream's step."""

log = structlog.get_logger()


def scan(settings: Settings) -> Iterator[ScanProgress]:
    """Scan the roots into the library; the last item is the report."""
    configure_logging("warning", settings.log.format)
    library = _open_library(settings)
    try:
        yield from _build_scanner(settings, library, read_file).scan()
    finally:
        library.close()


def _open_library(settings: Settings) -> RepositoryFactory:
    """Open the database.

    Raises:
        UnusableSetting: the URL is none, or its driver is not installed.
        LibraryUnavailable: the database cannot be opened.
    """
    try:
        return open_library(settings.database_url)
    except ValueError as error:
        raise UnusableSetting(f"library.database_url: {error}") from error
    except ModuleNotFoundError as error:
        raise UnusableSetting(
            f"library.database_url: needs the Python package {error.name}; pip install 'tonearm[postgres]'"
        ) from error


def serve(settings: Settings, *, open_page: bool) -> int:
    """Run the server until it is told to stop; returns the exit code."""
    configure_logging(settings.log.level, settings.log.format)
    if not player_is_here():
        log.error(
            "The web player is not built", remedy="pip install --editable . in the source tree builds it"
        )
        return 1
    try:
        listener = socket.create_server((settings.server.host, settings.server.port))
    except OSError as error:
        log.error("Cannot listen", host=settings.server.host, port=settings.server.port, cause=error.strerror)
        return 1
    with listener:
        return uvloop.run(_serve(settings, listener, open_page))


async def _serve(settings: Settings, listener: socket.socket, open_page: bool) -> int:
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    if not host.startswith("127.") and host != "::1" and settings.access.token is None:
        log.warning(
            "Everyone who can reach this address can play and scan this library; set TONEARM_ACCESS__TOKEN",
            address=address,
        )
    async with AsyncExitStack() as stack:
        try:
            web = await _build(settings, stack)
        except LibraryUnavailable as error:
            log.error("The library cannot be opened", cause=str(error))
            return 1
        print(f"Tonearm plays at {address}", flush=True)  # noqa: T201 (the one line a person waits for)
        if open_page:
            webbrowser.open(address)
        await web.serve(sockets=[listener])
    return 0


class _NothingPending:
    """A library that is not measured in the background; what is asked for is."""

    def pending(self, limit: int) -> list[Track]:  # noqa: ARG002
        return []


class _History:
    """Notes what was listened to, behind the back of the stream, in a thread of its own: a database that is
    locked takes that one, and none of those in which plays look their tracks up."""

    def __init__(self, library: RepositoryFactory) -> None:
        self._library = library
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._lost = 0

    def heard(self, heard: Heard) -> None:
        at = datetime.now(UTC) - timedelta(seconds=heard.ago_s)
        self._thread.submit(self._record, heard, at)

    def close(self) -> None:
        """Note what is still to be noted."""
        self._thread.shutdown()

    def _record(self, heard: Heard, at: datetime) -> None:
        try:
            self._library.history.record(heard.track_id, heard.seconds, heard.completed, at)
        except TrackNotFound as error:
            log.warning("A play was not noted", track_id=heard.track_id, code=error.code, cause=str(error))
        except LibraryUnavailable as error:
            # Once, and not for every play of an evening.
            if not self._lost:
                log.warning("Plays are not noted", track_id=heard.track_id, code=error.code, cause=str(error))
            self._lost += 1
        else:
            if self._lost:
                log.info("Plays are noted again", lost=self._lost)
            self._lost = 0


class _Readiness:
    """Asks each part whether it can do its work."""

    def __init__(
        self,
        library: RepositoryFactory,
        generator: FingerprintGenerator,
        kernels: "asyncio.Future[None]",
        scans: ScanJobs,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._library = library
        self._generator = generator
        self._kernels = kernels
        self._scans = scans
        self._pool = pool

    async def components(self) -> dict[str, str]:
        database, healthy = await asyncio.gather(self._database(), self._generator.check_health())
        kernels = "compiling"
        if self._kernels.done():
            kernels = "failed" if self._kernels.exception() else "ok"
        return {
            "database": database,
            "fingerprint_server": "ok" if healthy else "unavailable",
            "kernels": kernels,
            "scan": "failed" if self._scans.failed() else "ok",
        }

    async def _database(self) -> str:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._pool, self._library.check)
        except LibraryUnavailable as error:
            log.warning("The library is not available", cause=str(error))
            return "unavailable"
        try:
            await loop.run_in_executor(self._pool, self._library.check_writing)
        except LibraryUnavailable as error:
            log.warning("The library cannot be written", cause=str(error))
            return "not_writable"
        return "ok"


async def _build(settings: Settings, stack: AsyncExitStack) -> WebServer:
    """Build every part from the bottom up; the stack takes them down in the other order."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    blocking = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="database")
    stack.callback(blocking.shutdown)
    loop = asyncio.get_running_loop()
    library = await loop.run_in_executor(blocking, _open_library, settings)
    stack.callback(library.close)
    preferences = await loop.run_in_executor(blocking, ListenerPreferences, library)
    pool = RenderPool(max(LEAST_RENDERERS, os.cpu_count() or 1))
    stack.callback(pool.close, PATIENCE_S)
    kernels = asyncio.wrap_future(pool.submit(COMPILED_FIRST, warm_kernels))
    kernels.add_done_callback(_leave_what_is_loaded)
    patience = loop.call_later(COMPILE_TOLD_S, _tell_compiling, kernels)
    stack.callback(patience.cancel)
    services = await stack.enter_async_context(AsyncExitStack())
    generator = _build_generator(settings, library, blocking, services)
    pending = library.fingerprints if settings.fingerprints.background else _NothingPending()
    background = BackgroundAnalysis(pending, generator, blocking)
    background.start()
    services.push_async_callback(background.stop)
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    history = _History(library)
    stack.callback(history.close)
    sockets, audio = _build_streams(
        settings, library, blocking, generator, pool, metrics, history, preferences
    )
    news = ScanNews(lambda told: loop.call_soon_threadsafe(sockets.tell, told), time.monotonic)
    scans = ScanJobs(
        _build_scanner(settings, library, _giving_way(pool)),
        after_scan=lambda: loop.call_soon_threadsafe(background.notify),
        on_status=news.hear,
    )
    stack.callback(scans.stop)
    watch = _build_watch(settings, scans)
    stack.callback(watch.stop)
    drawing = ThreadPoolExecutor(DRAWING_THREADS, thread_name_prefix="artwork")
    stack.callback(drawing.shutdown, cancel_futures=True)
    pictures = Pictures(settings.data_dir / "artwork")
    drawing.submit(pictures.sweep)
    readiness = _Readiness(library, generator, kernels, scans, blocking)
    app = build_app(
        [
            build_health_router(readiness, registry),
            build_library_router(library, scans),
            build_fingerprint_router(
                library, background, background, AdaptiveMode(), Target(), preferences.current
            ),
            build_enhancement_router(),
            build_preferences_router(preferences),
            *build_collection_routers(library),
            build_artwork_router(library, pictures, drawing),
            sockets.router,
            audio.router,
            build_web_router(),
        ],
        allow_hosts=[settings.server.host, *settings.server.allow_hosts],
        token=settings.access.token.get_secret_value() if settings.access.token else None,
    )
    if settings.library.roots:
        scans.start(())
        if settings.library.watch:
            watch.start()

    async def end_together() -> None:
        await asyncio.gather(sockets.close(PATIENCE_S), audio.close(), services.aclose())

    return WebServer(CountedProblems(app, metrics.refused), end_together)


def _leave_what_is_loaded(_: "asyncio.Future[None]") -> None:
    """What has been loaded by now is never freed: going through these 250,000 objects in search of garbage
    stops every thread for 0.2 s. The search that follows finds next to nothing, and so learns that the next
    one is due soon: Python waits for a quarter as many new objects as the last search went through, and
    meanwhile closed connections and their buffers would lie between what is in use, for hours."""
    gc.freeze()
    gc.collect()


def _giving_way(pool: RenderPool) -> Callable[[Path], ScannedFile]:
    """Reads a file for a scan, after a short wait where someone is about to run out of sound.

    Not by a lower priority of the thread: one that loses its core while it holds the interpreter holds up all
    the others. The wait ends by itself, so that a scan comes to its end however many listen.
    """

    def read(path: Path) -> ScannedFile:
        until = time.monotonic() + STAND_ASIDE_S
        while pool.pressed() and time.monotonic() < until:
            time.sleep(STAND_ASIDE_S / 10)
        return read_file(path)

    return read


def _build_scanner(
    settings: Settings, library: RepositoryFactory, read: Callable[[Path], ScannedFile]
) -> Scanner:
    chosen = settings.library
    forget_after = timedelta(days=chosen.forget_days)
    return Scanner(chosen.roots, library.tracks, read, SCAN_READERS, forget_after)


def _build_watch(settings: Settings, scans: ScanJobs) -> LibraryWatch:
    chosen = settings.library
    intervals = Intervals(60.0 * chosen.rescan_minutes, 60.0 * chosen.poll_minutes, SETTLED_S)
    return LibraryWatch([root.resolve() for root in chosen.roots], scans, intervals)


def _tell_compiling(kernels: "asyncio.Future[None]") -> None:
    if not kernels.done():
        log.info("Compiling the sound's inner loops; this happens once, on the first start")


def _build_streams(
    settings: Settings,
    library: RepositoryFactory,
    blocking: ThreadPoolExecutor,
    generator: FingerprintGenerator,
    pool: RenderPool,
    metrics: Metrics,
    history: _History,
    preferences: ListenerPreferences,
) -> tuple[SocketRouter, AudioRouter]:
    """The WebSocket and what plays on it, and the same over HTTP."""
    controller = AudioStreamController(
        tracks=PresentTracks(library.tracks),
        albums=library.albums,
        queries=blocking,
        fingerprints=generator,
        plans=AdaptiveMode(),
        target=Target(),
        open_stream=_open_stream,
        pool=pool,
        lead_s=settings.streaming.lead_s,
        start_wait_s=settings.streaming.start_wait_s,
        clock=time.monotonic,
        counts=metrics,
    )
    slots = StreamSlots(settings.limits.streams_total, settings.limits.streams_per_client)
    prefers = preferences.current
    sockets = SocketRouter(controller, slots, Times(), metrics, history, prefers)
    renditions = Renditions(controller, _open_renderer, pool, time.monotonic)
    audio = AudioRouter(renditions, slots, HTTP_STALL_S, prefers)
    metrics.show("tonearm_connections", "Open WebSocket connections", lambda: sockets.connected)
    metrics.show(
        "tonearm_stream_places_taken", "Streams being made, on sockets and over HTTP", lambda: slots.in_use
    )
    return sockets, audio


def _open_renderer(track: Track, source: Source, start: int) -> ChunkedAudioProcessor:
    return ChunkedAudioProcessor(track.path, source, start)


def _open_stream(opening: Opening) -> StreamRenderer:
    return StreamRenderer.open(
        opening.track.path,
        opening.source,
        opening.start_frame,
        opening.match_gain_db,
        None if opening.earlier is None else opening.earlier.path,
    )


def _build_generator(
    settings: Settings, library: RepositoryFactory, blocking: ThreadPoolExecutor, stack: AsyncExitStack
) -> FingerprintGenerator:
    chosen = settings.fingerprints
    uploading = ThreadPoolExecutor(UPLOAD_THREADS, thread_name_prefix="upload")
    stack.callback(uploading.shutdown)
    service: FingerprintService
    if chosen.server is None:
        command = [
            sys.executable,
            "-m",
            "tonearm.fingerprints.service.server",
            "--workers",
            str(chosen.workers),
        ]
        for root in settings.library.roots:
            command += ["--root", str(root)]
        process = FingerprintServerProcess(command, chosen.listen)
        process.start()
        stack.push_async_callback(process.stop)
        client = FingerprintClient(lambda: process.address, chosen.deadline_s, Decoder, uploading)
        service = SupervisedService(process, client)
    else:
        service = client = FingerprintClient(chosen.server, chosen.deadline_s, Decoder, uploading)
    stack.push_async_callback(client.close)
    files = Sidecars(settings.data_dir / "fingerprints")
    files.sweep()
    generator = FingerprintGenerator(library.fingerprints, files, service, chosen.deadline_s, blocking)
    stack.push_async_callback(generator.close)
    return generator
