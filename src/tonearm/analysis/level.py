"""How loud a track is, how far it peaks above that, and how much both change.

Everything here is measured on all channels of the original (BS.1770 weights, LFE left out) at the
original rate. A one-channel file is measured as dual mono.

Source: ITU-R BS.1770-5, EBU Tech 3341 and 3342; crest and peaks as defined in docs/fingerprint.md.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from tonearm.analysis.series import (
    FRAMES_PER_SECOND,
    Mask,
    Series,
    deviation,
    evenness,
    kept,
    silent_frames,
    windows,
)
from tonearm.analysis.timeline import Timeline
from tonearm.dsp.loudness import (
    ABSOLUTE_GATE_LUFS,
    HOPS_PER_BLOCK,
    RANGE_GATE_LU,
    RELATIVE_GATE_LU,
    LoudnessMeter,
    channel_weights,
    gated,
    loudness_of,
)
from tonearm.dsp.stft import Signal
from tonearm.dsp.truepeak import TruePeakMeter
from tonearm.model.audio import Block
from tonearm.model.errors import NotEnoughAudio
from tonearm.model.measures import HISTOGRAM_BINS, HISTOGRAM_LOW_LUFS, HISTOGRAM_STEP_LU

_SHORT_TERM_S: Final = 3
_PSR_PERCENTILE: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Loudness, peaks and their spread over one track; units as in ``Fingerprint`` and ``TrackMeasures``."""

    lufs: float
    crest_db: float
    silence_ratio: float
    dynamic_range_variation: float
    loudness_variation_std: float
    peak_consistency: float
    true_peak_dbtp: float
    lra_lu: float
    psr_p10_db: float
    clipped_ppm: float
    dc_offset: float
    gating_histogram: tuple[int, ...]
    waveform: bytes
    silent: Mask
    """Which frames of 50 ms are silent."""
    loudest_frame: float
    """Mean square of the loudest of them."""


class Programme:
    """Integrated loudness and true peak of one set of channels.

    Shape:
        in: [frames, channels].
    """

    def __init__(self, rate: int, channels: int, layout: str) -> None:
        self.loudness = LoudnessMeter(rate, channel_weights(channels, layout))
        self._true_peak = TruePeakMeter(channels, rate)

    def process(self, block: Block) -> None:
        self.loudness.process(block)
        self._true_peak.process(block)

    def flush(self) -> None:
        self._true_peak.flush()

    def lufs(self) -> float:
        """Integrated loudness, LUFS.

        Raises:
            NotEnoughAudio: no block passes the gates.
        """
        lufs = self.loudness.integrated()
        if lufs is None:
            raise NotEnoughAudio(f"nothing above the loudness gate of {ABSOLUTE_GATE_LUFS:g} LUFS")
        return lufs

    def true_peak_dbtp(self) -> float:
        return decibels(self._true_peak.peak)

    def psr_p10_db(self) -> float:
        """10th percentile of true peak minus loudness of the 3 s windows that pass the gates, dB."""
        energies = self.loudness.short_term_energies
        seconds = np.array(self._true_peak.segment_peaks)
        spans = [seconds[i : i + _SHORT_TERM_S] for i in range(len(energies))]
        peaks = np.array([span.max() for span in spans])
        heard = (energies > 0.0) & (peaks > 0.0)
        passing = gated(energies, RANGE_GATE_LU) & heard
        keep = passing if passing.any() else heard
        ratios = 20.0 * np.log10(peaks[keep]) - loudness_of(energies[keep])
        return float(np.percentile(ratios, _PSR_PERCENTILE))


