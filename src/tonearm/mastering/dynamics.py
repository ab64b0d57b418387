"""How much is compressed, and how far attacks are re-opened.

    reduction = 2 dB ramp(plr, 14 -> 20) ramp(lra, 8 -> 16) ramp(psr_p10, 9 -> 11) ramp(seconds, 30 -> 60)
                weight of master
    boost     = min(3 dB, 10 amount) weight of restore, within the headroom

``plr`` is read as the gain of *master* reads it: without the overs that every converter clips. The
headroom is what is left under the ceiling at the track's level, so that the limiter does not take back
what was given. A loudness range means little under a minute (EBU Tech 3342), and compression rests on it.
"""

from typing import Final

import numpy as np

from tonearm.dsp.dynamics import SPLITS_HZ, steepest_ratio
from tonearm.dsp.equaliser import band_response_db
from tonearm.mastering.factors import COMPRESSION_LU_PER_DB, RESTORATION_LU_PER_DB
from tonearm.mastering.level import peak_read
from tonearm.mastering.lwrp import ramp, restoration_amount
from tonearm.mastering.spectrum import loudness
from tonearm.model.measures import THIRD_OCTAVES_HZ, WAVEFORM_PAIRS, TrackMeasures
from tonearm.model.plan import Compression, Restoration

MOST_REDUCTION_DB: Final = 2.0
MOST_BOOST_DB: Final = 3.0
BOOST_PER_AMOUNT_DB: Final = 10.0

SHORT_S: Final = 30.0
LONG_S: Final = 60.0

FULL_OVER_DB: Final = 4.0
"""The whole reduction is taken where a band is this much louder than over the track's loudness."""

_PEAKS_SHARE: Final = 60.0
"""Of the half seconds of a track, so many percent peak lower than where its peaks are said to be."""

_LOUD_SHARE: Final = 90.0
_APART_DB: Final = 1.0
_PEAKS_OVER_S: Final = 0.5
_FULL_SCALE: Final = 127.0
_SOFTEST: Final = 0.5 / _FULL_SCALE


def reduction_of(
    true_peak_dbtp: float, lufs: float, lra_lu: float, psr_p10_db: float, seconds: float, master: float
) -> float:
    """The reduction that is planned, 0..2 dB; the first five as measured, ``master`` its weight."""
    plr = peak_read(true_peak_dbtp) - lufs
    room = ramp(plr, 14.0, 20.0) * ramp(lra_lu, 8.0, 16.0) * ramp(psr_p10_db, 9.0, 11.0)
    return MOST_REDUCTION_DB * room * ramp(seconds, SHORT_S, LONG_S) * master


def compression(
    reduction_db: float, measures: TrackMeasures, lufs: float, eq_db: tuple[float, ...]
) -> Compression:
    """The stage that takes ``reduction_db`` off the loud parts of a track after an equaliser; 0 is no stage.

    The level of a band in the loud parts is that of its third-octaves, raised from the loudness of the whole
    spectrum to that of the parts that count, and by 4 dB.

    Args:
        reduction_db: dB.
        measures: of the track.
        lufs: its integrated loudness, gated, of what will be heard.
        eq_db: gains of the seven bands before the stage, dB.
    """
    levels = np.asarray(measures.third_octaves_db)
    raised = levels + band_response_db(eq_db, THIRD_OCTAVES_HZ, measures.rate)
    bands = np.searchsorted(SPLITS_HZ, THIRD_OCTAVES_HZ, side="right")
    gate_db = lufs - loudness(levels)
    low, mid, high = (
        float(10.0 * np.log10(np.sum(10.0 ** (raised[bands == band] / 10.0)))) + gate_db + FULL_OVER_DB
        for band in range(len(SPLITS_HZ) + 1)
    )
    return Compression(reduction_db, steepest_ratio(reduction_db), (low, mid, high))


def compression_change(reduction_db: float) -> float:
    """Predicted loudness change, LU, <= 0."""
    return COMPRESSION_LU_PER_DB * reduction_db


def wanted_boost(crest_db: float, restore: float, scale: float) -> float:
    """How far attacks would be re-opened if there were room, 0..3 dB.

    Args:
        crest_db: of the track.
        restore: weight of *restore*, 0..1.
        scale: of the preset.
    """
    return min(MOST_BOOST_DB, BOOST_PER_AMOUNT_DB * restoration_amount(crest_db) * scale) * restore


def boost_within(wanted_db: float, headroom_db: float) -> float:
    """The boost that stays within the headroom, dB, >= 0.

    Args:
        wanted_db: without a bound.
        headroom_db: from the track's highest peak to the limit, at the gain it would have unrestored. What
            restoration adds to loudness is taken off that gain and so comes back as room.
    """
    return min(wanted_db, max(0.0, headroom_db) / (1.0 - RESTORATION_LU_PER_DB))


def restoration(
    boost_db: float, measures: TrackMeasures, true_peak_dbtp: float, change_db: float
) -> Restoration:
    """The stage that re-opens attacks by ``boost_db`` (0 is no stage).

    Args:
        boost_db: dB.
        measures: of the track.
        true_peak_dbtp: of what will be heard, before the equaliser.
        change_db: what the equaliser does to its level.
    """
    shift_db = true_peak_dbtp - measures.true_peak_dbtp + change_db
    return Restoration(boost_db, gathered_peaks_dbfs(measures) + shift_db, true_peak_dbtp + change_db)


def restoration_change(boost_db: float) -> float:
    """Predicted loudness change, LU, >= 0."""
    return RESTORATION_LU_PER_DB * boost_db


def gathered_peaks_dbfs(measures: TrackMeasures) -> float:
    """The level near which a track's peaks are: of its half seconds 60 percent peak lower; dB full scale.

    It is at most 1 dB under that of the loudest tenth, for a track that is mostly quiet is limited in its
    loud parts. It is read from the waveform, which knows nothing over full scale.
    """
    pairs = np.frombuffer(measures.waveform, np.int8).reshape(WAVEFORM_PAIRS, 2).astype(np.float64)
    peaks = np.abs(pairs).max(axis=1) / _FULL_SCALE
    seconds = measures.frames / measures.rate
    together = min(WAVEFORM_PAIRS, max(1, round(_PEAKS_OVER_S * WAVEFORM_PAIRS / seconds)))
    count = WAVEFORM_PAIRS // together
    highest = peaks[: count * together].reshape(count, together).max(axis=1)
    most, loud = np.percentile(highest, (_PEAKS_SHARE, _LOUD_SHARE))
    return float(20.0 * np.log10(max(most, loud * 10.0 ** (-_APART_DB / 20.0), _SOFTEST)))
