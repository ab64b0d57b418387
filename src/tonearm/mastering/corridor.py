"""The corridor of music: where the third-octaves of real tracks lie. Written by ``tools/corridor.py``.

Computed from 18 tracks of at least 60 s and 44100 Hz. Each track's third-octaves are taken
relative to their own K-weighted loudness (BS.1770-5, ungated; ``mastering/spectrum.py``), so gain and
silence do not count. A third-octave more than 60 dB under that loudness holds nothing and is left
out (at least 12 tracks remain in each). The half-width is max(1.5 standard deviations,
4 dB).
"""

from typing import Final

MEDIANS_DB: Final = (
    -25.6,  # 25 Hz
    -21.8,  # 31 Hz
    -19.5,  # 39 Hz
    -15.6,  # 50 Hz
    -13.3,  # 62 Hz
    -14.4,  # 79 Hz
    -13.7,  # 99 Hz
    -14.4,  # 125 Hz
    -15.3,  # 157 Hz
    -15.4,  # 198 Hz
    -17.0,  # 250 Hz
    -16.7,  # 315 Hz
    -16.1,  # 397 Hz
    -16.6,  # 500 Hz
    -18.6,  # 630 Hz
    -18.6,  # 794 Hz
    -18.4,  # 1000 Hz
    -18.9,  # 1260 Hz
    -20.7,  # 1587 Hz
    -20.4,  # 2000 Hz
    -21.3,  # 2520 Hz
    -22.8,  # 3175 Hz
    -24.5,  # 4000 Hz
    -26.0,  # 5040 Hz
    -27.4,  # 6350 Hz
    -30.8,  # 8000 Hz
    -32.1,  # 10079 Hz
    -35.7,  # 12699 Hz
    -39.9,  # 16000 Hz
    -43.7,  # 20159 Hz
)
"""Median of each of the 30 third-octaves (``model.measures.THIRD_OCTAVES_HZ``), dB."""

HALF_WIDTHS_DB: Final = (
    17.7,  # 25 Hz
    21.3,  # 31 Hz
    18.4,  # 39 Hz
    17.1,  # 50 Hz
    14.2,  # 62 Hz
    8.2,  # 79 Hz
    4.5,  # 99 Hz
    4.0,  # 125 Hz
    4.0,  # 157 Hz
    4.7,  # 198 Hz
    5.1,  # 250 Hz
    4.0,  # 315 Hz
    5.7,  # 397 Hz
    5.2,  # 500 Hz
    5.9,  # 630 Hz
    6.0,  # 794 Hz
    6.4,  # 1000 Hz
    5.4,  # 1260 Hz
    6.3,  # 1587 Hz
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
