"""Q13: one input moved by 0.1 dB moves no parameter by more than 0.3 dB."""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, replace
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quality.criteria import Finding
from quality.playing import decided
from tonearm.mastering.corridor import MEDIANS_DB
from tonearm.model.fingerprint import BAND_NAMES, DIMENSION_NAMES, Fingerprint
from tonearm.model.measures import HISTOGRAM_BINS, Analysis, TrackMeasures
from tonearm.model.plan import AlbumLevel, MasteringPlan, Preset, Target

STEP_DB: Final = 0.1
INPUTS: Final = ("lufs", "crest_db", "psr_p10_db", "true_peak_dbtp", "lra_lu")
Inputs = Mapping[str, float]

_ROUNDING: Final = 1e-9


def track(inputs: Inputs, tilt_db: float, hum_db: float) -> Analysis:
    """A track of which only loudness, crest, PSR, true peak, loudness range and spectrum matter.

    The spectrum is the corridor's middle, the top ``tilt_db`` higher than the bottom, with ``hum_db`` more in
    four third-octaves around 250 Hz; it stays where it is while the others move.
    """
    spectrum = np.asarray(MEDIANS_DB) - 18.0 + np.linspace(-0.5, 0.5, len(MEDIANS_DB)) * tilt_db
    spectrum[9:13] += hum_db
    lufs, peak = inputs["lufs"], inputs["true_peak_dbtp"]
    measures = TrackMeasures(
        frames=44_100 * 200,
        rate=44_100,
        channels=2,
        true_peak_dbtp=peak,
        lra_lu=inputs["lra_lu"],
        plr_db=peak - lufs,
        psr_p10_db=inputs["psr_p10_db"],
        clipped_ppm=0.0,
        dc_offset=0.0,
        bass_phase_correlation=1.0,
        downmix_lufs=lufs,
        downmix_true_peak_dbtp=peak,
        third_octaves_db=tuple(spectrum.tolist()),
        gating_histogram=(0,) * HISTOGRAM_BINS,
        waveform=bytes(2000),
    )
    values = (
        dict.fromkeys(DIMENSION_NAMES, 0.5)
        | dict.fromkeys(BAND_NAMES, 100 / len(BAND_NAMES))
        | {"lufs": lufs, "crest_db": inputs["crest_db"]}
    )
    return Analysis(fingerprint=Fingerprint(**values), measures=measures)


def parameters(plan: MasteringPlan) -> NDArray[np.float64]:
    """Everything that touches the sound, dB or as it is."""
    stages = [np.hstack(astuple(stage)) for stage in (plan.compression, plan.restoration, plan.width)]
    return np.hstack([plan.gain_db, plan.eq_db, plan.limiting_db, plan.ceiling_dbtp, *stages])


def farthest(one: MasteringPlan, other: MasteringPlan) -> float:
    return float(np.abs(parameters(one) - parameters(other)).max()) - _ROUNDING


def moved(
    inputs: Inputs,
    name: str,
    tilt_db: float = 0.0,
    hum_db: float = 0.0,
    preset: Preset = Preset.ADAPTIVE,
    intensity: float = 1.0,
    target: Target = Target(),  # noqa: B008
) -> Finding:
    """Move one input by 0.1 dB."""
    there = {**inputs, name: inputs[name] + STEP_DB}
    plans = [decided(track(each, tilt_db, hum_db), preset, intensity, target) for each in (inputs, there)]
    place = ", ".join(
        f"{key.removesuffix('_db').removesuffix('_dbtp')} {value:.2f}" for key, value in inputs.items()
    )
    case = f"{place}; {name} moved; {preset}, tilt {tilt_db:g}, hum {hum_db:g}, target {target.lufs:g}"
    return Finding("moved", "the plan", farthest(*plans), case)


def _borders(low: float, high: float, coarse: float, *dense: tuple[float, float]) -> list[float]:
    """A grid with steps of ``coarse``, of 0.1 where it is ``dense``."""
    values = [np.arange(low, high, coarse), *(np.arange(a, b, STEP_DB) for a, b in dense)]
    return sorted({round(float(value), 3) for value in np.concatenate(values)})


