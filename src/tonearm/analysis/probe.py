"""Some windows of a track to a first impression of it.

    lufs, crest, P as in the fingerprint, over the windows in place of the track:
    the gates see the blocks of all windows together, and no block or filter reaches over a cut

Source: the definitions of ``analysis.level`` and ``analysis.tone``.
"""

from typing import Final

import numpy as np

from tonearm.analysis.damage import check_scale, without_damage
from tonearm.analysis.level import block_mean_squares, crest_db, decibels
from tonearm.analysis.series import Series, joined
from tonearm.analysis.timeline import Timeline
from tonearm.analysis.tone import bands_pct, mean_power, third_octaves_db
from tonearm.dsp.downmix import to_stereo
from tonearm.dsp.loudness import (
    ABSOLUTE_GATE_LUFS,
    RELATIVE_GATE_LU,
    LoudnessMeter,
    channel_weights,
    gated,
    loudness,
)
from tonearm.dsp.stft import Stft, channel_signals, nearest_power_of_two, power
from tonearm.dsp.truepeak import TruePeakMeter
from tonearm.model.audio import AudioFormat, Block
from tonearm.model.errors import NotEnoughAudio
from tonearm.model.probe import Probe

_SPECTRUM_S: Final = 0.093
_EDGE_S: Final = 0.005
_ONE_SEGMENT: Final = 1 << 60


def soften_edges(window: Block, rate: int) -> None:
    """Fade a window in and out, in place, over 5 ms: a cut through a wave would be a click and a peak.

    Shape:
        [frames, channels].
    """
    frames = min(round(_EDGE_S * rate), len(window) // 2)
    rise = (np.arange(1, frames + 1, dtype=np.float32) / np.float32(frames + 1))[:, None]
    window[:frames] *= rise
    window[len(window) - frames :] *= rise[::-1]


class ProbeAnalysis:
    """Measure windows of a track, with soft edges. More than two channels are measured as their downmix.

    Shape:
        in: [frames, channels]; within a window whole seconds at a time but for its last call.
    """

    def __init__(self, rate: int, channels: int, layout: str) -> None:
        """``layout`` is FFmpeg's name ("5.1(side)").

        Raises:
            ValueError: rate or channels that are not supported (see ``AudioFormat``).
        """
        self._format = AudioFormat(rate, channels)
        self._layout = layout
        self._heard = min(channels, 2)
        self._weights = channel_weights(self._heard, "")
        self._size = nearest_power_of_two(_SPECTRUM_S * rate)
        self._total = np.zeros(self._size // 2 + 1)
        self._spectra = self._frames = self._windows = 0
        self._peak = 0.0
        # Edges are soft, so these two may run on over them.
        self._meter = TruePeakMeter(self._heard, _ONE_SEGMENT)
        self._stfts = [Stft(self._size, self._size // 2) for _ in range(self._heard)]
        self._energies: list[Series] = []
        self._mean_squares: list[Series] = []
        self._begin()

    def process(self, block: Block) -> None:
        """Take the next frames of the window."""
        if block.ndim != 2 or block.shape[1] != self._format.channels:
            raise ValueError(f"wanted [frames, {self._format.channels}], got {block.shape}")
        block = to_stereo(without_damage(block), self._layout)
        signals = channel_signals(block)
        self._loudness.process(block)
        self._meter.process(block)
        self._timeline.process(signals)
        for stft, signal in zip(self._stfts, signals, strict=True):
            for spectra in stft.process(signal):
                self._total += power(spectra).sum(axis=0, dtype=np.float64)
                self._spectra += len(spectra)

    def cut(self) -> None:
        """The window ends; what comes next belongs elsewhere. A window under 0.4 s has no loudness."""
        timeline = self._timeline
        self._peak = max(self._peak, timeline.peak)
        self._frames += timeline.frames
        self._windows += 1
        energies = self._loudness.block_energies
        if len(energies):
            self._energies.append(energies)
            self._mean_squares.append(block_mean_squares(timeline.frame_energies(), timeline.frame_lengths()))
        self._begin()

    def finish(self) -> Probe:
        """What the windows say; every window was cut.

        Raises:
            NotEnoughAudio: no window of 0.4 s, nothing above the loudness gate or between 20 Hz and 20 kHz.
            DecodeError: samples so far above full scale that the file cannot hold audio.
        """
        energies = joined(self._energies)
        passing = gated(energies, RELATIVE_GATE_LU)
        if not passing.any():
            raise NotEnoughAudio(f"no window rises above the loudness gate of {ABSOLUTE_GATE_LUFS:g} LUFS")
        lufs = loudness(float(np.mean(energies[passing])))
        check_scale(lufs)
        self._meter.flush()
        rate, mean = self._format.rate, mean_power(self._total, self._spectra)
        return Probe(
            lufs=lufs,
            crest_db=crest_db(self._peak, joined(self._mean_squares)[passing]),
            true_peak_dbtp=decibels(self._meter.peak),
            bands_pct=bands_pct(mean, rate / self._size),
            third_octaves_db=third_octaves_db(mean, rate / self._size, self._size),
            rate=rate,
            windows=self._windows,
            seconds=self._frames / rate,
        )

    def _begin(self) -> None:
        rate = self._format.rate
        self._loudness = LoudnessMeter(rate, self._weights)
        self._timeline = Timeline(rate, self._heard)


def warm() -> None:
    """Probe two seconds of noise, mono and stereo, so that every kernel is compiled and cached."""
    rate = 44_100
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2 * rate, 2)).astype(np.float32)
    for channels in (1, 2):
        analysis = ProbeAnalysis(rate, channels, "")
        analysis.process(np.ascontiguousarray(noise[:, :channels]))
        analysis.cut()
        analysis.finish()
