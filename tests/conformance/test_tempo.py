"""Tempo of sixteen built tracks of 62 to 196 BPM.

Accuracy1 counts what is within 4 %, Accuracy2 also its double, triple, half and third (Gouyon 2006).
"""

import numpy as np
from sounds import analysed, drums

TEMPI = (62, 70, 78, 84, 92, 100, 108, 116, 126, 132, 140, 150, 160, 172, 184, 196)


def test_tempo_of_built_tracks():
    found = np.array([analysed(drums(bpm, 30.0, 22_050), 22_050).fingerprint.tempo_bpm for bpm in TEMPI])
    ratios = found / np.array(TEMPI)
    right = np.abs(ratios - 1) < 0.04
    related = np.min([np.abs(ratios / factor - 1) for factor in (1, 2, 3, 1 / 2, 1 / 3)], axis=0) < 0.04
    assert np.mean(right) >= 0.85, dict(zip(TEMPI, found.round(1), strict=True))
    assert np.mean(related) >= 0.98, dict(zip(TEMPI, found.round(1), strict=True))
    assert np.max(np.abs(found - TEMPI)[right]) <= 0.1
