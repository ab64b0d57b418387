"""A folder of music that never rests: files come, change and go, and scans are asked for."""

import random
import threading
import wave
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from bench.server import ask

_RATE: Final = 44_100
_MOST: Final = 40
"""Files; beyond them more go than come, so that what the server knows does not grow."""

_PERIOD_S: Final = 1.0
_SCAN_EVERY: Final = 20
"""Changes."""


class Churn:
    """Changes one file a second in a thread; every file is a new sound, so that each is measured anew."""

    def __init__(self, port: int, folder: Path) -> None:
        self.changes = 0
        self.scans = 0
        self._port, self._folder = port, folder
        self._random = random.Random(1)
        self._noise = np.random.default_rng(1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._over.wait(_PERIOD_S):
            self._change()
            self.changes += 1
            # What the watch has begun is not disturbed: it would be refused.
            idle = ask(self._port, "/api/library/scan/status")["state"] in {"complete", "failed"}
            if self.changes % _SCAN_EVERY == 0 and idle:
                try:
                    ask(self._port, "/api/library/scan", {"directories": [str(self._folder)]})
                except RuntimeError:
                    # The watch was quicker, between the question and this.
                    continue
                self.scans += 1

    def _change(self) -> None:
        files = sorted(self._folder.glob("*.wav"))
        if len(files) >= _MOST or (files and self._random.random() < 0.3):
            self._random.choice(files).unlink()
        elif files and self._random.random() < 0.4:
            self._write(self._random.choice(files))
        else:
            self._write(self._folder / f"{self.changes:05}.wav")

    def _write(self, path: Path) -> None:
        """Ten seconds of noise that swells and fades, put in its place whole."""
        frames = 10 * _RATE
        swell = 0.55 + 0.4 * np.sin(np.arange(frames) * self._noise.uniform(1, 9) / _RATE)
        samples = self._noise.normal(0.0, 2500.0, frames) * swell
        unfinished = path.with_suffix(".part")
        with wave.open(str(unfinished), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_RATE)
            file.writeframes(samples.astype(np.int16).tobytes())
        unfinished.rename(path)
