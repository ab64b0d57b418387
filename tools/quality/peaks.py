"""Q1, Q8, Q16, Q17: the ceiling, and what holding it does to the rest."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from judges import REACH, interval_peaks, true_peak_dbtp
from numpy.typing import NDArray

from quality.criteria import Finding
from quality.cutting import differing
from quality.material import CEILINGS_DBTP, amplified, together, waves
from quality.playing import CURVE, FLAT, by_ear, by_hand, decided_for, mastered
from tonearm.dsp.limiter import MARGIN_DB
from tonearm.mastering.chain import GRID_FRAMES, Chain
from tonearm.model.audio import Block
from tonearm.model.plan import Compression, MasteringPlan, Preset, Restoration, Target

INTENSITIES: Final = (1.0, 0.5, 0.3, 0.03)
GAINS_DB: Final = (0.0, 12.0, 40.0)
_AUDIBLE: Final = 1e-3
_CARRIER_HZ: Final = 1000.0


def over_ceiling(y: Block, ceiling_dbtp: float, material: str, case: str) -> Finding:
    """How far a mastered sound exceeds its ceiling, dB."""
    return Finding("peak", material, true_peak_dbtp(y) - ceiling_dbtp, case)


def over_ceilings(y: Block, ceilings_dbtp: NDArray[np.float64], material: str, case: str) -> Finding:
    """The same where the ceiling changes: one for each frame; between two frames the higher counts."""
    allowed = np.concatenate([[ceilings_dbtp[0]] * REACH, ceilings_dbtp, [ceilings_dbtp[-1]] * (REACH + 1)])
    allowed = np.maximum(allowed[:-1], allowed[1:])[: len(y) + 2 * REACH]
    over_db = 20 * np.log10(np.maximum(interval_peaks(y), 1e-15)) - allowed
    return Finding("peak", material, float(over_db.max()), case)


def hostile_signals(rate: int, frames: int, gains_db: Sequence[float] = GAINS_DB) -> Iterator[Finding]:
    """Every wave at every gain, with and without equaliser; the ceilings take turns."""
    turn = 0
    for name, wave in waves(rate, frames).items():
        for gain_db in gains_db:
            ceiling, curve = CEILINGS_DBTP[turn % 5], (FLAT, CURVE)[turn % 2]
            turn += 1
            y = mastered(amplified(wave, 0.0), by_hand(gain_db, curve, ceiling), rate)
            yield over_ceiling(y, ceiling, "test signals", f"{name}, {gain_db:+g} dB, {rate} Hz")


def hostile_channels(rate: int, frames: int, counts: Sequence[int] = range(2, 9)) -> Iterator[Finding]:
    """Another wave in each of up to 8 channels, 12 dB too loud."""
    for channels in counts:
        x = amplified(together(rate, frames, channels), 12.0)
        ceiling = CEILINGS_DBTP[channels % 5]
        y = mastered(x, by_hand(0.0, CURVE, ceiling), rate)
        yield over_ceiling(y, ceiling, "test signals", f"{channels} channels, +12 dB, {rate} Hz")


def planned_signals(
    rate: int, seconds: float, presets: Sequence[Preset], intensities: Sequence[float] = INTENSITIES
) -> Iterator[Finding]:
    """As the program itself decides to master them, +12 dB included; what cannot be measured is bypassed."""
    turn = 0
    for name, wave in waves(rate, round(seconds * rate)).items():
        for gain_db in (-9.0, 12.0):
            for preset in presets:
                turn += 1
                target = Target(ceiling_dbtp=CEILINGS_DBTP[turn % 5])
                intensity = intensities[turn % len(intensities)]
                x = amplified(wave, gain_db)
                plan = decided_for(x, rate, preset, intensity, target)
                if not plan.bypass:
                    case = f"{name}, {gain_db:+g} dB, {preset} {intensity:g}, {rate} Hz"
                    yield over_ceiling(mastered(x, plan, rate), target.ceiling_dbtp, "as planned", case)


def hostile_by_ear(rate: int, seconds: float) -> Iterator[Finding]:
    """The fallback on every wave: it plans as it hears."""
    for turn, (name, wave) in enumerate(waves(rate, round(seconds * rate)).items()):
        x, ceiling = amplified(wave, 12.0 if turn % 2 else -15.0), CEILINGS_DBTP[turn % 5]
        hybrid = by_ear(rate, 1, list(Preset)[turn % len(Preset)], ceiling)
        chain, parts = Chain(hybrid.plan, rate, 1), []
        for start in range(0, len(x), hybrid.grid_frames):
            block = x[start : start + hybrid.grid_frames]
            parts.append(chain.process(block))
            chain.retarget(hybrid.update(block), 0.5)
        y = np.concatenate([*parts, chain.flush()])
        yield over_ceiling(y, ceiling, "HybridProcessor", f"{name}, {rate} Hz")


def glided(
    x: Block, rate: int, plans: Sequence[MasteringPlan], changes: Sequence[int], glide_s: float
) -> tuple[Block, NDArray[np.float64]]:
    """Go from plan to plan at the frames of ``changes``; with the ceiling that must hold at each frame."""
    chain, parts, at = Chain(plans[0], rate, x.shape[1]), [], 0
    ceilings = np.full(len(x), plans[0].ceiling_dbtp)
    for plan, change in zip(plans[1:], changes, strict=True):
        parts.append(chain.process(x[at:change]))
        chain.retarget(plan, glide_s)
        at = change
        frame = -(-change // GRID_FRAMES) * GRID_FRAMES
        arrival = frame + round(glide_s * rate)
        ceilings[frame:arrival] = np.minimum(ceilings[frame:arrival], plan.ceiling_dbtp)
        ceilings[arrival:] = plan.ceiling_dbtp
    return np.concatenate([*parts, chain.process(x[at:]), chain.flush()]), ceilings


def glides(x: Block, rate: int, seed: int, case: str) -> Iterator[Finding]:
    """Five changes of plan at random frames: gains and curves, with ceilings, with dynamics, with both."""
    for changing in ("ceilings", "dynamics", "ceilings and dynamics"):
        rng = np.random.default_rng(seed)
        plans = [_any_plan(rng, changing) for _ in range(6)]
        glide_s = float(rng.choice([0.0, 0.1, 3.0])) if len(x) > 8 * rate else 0.05
        least = round(glide_s * rate) + GRID_FRAMES
        shares = rng.dirichlet(np.ones(6))[:5]
        changes = np.cumsum(least + shares * max(0, len(x) - 6 * least)).astype(int)
        y, ceilings = glided(x, rate, plans, [int(change) for change in changes], glide_s)
        material = f"glides between plans, {changing}"
        yield over_ceilings(y, ceilings, material, f"{case}, glides of {glide_s:g} s")


def _any_plan(rng: np.random.Generator, changing: str) -> MasteringPlan:
    """A plan with another ceiling, or with dynamics that are at work or not, than the next."""
    ceiling = float(rng.choice(CEILINGS_DBTP)) if "ceilings" in changing else -1.0
    plan = by_hand(rng.uniform(-6, 15), rng.uniform(-3, 3, 7), ceiling)
    if "dynamics" not in changing:
        return plan
    return replace(
        plan,
        compression=Compression(float(rng.choice([0.0, 2.0])), 2.0, (-30.0, -30.0, -30.0)),
        restoration=Restoration(float(rng.choice([0.0, 3.0])), rng.uniform(-12, 0), 0.0),
    )


def under_threshold(x: Block, rate: int, ceiling_dbtp: float, case: str) -> Finding:
    """A sound whose true peak is just the limiter's threshold passes bit for bit."""
    quiet = amplified(x, ceiling_dbtp - MARGIN_DB - true_peak_dbtp(x))
    y = mastered(quiet, by_hand(0.0, ceiling_dbtp=ceiling_dbtp), rate)
    return differing("idle", y, quiet, "true peak at the threshold", case)


