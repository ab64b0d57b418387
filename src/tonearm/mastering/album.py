"""How loud an album is as a whole: one gate over the blocks of all its tracks.

    threshold = mean energy of all blocks above -70 LUFS, less 10 LU
    album     = mean energy of all blocks above -70 LUFS and above the threshold

Tracks are known by their gating histograms (0.1 LU a bin, read at its middle), so that nothing is
measured again. Blocks that would lie across the border of two tracks are not counted.

Source: ITU-R BS.1770-5, annex 1 (gating); EBU R 128 s2 and AES TD1008, section 5 (album loudness).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tonearm.dsp.loudness import RELATIVE_GATE_LU, energy, loudness
from tonearm.model.measures import HISTOGRAM_BINS, HISTOGRAM_LOW_LUFS, HISTOGRAM_STEP_LU
from tonearm.model.plan import AlbumLevel

_BIN_ENERGIES: Final = np.array(
    [energy(HISTOGRAM_LOW_LUFS + (bin_ + 0.5) * HISTOGRAM_STEP_LU) for bin_ in range(HISTOGRAM_BINS)]
)


@dataclass(frozen=True, slots=True)
class TrackLevel:
    """What one track contributes.

    Attributes:
        gating_histogram: ``TrackMeasures.gating_histogram``, counted on all channels of the source.
        true_peak_dbtp: of what will be heard: of the stereo downmix where the source has more channels.
        shift_lu: how much louder that is than what the histogram counted; 0 for one and two channels.
            Of a downmix it is the difference of the two integrated loudnesses, for all blocks alike.
    """

    gating_histogram: Sequence[int]
    true_peak_dbtp: float
    shift_lu: float = 0.0


def album_level_of(tracks: Iterable[TrackLevel]) -> AlbumLevel | None:
    """Energy-gated loudness over all tracks, highest true peak; None where no block is above -70 LUFS.

    Within 0.05 LU of measuring them together. In an album of some seconds a single bin that lies across the
    gate weighs more: 0.23 LU was seen on three clips of 15 s in all.
    """
    rows = list(tracks)
    if not rows:
        return None
    counts = np.array([track.gating_histogram for track in rows], dtype=np.float64)
    shifts = 10.0 ** (np.array([track.shift_lu for track in rows]) / 10.0)
    energies = shifts[:, None] * _BIN_ENERGIES
    if not counts.any():
        return None
    mean = float(np.average(energies, weights=counts))
    gated = np.where(energies > mean * 10.0 ** (RELATIVE_GATE_LU / 10.0), counts, 0.0)
    return AlbumLevel(
        lufs=loudness(float(np.average(energies, weights=gated))),
        true_peak_dbtp=max(track.true_peak_dbtp for track in rows),
    )
