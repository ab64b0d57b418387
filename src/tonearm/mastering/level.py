"""The level rule: how far a track is turned up or down, and never into the ceiling.

    gain = min(target - (lufs + d),  ceiling - margin - (tp + d) + L)

d is the loudness change of the stages before the gain. Where the plan masters,

    tp = max(min(true peak, 0), true peak - 3)       overs that every converter clips are not kept
    L  = clip(min((tp - lufs - 9) / 4, psr_p10 - 8), 0, most)       dB of limiting at most

and elsewhere tp = true peak and L = 0, so that the limiter idles. Between the classes tp and L are
blended by the weight of *master*: both terms then stay terms, and the loudness is still exactly the
target wherever the target term is the smaller.

``most`` is 2 dB, and less where a wide range ends in loud parts whose peaks have been levelled before:
limiting would take all of those down, and nothing of the rest. Where the peaks gather
(``mastering/dynamics.py``) tells.

Neutral is min(0, ceiling term with d = 0): intensity moves from there, so that the ceiling is met by
level and never by extra limiting.
"""

from dataclasses import dataclass
from typing import Final

from tonearm.dsp.limiter import MARGIN_DB
from tonearm.mastering.lwrp import LOUD_BORDER_LUFS, RAMP_HALF_WIDTH, ramp
from tonearm.model.plan import AlbumLevel

CLIPPED_ANYWAY_DBTP: Final = 0.0
MOST_OVERS_DB: Final = 3.0
LEAST_PLR_DB: Final = 9.0
LEAST_PSR_DB: Final = 8.0
MOST_LIMITING_DB: Final = 2.0

_LEVELLED_DB: Final = 1.6
_LESS_PER_DB: Final = 0.6
_NARROW_LU: Final = 8.0
_WIDE_LU: Final = 14.0

_RISE_PER_LU: Final = 2.6
"""How fast the ceiling term may leave that of an untouched track as loudness falls into *master*.

Overs of 3 dB, 2 dB of limiting and an equaliser that cuts would together, over the 2 dB of the ramp,
move the gain by more than 0.3 dB for 0.1 dB of loudness. It binds between -14.2 and -11 LUFS alone.
"""


@dataclass(frozen=True, slots=True)
class Level:
    """The two terms of the gain and its neutral value, dB."""

    target_term_db: float
    ceiling_term_db: float
    neutral_db: float

    @property
    def full_db(self) -> float:
        """The gain at intensity 1."""
        return min(self.target_term_db, self.ceiling_term_db)

    @property
    def reaches_target(self) -> bool:
        return self.target_term_db <= self.ceiling_term_db

    def at(self, intensity: float) -> float:
        """The gain at an intensity above 0 and up to 1, dB."""
        return (1.0 - intensity) * self.neutral_db + intensity * self.full_db


def peak_read(true_peak_dbtp: float) -> float:
    """The true peak as *master* reads it, dBTP: what lies over 0 is ignored, up to 3 dB of it."""
    return max(min(true_peak_dbtp, CLIPPED_ANYWAY_DBTP), true_peak_dbtp - MOST_OVERS_DB)


def bearable_limiting(gathered_under_db: float, lra_lu: float) -> float:
    """The most that may be limited, dB, 1.04..2: what keeps the loudness range within 1.5 LU.

    Args:
        gathered_under_db: how far under the highest peak the others gather.
        lra_lu: loudness range.
    """
    levelled_db = max(0.0, _LEVELLED_DB - max(0.0, gathered_under_db))
    return MOST_LIMITING_DB - _LESS_PER_DB * levelled_db * ramp(lra_lu, _NARROW_LU, _WIDE_LU)


def most_limiting(peak_dbtp: float, lufs: float, psr_p10_db: float, bearable_db: float) -> float:
    """How many dB *master* may limit, >= 0: none where PLR is under 9 dB or PSR P10 under 8 dB."""
    wanted = min(0.25 * (peak_dbtp - lufs - LEAST_PLR_DB), psr_p10_db - LEAST_PSR_DB)
    return min(bearable_db, max(0.0, wanted))


def track_level(
    *,
    lufs: float,
    true_peak_dbtp: float,
    psr_p10_db: float,
    bearable_limiting_db: float,
    master: float,
    tone_change_db: float,
    change_db: float,
    room_change_db: float,
    target_lufs: float,
    ceiling_dbtp: float,
) -> Level:
    """The level of one track by itself.

    Args:
        lufs, true_peak_dbtp, psr_p10_db: what the track measures.
        bearable_limiting_db: the most that may be limited.
        master: weight of *master*, 0..1.
        tone_change_db: predicted loudness change by what is left of the preset's tone where the track is
            loud, LU.
        change_db: d, predicted loudness change by what comes before the gain, LU.
        room_change_db: the same without what only the side loses, dB: that leaves no room under the ceiling.
        target_lufs, ceiling_dbtp: what is asked for.
    """
    limit = ceiling_dbtp - MARGIN_DB
    peak = peak_read(true_peak_dbtp)
    relief = master * (true_peak_dbtp - peak + most_limiting(peak, lufs, psr_p10_db, bearable_limiting_db))
    below = max(0.0, LOUD_BORDER_LUFS + RAMP_HALF_WIDTH - lufs)
    rise = min(relief - room_change_db, _RISE_PER_LU * below - tone_change_db)
    return Level(
        target_term_db=target_lufs - (lufs + change_db),
        ceiling_term_db=limit - true_peak_dbtp + rise,
        neutral_db=min(0.0, limit - true_peak_dbtp + relief),
    )


def album_level(album: AlbumLevel, change_db: float, target_lufs: float, ceiling_dbtp: float) -> Level:
    """One level for every track of an album, less what the track's own equaliser changes.

    Args:
        album: energy-gated loudness and highest true peak over all its tracks.
        change_db: d of this track, LU; subtracted so that the tracks keep their offsets.
        target_lufs, ceiling_dbtp: what is asked for; the target means the album.
    """
    room = ceiling_dbtp - MARGIN_DB - album.true_peak_dbtp
    return Level(
        target_term_db=target_lufs - album.lufs - change_db,
        ceiling_term_db=room - change_db,
        neutral_db=min(0.0, room),
    )