class LevelAnalysis:
    """Measure the level of a stream.

    Shape:
        in: [frames, channels], and the same as one signal per channel; whole seconds at a time but
        for the last call.
    """

    def __init__(self, rate: int, channels: int, layout: str) -> None:
        self._programme = Programme(rate, channels, layout)
        weights = channel_weights(channels, layout)
        self._counting = [c for c in range(channels) if weights[c] > 0.0]
        self._timeline = Timeline(rate, len(self._counting))

    def process(self, block: Block, signals: list[Signal]) -> None:
        self._programme.process(block)
        self._timeline.process([signals[c] for c in self._counting])

    @property
    def loudest_frame(self) -> float:
        """Mean square of the loudest 50 ms so far."""
        return self._timeline.loudest_frame

    def finish(self) -> Levels:
        """What was measured.

        Raises:
            NotEnoughAudio: nothing lies above the loudness gate.
        """
        programme, timeline = self._programme, self._timeline
        programme.flush()
        lufs = programme.lufs()
        peaks, lengths = timeline.frame_peaks(), timeline.frame_lengths()
        energies = timeline.frame_energies()
        mean_squares = energies / lengths
        silent = silent_frames(mean_squares)
        return Levels(
            lufs=lufs,
            crest_db=self._crest_db(energies, lengths),
            silence_ratio=float(np.mean(silent)),
            dynamic_range_variation=deviation(_crests(peaks, energies, lengths, silent)),
            loudness_variation_std=self._loudness_variation(),
            peak_consistency=evenness(_half_second_peaks(peaks, silent)),
            true_peak_dbtp=programme.true_peak_dbtp(),
            lra_lu=programme.loudness.loudness_range(),
            psr_p10_db=programme.psr_p10_db(),
            clipped_ppm=timeline.clipped_ppm,
            dc_offset=timeline.dc_offset,
            gating_histogram=_histogram(programme.loudness.block_energies),
            waveform=timeline.waveform(),
            silent=silent,
            loudest_frame=timeline.loudest_frame,
        )

    def _crest_db(self, energies: Series, lengths: Series) -> float:
        """Sample peak over the RMS of the gating blocks that pass, dB."""
        passing = gated(self._programme.loudness.block_energies, RELATIVE_GATE_LU)
        return crest_db(self._timeline.peak, block_mean_squares(energies, lengths)[passing])

    def _loudness_variation(self) -> float:
        energies = self._programme.loudness.short_term_energies
        return deviation(loudness_of(energies[gated(energies, RANGE_GATE_LU)]))


def decibels(amplitude: float) -> float:
    """dB of an amplitude above 0."""
    return 20.0 * math.log10(amplitude)


def block_mean_squares(energies: Series, lengths: Series) -> Series:
    """Mean square of each gating block, from the energies and lengths of its frames of 50 ms."""
    hops = windows(energies, 2).sum(axis=1) / windows(lengths, 2).sum(axis=1)
    blocks: Series = np.lib.stride_tricks.sliding_window_view(hops, HOPS_PER_BLOCK).mean(axis=1)
    return blocks


def crest_db(peak: float, mean_squares: Series) -> float:
    """A peak over the RMS of gating blocks, dB >= 0."""
    return max(0.0, decibels(peak) - 10.0 * math.log10(float(np.mean(mean_squares))))


def _crests(peaks: Series, energies: Series, lengths: Series, silent: Mask) -> Series:
    """Crest factor of each 1 s frame that is not silent, dB."""
    tops = windows(peaks, FRAMES_PER_SECOND).max(axis=1)
    means = windows(energies, FRAMES_PER_SECOND).sum(axis=1) / windows(lengths, FRAMES_PER_SECOND).sum(axis=1)
    sounding = ~windows(silent.astype(np.float64), FRAMES_PER_SECOND).all(axis=1)
    crests: Series = 20.0 * np.log10(tops[sounding]) - 10.0 * np.log10(means[sounding])
    return crests


def _half_second_peaks(peaks: Series, silent: Mask) -> Series:
    """Sample peak of each 0.5 s frame that is not silent, full scale."""
    tops = windows(peaks, FRAMES_PER_SECOND // 2).max(axis=1)
    return kept(tops, ~np.asarray(windows(silent.astype(np.float64), FRAMES_PER_SECOND // 2).all(axis=1)))


def _histogram(block_energies: Series) -> tuple[int, ...]:
    """Gating blocks above -70 LUFS, counted in 0.1 LU bins."""
    levels = loudness_of(block_energies)
    bins = np.floor((levels[levels > HISTOGRAM_LOW_LUFS] - HISTOGRAM_LOW_LUFS) / HISTOGRAM_STEP_LU)
    counts = np.bincount(np.minimum(bins.astype(np.int64), HISTOGRAM_BINS - 1), minlength=HISTOGRAM_BINS)
    return tuple(counts.tolist())
