"""Q21: whatever comes in, the answer is finite sound or an error with a type."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from quality.criteria import Finding
from quality.material import together, waves
from quality.playing import by_ear, by_hand, mastered, rendered
from tonearm.model.audio import Block
from tonearm.model.errors import TonearmError
from tonearm.model.plan import Preset, Target
from tonearm.rendering.offline import master_file

_UNTYPED = (ArithmeticError, AssertionError, LookupError, OSError, RuntimeError, TypeError, ValueError)


def answered(sound: Callable[[], Block], material: str, case: str) -> Finding:
    """Samples that are no number; what is raised without a type of ours is as bad as one."""
    try:
        bad = float(np.count_nonzero(~np.isfinite(sound())))
    except TonearmError:
        bad = 0.0
    except _UNTYPED as exc:
        return Finding("finite", material, 1.0, f"{case}: {type(exc).__name__} {exc}")
    return Finding("finite", material, bad, case)


def damaged(rate: int, channels: int) -> dict[str, Block]:
    """Sounds that are none, or hardly."""
    noise = np.random.default_rng(rate).normal(0, 0.1, (rate, channels)).astype(np.float32)
    broken = noise.copy()
    broken[100], broken[2000, 0], broken[3000:3100] = np.nan, np.inf, -np.inf
    huge, beyond = noise.copy(), noise.copy()
    huge[500], huge[600, 0], beyond[500] = 3e38, -1e30, 1500.0
    loud, subnormal = noise.copy(), np.full_like(noise, 1e-40)
    loud[500] = 1000.0
    return {
        "not a number and infinite": broken,
        "nothing but not a number": np.full_like(noise, np.nan),
        "huge": huge,
        "over 60 dBFS": beyond,
        "nearly 60 dBFS": loud,
        "subnormal": subnormal,
        "silence": np.zeros_like(noise),
        "one sample": np.ones((1, channels), np.float32),
        "no sample": np.zeros((0, channels), np.float32),
        "0.1 s": noise[: rate // 10],
        "waves": together(rate, rate // 2, channels),
        "very quiet": noise * np.float32(10 ** (-48 / 20)),
    }


def through_the_chain(rate: int, channels: int) -> Iterator[Finding]:
    for name, x in damaged(rate, channels).items():
        for gain_db in (-20.0, 60.0):
            plan = by_hand(gain_db, (3.0, -3.0) * 3 + (3.0,))
            case = f"{name}, {channels} channels, {rate} Hz, {gain_db:+g} dB"
            yield answered(partial(mastered, x, plan, rate), "the chain", case)


def by_hearing(rate: int, channels: int) -> Iterator[Finding]:
    for name, x in damaged(rate, channels).items():
        case = f"{name}, {channels} channels, {rate} Hz"
        yield answered(partial(_planned_gains, x, rate), "HybridProcessor", case)


def _planned_gains(x: Block, rate: int) -> Block:
    hybrid = by_ear(rate, x.shape[1], Preset.BRIGHT)
    plans = [hybrid.update(x), hybrid.update(x)]
    return np.array([[plan.gain_db, *plan.eq_db] for plan in plans], np.float32)


def files(folder: Path, rate: int, channels: int, targets: tuple[Target, ...]) -> Iterator[Finding]:
    """Damaged sounds in whole files, from measurement to the written master."""
    source, destination = folder / "in.wav", folder / "out.wav"
    for name, x in damaged(rate, channels).items():
        soundfile.write(source, x, rate, subtype="FLOAT")
        for target in targets:

            def written(target: Target = target) -> Block:
                report = master_file(source, destination, bit_depth="32f", target=target)
                y: Block = soundfile.read(destination, dtype="float32", always_2d=True)[0]
                # At bypass the source is copied, and what is no number with it is silenced by the chain.
                assert report.frames == len(y)
                return y

            case = (
                f"{name}, {channels} channels, {rate} Hz, {target.lufs:g} LUFS, {target.ceiling_dbtp:g} dBTP"
            )
            yield answered(written, "`tonearm master`", case)


def truncated(path: Path, folder: Path, shares: tuple[float, ...]) -> Iterator[Finding]:
    """A file that is cut off: played as far as it goes, and refused as a master."""
    whole = path.read_bytes()
    for share in shares:
        cut = folder / f"cut{path.suffix}"
        cut.write_bytes(whole[: round(share * len(whole))])
        case = f"{path.name}, {share:.0%} of it"
        yield answered(partial(rendered, cut, by_hand(6.0)), "truncated files, played", case)
        yield answered(partial(_mastered_file, cut, folder / "out.wav"), "truncated files, mastered", case)


def _mastered_file(source: Path, destination: Path) -> Block:
    master_file(source, destination, bit_depth="32f")
    y: Block = soundfile.read(destination, dtype="float32", always_2d=True)[0]
    return y


def hostile_waves(rate: int) -> Iterator[Finding]:
    for name, wave in waves(rate, rate // 2).items():
        x = wave[:, None].astype(np.float32)
        yield answered(partial(mastered, x, by_hand(60.0), rate), "the chain", f"{name}, {rate} Hz, +60 dB")
