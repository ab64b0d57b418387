"""Everything that is checked, in pieces that run beside each other; each gives its findings."""

import tempfile
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from audio_files import ALL
from ebu import RATES as EBU_RATES
from ebu import TECH_3341, TECH_3342, Case

from quality import bits, continuity, cutting, exactness, gapless, hostile, outputs, peaks, perceived
from quality.criteria import Finding, Result
from quality.material import CEILINGS_DBTP, RATES, amplified, decoded, music_files, together, waves
from quality.on_music import PART_S, copies, music
from quality.playing import by_hand, every_stage, mastered
from tonearm.audio.decode import Decoder, inspect
from tonearm.dsp.dither import dithered_16
from tonearm.model.plan import Preset, Target


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of the work.

    Attributes:
        name: what it is called.
        numbers: the criteria of which it gives findings.
        work: what gives them.
    """

    name: str
    numbers: Set[str]
    work: Callable[[], Iterator[Result]]


ON_COPIES: Final = frozenset({"Q1", "Q2", "Q9", "Q10", "Q11", "Q12", "Q14"})
ON_MUSIC: Final = frozenset(
    {"Q1", "Q2", "Q4", "Q5", "Q7", "Q8", "Q9", "Q10", "Q12", "Q14", "Q15", "Q17", "Q19", "outputs"}
)
BEFORE: Final = perceived.recorded()
ALBUMS: Final = 5

BORDER_PARTS: Final = 4
MOST_FRAMES: Final = 48_000
PRESETS: Final = tuple(Preset)
LOUDER: Final = by_hand(6.0)
TARGETS: Final = (Target(), Target(-5.0, 0.0), Target(-14.0, -20.0))


def at_rate(rate: int) -> Iterator[Finding]:
    """The test signals at one rate."""
    frames = min(rate // 2, MOST_FRAMES)
    yield from peaks.hostile_signals(rate, frames)
    yield from peaks.hostile_channels(rate, frames)
    yield from peaks.planned_signals(rate, 0.6, PRESETS)
    yield from peaks.hostile_by_ear(rate, 2.0)
    for seed, (name, wave) in enumerate(waves(rate, min(2 * rate, 4 * MOST_FRAMES)).items()):
        yield from peaks.glides(amplified(wave, 0.0), rate, seed, f"{name}, {rate} Hz")
        if wave.any():
            x = amplified(wave, 0.0)
            yield peaks.under_threshold(x, rate, CEILINGS_DBTP[seed % 5], f"{name}, {rate} Hz")


def linked(rate: int) -> Iterator[Finding]:
    """Cutting, channels and bass at one rate."""
    for channels in range(1, 9):
        x = together(rate, min(2 * rate, 60_000), channels)
        yield from cutting.cuts(x, every_stage(channels), rate, f"{channels} channels, {rate} Hz")
        noise = np.random.default_rng(channels).normal(0, 0.4, (rate, channels)) * np.linspace(
            0.3, 1, channels
        )
        x = amplified(noise, 6.0)
        yield peaks.image(x, mastered(x, LOUDER, rate), f"{channels} channels of noise, {rate} Hz")
    for bass_hz in (60.0, 61.7, 80.0, 97.0, 120.0, 133.3, 150.0):
        for level in (0.03, 0.1, 0.5, 1.0):
            yield peaks.sidebands(bass_hz, level, rate)


def damaged(rate: int) -> Iterator[Finding]:
    """Sounds that are none, in 1, 2 and 6 channels, at one rate."""
    yield from hostile.hostile_waves(rate)
    for channels in (1, 2, 6):
        yield from hostile.through_the_chain(rate, channels)
        yield from hostile.by_hearing(rate, channels)
        with tempfile.TemporaryDirectory() as folder:
            yield from hostile.files(Path(folder), rate, channels, TARGETS)


def of_format(kind: str, source: Path) -> Iterator[Finding]:
    """Cutting, seeking and damage in one format, 30 s of music."""
    rate = 48_000 if kind == "opus" else 44_100
    sound, _ = decoded(source, 30.0, 20.0)
    with tempfile.TemporaryDirectory() as name:
        path = ALL[kind](Path(name), sound)
        whole = cutting.rendered(path, every_stage(2))
        starts = cutting.starts_in(len(whole), rate, 24, 5)
        yield from cutting.positions(path, every_stage(2), whole, starts, PART_S, kind)
        yield from cutting.reads(path, every_stage(2), 10 * rate)
        yield from hostile.truncated(path, Path(name), (0.01, 0.3, 0.7, 0.999))


def at_the_borders(part: int) -> Iterator[Finding]:
    """One part of the walk through the whole space of the decision."""
    yield from continuity.along_the_borders(thin=13 * BORDER_PARTS, offset=part)
    yield from continuity.at_random(400, part)
    yield from continuity.uphill(part, 25, 80)
    yield from continuity.of_the_album(100, part)


def sixteen_bits(source: Path) -> Iterator[Finding]:
    """What dither must be, and where it must not be."""
    x, rate = decoded(source, 20.0)
    for level in (0.3, 0.5, 0.9):
        quantised = dithered_16(bits.tone(level), 7)
        yield from bits.soft_tone(quantised, level, f"{level:g} steps")
    for seed in range(20):
        yield from bits.cut_dither(x[: 5 * rate], seed)
    with tempfile.TemporaryDirectory() as folder:
        yield from bits.undithered(Path(folder), x, rate)
        for seed in range(5):
            yield exactness.mixed_down(Path(folder), seed)


def repeated(source: Path) -> Iterator[Finding]:
    """The same bytes from two processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for arguments, suffix in (
            (["--bit-depth", "16", "--preset", "warm"], ".flac"),
            (["--bit-depth", "32f", "--intensity", "0.3"], ".wav"),
            (["--bit-depth", "24"], ".flac"),
        ):
            yield cutting.two_processes(source, folder, arguments, suffix)
        x, rate = decoded(source, 20.0)
        mono = folder / "mono.wav"
        soundfile.write(mono, x[:, :1], rate, subtype="FLOAT")
        yield cutting.two_processes(mono, folder, ["--target-lufs", "-8"], ".wav")


