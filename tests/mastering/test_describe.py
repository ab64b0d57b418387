"""A plan as JSON: complete, and the numbers of the plan."""

import json

import pytest

from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.describe import describe
from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.fingerprint import BAND_NAMES
from tonearm.model.plan import AlbumLevel, Preset, Target, untouched


@pytest.fixture
def plan(track):
    measured = track(-12.4, 12.5, 9.0, 0.8)
    return AdaptiveMode().plan(measured.fingerprint, measured.measures, Preset.WARM, 0.7, Target())


def test_it_survives_json(plan):
    described = describe(plan)
    assert json.loads(json.dumps(described, allow_nan=False)) == described


def test_it_carries_the_decision(plan):
    described = describe(plan)
    assert described["state"] == "fingerprint"
    assert described["preset"] == "warm"
    assert described["intensity"] == 0.7
    assert described["lwrp"]["class"] == plan.lwrp.policy.value
    assert sum(described["lwrp"]["weights"].values()) == pytest.approx(1.0)
    assert described["lwrp"]["amount"] == plan.lwrp.amount
    assert described["measured"]["true_peak_dbtp"] == 0.8
    assert described["predicted"]["plr_db"] == pytest.approx(
        described["predicted"]["true_peak_dbtp"] - described["predicted"]["lufs"]
    )


def test_every_parameter_has_its_unit_and_its_reason(plan):
    parameters = describe(plan)["parameters"]
    assert parameters["gain_db"]["value"] == plan.gain_db
    assert list(parameters["eq_db"]["value"].values()) == list(plan.eq_db)
    assert [f"{band}_pct" for band in parameters["eq_db"]["value"]] == list(BAND_NAMES)
    for name, parameter in parameters.items():
        assert set(parameter) == {"value", "unit", "reason"}
        assert parameter["reason"]
        suffix = {"db": "dB", "dbtp": "dBTP", "lufs": "LUFS"}.get(name.rsplit("_", 1)[-1], "")
        assert parameter["unit"] == suffix
    assert set(plan.reasons) == {
        *("gain_db", "eq_db", "compression", "restoration", "width"),
        *("limiting_db", "ceiling_dbtp", "target_lufs"),
    }


def test_a_bypass_says_why():
    described = describe(untouched("too short to be measured"))
    assert described["bypass"] is True
    assert described["state"] == "none"
    assert described["lwrp"] is None
    assert described["predicted"] is None
    assert {p["reason"] for p in described["parameters"].values()} == {"too short to be measured"}


def test_the_fallback_says_that_it_is_one():
    described = describe(HybridProcessor(44_100, 2, Preset.ADAPTIVE, 1.0, Target()).plan)
    assert described["state"] == "standard"
    assert described["lwrp"] is None
    assert "no fingerprint" in described["parameters"]["gain_db"]["reason"]


def test_an_album_level_names_the_album(track):
    target = Target(level="album", album=AlbumLevel(-11.0, 0.3))
    measured = track()
    described = describe(
        AdaptiveMode().plan(measured.fingerprint, measured.measures, Preset.ADAPTIVE, 1.0, target)
    )
    assert described["measured"]["album_lufs"] == -11.0
    assert "album at -11.0 LUFS" in described["parameters"]["gain_db"]["reason"]
