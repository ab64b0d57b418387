"""Runs a fingerprint server as a child process, and starts it again when it dies."""

import asyncio
import os
import socket
from collections.abc import Sequence
from typing import Final

import structlog

from tonearm.fingerprints.service.lifeline import FD_VARIABLE, TAKEN

BACKOFF_FIRST_S: Final = 0.5
BACKOFF_LAST_S: Final = 30.0
HEALTHY_AFTER_S: Final = 60.0
"""A server that has lived this long is not to blame for earlier deaths."""

START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 1.5

log = structlog.get_logger()


class FingerprintServerProcess:
    """A supervised server: its address, its life, its death.

    The server runs in a session of its own, so Ctrl-C in a terminal does not reach it, and it ends
    with this process, however this process ends (see ``lifeline``).

    Args:
        command: the program and its arguments, without ``--listen``, which is added.
        listen: the address to listen on, ``host:port``; where the port is taken, any free one.
    """

    def __init__(self, command: Sequence[str], listen: str) -> None:
        self._command = tuple(command)
        self._listen = listen
        self._address = ""
        self._starting = True
        self._pid: int | None = None
        self._changed = asyncio.Condition()
        self._life: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where the server listens now, ``host:port``; empty while it does not."""
        return self._address

    @property
    def pid(self) -> int | None:
        """The process id of the living server."""
        return self._pid

    def start(self) -> None:
        """Start the server in the background and keep it running."""
        self._life = asyncio.create_task(self._keep_running())

    async def listening(self) -> str:
        """Wait until the server listens; its address."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._address))
        return self._address

    async def settled(self) -> None:
        """Wait while the server is starting: until it listens, or has died."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._starting)

    async def stop(self) -> None:
        """End the server, within two seconds."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
            self._life = None

    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        delay_s = BACKOFF_FIRST_S
        listen = self._listen
        while True:
            started = loop.time()
            self._starting = True
            exit_code, taken = await self._live_once(listen)
            if taken and listen == self._listen:
                listen = f"{listen.rpartition(':')[0]}:0"
                log.warning("Port of the fingerprint server is taken, using a free one", wanted=self._listen)
                continue
            await self._move("")
            listen = self._listen
            if loop.time() - started >= HEALTHY_AFTER_S:
                delay_s = BACKOFF_FIRST_S
            log.warning("Fingerprint server died", exit_code=exit_code, restart_in_s=delay_s)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, BACKOFF_LAST_S)

    async def _live_once(self, listen: str) -> tuple[int, bool]:
        """Run the server once, from start to end: its exit code, and whether the address was taken."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    "--listen",
                    listen,
                    stdin=asyncio.subprocess.DEVNULL,
                    env=os.environ | {FD_VARIABLE: str(theirs.fileno())},
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            self._pid = process.pid
            try:
                word = await _first_word(ours)
                if word in ("", TAKEN):
                    return await _exit_code(process), word == TAKEN
                await self._move(word)
                return await process.wait(), False
            finally:
                self._address = ""
                await _end(process)
                self._pid = None

    async def _move(self, address: str) -> None:
        """Tell those who wait where the server listens now; nowhere, if it has died."""
        async with self._changed:
            self._address = address
            self._starting = False
            self._changed.notify_all()


async def _first_word(lifeline: socket.socket) -> str:
    """What the server says first; empty if it dies or says nothing in time."""
    lifeline.setblocking(False)
    loop = asyncio.get_running_loop()
    said = b""
    try:
        async with asyncio.timeout(START_LIMIT_S):
            while not said.endswith(b"\n"):
                part = await loop.sock_recv(lifeline, 256)
                if not part:
                    return ""
                said += part
    except (TimeoutError, ConnectionError):
        return ""
    return said.decode().strip()


async def _exit_code(process: asyncio.subprocess.Process) -> int:
    """The exit code of a process that is about to end, and is made to if it does not."""
    try:
        async with asyncio.timeout(STOP_LIMIT_S):
            # Signalling a process that has just ended would lose its exit code.
            return await process.wait()
    except TimeoutError:
        await _end(process)
        return await process.wait()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the process to end, and make it."""
    if process.returncode is not None:
        return
    process.terminate()
    # Not asyncio.timeout: this runs in a task that is being cancelled, in which Python 3.11.2 raises
    # CancelledError instead of TimeoutError, and the process would live on.
    ended = asyncio.ensure_future(process.wait())
    if not (await asyncio.wait({ended}, timeout=STOP_LIMIT_S))[0]:
        process.kill()
    await ended
