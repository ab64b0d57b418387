"""The corridor of music: where the third-octaves of real tracks lie. Written by ``tools/corridor.py``.

Computed from 18 tracks of at least 60 s and 44100 Hz. Each track's third-octaves are taken
relative to their own K-weighted loudness (BS.1770-5, ungated; ``mastering/spectrum.py``), so gain and
silence do not count. A third-octave more than 60 dB under that loudness holds nothing and is left
out (at least 12 tracks remain in each). The half-width is max(1.5 standard deviations, 4 dB).
"""

from typing import Final

MEDIANS_DB: Final = (
    -27.4,  # 25 Hz
    -21.8,  # 31 Hz
    -20.7,  # 39 Hz
    -18.3,  # 50 Hz
    -13.1,  # 62 Hz
    -15.1,  # 79 Hz
    -13.3,  # 99 Hz
    -14.4,  # 125 Hz
    -15.4,  # 157 Hz
    -15.3,  # 198 Hz
    -18.3,  # 250 Hz
    -16.5,  # 315 Hz
    -16.4,  # 397 Hz
    -16.7,  # 500 Hz
    -18.8,  # 630 Hz
    -18.4,  # 794 Hz
    -18.3,  # 1000 Hz
    -19.0,  # 1260 Hz
    -20.7,  # 1587 Hz
    -20.4,  # 2000 Hz
    -21.2,  # 2520 Hz
    -22.8,  # 3175 Hz
    -24.5,  # 4000 Hz
    -26.0,  # 5040 Hz
    -27.4,  # 6350 Hz
    -30.7,  # 8000 Hz
    -32.1,  # 10079 Hz
    -35.7,  # 12699 Hz
    -39.8,  # 16000 Hz
    -43.6,  # 20159 Hz
)
"""Median of each of the 30 third-octaves (``model.measures.THIRD_OCTAVES_HZ``), dB."""

HALF_WIDTHS_DB: Final = (
    18.4,  # 25 Hz
    21.9,  # 31 Hz
    20.3,  # 39 Hz
    17.0,  # 50 Hz
    16.4,  # 62 Hz
    10.7,  # 79 Hz
    4.4,  # 99 Hz
    4.0,  # 125 Hz
    4.0,  # 157 Hz
    4.9,  # 198 Hz
    5.5,  # 250 Hz
    4.0,  # 315 Hz
    5.7,  # 397 Hz
    5.3,  # 500 Hz
    5.9,  # 630 Hz
    6.1,  # 794 Hz
    6.3,  # 1000 Hz
    5.4,  # 1260 Hz
    6.2,  # 1587 Hz
    8.6,  # 2000 Hz
    9.2,  # 2520 Hz
    9.5,  # 3175 Hz
    11.1,  # 4000 Hz
    11.0,  # 5040 Hz
    11.5,  # 6350 Hz
    13.5,  # 8000 Hz
    15.8,  # 10079 Hz
    16.6,  # 12699 Hz
    16.2,  # 16000 Hz
    11.9,  # 20159 Hz
)
"""How far from the median is still inside, dB."""
