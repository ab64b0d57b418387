"""Samples to fingerprint and measures, in one pass and bounded memory."""

from typing import Final

import numpy as np

from tonearm.analysis.damage import check_scale, without_damage
from tonearm.analysis.level import LevelAnalysis, Levels, Programme
from tonearm.analysis.spectral import Hearing, SpectralAnalysis
from tonearm.analysis.stereo import StereoImage
from tonearm.dsp.downmix import to_stereo
from tonearm.dsp.stft import channel_signals, split_channels
from tonearm.model.audio import AudioFormat, Block
from tonearm.model.errors import NotEnoughAudio
from tonearm.model.fingerprint import BAND_NAMES, Fingerprint
from tonearm.model.measures import Analysis, TrackMeasures

_SHORTEST_S: Final = 0.4
_STEP_SAMPLES: Final = 400_000


class Extractor:
    """Measure one track from its first sample to its last.

    The input is cut anew into whole seconds, counted from the first frame, so the result does not
    depend on the sizes of the blocks, bit for bit.

    Samples that are no number, infinite or over 60 dB above full scale are damage; they count as
    silence.

    Shape:
        in: [frames, channels], any number of frames, including 0.
    """

    def __init__(self, rate: int, channels: int, layout: str) -> None:
        """``layout`` is FFmpeg's name ("5.1(side)"); one that is not known is taken by its count.

        Raises:
            ValueError: rate or channels that are not supported (see ``AudioFormat``).
        """
        self._format = AudioFormat(rate, channels)
        self._layout = layout
        self._frames = 0
        seconds = max(1, _STEP_SAMPLES // (rate * channels))
        self._pending = np.empty((channels, seconds * rate), dtype=np.float32)
        self._filled = 0
        self._level = LevelAnalysis(rate, channels, layout)
        self._downmix = Programme(rate, 2, "stereo") if channels > 2 else None
        self._stereo = StereoImage()
        self._spectral = SpectralAnalysis(rate)

    def process(self, block: Block) -> None:
        if block.ndim != 2 or block.shape[1] != self._format.channels:
            raise ValueError(f"wanted [frames, {self._format.channels}], got {block.shape}")
        self._frames += len(block)
        taken = 0
        while taken < len(block):
            count = min(len(block) - taken, self._pending.shape[1] - self._filled)
            split_channels(
                block[taken : taken + count], self._pending[:, self._filled : self._filled + count]
            )
            self._filled += count
            taken += count
            if self._filled == self._pending.shape[1]:
                self._step(self._pending.T)
                self._filled = 0

    def finish(self) -> Analysis:
        """The analysis of everything that was processed; call it once, at the end.

        Raises:
            NotEnoughAudio: under 0.4 s, nothing above the loudness gate or between 20 Hz and 20 kHz.
            DecodeError: samples so far above full scale that the file cannot hold audio.
        """
        rate = self._format.rate
        if self._frames < _SHORTEST_S * rate:
            raise NotEnoughAudio(f"{self._frames} frames at {rate} Hz are less than {_SHORTEST_S} s")
        if self._filled:
            self._step(self._pending[:, : self._filled].T)
        levels = self._level.finish()
        check_scale(levels.lufs)
        hearing = self._spectral.finish(levels.silent, levels.loudest_frame)
        return Analysis(
            fingerprint=self._fingerprint(levels, hearing), measures=self._measures(levels, hearing)
        )

    def _step(self, block: Block) -> None:
        """``block`` lies channel by channel in memory, so that a channel is a signal without a copy."""
        block = without_damage(block)
        signals = channel_signals(block)
        self._level.process(block, signals)
        if self._downmix is not None:
            stereo = to_stereo(block, self._layout)
            self._downmix.process(stereo)
            signals = channel_signals(stereo)
        left, right = signals[0], signals[-1]
        self._stereo.process(left, right)
        self._spectral.process(left, right, self._level.loudest_frame)

    def _fingerprint(self, levels: Levels, hearing: Hearing) -> Fingerprint:
        tone = hearing.tone
        return Fingerprint(
            **dict(zip(BAND_NAMES, tone.bands_pct, strict=True)),
            lufs=levels.lufs,
            crest_db=levels.crest_db,
            bass_mid_ratio=tone.bass_mid_ratio,
            tempo_bpm=hearing.tempo_bpm,
            rhythm_stability=hearing.rhythm_stability,
            transient_density=hearing.onsets * self._format.rate / self._frames,
            silence_ratio=levels.silence_ratio,
            spectral_centroid=tone.spectral_centroid,
            spectral_rolloff=tone.spectral_rolloff,
            spectral_flatness=tone.spectral_flatness,
            harmonic_ratio=hearing.harmonic_ratio,
            pitch_stability=hearing.pitch_stability,
            chroma_energy=hearing.chroma_energy,
            dynamic_range_variation=levels.dynamic_range_variation,
            loudness_variation_std=levels.loudness_variation_std,
            peak_consistency=levels.peak_consistency,
            stereo_width=self._stereo.width,
            phase_correlation=self._stereo.correlation,
        )

    def _measures(self, levels: Levels, hearing: Hearing) -> TrackMeasures:
        downmix_lufs, downmix_peak = levels.lufs, levels.true_peak_dbtp
        if self._downmix is not None:
            self._downmix.flush()
            downmix_lufs, downmix_peak = self._downmix.lufs(), self._downmix.true_peak_dbtp()
        return TrackMeasures(
            frames=self._frames,
            rate=self._format.rate,
            channels=self._format.channels,
            true_peak_dbtp=levels.true_peak_dbtp,
            lra_lu=levels.lra_lu,
            plr_db=levels.true_peak_dbtp - levels.lufs,
            psr_p10_db=levels.psr_p10_db,
            clipped_ppm=levels.clipped_ppm,
            dc_offset=levels.dc_offset,
            bass_phase_correlation=hearing.tone.bass_phase_correlation,
            downmix_lufs=downmix_lufs,
            downmix_true_peak_dbtp=downmix_peak,
            third_octaves_db=hearing.tone.third_octaves_db,
            gating_histogram=levels.gating_histogram,
            waveform=levels.waveform,
        )


def warm() -> None:
    """Run two seconds of noise through an extractor, so that every kernel is compiled and cached."""
    rate = 44_100
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2 * rate, 2)).astype(np.float32)
    extractor = Extractor(rate, 2, "stereo")
    extractor.process(noise)
    extractor.finish()
