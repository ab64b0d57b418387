"""A file to a mastered file: measure, decide, render, and measure what was written."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from tonearm.audio.decode import inspect
from tonearm.audio.encode import Encoder
from tonearm.audio.extras import read_extras
from tonearm.audio.formats import BitDepth, Encoding, encoding_for
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.describe import describe
from tonearm.model.errors import NotEnoughAudio
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, Preset, Target, untouched
from tonearm.rendering.chunked import ChunkedAudioProcessor
from tonearm.rendering.measure import measure_file

Progress = Callable[[int, int], None]
"""Told the work done and the work in all, in frames; the source is gone through three times."""

_STEP_S: Final = 0.5
_PASSES: Final = 3
_STANDARD: Final = Target()


@dataclass(frozen=True, slots=True)
class Levels:
    """Loudness, LUFS; true peak, dBTP; their difference, dB; loudness range, LU."""

    lufs: float
    true_peak_dbtp: float
    plr_db: float
    lra_lu: float


@dataclass(frozen=True, slots=True)
class MasterReport:
    """What was done to a file.

    Attributes:
        plan: what was decided, and why.
        before, after: the source, and the file as it was written, decoded again; None where there is
            too little audio to be measured.
        frames: frames of the source, all of which were rendered.
    """

    plan: MasteringPlan
    before: Levels | None
    after: Levels | None
    frames: int


def unwatched(_done: int, _total: int) -> None:
    """Nobody watches the progress."""


def master_file(
    source: Path,
    destination: Path,
    *,
    preset: Preset = Preset.ADAPTIVE,
    intensity: float = 1.0,
    target: Target = _STANDARD,
    bit_depth: str = BitDepth.INT24,
    on_progress: Progress = unwatched,
) -> MasterReport:
    """Master ``source`` into ``destination``, whose suffix names the format.

    The destination appears when it is whole; a file of that name is replaced. Tags and cover are
    copied. Lossy encoders, and the resampling that Opus needs, may lift peaks over the ceiling again;
    the report's ``after`` is measured on the decoded file, so it tells.

    Args:
        intensity: 0..1; 0 writes the source untouched.
        bit_depth: ``16``, ``24`` or ``32f``, for WAV and FLAC.

    Raises:
        FileMissing, DecodeError: the source cannot be read to its end; nothing is written.
        EncodeError: the destination cannot be written.
        ValueError: the suffix or the bit depth is unknown, or both names are one file.
    """
    encoding = encoding_for(destination, BitDepth(bit_depth))
    if destination.exists() and destination.samefile(source):
        raise ValueError(f"{destination} is the source itself, which is never written to")
    expected = inspect(source).frames
    analysis = _measured(source, lambda done: on_progress(done, _PASSES * max(expected, done)))
    plan = _plan(analysis, preset, intensity, target, encoding)
    frames = _render(source, destination, plan, encoding, on_progress)
    after = _measured(destination, lambda done: on_progress(2 * frames + min(done, frames), _PASSES * frames))
    return MasterReport(plan, _levels(analysis), _levels(after), frames)


def describe_report(report: MasterReport) -> dict[str, object]:
    """The report as a JSON object: ``plan``, ``before``, ``after``, ``frames``."""
    return {
        "plan": describe(report.plan),
        "before": None if report.before is None else asdict(report.before),
        "after": None if report.after is None else asdict(report.after),
        "frames": report.frames,
    }


def _measured(path: Path, on_progress: Callable[[int], None]) -> Analysis | None:
    try:
        return measure_file(path, on_progress)
    except NotEnoughAudio:
        return None


def _levels(analysis: Analysis | None) -> Levels | None:
    if analysis is None:
        return None
    measures = analysis.measures
    return Levels(analysis.fingerprint.lufs, measures.true_peak_dbtp, measures.plr_db, measures.lra_lu)


def _plan(
    analysis: Analysis | None, preset: Preset, intensity: float, target: Target, encoding: Encoding
) -> MasteringPlan:
    if analysis is None:
        return untouched("too short or too quiet to be measured", preset, intensity)
    measures = analysis.measures
    if measures.channels <= encoding.most_channels:
        # A file keeps its channels, so the plan is made for them and not for a downmix.
        measures = replace(
            measures, downmix_lufs=analysis.fingerprint.lufs, downmix_true_peak_dbtp=measures.true_peak_dbtp
        )
    return AdaptiveMode().plan(analysis.fingerprint, measures, preset, intensity, target)


def _render(
    source: Path, destination: Path, plan: MasteringPlan, encoding: Encoding, on_progress: Progress
) -> int:
    """Write the file; returns the number of frames rendered."""
    with ChunkedAudioProcessor(source, plan, most_channels=encoding.most_channels) as track:
        step = round(_STEP_S * track.format.rate)
        layout = track.info.channel_layout if track.format == track.info.format else "stereo"
        encoder = Encoder(
            destination, encoding, track.format, layout, read_extras(source), dithered=_needs_dither(track)
        )
        try:
            while len(block := track.read(step)):
                encoder.write(block)
                done, total = encoder.frames, max(encoder.frames, track.info.frames)
                on_progress(total + done, _PASSES * total)
            encoder.close()
        except BaseException:
            encoder.abort()
            raise
        return encoder.frames


def _needs_dither(track: ChunkedAudioProcessor) -> bool:
    """Rounding to 16 bits wants dither, but where the samples are those of a 16-bit source."""
    depth = track.info.bit_depth
    same = track.plan.bypass and track.format == track.info.format
    return not (same and depth is not None and depth <= 16)
