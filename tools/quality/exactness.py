"""Q7, Q15: what must pass untouched, and what must come out alike."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from sounds import analysed

from quality.continuity import farthest
from quality.criteria import Finding
from quality.cutting import differing
from quality.playing import BYPASS, by_ear, decided, mastered, rendered
from tonearm.audio.decode import Decoder
from tonearm.model.audio import Block
from tonearm.model.plan import MasteringPlan, Preset, Width

LOSSLESS = (".wav", ".flac", ".aiff")


def bypassed(path: Path, x: Block, presets: tuple[Preset, ...] = tuple(Preset)) -> Iterator[Finding]:
    """Intensity 0 with each preset, and ``play_normal``, beside the decoded source ``x``."""
    with Decoder(path) as decoder:
        rate = decoder.info.format.rate
    analysis = analysed(x[: 30 * rate], rate)
    for preset in presets:
        y = rendered(path, decided(analysis, preset, 0.0))
        yield differing("bypass", y, x, "intensity 0", f"{path.name}, {preset}")
    yield differing("bypass", rendered(path, BYPASS, 0), x, "`play_normal`", path.name)
    if path.suffix in LOSSLESS:
        read, _ = soundfile.read(path, dtype="float32", always_2d=True)
        yield differing(
            "bypass", rendered(path, BYPASS), read, "`play_normal`, read by libsndfile", path.name
        )


def mixed_down(folder: Path, seed: int) -> Finding:
    """5.1 at intensity 0 is its ITU downmix, worked out here in float32."""
    rng, path = np.random.default_rng(seed), folder / "surround.wav"
    x = rng.uniform(-0.3, 0.3, (60_000, 6)).astype(np.float32)
    soundfile.write(path, x, 48_000, subtype="FLOAT")
    half = np.float32(np.sqrt(0.5))
    left, right, centre, _, left_back, right_back = x.T
    wanted = np.stack(
        [left + half * centre + half * left_back, right + half * centre + half * right_back], axis=1
    )
    return differing("bypass", rendered(path, BYPASS), wanted, "5.1 to stereo", "noise")


def alike(x: Block, rate: int, plan: MasteringPlan, case: str) -> Iterator[Finding]:
    """Polarity, channel order, and one channel beside its copy in two."""
    y = mastered(x, plan, rate)
    for turned, back in ((-x, -1), (x[:, ::-1].copy(), 1)):
        z = back * mastered(turned, plan, rate)
        z = z[:, ::-1] if back == 1 else z
        yield Finding("symmetric", "polarity" if back < 0 else "channels swapped", largest(z - y), case)
    mono = x[:, :1].copy()
    both = mastered(np.repeat(mono, 2, axis=1), plan, rate)
    alone = mastered(mono, replace(plan, width=Width()), rate)
    yield Finding("symmetric", "mono and its copy", largest(both - alone), case)


def alike_plans(x: Block, rate: int, preset: Preset, case: str) -> Iterator[Finding]:
    """The plan does not care for polarity and channel order; mono and its stereo copy have one plan."""
    plan = decided(analysed(x, rate), preset)
    mono = x[:, :1].copy()
    pairs = {
        "polarity": (plan, decided(analysed(-x, rate), preset)),
        "channels swapped": (plan, decided(analysed(x[:, ::-1].copy(), rate), preset)),
        "mono and its copy": tuple(
            decided(analysed(each, rate), preset) for each in (mono, np.repeat(mono, 2, axis=1))
        ),
    }
    for material, (one, other) in pairs.items():
        yield Finding("same-plan", material, farthest(one, other), f"{case}, {preset}")


def alike_by_ear(x: Block, rate: int, case: str) -> Finding:
    """The fallback plans the same for mono and for its stereo copy."""
    mono = x[:, :1].copy()
    plans = []
    for each in (mono, np.repeat(mono, 2, axis=1)):
        hybrid = by_ear(rate, each.shape[1])
        plans.append(hybrid.update(each))
    return Finding("same-plan", "mono and its copy, HybridProcessor", farthest(*plans), case)


def largest(difference: Block) -> float:
    """The largest magnitude."""
    return float(np.abs(difference).max(initial=0.0))
