"""A file to a first impression of it, in less time than a listener notices."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tonearm.analysis.probe import ProbeAnalysis, soft_edged
from tonearm.audio.decode import Decoder
from tonearm.audio.excerpts import Excerpts
from tonearm.model.audio import AudioInfo
from tonearm.model.probe import Probe

WINDOWS: Final = 16
WINDOW_S: Final = 2
LEAST_WINDOWS: Final = 4
BUDGET_S: Final = 0.08

_ORDER: Final = tuple(int(f"{number:04b}"[::-1], 2) for number in range(WINDOWS))
"""Bit-reversed, so that wherever it stops the windows lie evenly over the track."""


def probe_file(path: Path, clock: Callable[[], float] = time.monotonic, budget_s: float = BUDGET_S) -> Probe:
    """Measure windows of 2 s spread over a file until 16 are done or the time is over, at least 4.

    A track that is no longer than its windows together is measured whole, whatever that takes.

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
        if audio.frames > WINDOWS * WINDOW_S * audio.format.rate:
            for number, frame in enumerate(_starts(audio)):
                if number >= LEAST_WINDOWS and clock() >= deadline:
                    break
                window = excerpts.read(frame, WINDOW_S * audio.format.rate)
                analysis.process(soft_edged(window, audio.format.rate))
                analysis.cut()
            return analysis.finish()
    return _whole(path, analysis)


def _starts(audio: AudioInfo) -> list[int]:
    """Where the windows begin: each in the middle of its sixteenth of the track."""
    half = WINDOW_S * audio.format.rate // 2
    return [(2 * part + 1) * audio.frames // (2 * WINDOWS) - half for part in _ORDER]


def _whole(path: Path, analysis: ProbeAnalysis) -> Probe:
    with Decoder(path) as decoder:
        while len(block := decoder.read(decoder.info.format.rate)):
            analysis.process(block)
    analysis.cut()
    return analysis.finish()
