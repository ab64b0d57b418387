"""A worker process: measures one file after the other, as asked over its stdin.

It is a process of its own so that a file which crashes the decoder takes nothing else with it. Run
as ``python -m tonearm.fingerprints.service.worker`` by the pool, never by hand. Its stdout carries
frames (see ``pipe``); whatever a library prints goes to stderr.
"""

import argparse
import ctypes
import os
import select
import signal
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

import numpy as np

from tonearm.analysis.extract import Extractor
from tonearm.audio.signature import file_signature
from tonearm.fingerprints.service import fingerprint_pb2 as pb
from tonearm.fingerprints.service import pipe
from tonearm.fingerprints.service.audio import AudioMeasurement
from tonearm.fingerprints.service.giving_way import giving_way
from tonearm.fingerprints.service.limits import CPU_LIMIT_S, MEMORY_LIMIT, limit_cpu, limit_memory
from tonearm.fingerprints.service.messages import to_probe_reply, to_reply
from tonearm.fingerprints.service.paths import from_text
from tonearm.model.errors import AnalysisTooLarge, DecodeError, FileMissing, NotEnoughAudio, TonearmError
from tonearm.model.fingerprint import ALGORITHM_VERSION
from tonearm.model.measures import Analysis
from tonearm.rendering.measure import measure_file
from tonearm.rendering.probing import probe_file

PROGRESS_EVERY_S: Final = 0.25
BACKGROUND_NICENESS: Final = 10
_PR_SET_PDEATHSIG: Final = 1
_WARM_FORMATS: Final = ((44_100, 2, "stereo"), (96_000, 1, "mono"), (48_000, 6, "5.1"))


class _Stopped(Exception):
    """The one who asked no longer wants the answer."""


class Worker:
    """Answers requests from one pipe on another until the first one ends.

    Args:
        requests: file descriptor to read frames from; nothing else may read from it.
        replies: file descriptor to write frames to.
        cpu_limit_s: CPU time that one file may take; the process dies of more.
    """

    def __init__(self, requests: int, replies: int, cpu_limit_s: int) -> None:
        self._requests = requests
        self._replies = replies
        self._cpu_limit_s = cpu_limit_s
        self._started = 0.0
        self._told = 0.0

    def run(self) -> NoReturn:
        """Say READY, then serve until the pool goes away; never returns."""
        self._send(pipe.READY)
        while True:
            kind, payload = self._receive()
            if kind == pipe.MEASURE:
                request = pb.MeasureRequest.FromString(payload)
                self._answer(lambda: self._measure_file(request))  # noqa: B023 (called at once)
            elif kind == pipe.BEGIN:
                self._answer(lambda: self._measure_audio(payload))  # noqa: B023

    def _answer(self, measure: Callable[[], Analysis]) -> None:
        self._started = self._told = time.monotonic()
        limit_cpu(self._cpu_limit_s)
        try:
            analysis = measure()
        except _Stopped:
            self._send(pipe.STOPPED)
        except TonearmError as error:
            self._send_error(error)
        except MemoryError:
            # What else did not get its memory is anyone's guess: a new process takes over.
            self._send_error(AnalysisTooLarge("out of memory"))
            _leave()
        else:
            self._send(pipe.REPLY, to_reply(analysis, self._elapsed_ms()).SerializeToString())

    def _measure_file(self, request: pb.MeasureRequest) -> Analysis:
        path = from_text(request.path)
        self._check_signature(path, request.signature)
        if request.probe_first:
            # The sound begins with the probe; what is measured from here on must not make it stumble.
            self._probe(path)
            analysis = giving_way(lambda: measure_file(path, self._on_progress))
        else:
            analysis = measure_file(path, self._on_progress)
        self._check_signature(path, request.signature)
        return analysis

    def _measure_audio(self, first: bytes) -> Analysis:
        audio = AudioMeasurement(first)
        while (received := self._receive())[0] == pipe.BLOCK:
            audio.process(received[1])
            self._tell_progress(audio.frames)
        if received[0] != pipe.END:
            raise _Stopped
        return audio.finish()

    def _probe(self, path: Path) -> None:
        """Tell a first impression. One that cannot be had is left out: the whole file has its say next."""
        try:
            probe = probe_file(path)
        except (NotEnoughAudio, DecodeError):
            return
        self._send(pipe.REPLY, to_probe_reply(probe, self._elapsed_ms()).SerializeToString())

    def _check_signature(self, path: Path, wanted: str) -> None:
        """Before, so that no other file is measured; after, so that none was while it changed."""
        if wanted and str(file_signature(path)) != wanted:
            raise FileMissing(f"{path}: wanted the state {wanted}, found another")

    def _on_progress(self, frames: int) -> None:
        if select.select([self._requests], [], [], 0)[0] and self._receive()[0] == pipe.STOP:
            raise _Stopped
        self._tell_progress(frames)

    def _tell_progress(self, frames: int) -> None:
        now = time.monotonic()
        if now - self._told >= PROGRESS_EVERY_S:
            self._told = now
            reply = pb.MeasureReply(
                progress=pb.Progress(frames=frames),
                algorithm_version=ALGORITHM_VERSION,
                processing_time_ms=self._elapsed_ms(),
            )
            self._send(pipe.REPLY, reply.SerializeToString())

    def _elapsed_ms(self) -> int:
        return round(1000 * (time.monotonic() - self._started))

    def _receive(self) -> tuple[bytes, bytes]:
        kind, length = pipe.HEADER.unpack(self._read(pipe.HEADER.size))
        return kind, self._read(length)

    def _read(self, size: int) -> bytes:
        """Exactly ``size`` bytes. Unbuffered, since a buffer would hide a STOP from select."""
        received = b""
        while len(received) < size:
            part = os.read(self._requests, size - len(received))
            if not part:
                _leave()
            received += part
        return received

    def _send_error(self, error: TonearmError) -> None:
        self._send(pipe.ERROR, f"{error.code}\n{error}".encode(errors="replace"))

    def _send(self, kind: bytes, payload: bytes = b"") -> None:
        rest = memoryview(pipe.frame(kind, payload))
        try:
            while rest:
                rest = rest[os.write(self._replies, rest) :]
        except BrokenPipeError:
            _leave()


