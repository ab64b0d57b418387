"""No number that cannot be true gets into a probe."""

import json
import math
from dataclasses import fields

import pytest

from tonearm.model.errors import InvalidFingerprint
from tonearm.model.fingerprint import BAND_NAMES, Fingerprint
from tonearm.model.probe import Probe, describe_probe

TRUE = {
    "lufs": -14.0,
    "crest_db": 15.0,
    "true_peak_dbtp": -0.5,
    "bands_pct": (5.0, 30.0, 20.0, 25.0, 10.0, 5.0, 5.0),
    "third_octaves_db": (-30.0,) * 30,
    "rate": 44_100,
    "windows": 16,
    "seconds": 32.0,
}


@pytest.mark.parametrize(
    "lie",
    [
        {"lufs": math.nan},
        {"lufs": -71.0},
        {"lufs": 31.0},
        {"crest_db": -0.1},
        {"true_peak_dbtp": math.inf},
        {"bands_pct": (5.0, 30.0, 20.0, 25.0, 10.0, 5.0, 4.0)},
        {"bands_pct": (-5.0, 40.0, 20.0, 25.0, 10.0, 5.0, 5.0)},
        {"bands_pct": (50.0, 50.0)},
        {"third_octaves_db": (-30.0,) * 29},
        {"third_octaves_db": (*(-30.0,) * 29, math.nan)},
        {"rate": 1},
        {"windows": 0},
        {"seconds": 0.0},
        {"seconds": math.inf},
    ],
)
def test_what_cannot_be_true_is_refused(lie):
    Probe(**TRUE)
    with pytest.raises(InvalidFingerprint):
        Probe(**(TRUE | lie))


def test_it_is_no_fingerprint_and_says_its_stage():
    assert not issubclass(Probe, Fingerprint)
    said = json.loads(json.dumps(describe_probe(Probe(**TRUE))))
    assert said["stage"] == "probe"
    assert "fingerprint" not in said
    assert said["probe"].keys() == {field.name for field in fields(Probe)}
    assert tuple(said["probe"]["bands_pct"]) == BAND_NAMES
