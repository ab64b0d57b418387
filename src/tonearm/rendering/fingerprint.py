"""The fingerprint as a library call: a file or an array in, an analysis out."""

from os import PathLike
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from tonearm.analysis.extract import Extractor
from tonearm.model.audio import MAX_CHANNELS
from tonearm.model.measures import Analysis
from tonearm.rendering.measure import measure_file

_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


@overload
def fingerprint(source: str | PathLike[str]) -> Analysis: ...


@overload
def fingerprint(source: NDArray[np.floating[Any]], *, rate: int) -> Analysis: ...


def fingerprint(
    source: str | PathLike[str] | NDArray[np.floating[Any]], *, rate: int | None = None
) -> Analysis:
    """Measure the 25 numbers and what travels with them, of a file or of audio in memory.

    >>> tonearm.fingerprint("song.flac").fingerprint.lufs
    >>> tonearm.fingerprint(samples, rate=44_100).measures.true_peak_dbtp

    A one-channel track is measured as dual mono. Samples that are not finite count as silence.

    Args:
        source: the path of a file, or floating-point samples, full scale +/-1.0, ``[frames]`` or
            ``[frames, channels]`` with 1 to 8 channels in FFmpeg's order (6: 5.1, 8: 7.1).
        rate: sample rate of an array, 8,000 to 384,000 Hz; a file knows its own.

    Raises:
        FileMissing, DecodeError: the file is not there, is not audio or is damaged; or the samples are so
            far above full scale that they cannot be audio.
        NotEnoughAudio: under 0.4 s, or nothing above the loudness gate.
        TypeError: neither a path nor an array of floats; an array without its rate, or a file with one.
        ValueError: an array of another shape, or a rate that is not supported.
    """
    if isinstance(source, str | PathLike):
        if rate is not None:
            raise TypeError(f"a file knows its own rate, got rate={rate} beside {source}")
        return measure_file(Path(source))
    return _measure_samples(source, rate)


def _measure_samples(samples: NDArray[np.floating[Any]], rate: int | None) -> Analysis:
    if not isinstance(samples, np.ndarray) or not np.issubdtype(samples.dtype, np.floating):
        found = samples.dtype if isinstance(samples, np.ndarray) else type(samples).__name__
        raise TypeError(f"wanted a path or an array of floats with full scale +/-1.0, got {found}")
    if rate is None:
        raise TypeError("an array needs its sample rate: fingerprint(samples, rate=44_100)")
    block = samples[:, None] if samples.ndim == 1 else samples
    if block.ndim != 2 or not 1 <= block.shape[1] <= MAX_CHANNELS:
        raise ValueError(
            f"wanted [frames] or [frames, channels] with 1..{MAX_CHANNELS} channels, got {samples.shape}"
        )
    channels = block.shape[1]
    extractor = Extractor(rate, channels, _LAYOUTS.get(channels, ""))
    # What is too large for a float32 becomes infinite, and counts as silence like all that is not finite.
    with np.errstate(over="ignore"):
        for start in range(0, len(block), rate):
            extractor.process(block[start : start + rate].astype(np.float32))
    return extractor.finish()
