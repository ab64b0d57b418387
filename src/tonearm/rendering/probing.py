"""A file to a first impression of it, in less time than a listener notices."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tonearm.analysis.probe import ProbeAnalysis, soften_edges
from tonearm.audio.decode import Decoder
from tonearm.audio.excerpts import Excerpts
from tonearm.model.probe import Probe

WINDOWS: Final = 16
WINDOW_S: Final = 2
LEAST_WINDOWS: Final = 4
BUDGET_S: Final = 0.08

_ORDER: Final = tuple(int(f"{number:04b}"[::-1], 2) for number in range(WINDOWS))
"""Bit-reversed, so that wherever it stops the windows lie evenly over the track."""


def probe_file(path: Path, clock: Callable[[], float] = time.monotonic, budget_s: float = BUDGET_S) -> Probe:
    """Measure windows of 2 s spread over a file until 16 are done or the time is over, at least 4.

    A track shorter than 32 s has fewer windows, for they never overlap; one of at most 8 s is measured
    whole.

    Args:
        path: the file.
        clock: seconds, from any origin.
        budget_s: no window is begun later than this, but for the first 4.

    Raises:
        FileMissing, DecodeError: as ``Decoder``; damage between the windows is not noticed.
        NotEnoughAudio: under 0.4 s, or nothing in the windows above the loudness gate.
    """
    deadline = clock() + budget_s
    with Excerpts(path) as excerpts:
        audio = excerpts.info
        analysis = ProbeAnalysis(audio.format.rate, audio.format.channels, audio.channel_layout)
        length = WINDOW_S * audio.format.rate
        if audio.frames > LEAST_WINDOWS * length:
            for number, frame in enumerate(_starts(audio.frames, length)):
                if number >= LEAST_WINDOWS and clock() >= deadline:
                    break
                window = excerpts.read(frame, length)
                soften_edges(window, audio.format.rate)
                analysis.process(window)
                analysis.cut()
            return analysis.finish()
    return _whole(path, analysis)


def _starts(frames: int, length: int) -> list[int]:
    """Where the windows of ``length`` frames begin, each in the middle of its part of the track."""
    parts = min(WINDOWS, frames // length)
    return [((2 * part + 1) * frames // parts - length) // 2 for part in _ORDER if part < parts]


def _whole(path: Path, analysis: ProbeAnalysis) -> Probe:
    with Decoder(path) as decoder:
        while len(block := decoder.read(decoder.info.format.rate)):
            analysis.process(block)
    analysis.cut()
    return analysis.finish()
