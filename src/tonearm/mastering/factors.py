"""What dynamics and width do to loudness, measured on music. Written by ``tools/factors.py``."""

from typing import Final

COMPRESSION_LU_PER_DB: Final = -0.91
RESTORATION_LU_PER_DB: Final = 0.07
SIDE_ENERGY_SHARE: Final = 1.0
