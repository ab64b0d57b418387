"""Tempo of sixteen built tracks of 62 to 196 BPM."""

import numpy as np
from tempi import TEMPI, found_tempi, related_tempo, same_tempo


def test_tempo_of_built_tracks():
    found = found_tempi()
    right = same_tempo(found, TEMPI)
    heard = dict(zip(TEMPI, found.round(1), strict=True))
    assert np.mean(right) >= 0.85, heard
    assert np.mean(related_tempo(found, TEMPI)) >= 0.98, heard
    assert np.max(np.abs(found - TEMPI)[right]) <= 0.1
