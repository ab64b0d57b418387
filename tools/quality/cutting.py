"""Q4, Q5, Q22 and the identity of stream and file: where and how a sound is cut changes nothing."""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from quality.criteria import Finding
from quality.playing import by_ear, in_blocks, mastered, rendered
from tonearm.audio.decode import inspect
from tonearm.model.audio import Block
from tonearm.model.plan import MasteringPlan
from tonearm.rendering.offline import master_file

SIZES: Final = (1, 13, 512, 4096)
_LEAST: Final = 1e-12


def differing(check: str, found: Block, wanted: Block, material: str, case: str) -> Finding:
    """How many samples of two sounds differ; frames that only one of them has count too."""
    common = min(len(found), len(wanted))
    surplus = (max(len(found), len(wanted)) - common) * wanted.shape[1]
    differ = np.count_nonzero(found[:common] != wanted[:common])
    return Finding(check, material, float(differ + surplus), case)


def _random_sizes(seed: int) -> Callable[[], int]:
    rng = np.random.default_rng(seed)
    return lambda: int(rng.integers(0, 5000))


def cuts(
    x: Block, plan: MasteringPlan, rate: int, case: str, sizes: Sequence[int] = SIZES
) -> Iterator[Finding]:
    """A sound in blocks of each size, of a second, of random sizes, beside the whole."""
    whole = mastered(x, plan, rate)
    for size in (*sizes, rate):
        short = x[: 20 * rate // 100] if size == 1 else x
        reference = whole if size > 1 else mastered(short, plan, rate)
        y = in_blocks(short, plan, rate, itertools.repeat(size).__next__)
        yield differing("cut", y, reference, "blocks of the chain", f"{case}, blocks of {size}")
    for seed in range(2):
        y = in_blocks(x, plan, rate, _random_sizes(seed))
        yield differing("cut", y, whole, "blocks of the chain", f"{case}, random blocks")


def reads(
    path: Path, plan: MasteringPlan, frames: int, sizes: Sequence[int] = (13, 512, 4096)
) -> Iterator[Finding]:
    """The start of a file in reads of each size, by a plan and by ear."""
    source = inspect(path).format
    channels = min(2, source.channels)
    for size in (*sizes, source.rate):
        for label, ear in (("by plan", False), ("by ear", True)):
            made = [
                rendered(path, by_ear(source.rate, channels) if ear else plan, 0, frames, step)
                for step in (size, frames)
            ]
            yield differing("cut", made[0], made[1], "reads of a file", f"{path.name}, {size}, {label}")


def positions(
    path: Path, plan: MasteringPlan, whole: Block, starts: Sequence[int], seconds: float, material: str
) -> Iterator[Finding]:
    """Renders from positions beside the whole render, over some seconds or up to the end."""
    frames = round(seconds * inspect(path).format.rate)
    for start in starts:
        part = rendered(path, plan, start, frames)
        wanted = whole[start : start + frames]
        case = f"{path.name} from frame {start} of {len(whole)}"
        yield Finding("length", material, float(abs(len(part) - len(wanted))), case)
        common = min(len(part), len(wanted))
        yield apart("position", part[:common], wanted[:common], material, case)


def apart(check: str, found: Block, wanted: Block, material: str, case: str) -> Finding:
    """The largest difference between two sounds, dBFS."""
    difference = np.abs(found.astype(np.float64) - wanted).max(initial=_LEAST)
    return Finding(check, material, float(20 * np.log10(difference)), case)


def starts_in(frames: int, rate: int, count: int, seed: int) -> list[int]:
    """The borders of a file and random places in it."""
    rng = np.random.default_rng(seed)
    fixed = [0, 1, 4 * rate - 1, 4 * rate + 1, frames - rate // 3, frames - 1]
    return [start for start in (*fixed, *rng.integers(0, frames, count).tolist()) if 0 <= start < frames]


def stream_and_file(path: Path, folder: Path, stream: Block, plan: MasteringPlan) -> Finding:
    """What was streamed beside the file that is written with the same plan, read by libsndfile."""
    destination = folder / "master.wav"
    report = master_file(path, destination, bit_depth="32f", passes=1)
    written, _ = soundfile.read(destination, dtype="float32", always_2d=True)
    destination.unlink()
    assert report.plan == plan
    return differing("outputs", stream, written, "the renderer, all music", path.name)


def two_processes(path: Path, folder: Path, arguments: Sequence[str], suffix: str) -> Finding:
    """The program run twice, each time in a process of its own."""
    made = [folder / f"{number}{suffix}" for number in (1, 2)]
    for number, destination in enumerate(made):
        command = [sys.executable, "-m", "tonearm", "master", str(path), str(destination), *arguments]
        surroundings = {**os.environ, "PYTHONHASHSEED": str(number)}
        subprocess.run(command, check=True, env=surroundings, capture_output=True, timeout=600)
    return same_bytes(*made, "`tonearm master`, two processes", f"{path.name} to {suffix}")


def same_bytes(one: Path, other: Path, material: str, case: str) -> Finding:
    """How many bytes of two files differ; those that only one of them has count too."""
    a, b = (np.frombuffer(path.read_bytes(), np.uint8) for path in (one, other))
    common = min(len(a), len(b))
    differ = np.count_nonzero(a[:common] != b[:common]) + max(len(a), len(b)) - common
    return Finding("bytes", material, float(differ), case)