def ebu(case: Case, document: str) -> Iterator[Finding]:
    """How far readings of the program's meters lie outside of what the standard allows."""
    low, high = case.allowed
    for rate in EBU_RATES:
        outside = max(max(deviation - high, low - deviation) for deviation in case.deviations(rate))
        yield Finding("ebu", document, outside, f"case {case.number}, {rate} Hz")


def joins(path: Path) -> Iterator[Finding]:
    """Albums of one take in every format; and after a short track."""
    with Decoder(path) as decoder:
        start_s = max(0.0, decoder.info.duration_s / 2 - gapless.TAKE_S / 2)
    take, rate = decoded(path, gapless.TAKE_S, start_s)
    for kind in gapless.KINDS:
        with tempfile.TemporaryDirectory() as folder:
            yield from gapless.gapless(take, rate, kind, Path(folder), path.name)
    with tempfile.TemporaryDirectory() as folder:
        yield from gapless.after_a_short_track(take, rate, Path(folder), path.name)


def outputs_of(tracks: list[Path]) -> Iterator[Finding]:
    """A server of its own plays one file of each kind."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "music").mkdir()
        files = outputs.gathered(outputs.one_of_each(tracks), tracks[0], folder / "music")
        yield from outputs.three_outputs(files, folder)


def jobs(folder: Path) -> list[Job]:
    """All of it: what takes longest first, so that no process waits for another at the end."""
    tracks = list(music_files(folder))
    lively = [path for path in tracks if _seconds(path) > 20.0]
    return [*_of_music(tracks, lively), *_built(tracks, lively)]


def _of_music(tracks: list[Path], lively: list[Path]) -> list[Job]:
    """Every track, and what is made of the longer ones."""
    made = [Job(path.name, ON_MUSIC, partial(music, path, number)) for number, path in enumerate(tracks)]
    made.append(Job("outputs", {"outputs"}, partial(outputs_of, tracks)))
    made += [
        Job(f"{path.name}: limited copies", ON_COPIES, partial(copies, path, number))
        for number, path in enumerate(lively)
    ]
    made += [
        Job(f"{path.name}: perceived", {"Q18"}, partial(perceived.heard, path, perceived.METERS, BEFORE))
        for path in lively
    ]
    made.append(Job("noise: perceived", {"Q18"}, partial(perceived.scale, lively[-1], perceived.METERS)))
    made += [
        Job(f"{path.name}: joins", {"Q6"}, partial(joins, path))
        for path in lively[:: -(-len(lively) // ALBUMS)]
    ]
    return made


def _built(tracks: list[Path], lively: list[Path]) -> list[Job]:
    """What was built to be hard."""
    made = [Job(f"decision {part}", {"Q13"}, partial(at_the_borders, part)) for part in range(BORDER_PARTS)]
    for rate in reversed(RATES):
        made += [
            Job(f"cuts at {rate} Hz", {"Q4", "Q16", "Q17"}, partial(linked, rate)),
            Job(f"signals at {rate} Hz", {"Q1", "Q8"}, partial(at_rate, rate)),
            Job(f"damage at {rate} Hz", {"Q21"}, partial(damaged, rate)),
        ]
    oggs = [path for path in tracks if path.suffix == ".ogg" and 50.0 < _seconds(path) < 100.0]
    source = (oggs or lively)[0]
    made += [Job(kind, {"Q4", "Q5", "Q21"}, partial(of_format, kind, source)) for kind in ALL]
    made += [
        Job("16 bits", {"Q7", "Q19"}, partial(sixteen_bits, source)),
        Job("two processes", {"Q22"}, partial(repeated, source)),
    ]
    for document, cases in (("EBU Tech 3341", TECH_3341), ("EBU Tech 3342", TECH_3342)):
        made += [
            Job(f"{document} case {case.number}", {"Q3"}, partial(ebu, case, document)) for case in cases
        ]
    return made


def _seconds(path: Path) -> float:
    return inspect(path).duration_s
