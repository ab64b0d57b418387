"""Dynamics in three bands: gentle compression of what is loud, and attacks that a limiter took, re-opened.

    gain of band b, dB = - reduction smooth(1 + (mean level of b - full_b) / 16 dB)  +  boost attack_b

``smooth(t) = t^2 (3 - 2 t)``, t held to 0..1. Compression hears the mean power of 0.15 s, of 0.3 s in the
lowest band: nothing 16 dB under ``full_b``, the whole reduction from there up and never more of it, so its
steepest ratio is 1 / (1 - 1.5 reduction / 16): 1.23 for the 2 dB that are planned at most. What it takes it
gives back over 0.3 s more, so that between two kicks what else is in their band moves by less than 0.5 dB.

``attack_b``, 0..1, is what was lost when a limiter pulled peaks down, and is found where

  - the waveform comes within 1 dB of the level where the track's peaks are (``peaks_dbfs``), and
  - the band's power rises over its own mean of the last 20 to 50 ms. By how much it must rise falls from
    8 dB, 1 dB under that level, to nothing at 1 dB over it (1.5 dB for the highest band: a kick at full
    level lifts no cymbal that does not rise itself).

In the middle band, what is 18 dB and more under the lowest is what a drum leaves there, and no attack;
from 12 dB on it counts whole. Turned up alone, the middle of a flattened wave stands out by more than the
boost: so it is given 5 % less.

It goes up over 3 ms, which is looked ahead, is held as long, and falls in 4 ms. Every attack draws on
the band's budget, which an attack of 30 ms uses up and 0.1 s fills again: so the first of a dense row stands
out, and loudness hardly changes. Only the highest peaks of a track, over those of the others, do not wait.

Every frame is decided by itself, so that it does not matter where a file begins: an album sounds the same
track by track. No time constant is above 0.3 s. At rest, the output is the input bit for bit.

Source: D. Giannoulis, M. Massberg, J. D. Reiss, "Digital Dynamic Range Compressor Design", J. Audio Eng.
Soc. 60 (6), 2012 (compression by a static curve over a smoothed level). The times and thresholds of the
attacks were searched for with ``tools/dynamics.py`` on music limited by 3 to 12 dB: the most PLR and
the best SI-SDR to the original for the least change of loudness.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from tonearm.dsp import attacks, compression, crossover
from tonearm.dsp.attacks import BELOW_DB, BOOST, BUDGET
from tonearm.dsp.compression import FULL, REDUCTION, SPAN_DB
from tonearm.dsp.crossover import BANDS
from tonearm.dsp.glide import Glide
from tonearm.dsp.lanes import LANES
from tonearm.dsp.stft import Signal
from tonearm.model.audio import Block, Samples64

SPLITS_HZ: Final = (200.0, 4000.0)
"""Where the bands meet; the upper one lies lower where the rate is low."""

MOST_DB: Final = 6.0

_AHEAD_S = 0.003
_FAST_S = (0.004, 0.0008, 0.001)
_SLOW_S = (0.05, 0.03, 0.02)
_MEAN_S = (0.3, 0.15, 0.15)
_EASE_S = (0.3, 0.3, 0.3)
_FALL_S = 0.004
_FAR_RISE_DB = (8.0, 8.0, 8.0)
_NEAR_RISE_DB = (-2.0, -2.0, 1.5)
_MOST = (1.0, 0.95, 1.0)
_PEAK_S = 0.005
_BUDGET_FILLS_S = 0.1
_BUDGET_LASTS_S = 0.03
_HIGHEST = 0.4
_SILENT_POWER = 1e-10
_UNUSED_DBFS = 0.0


@dataclass(frozen=True, slots=True)
class DynamicsSettings:
    """What the stage is told; both amounts 0 is rest, and then the levels do not matter.

    Attributes:
        reduction_db: how much the loud parts of each band are turned down, dB, 0..6.
        full_dbfs: mean-square level of each of the three bands from which on that is taken whole, dB full
            scale, of two channels together half their sum.
        boost_db: how much attacks are turned up, dB, 0..6.
        peaks_dbfs: level near which the waveform's peaks are, dB full scale.
        true_peak_dbtp: the highest of them.
    """

    reduction_db: float = 0.0
    full_dbfs: tuple[float, float, float] = (_UNUSED_DBFS,) * BANDS
    boost_db: float = 0.0
    peaks_dbfs: float = _UNUSED_DBFS
    true_peak_dbtp: float = _UNUSED_DBFS

    def __post_init__(self) -> None:
        for amount in (self.reduction_db, self.boost_db):
            if not 0.0 <= amount <= MOST_DB:
                raise ValueError(f"reduction and boost lie in 0..{MOST_DB:g} dB, got {amount}")
        if len(self.full_dbfs) != BANDS or not np.isfinite(self.values).all():
            raise ValueError(f"wanted {BANDS} finite levels of the bands and finite peaks, got {self}")

    @property
    def values(self) -> Samples64:
        """In the order of ``dsp/compression.py`` and ``dsp/attacks.py``."""
        levels = (*self.full_dbfs, self.boost_db, self.peaks_dbfs, self.true_peak_dbtp)
        opens = 10.0 ** ((self.peaks_dbfs - BELOW_DB) / 20.0)
        return np.array([self.reduction_db, *levels, opens], dtype=np.float64)


def steepest_ratio(reduction_db: float) -> float:
    """How many dB of change in come out as one, where the curve of compression is steepest; 1 for none."""
    return 1.0 / (1.0 - 1.5 * reduction_db / SPAN_DB)


class Dynamics:
    """Compress and re-open the attacks of a stream of blocks.

    Shape:
        in and out: [frames, channels]; any number of frames, including 0. ``process`` may return fewer
        frames than it got, or more; with ``flush``, as many come out as went in, aligned.
    Delay:
        3 ms while it is at work, 0 at rest; already taken off.

    Args:
        settings: what to do.
        rate: frames a second.
        channels: heard together, turned alike.
        first_frame: number, in the file, of the first frame that will come in.
    """

    def __init__(self, settings: DynamicsSettings, rate: int, channels: int, first_frame: int) -> None:
        self._rate, self._channels = rate, channels
        self._frame = first_frame
        self._asked = settings
        self._glide = Glide.rest(settings.values, first_frame)
        self._bands = _ThreeBands(rate, channels)
        self._working = False

    @property
    def reduction_db(self) -> float:
        """The most that compression took off in the last call, in any band, dB."""
        return float(self._bands.told[0])

    @property
    def boost_db(self) -> float:
        """The most that an attack was given in the last call, in any band, dB."""
        return float(self._bands.told[1])

    def glide(self, settings: DynamicsSettings, frames: int) -> None:
        """Move to other settings within ``frames``, from the next frame on and what is reached there.

        Amounts move along a straight line; the levels of an amount that comes from or goes to 0 stay
        where they are used. A glide that already leads to these settings goes on as it was.
        """
        if settings == self._asked:
            return
        self._asked = settings
        start, end = self._glide.at(np.array([self._frame]))[0], settings.values
        for amount, levels in ((REDUCTION, slice(FULL, BOOST)), (BOOST, slice(BOOST + 1, None))):
            if start[amount] == 0.0:
                start[levels] = end[levels]
            elif end[amount] == 0.0:
                end[levels] = start[levels]
        self._glide = Glide(start, end, self._frame, frames)

    def process(self, block: Block) -> Block:
        self._bands.told[:] = 0.0
        parts = []
        rest = block
        while len(rest):
            idle = self._idle_from()
            if idle is not None and self._frame >= idle:
                parts += [*self._rested(), rest]
                self._frame += len(rest)
                break
            count = len(rest) if idle is None else min(len(rest), idle - self._frame)
            parts.append(self._work(rest[:count]))
            rest = rest[count:]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else block

    def flush(self) -> Block:
        """The frames held back. Nothing may be processed after it."""
        self._bands.told[:] = 0.0
        nothing = np.zeros((0, self._channels), np.float32)
        return np.concatenate([nothing, *self._rested()])

    def _work(self, block: Block) -> Block:
        self._working = True
        first, glide = self._frame, self._glide
        self._frame += len(block)
        over = glide.over(first)
        values = glide.end[None] if over else glide.at(np.arange(first, self._frame))
        reduces, boosts = (bool(glide.start[amount] or glide.end[amount]) for amount in (REDUCTION, BOOST))
        return self._bands.process(block, first, values, reduces, boosts)

    def _rested(self) -> list[Block]:
        """What is held back, where anything is; after it, nothing is remembered."""
        if not self._working:
            return []
        frame = self._frame
        held = self._work(np.zeros((self._bands.ahead, self._channels), np.float32))
        self._frame = frame
        self._bands.clear()
        self._working = False
        return [held]

    def _idle_from(self) -> int | None:
        """The frame from which on there is nothing to do; None where there is no end to it."""
        glide = self._glide
        if glide.end[REDUCTION] or glide.end[BOOST]:
            return None
        if not self._working and not (glide.start[REDUCTION] or glide.start[BOOST]):
            return glide.first
        return glide.first + glide.frames


class _ThreeBands:
    """The loops of ``dsp/crossover.py``, ``compression.py`` and ``attacks.py`` with what they remember."""

    def __init__(self, rate: int, channels: int) -> None:
        self.ahead = max(1, round(_AHEAD_S * rate))
        self.told = np.zeros(2)
        self._filters = crossover.filters(SPLITS_HZ, _HIGHEST * rate, rate)
        self._slow_keeps = _keeps((_MEAN_S, _EASE_S), rate)
        silence = np.full(LANES, _SILENT_POWER)
        self._quick_keeps = np.concatenate([_keeps((_FAST_S, _SLOW_S), rate), silence])
        self._rises = np.array([_FAR_RISE_DB, _NEAR_RISE_DB, _MOST]).T.copy()
        kept_peak, kept_attack = (math.exp(-1.0 / (time * rate)) for time in (_PEAK_S, _FALL_S))
        self._pace = np.array(
            [kept_peak, kept_attack, 1.0 / (_BUDGET_FILLS_S * rate), 1.0 / (_BUDGET_LASTS_S * rate)]
        )
        self._channels = channels
        self._kept = np.empty(0, np.float32)
        self._heard = np.empty(0)
        self.clear()

    def clear(self) -> None:
        """Remember nothing."""
        self._due = self.ahead
        self._state = np.zeros((-(-self._channels // 2), crossover.STATES * LANES))
        self._slow_means = np.zeros(compression.MEANS * LANES)
        self._quick_means = np.zeros(attacks.MEANS * LANES)
        self._memory = np.zeros((BANDS, attacks.BAND_MEMORY))
        self._memory[:, BUDGET] = 1.0
        self._peak = np.zeros(attacks.PEAK_MEMORY)
        self._rings = np.zeros((BANDS, self.ahead + 1), np.int64)
        self._waiting = np.zeros((BANDS, self.ahead, self._channels), np.float32)

    def process(self, block: Block, first: int, values: Samples64, reduces: bool, boosts: bool) -> Block:
        """Without the frames that were never put in: the first ``ahead`` that come out."""
        out, frames = np.empty_like(block), len(block)
        waiting, heard, gains_db = self._room(frames)
        waiting[:, : self.ahead] = self._waiting
        waiting[0, self.ahead :] = block
        sound, low, high = waiting
        crossover.split(
            block, first, self._filters, self._state, low[self.ahead :], high[self.ahead :], heard
        )
        gains_db[:] = 0.0
        if reduces:
            taken_db = compression.compress(
                heard, first, values, self._slow_keeps, self._slow_means, gains_db
            )
            self.told[0] = max(self.told[0], taken_db)
        if boosts:
            self.told[1] = max(self.told[1], self._open(heard, first, values, gains_db))
        crossover.put_together(sound[:frames], low[:frames], high[:frames], gains_db, out)
        self._waiting[:] = waiting[:, frames:]
        dropped = min(self._due, frames)
        self._due -= dropped
        return out[dropped:]

    def _open(self, heard: Samples64, first: int, values: Samples64, gains_db: Signal) -> float:
        return attacks.open_attacks(
            heard,
            first,
            values,
            self._quick_keeps,
            self._rises,
            self._pace,
            self._quick_means,
            self._memory,
            self._peak,
            self._rings,
            gains_db,
        )

    def _room(self, frames: int) -> tuple[Block, Samples64, Signal]:
        """``[3, ahead + frames, channels]``, ``[frames * HEARD]``, ``[3, frames]``; memory that is kept."""
        shape = (BANDS, self.ahead + frames, self._channels)
        count = math.prod(shape)
        if self._kept.size < count + BANDS * frames:
            self._kept = np.empty(count + BANDS * frames, np.float32)
            self._heard = np.empty(crossover.HEARD * frames)
        gains_db = self._kept[count : count + BANDS * frames].reshape(BANDS, frames)
        return self._kept[:count].reshape(shape), self._heard[: crossover.HEARD * frames], gains_db


def _keeps(times_s: tuple[tuple[float, ...], ...], rate: int) -> Samples64:
    """What one-pole means of these times keep per frame, in rows of four, and then what they take in."""
    kept = np.zeros((len(times_s), LANES))
    for row, times in zip(kept, times_s, strict=True):
        row[:BANDS] = [math.exp(-1.0 / (time * rate)) for time in times]
    return np.concatenate([kept.reshape(-1), 1.0 - kept.reshape(-1)])
