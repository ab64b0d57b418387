"""A file to a mastered file: measure, decide, render, and measure what was written."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Final

from tonearm.audio.decode import inspect
from tonearm.audio.encode import Encoder
from tonearm.audio.extras import read_extras
from tonearm.audio.formats import BitDepth, encoding_for
from tonearm.dsp.loudness import LoudnessMeter, channel_weights
from tonearm.mastering.adaptive import AdaptiveMode, check_intensity
from tonearm.mastering.describe import describe
from tonearm.mastering.second_pass import corrected
from tonearm.model.audio import Block
from tonearm.model.errors import NotEnoughAudio
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, Preset, Target, untouched
from tonearm.rendering.chunked import ChunkedAudioProcessor
from tonearm.rendering.measure import measure_file

Progress = Callable[[int, int], None]
"""Told the work done and the work in all, in frames."""

_STEP_S: Final = 0.5
_STANDARD: Final = Target()
_BESIDE_PASSES: Final = 2
"""The source is gone through once before the passes, and the master once after them."""


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
        plan: what was decided, and why; of two passes, that of the second.
        before, after: the source, and the file as it was written, decoded again; None where there is
            too little audio to be measured.
        frames: frames of the source, all of which were rendered.
    """

    plan: MasteringPlan
    before: Levels | None
    after: Levels | None
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted of a master.

    Attributes:
        preset, target: as ``AdaptiveMode.plan``.
        intensity: 0..1; 0 writes the source untouched.
        bit_depth: of WAV and FLAC.
        passes: 1 renders once, as a stream does; 2 corrects the gain by what the first came out at, so
            that loudness is the target within 0.1 LU wherever the target and not the ceiling sets it.

    Raises:
        ValueError: intensity or the number of passes is out of range.
    """

    preset: Preset = Preset.ADAPTIVE
    intensity: float = 1.0
    target: Target = _STANDARD
    bit_depth: BitDepth = BitDepth.INT24
    passes: int = 2

    def __post_init__(self) -> None:
        check_intensity(self.intensity)
        if self.passes not in {1, 2}:
            raise ValueError(f"wanted 1 or 2 passes, got {self.passes}")


def unwatched(_done: int, _total: int) -> None:
    """Nobody watches the progress."""


def master_file(
    source: str | PathLike[str],
    destination: str | PathLike[str],
    *,
    preset: Preset | str = Preset.ADAPTIVE,
    intensity: float = 1.0,
    target: Target = _STANDARD,
    bit_depth: str = BitDepth.INT24,
    passes: int = 2,
    on_progress: Progress = unwatched,
) -> MasterReport:
    """Master ``source`` into ``destination``, whose suffix names the format.

    The destination appears when it is whole; a file of that name is replaced. Tags and cover are
    copied. Lossy encoders, and the resampling that Opus needs, may lift peaks over the ceiling again;
    the report's ``after`` is measured on the decoded file, so it tells.

    >>> report = tonearm.master("song.flac", "song mastered.flac", preset="gentle")
    >>> report.before.lufs, report.after.lufs, report.plan.reasons["gain_db"]

    Args:
        preset, intensity, target, passes: as ``Order``.
        bit_depth: ``16``, ``24`` or ``32f``, for WAV and FLAC.
        on_progress: told the work done and the work in all, in frames; what it raises ends the work.

    Raises:
        FileMissing, DecodeError: the source cannot be read to its end; nothing is written.
        EncodeError: the destination cannot be written.
        ValueError: the suffix, the preset, the bit depth or a number is unknown or out of range, or both
            names are one file.
    """
    order = Order(
        preset=Preset(preset),
        intensity=intensity,
        target=target,
        bit_depth=BitDepth(bit_depth),
        passes=passes,
    )
    job = Job(Path(source), Path(destination), order)
    return job.render(job.measure(on_progress), order.target, on_progress)


def describe_report(report: MasterReport) -> dict[str, object]:
    """The report as a JSON object: ``plan``, ``before``, ``after``, ``frames``."""
    return {
        "plan": describe(report.plan),
        "before": None if report.before is None else asdict(report.before),
        "after": None if report.after is None else asdict(report.after),
        "frames": report.frames,
    }


class Job:
    """One file to be mastered: first measured, then rendered.

    Raises:
        FileMissing, DecodeError, ValueError: as ``master_file``, before any work.
    """

    def __init__(self, source: Path, destination: Path, order: Order) -> None:
        self.source = source
        self.destination = destination
        self._order = order
        self._encoding = encoding_for(destination, order.bit_depth)
        if destination.exists() and destination.samefile(source):
            raise ValueError(f"{destination} is the source itself, which is never written to")
        self._expected = inspect(source).frames
        self._rounds = order.passes + _BESIDE_PASSES

    def measure(self, on_progress: Progress) -> Analysis | None:
        """What the source measures, as the file will hold it: a file that keeps its channels is planned
        for all of them, one that cannot is planned for the downmix. None: too little audio."""
        analysis = _measured(self.source, lambda done: self._tell(on_progress, 0, done))
        if analysis is None or analysis.measures.channels > self._encoding.most_channels:
            return analysis
        lufs, peak = analysis.fingerprint.lufs, analysis.measures.true_peak_dbtp
        kept = replace(analysis.measures, downmix_lufs=lufs, downmix_true_peak_dbtp=peak)
        return replace(analysis, measures=kept)

    def render(self, analysis: Analysis | None, target: Target, on_progress: Progress) -> MasterReport:
        """Write the file from what ``measure`` returned."""
        plan = self._plan(analysis, target)
        if self._order.passes > 1:
            rendered_lufs = None if plan.bypass else self._loudness(plan, on_progress)
            plan = plan if rendered_lufs is None else corrected(plan, rendered_lufs)
        frames = self._write(plan, on_progress)
        self._expected = frames
        after = _measured(
            self.destination,
            lambda done: self._tell(on_progress, self._rounds - 1, min(done, frames)),
        )
        self._tell(on_progress, self._rounds, 0)
        return MasterReport(plan, _levels(analysis), _levels(after), frames)

    def _plan(self, analysis: Analysis | None, target: Target) -> MasteringPlan:
        order = self._order
        if analysis is None:
            return untouched("too short or too quiet to be measured", order.preset, order.intensity)
        return AdaptiveMode().plan(
            analysis.fingerprint, analysis.measures, order.preset, order.intensity, target
        )

    def _loudness(self, plan: MasteringPlan, on_progress: Progress) -> float | None:
        """Integrated loudness of a render that is not written, LUFS; None where nothing passes the gate."""
        with self._open(plan) as track:
            weights = channel_weights(track.format.channels, self._layout(track))
            meter = LoudnessMeter(track.format.rate, weights)
            for block in _blocks(track):
                meter.process(block)
                self._tell(on_progress, 1, track.position)
        return meter.integrated()

    def _write(self, plan: MasteringPlan, on_progress: Progress) -> int:
        """Write the file; returns the number of frames rendered."""
        with self._open(plan) as track:
            encoder = Encoder(
                self.destination,
                self._encoding,
                track.format,
                self._layout(track),
                read_extras(self.source),
                dithered=_needs_dither(track),
            )
            try:
                for block in _blocks(track):
                    encoder.write(block)
                    self._tell(on_progress, self._rounds - 2, encoder.frames)
                encoder.close()
            except BaseException:
                encoder.abort()
                raise
            return encoder.frames

    def _open(self, plan: MasteringPlan) -> ChunkedAudioProcessor:
        return ChunkedAudioProcessor(self.source, plan, most_channels=self._encoding.most_channels)

    @staticmethod
    def _layout(track: ChunkedAudioProcessor) -> str:
        return track.info.channel_layout if track.format == track.info.format else "stereo"

    def _tell(self, on_progress: Progress, rounds: int, done: int) -> None:
        self._expected = max(self._expected, done)
        on_progress(rounds * self._expected + done, self._rounds * self._expected)


def _blocks(track: ChunkedAudioProcessor) -> Iterator[Block]:
    step = round(_STEP_S * track.format.rate)
    while len(block := track.read(step)):
        yield block


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


def _needs_dither(track: ChunkedAudioProcessor) -> bool:
    """Rounding to 16 bits wants dither, but where the samples are those of a 16-bit source."""
    depth = track.info.bit_depth
    same = track.plan.bypass and track.format == track.info.format
    return not (same and depth is not None and depth <= 16)
