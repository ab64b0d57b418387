"""Q18: what models of hearing say of the master beside its source, both equally loud.

ViSQOL (audio mode) and Zimtohrli read 48 kHz mono, so both sounds are mixed to one channel and resampled:
8 s from the middle of the first minute of a track, both brought to -14 LUFS by libebur128. Their
answers are opinions from 1 to 5, for damage: they say nothing of what was made better. Elsewhere than in
*preserve*, where nothing but the level may change, they are held against what was recorded for this music.

Source: A. Hines et al., "ViSQOLAudio", J. Acoust. Soc. Am. 137 (2015); J. Alakuijala et al., "Zimtohrli".
"""

import json
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import scipy.signal
from judges import Judged
from numpy.typing import NDArray

from quality.criteria import Finding, Result, Told, Unmeasured
from quality.levels import Mastered
from quality.material import amplified, decoded, pushed
from tonearm.model.audio import Block

Mono = NDArray[np.float64]
Score = Callable[[Mono, Mono], float]
"""The opinion of the second sound beside the first, 1..5; mono, 48 kHz."""

MakeScore = Callable[[], Score]
"""Raises ImportError: the meter is not installed."""

Recorded = Mapping[str, Mapping[str, float]]
"""The opinions of before: by case, by meter."""

RECORD: Final = Path(__file__).resolve().parents[2] / "tests" / "data" / "perceptual_baseline.json"
PERCEIVED: Final = "perceived"
LEAST: Final = {"visqol": 4.3, "zimtohrli": 4.5}
RATE: Final = 48_000
EXCERPT_S: Final = 8.0
LONGEST_S: Final = 60.0
PUSH_DB: Final = 9.0
LOUD_LUFS: Final = -9.0
LEAST_PSR_DB: Final = 10.0
_LUFS: Final = -14.0
_SEED: Final = 3
_UNRECORDED: Final = "nothing was recorded for this music: `make quality-baseline MUSIC=DIR` does"


def visqol() -> Score:
    """Raises ImportError: it is not installed."""
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="audio")
    return lambda source, other: float(api.measure_from_arrays(source, other, RATE).moslqo)


def zimtohrli() -> Score:
    """Raises ImportError: it is not installed."""
    from zimtohrli import mos_from_signals

    return lambda source, other: float(mos_from_signals(source.astype(np.float32), other.astype(np.float32)))


METERS: Final[dict[str, MakeScore]] = {"visqol": visqol, "zimtohrli": zimtohrli}


def recorded() -> Recorded:
    """What was recorded; nothing, if nothing was."""
    if not RECORD.exists():
        return {}
    scores: Recorded = json.loads(RECORD.read_text(encoding="utf-8"))["scores"]
    return scores


def record(told: Iterable[Told], destination: Path) -> None:
    """Write the opinions of these rows as what later ones are held against.

    Raises:
        ValueError: a meter was not there.
    """
    scores = {}
    for name, _, *cells in (row.cells for row in told if row.table == PERCEIVED):
        scores[name] = dict(zip(METERS, map(float, cells[::2]), strict=True))
        if any(map(math.isnan, scores[name].values())):
            raise ValueError(f"not every meter spoke of {name}: {cells}")
    page = {"what": str(__doc__).splitlines()[0], "scores": dict(sorted(scores.items()))}
    destination.write_text(json.dumps(page, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def heard(path: Path, makers: Mapping[str, MakeScore], before: Recorded) -> Iterator[Result]:
    """The first minute of a track; if it is clean, also pushed into a limiter, and at -9 LUFS as it is."""
    scores = yield from _installed(makers)
    if not scores:
        return
    x, rate = decoded(path, LONGEST_S)
    yield from opinions(Mastered.of(path.name, "music", x, rate), scores, before)
    source = Judged(x, rate)
    if source.clipped_ppm == 0 and source.psr_p10_db >= LEAST_PSR_DB:
        copy, name = pushed(x, rate, PUSH_DB), f"{path.name} {PUSH_DB:+g} dB"
        yield from opinions(Mastered.of(name, "limited copies", copy, rate), scores, before)
        loud, name = amplified(x, LOUD_LUFS - source.lufs), f"{path.name} at {LOUD_LUFS:g} LUFS"
        yield from opinions(Mastered.of(name, "amplified", loud, rate), scores, before)


def scale(path: Path, makers: Mapping[str, MakeScore]) -> Iterator[Result]:
    """That the meters are awake: what they say of a sound under noise of its own loudness."""
    scores = yield from _installed(makers)
    x, rate = decoded(path, EXCERPT_S, 5.0)
    sound = prepared(x, rate)
    noise = np.random.default_rng(_SEED).normal(0, sound.std(), len(sound))
    for name, score in scores.items():
        yield Finding(f"{name}-noise", "music with noise", score(sound, sound + noise), path.name)


def _installed(makers: Mapping[str, MakeScore]) -> Generator[Unmeasured, None, dict[str, Score]]:
    scores = {}
    for name, make in makers.items():
        try:
            scores[name] = make()
        except ImportError as exc:
            for check in (name, f"{name}-fall", f"{name}-noise"):
                yield Unmeasured(check, f"{name} is not installed: {exc}")
    return scores


def opinions(made: Mastered, scores: Mapping[str, Score], before: Recorded) -> Iterator[Result]:
    """What each of the meters says of one master, held against the bound or against the record."""
    source, other = prepared(made.x, made.rate), prepared(made.y, made.rate)
    found = {name: score(source, other) for name, score in scores.items()}
    assert made.plan.lwrp is not None
    preserved, known = made.plan.lwrp.weights.preserve == 1, before.get(made.name, {})
    cells = []
    for name in METERS:
        said, was = found.get(name, np.nan), known.get(name)
        cells += [f"{said:.2f}", "-" if was is None else f"{was:.2f}"]
        case = f"{made.case}: {said:.2f}"
        if name not in found:
            continue
        if preserved:
            yield Finding(name, made.material, LEAST[name] - said, case)
        elif was is None:
            yield Unmeasured(f"{name}-fall", _UNRECORDED)
        else:
            yield Finding(f"{name}-fall", made.material, was - said, f"{case}, was {was:.2f}")
    yield Told(PERCEIVED, (made.name, made.plan.lwrp.policy.value, *cells))


def prepared(x: Block, rate: int) -> Mono:
    """The excerpt as the meters want it, equally loud whatever it was."""
    frames = round(EXCERPT_S * rate)
    start = max(0, (len(x) - frames) // 2)
    part = x[start : start + frames]
    gain = 10 ** ((_LUFS - Judged(part, rate).lufs) / 20)
    divisor = math.gcd(RATE, rate)
    mono = part.mean(axis=1, dtype=np.float64) * gain
    return np.asarray(scipy.signal.resample_poly(mono, RATE // divisor, rate // divisor))