def _leave() -> NoReturn:
    """End at once: the pool is gone, and nothing here is worth saving."""
    os._exit(0)


def _die_with_parent() -> None:
    """Have the kernel end this process with the one that started it, even amid a decoder's loop."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _warm() -> None:
    """Load or compile every kernel and what opens a file, so that no request waits for it."""
    generator = np.random.default_rng(1)
    for rate, channels, layout in _WARM_FORMATS:
        noise = generator.normal(0.0, 0.1, (2 * rate, channels)).astype(np.float32)
        extractor = Extractor(rate, channels, layout)
        extractor.process(noise)
        extractor.finish()
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        with wave.open(file, "wb") as writer:
            writer.setparams((1, 2, 8_000, 0, "NONE", ""))
            writer.writeframes(generator.integers(-3000, 3000, 8_000, np.int16).tobytes())
        file.flush()
        probe_file(Path(file.name))
        measure_file(Path(file.name))


def main(arguments: Sequence[str]) -> NoReturn:
    """Set the process up, warm it and serve."""
    parser = argparse.ArgumentParser(prog="fingerprint-worker")
    parser.add_argument(pipe.BACKGROUND_FLAG, action="store_true", dest="background")
    parser.add_argument("--cpu-limit-s", default=CPU_LIMIT_S, type=int)
    parser.add_argument("--memory-limit", default=MEMORY_LIMIT, type=int)
    chosen = parser.parse_args(arguments)
    _die_with_parent()
    if chosen.background:
        os.nice(BACKGROUND_NICENESS)
    # Ctrl-C in a terminal is for the server, which then ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _warm()
    limit_memory(chosen.memory_limit)
    Worker(sys.stdin.fileno(), replies, chosen.cpu_limit_s).run()


if __name__ == "__main__":
    main(sys.argv[1:])