def along_the_borders(
    presets: tuple[Preset, ...] = tuple(Preset), thin: int = 1, offset: int = 0
) -> Iterator[Finding]:
    """A grid over (LUFS, crest, PSR, true peak), dense across every border; the other settings take turns.

    Of every ``thin`` points one is taken, the first after ``offset``.
    """
    lufs = _borders(-40.0, -4.0, 6.0, (-14.3, -10.7))
    others = {
        "crest_db": [8.0, 11.95, 12.0, 12.55, 13.0, 13.95, 14.0, 14.95, 20.0],
        "psr_p10_db": [6.0, 7.95, 8.0, 8.55, 9.0, 9.95, 10.0, 14.0],
        "true_peak_dbtp": [-9.0, -1.05, -0.05, 0.0, 1.5, 2.95, 3.0, 5.0],
        "lra_lu": [6.0, 12.0, 18.0],
    }
    points = list(product(lufs, *others.values()))
    rng = np.random.default_rng(offset)
    for number in range(offset, len(points), thin):
        inputs = dict(zip(INPUTS, points[number], strict=True))
        tilt, hum = [(0.0, 0.0), (-40.0, 0.0), (40.0, 0.0), (0.0, 40.0), (60.0, 40.0)][rng.integers(5)]
        target = Target(
            lufs=[-14.0, -9.0, -18.0, -5.0][rng.integers(4)], ceiling_dbtp=[-1.0, -0.1][rng.integers(2)]
        )
        preset, intensity = presets[rng.integers(len(presets))], [1.0, 0.3][rng.integers(2)]
        for name in INPUTS:
            yield moved(inputs, name, tilt, hum, preset, intensity, target)


def at_random(count: int, seed: int) -> Iterator[Finding]:
    """Anywhere in the space, and anywhere near the borders."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        low, high = [((-45, 0, 0, -20, 0), (-3, 30, 25, 6, 25)), ((-14, 11, 7, -2, 7), (-10, 15, 11, 4, 17))][
            number % 2
        ]
        inputs = dict(zip(INPUTS, rng.uniform(low, high).tolist(), strict=True))
        preset = list(Preset)[rng.integers(len(Preset))]
        for name in INPUTS:
            yield moved(inputs, name, float(rng.uniform(-60, 60)), float(rng.uniform(0, 40)), preset)


def uphill(seed: int, starts: int, steps: int) -> Iterator[Finding]:
    """The worst that a search finds which climbs from random places near the borders."""
    rng = np.random.default_rng(seed)
    low, high = (
        np.array(each)
        for each in ((-14, 11, 7, -2, 7, -60, 0, -20, 0.3), (-10, 15, 11, 6, 17, 60, 60, -5, 1))
    )
    for _ in range(starts):
        name, preset = INPUTS[rng.integers(len(INPUTS))], list(Preset)[rng.integers(6)]
        at, found = rng.uniform(low, high), None
        for step in np.geomspace(0.15, 0.005, steps):
            place = np.clip(at + rng.normal(size=len(at)) * (high - low) * step, low, high)
            inputs = dict(zip(INPUTS, place[:5].tolist(), strict=True))
            tilt, hum, lufs, intensity = place[5:].tolist()
            here = moved(inputs, name, tilt, hum, preset, intensity, Target(lufs))
            if found is None or here.value > found.value:
                at, found = place, here
        assert found is not None
        yield replace(found, material="the plan, searched uphill")


def of_the_album(count: int, seed: int) -> Iterator[Finding]:
    """Album loudness and peak moved by 0.1 dB."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        inputs = dict(zip(INPUTS, rng.uniform((-30, 6, 6, -9, 0), (-6, 20, 16, 4, 20)), strict=True))
        album = AlbumLevel(lufs=rng.uniform(-24, -6), true_peak_dbtp=rng.uniform(-9, 4))
        analysis = track(inputs, float(rng.uniform(-40, 40)), 0.0)
        for step in ((STEP_DB, 0.0), (0.0, STEP_DB)):
            there = AlbumLevel(album.lufs + step[0], album.true_peak_dbtp + step[1])
            plans = [decided(analysis, target=Target(level="album", album=each)) for each in (album, there)]
            yield Finding("moved", "the plan in an album", farthest(*plans), f"{album}")