def sidebands(bass_hz: float, level: float, rate: int) -> Finding:
    """Bass at full scale and 1 kHz, both 6 dB over: the strongest line that limiting adds beside 1 kHz."""
    t = np.arange(rate * 4) / rate
    wave = np.sin(2 * np.pi * bass_hz * t) + level * np.sin(2 * np.pi * _CARRIER_HZ * t)
    y = mastered(amplified(wave, 6.0), by_hand(0.0), rate)
    case = f"{bass_hz:g} Hz, 1 kHz at {20 * np.log10(level):.0f} dBFS, {rate} Hz"
    return Finding("sidebands", "two tones, +6 dB", strongest_sideband(y[rate : 3 * rate, 0], rate), case)


def strongest_sideband(y: NDArray[np.floating], rate: int) -> float:
    """The strongest line within 500 Hz of the carrier at 1 kHz, dBc."""
    spectrum = np.abs(np.fft.rfft(y.astype(np.float64) * np.kaiser(len(y), 20)))
    away = np.abs(np.fft.rfftfreq(len(y), 1 / rate) - _CARRIER_HZ)
    return float(20 * np.log10(spectrum[(away > 12) & (away < 500)].max() / spectrum[away < 5].max()))


def image(x: Block, y: Block, case: str) -> Finding:
    """How far the gains of the channels lie apart where all of them sound, dB."""
    sounding = (np.abs(x) > _AUDIBLE).all(axis=1) & (np.abs(y) > _AUDIBLE).all(axis=1)
    gains_db = 20 * np.log10(np.abs(y[sounding].astype(np.float64) / x[sounding]))
    return Finding(
        "image", "linked channels, limited", float(np.ptp(gains_db, axis=1).max(initial=0.0)), case
    )
