"""Q18, with meters of ten lines: whether what they say is held against the bound and the record."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from judges import Judged
from music import clip
from quality.criteria import Finding, Told, Unmeasured
from quality.levels import Mastered
from quality.material import amplified, decoded
from quality.perceived import METERS, PERCEIVED, Mono, Score, heard, opinions, prepared, record, scale
from verdicts import assert_inside, assert_refused

NAME = "loop_tabla.flac"


def saying(opinion: float) -> dict[str, Score]:
    return {name: lambda source, other: opinion for name in METERS}


def missing() -> Score:
    raise ModuleNotFoundError("No module named 'visqol'")


@pytest.fixture(scope="module")
def quiet() -> Mastered:
    x, rate = decoded(clip(NAME), 6.0)
    return Mastered.of(NAME, "music", x, rate)


@pytest.fixture(scope="module")
def alive(quiet: Mastered) -> Mastered:
    return Mastered.of("alive", "amplified", amplified(quiet.x, -9.0 - quiet.before.lufs), quiet.rate)


def findings(results: Iterator[object]) -> list[Finding]:
    return [result for result in results if isinstance(result, Finding)]


def test_preserve_is_held_against_its_bounds(alive: Mastered) -> None:
    assert_inside(findings(opinions(alive, saying(4.6), {})))
    found = findings(opinions(alive, saying(4.4), {}))
    assert [finding.check for finding in found if not finding.inside] == ["zimtohrli"]
    assert_refused(findings(opinions(alive, saying(4.2), {})))


def test_elsewhere_the_record_decides(quiet: Mastered) -> None:
    before = {NAME: {"visqol": 3.5, "zimtohrli": 3.5}}
    assert_inside(findings(opinions(quiet, saying(3.31), before)))
    assert_refused(findings(opinions(quiet, saying(3.29), before)))


def test_what_was_never_recorded_or_is_not_installed_is_said(quiet: Mastered) -> None:
    results = list(opinions(quiet, saying(4.0), {}))
    assert {result.check for result in results if isinstance(result, Unmeasured)} == {
        "visqol-fall",
        "zimtohrli-fall",
    }
    said = list(scale(clip(NAME), dict.fromkeys(METERS, missing)))
    assert {result.check for result in said} == {
        f"{name}{part}" for name in METERS for part in ("", "-fall", "-noise")
    }
    assert all(isinstance(result, Unmeasured) and "visqol" in result.reason for result in said)


def test_what_is_recorded_is_what_the_next_run_is_held_against(quiet: Mastered, tmp_path: Path) -> None:
    told = [result for result in opinions(quiet, saying(4.25), {}) if isinstance(result, Told)]
    record(told, tmp_path / "record.json")
    assert json.loads((tmp_path / "record.json").read_text())["scores"] == {
        NAME: {"visqol": 4.25, "zimtohrli": 4.25}
    }
    with pytest.raises(ValueError, match="not every meter"):
        record([Told(PERCEIVED, (NAME, "master", "4.25", "-", "nan", "-"))], tmp_path / "other.json")


def test_both_sounds_come_equally_loud_at_48_khz(quiet: Mastered) -> None:
    heard_by: list[tuple[Mono, Mono]] = []

    def listen(source: Mono, other: Mono) -> float:
        heard_by.append((source, other))
        return 5.0

    list(heard(clip("drum_roll.flac"), {"visqol": lambda: listen}, {}))
    source, other = heard_by[0]
    assert source.shape == other.shape == (round(6.2421 * 48_000),) or abs(len(source) / 48_000 - 6.24) < 0.02
    levels = [Judged(np.repeat(x[:, None], 2, axis=1).astype(np.float32), 48_000).lufs for x in heard_by[0]]
    assert levels == pytest.approx([-14.0, -14.0], abs=0.05)
    loud, soft = (prepared(amplified(quiet.x, gain_db), quiet.rate) for gain_db in (6.0, -6.0))
    np.testing.assert_allclose(loud, soft, rtol=0, atol=1e-5)
