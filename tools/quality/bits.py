"""Q19: sixteen bits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import scipy.signal
import soundfile
from numpy.typing import NDArray

from quality.criteria import Finding
from quality.cutting import differing
from quality.peaks import over_ceiling
from quality.playing import rendered
from tonearm.dsp.dither import dithered_16
from tonearm.model.audio import Block
from tonearm.model.plan import Preset
from tonearm.rendering.offline import master_file

STEPS: Final = 32768.0
Ints = NDArray[np.int16]

_SEGMENT = 256
_TONE_HZ = 1000.0
_RATE = 48_000


def sixteen(path: Path) -> Ints:
    samples: Ints = soundfile.read(path, dtype="int16", always_2d=True)[0]
    return samples


def masters(path: Path, folder: Path, preset: Preset, suffix: str) -> Iterator[Finding]:
    """A 16-bit master beside the same render before it was rounded."""
    destination = folder / f"sixteen{suffix}"
    report = master_file(path, destination, bit_depth="16", preset=preset, passes=1)
    written = sixteen(destination)
    destination.unlink()
    case = f"{path.name}, {preset}, {suffix}"
    if report.plan.bypass:
        return
    over = over_ceiling((written / np.float32(STEPS)).astype(np.float32), report.plan.ceiling_dbtp, "", case)
    yield Finding("dither-peak", "16-bit masters", over.value, case)
    yield from errors(rendered(path, report.plan), written, case)


def errors(x: Block, y: Ints, case: str) -> Iterator[Finding]:
    """The error of 16-bit samples ``y`` of ``x``: its power, its spectrum, whether it follows the sound."""
    sound = STEPS * x.astype(np.float64)
    error = y - sound
    power = 10 * np.log10(np.mean(error**2) / 0.25)
    yield Finding("dither-noise", "16-bit masters", abs(float(power)), case)
    if len(x) >= 500 * _SEGMENT:
        _, density = scipy.signal.welch(error, nperseg=_SEGMENT, axis=0, detrend=False)
        level = 10 * np.log10(density.mean(axis=1)[1:-1])
        yield Finding("dither-white", "16-bit masters", float(np.abs(level - level.mean()).max()), case)
    centred = (sound - sound.mean(axis=0), error - error.mean(axis=0))
    with np.errstate(invalid="ignore"):
        correlation = np.mean(centred[0] * centred[1], axis=0) / (
            centred[0].std(axis=0) * centred[1].std(axis=0)
        )
    yield Finding("dither-free", "16-bit masters", float(np.abs(np.nan_to_num(correlation)).max()), case)


def soft_tone(quantised: Ints, level: float, case: str) -> Iterator[Finding]:
    """A tone of ``level`` steps at 1 kHz, 48 kHz: as loud as before, and without harmonics."""
    y = quantised[:, 0].astype(np.float64)
    y = y[: len(y) // _RATE * _RATE]
    t = np.arange(len(y)) / _RATE
    found = 2 * abs(np.mean(y * np.exp(-2j * np.pi * _TONE_HZ * t)))
    change = abs(20 * np.log10(max(found, 1e-9) / level))
    yield Finding("dither-tone", "1 kHz under the last bit", float(change), f"{case}: level")
    hertz, density = scipy.signal.welch(y, _RATE, nperseg=480, window="hann")
    floor = np.median(density[(hertz > 2 * _TONE_HZ)])
    for harmonic in (3, 5, 7):
        line = density[np.argmin(np.abs(hertz - harmonic * _TONE_HZ))]
        above = 10 * np.log10(max(line, 1e-12) / max(floor, 1e-12))
        yield Finding("dither-tone", "1 kHz under the last bit", float(above), f"{case}: harmonic {harmonic}")


def tone(level: float, seconds: int = 20) -> Block:
    t = np.arange(seconds * _RATE) / _RATE
    return (level / STEPS * np.sin(2 * np.pi * _TONE_HZ * t))[:, None].astype(np.float32)


def cut_dither(x: Block, seed: int) -> Iterator[Finding]:
    """The same frames get the same dither, however they are cut and wherever one starts."""
    rng, whole = np.random.default_rng(seed), dithered_16(x, 0)
    at = sorted(rng.integers(0, len(x), 6).tolist())
    parts = [dithered_16(part, start) for start, part in zip([0, *at], np.split(x, at), strict=True)]
    yield differing("dither-cut", np.concatenate(parts), whole, "cut anywhere", f"seed {seed}")
    start = at[3]
    yield differing(
        "dither-cut", dithered_16(x[start:], start), whole[start:], "begun anywhere", f"seed {seed}"
    )


def undithered(folder: Path, x: Block, rate: int) -> Iterator[Finding]:
    """Sources of up to 16 bits at intensity 0 are copied; of 24 bits, or mixed down, they are dithered."""
    for subtype in ("PCM_16", "PCM_U8", "PCM_24"):
        source, destination = folder / f"{subtype}.wav", folder / "copy.wav"
        soundfile.write(source, x, rate, subtype=subtype)
        master_file(source, destination, bit_depth="16", intensity=0.0)
        wanted, copied = sixteen(source), sixteen(destination)
        same = differing("undithered", copied, wanted, "intensity 0", f"{subtype} to 16 bits")
        if subtype == "PCM_24":
            dithered = float(same.value < 0.2 * x.size)
            yield Finding("undithered", "intensity 0, 24 bits: rounded without dither", dithered, subtype)
        else:
            yield same
