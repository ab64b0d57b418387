"""A real fingerprint server as a supervised child: killed, restarted, stopped, orphaned."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from fingerprint_server import alive, children
from liars import free_port
from structlog.testing import capture_logs

from tonearm.fingerprints.service.supervisor import FingerprintServerProcess

COMMAND = (sys.executable, "-m", "tonearm.fingerprints.service.server", "--workers", "1")


@asynccontextmanager
async def supervised(
    listen: str, command: Sequence[str] = COMMAND
) -> AsyncIterator[FingerprintServerProcess]:
    supervisor = FingerprintServerProcess(command, listen)
    supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()


def accepts(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


async def until(condition: Callable[[], object], limit_s: float = 20.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.02)


async def test_it_listens_where_it_was_told_and_stops_within_two_seconds() -> None:
    wanted = f"127.0.0.1:{free_port()}"
    with capture_logs() as logs:
        async with supervised(wanted) as supervisor:
            assert supervisor.address == ""
            assert await asyncio.wait_for(supervisor.listening(), 20) == wanted
            assert supervisor.address == wanted
            assert accepts(wanted)
            server = supervisor.pid
            assert server is not None
            assert os.getsid(server) != os.getsid(0), "Ctrl-C in a terminal would reach it"
            await until(lambda: children(server))
            (worker,) = children(server)
            began = time.monotonic()
            await supervisor.stop()
            assert time.monotonic() - began < 10
            assert supervisor.address == ""
            assert not accepts(wanted)
            assert not alive(server)
            await until(lambda: not alive(worker), 2)
    assert logs == []


async def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        wanted = f"127.0.0.1:{foreign.getsockname()[1]}"
        with capture_logs() as logs:
            async with supervised(wanted) as supervisor:
                address = await asyncio.wait_for(supervisor.listening(), 20)
                assert address != wanted
                assert accepts(address)
    assert [entry["log_level"] for entry in logs] == ["warning"]
    assert logs[0]["wanted"] == wanted


async def test_a_killed_server_is_started_again_and_told_once() -> None:
    with capture_logs() as logs:
        async with supervised("127.0.0.1:0") as supervisor:
            await asyncio.wait_for(supervisor.listening(), 20)
            first = supervisor.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
            await until(lambda: supervisor.pid is None)
            assert supervisor.address == ""
            address = await asyncio.wait_for(supervisor.listening(), 20)
            assert accepts(address)
            assert supervisor.pid != first
    assert [entry["event"] for entry in logs] == ["Fingerprint server died"]
    assert logs[0]["exit_code"] == -signal.SIGKILL
    assert logs[0]["restart_in_s"] == 0.5


async def test_a_server_that_always_dies_is_started_less_and_less_often() -> None:
    with capture_logs() as logs:
        async with supervised("127.0.0.1:0", (sys.executable, "-c", "raise SystemExit(3)")):
            await until(lambda: len(logs) == 3)
    assert [entry["restart_in_s"] for entry in logs] == [0.5, 1.0, 2.0]
    assert {entry["exit_code"] for entry in logs} == {3}


async def test_a_server_that_starts_is_waited_for_and_one_that_died_is_not() -> None:
    async with supervised("127.0.0.1:0") as supervisor:
        await asyncio.wait_for(supervisor.settled(), 20)
        assert accepts(supervisor.address)
    with capture_logs():
        async with supervised("127.0.0.1:0", (sys.executable, "-c", "raise SystemExit(3)")) as supervisor:
            await asyncio.wait_for(supervisor.settled(), 5)
            assert supervisor.address == ""


async def test_one_that_ignores_the_request_to_end_is_killed_within_two_seconds() -> None:
    deaf = textwrap.dedent("""
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(int(os.environ["TONEARM_SUPERVISOR_FD"]), b"127.0.0.1:9\\n")
        time.sleep(60)
    """)
    async with supervised("127.0.0.1:0", (sys.executable, "-c", deaf)) as supervisor:
        assert await asyncio.wait_for(supervisor.listening(), 20) == "127.0.0.1:9"
        server = supervisor.pid
        assert server is not None
        began = time.monotonic()
        await supervisor.stop()
        assert time.monotonic() - began < 10
        assert not alive(server)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_server_and_worker_end_with_a_supervisor_that_is_killed(loop: str) -> None:
    parent = textwrap.dedent(f"""
        import asyncio, {loop}
        from tonearm.fingerprints.service.supervisor import FingerprintServerProcess
        async def main():
            supervisor = FingerprintServerProcess({COMMAND!r}, "127.0.0.1:0")
            supervisor.start()
            await supervisor.listening()
            print(supervisor.pid, flush=True)
            await asyncio.sleep(60)
        {loop}.run(main())
    """)
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        server = int(process.stdout.readline())

        async def check() -> None:
            await until(lambda: children(server))
            (worker,) = children(server)
            process.kill()
            await until(lambda: not alive(server), 3)
            await until(lambda: not alive(worker), 3)

        asyncio.run(check())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
