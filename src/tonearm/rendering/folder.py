"""Many files to mastered files, each by itself or as one album.

As an album all are measured before the first is rendered, since one gain rests on them all. A file that
cannot be read is one outcome among the others: it is named, and the rest is mastered without it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tonearm.mastering.album import TrackLevel, album_level_of
from tonearm.model.errors import EncodeError, TonearmError
from tonearm.model.measures import Analysis
from tonearm.model.plan import Target
from tonearm.rendering.offline import Job, MasterReport, Order

Watch = Callable[[Path, int, int], None]
"""Told the file that is worked on, the work done on it and the work on it in all, in frames."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a report, or the error that ended its work."""

    source: Path
    destination: Path
    result: MasterReport | TonearmError


def destinations(files: Sequence[Path], folder: Path, into: Path, suffix: str) -> list[tuple[Path, Path]]:
    """Where each file below ``folder`` goes: the same place below ``into``, with the suffix of its format.

    Files that differ in their suffix alone keep it in the name: ``song (mp3).flac``.

    Raises:
        ValueError: two files would become one all the same.
    """
    plain = [(into / file.relative_to(folder)).with_suffix(suffix) for file in files]
    shared = {destination for destination, count in Counter(plain).items() if count > 1}
    pairs = [
        (file, _with_kind(destination, file) if destination in shared else destination)
        for file, destination in zip(files, plain, strict=True)
    ]
    counted = Counter(destination for _, destination in pairs)
    doubled = next((destination for destination, count in counted.items() if count > 1), None)
    if doubled is not None:
        names = " and ".join(str(file) for file, destination in pairs if destination == doubled)
        raise ValueError(f"{names} would both become {doubled}")
    return pairs


def _with_kind(destination: Path, file: Path) -> Path:
    return destination.with_name(f"{destination.stem} ({file.suffix.removeprefix('.')}){destination.suffix}")


def master_files(pairs: Sequence[tuple[Path, Path]], order: Order, watch: Watch) -> Iterator[Outcome]:
    """Master each source of ``pairs`` into its destination, whose folder is made where it is missing.

    Args:
        pairs: source and destination.
        order: what is wanted; with ``target.level`` ``album`` all of them are one album, and
            ``target.album`` is found out.
        watch: told how it comes along; what it raises ends the work.

    Yields:
        One outcome for every pair, in their order.

    Raises:
        ValueError: an unknown suffix, or a destination that is its own source.
    """
    if order.target.level != "album":
        for source, destination in pairs:
            measured = _measured(source, destination, order, watch)
            yield _outcome(source, destination, measured, order.target, watch)
        return
    all_measured = [_measured(source, destination, order, watch) for source, destination in pairs]
    target = _of_album(order.target, all_measured)
    for (source, destination), measured in zip(pairs, all_measured, strict=True):
        yield _outcome(source, destination, measured, target, watch)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A file that can be rendered; None is too little audio to be measured."""

    job: Job
    analysis: Analysis | None


def _measured(source: Path, destination: Path, order: Order, watch: Watch) -> _Measured | TonearmError:
    try:
        job = Job(source, destination, order)
        return _Measured(job, job.measure(lambda done, total: watch(source, done, total)))
    except TonearmError as error:
        return error


def _outcome(
    source: Path, destination: Path, measured: _Measured | TonearmError, target: Target, watch: Watch
) -> Outcome:
    if isinstance(measured, TonearmError):
        return Outcome(source, destination, measured)
    try:
        _make_folder(destination.parent)
        report = measured.job.render(
            measured.analysis, target, lambda done, total: watch(source, done, total)
        )
    except TonearmError as error:
        return Outcome(source, destination, error)
    return Outcome(source, destination, report)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise EncodeError(f"{folder}: {exc}") from exc


def _of_album(target: Target, all_measured: Sequence[_Measured | TonearmError]) -> Target:
    """The target with what all that could be measured come to together."""
    analyses = [one.analysis for one in all_measured if isinstance(one, _Measured) and one.analysis]
    album = album_level_of(map(_track_level, analyses))
    # Without one, nothing could be measured, and what cannot be measured is copied as it is.
    return replace(target, album=album) if album is not None else replace(target, level="track")


def _track_level(analysis: Analysis) -> TrackLevel:
    measures = analysis.measures
    return TrackLevel(
        measures.gating_histogram,
        measures.downmix_true_peak_dbtp,
        measures.downmix_lufs - analysis.fingerprint.lufs,
    )
