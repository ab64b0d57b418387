"""What is checked on every track of a folder of music, and on copies of it that were made loud."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from judges import Judged
from sounds import analysed

from quality import bits, cutting, exactness, levels, peaks
from quality.criteria import Finding, Result
from quality.material import CEILINGS_DBTP, PUSHES_DB, amplified, decoded, pushed
from quality.playing import by_ear, by_hand, decided, every_stage, mastered, rendered
from quality.restoring import restoration
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.audio import Block
from tonearm.model.errors import NotEnoughAudio
from tonearm.model.measures import Analysis
from tonearm.model.plan import MasteringPlan, Preset, Target
from tonearm.rendering.chunked import ChunkedAudioProcessor
from tonearm.rendering.probing import probe_file

PART_S: Final = 3.0
EXCERPT_S: Final = 60.0
LOUD_LUFS: Final = -9.0
SHORT_S: Final = 100.0
"""Shorter tracks are also written to files that are read again."""

_GLIDE_S: Final = 3.0
_LEAST_PSR_DB: Final = 10.0


def music(path: Path, number: int) -> Iterator[Finding]:
    """One track; ``number`` says which of the settings that take turns are its own."""
    x, rate = decoded(path)
    analysis = analysed(x, rate)
    plan = decided(analysis)
    made = levels.Mastered(path.name, "music", rate, x, analysis, plan, rendered(path, plan))
    yield from levels.levels(made)
    yield from levels.again(made)
    yield from with_every_preset(path.name, "music, every preset", x, rate, analysis, number)
    starts = cutting.starts_in(len(x), rate, 6, number)
    yield from cutting.positions(path, plan, made.y, starts, PART_S, f"music, {path.suffix[1:]}")
    yield from cutting.reads(path, every_stage(x.shape[1]), min(len(x), 4 * rate))
    preset = list(Preset)[number % len(Preset)]
    yield from exactness.bypassed(path, x, (preset,))
    part = x[: 20 * rate]
    yield peaks.under_threshold(part, rate, CEILINGS_DBTP[number % 5], path.name)
    if x.shape[1] == 2:
        yield from exactness.alike(part, rate, every_stage(2), path.name)
        yield from exactness.alike_plans(part, rate, preset, path.name)
        yield exactness.alike_by_ear(part, rate, path.name)
        yield peaks.image(part, mastered(part, by_hand(12.0), rate), path.name)
    yield from changing(path, x.shape[1], rate, analysis, number)
    with tempfile.TemporaryDirectory() as folder:
        yield cutting.stream_and_file(path, Path(folder), made.y, plan)
        if len(x) < SHORT_S * rate:
            yield from levels.in_two_passes(made, path, Path(folder))
            yield from bits.masters(path, Path(folder), preset, (".flac", ".wav")[number % 2])


def with_every_preset(
    name: str, material: str, x: Block, rate: int, analysis: Analysis, number: int
) -> Iterator[Finding]:
    """The ceiling with each preset, and with a loud target under two others; *preserve* is one gain."""
    settings = [(preset, (1.0, 0.3)[(turn + number) % 2], Target()) for turn, preset in enumerate(Preset)]
    settings += [
        (Preset.ADAPTIVE, 1.0, Target(-9.0, CEILINGS_DBTP[1 + turn % 4])) for turn in (number, number + 1)
    ]
    for preset, intensity, target in settings:
        plan = decided(analysis, preset, intensity, target)
        case = f"{name}, {preset} {intensity:g}, {target.lufs:g} LUFS, {target.ceiling_dbtp:g} dBTP"
        y = mastered(x, plan, rate)
        yield peaks.over_ceiling(y, target.ceiling_dbtp, material, case)
        assert plan.lwrp is not None
        if plan.lwrp.weights.preserve == 1:
            wanted = (x * 10.0 ** (plan.gain_db / 20.0)).astype(np.float32)
            yield cutting.apart("null", y, wanted, material, case)


def changing(path: Path, channels: int, rate: int, analysis: Analysis, number: int) -> Iterator[Finding]:
    """The fallback, and plans that replace each other while a track plays."""
    ceiling = CEILINGS_DBTP[number % 5]
    target = Target(ceiling_dbtp=ceiling)
    ear = by_ear(rate, channels, list(Preset)[number % 6], ceiling)
    yield peaks.over_ceiling(rendered(path, ear), ceiling, "HybridProcessor", path.name)
    final = decided(analysis, target=target)
    sources: list[tuple[str, MasteringPlan | HybridProcessor]] = [
        ("HybridProcessor to fingerprint", by_ear(rate, channels, Preset.BRIGHT, ceiling))
    ]
    try:
        first = AdaptiveMode().plan_from_probe(probe_file(path), Preset.ADAPTIVE, 1.0, target)
        sources.append(("provisional to fingerprint", first))
    except NotEnoughAudio:
        pass  # Its windows hold nothing: such a track has no first impression.
    for material, source in sources:
        with ChunkedAudioProcessor(path, source) as track:
            parts = [track.read(rate)]
            track.retarget(final, _GLIDE_S)
            parts.append(track.read(20 * rate))
        yield peaks.over_ceiling(np.concatenate(parts), ceiling, material, path.name)
    x, _ = decoded(path, 25.0)
    yield from peaks.glides(x, rate, number, path.name)


def copies(path: Path, number: int) -> Iterator[Result]:
    """A minute of a clean and lively track: pushed into a limiter, and amplified as it is."""
    with ChunkedAudioProcessor(path, by_hand(0.0)) as track:
        start_s = max(0.0, track.info.duration_s / 2 - EXCERPT_S / 2)
    x, rate = decoded(path, EXCERPT_S, start_s)
    source = Judged(x, rate)
    if source.clipped_ppm > 0 or source.psr_p10_db < _LEAST_PSR_DB:
        return
    for turn, push_db in enumerate(PUSHES_DB, start=number):
        copy = levels.Mastered.of(
            f"{path.name} {push_db:+g} dB", "limited copies", pushed(x, rate, push_db), rate
        )
        yield from levels.levels(copy)
        yield from levels.again(copy)
        yield from restoration(source, path.name, push_db, copy)
        yield from with_every_preset(
            copy.name, "limited copies, every preset", copy.x, rate, copy.analysis, turn
        )
    yield from loud_and_alive(path.name, amplified(x, LOUD_LUFS - source.lufs), rate, number)


def loud_and_alive(name: str, x: Block, rate: int, number: int) -> Iterator[Finding]:
    """A track at -9 LUFS whose dynamics are whole, as a file of floats: *preserve*."""
    analysis = analysed(x, rate)
    plan = decided(analysis)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loud.wav"
        soundfile.write(path, x, rate, subtype="FLOAT")
        y = rendered(path, plan)
    material = f"amplified to {LOUD_LUFS:g} LUFS"
    yield from levels.levels(levels.Mastered(name, material, rate, x, analysis, plan, y))
    yield from with_every_preset(name, f"{material}, every preset", x, rate, analysis, number)
