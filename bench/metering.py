"""Loudness, loudness range and true peak alone, from samples that are decoded already.

Parts: ``decoding``, which is not counted, and ``metering``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.contender import Contender, Findings, Stopwatch
from bench.measure import Measured
from bench.sound import LENGTH_S
from bench.table import table
from tonearm.dsp.loudness import LoudnessMeter, channel_weights
from tonearm.dsp.truepeak import TruePeakMeter

_LUFS, _LRA, _PEAK = "LUFS", "LRA, LU", "dBTP"


def _samples(folder: Path, watch: Stopwatch) -> tuple[NDArray[np.float32], int]:
    import soundfile

    with watch("decoding"):
        samples, rate = soundfile.read(folder / "sound.wav", dtype="float32", always_2d=True)
    return samples, rate


def _dbtp(peak: float) -> float:
    return float(20.0 * np.log10(peak))


def _tonearm(folder: Path, watch: Stopwatch) -> Findings:
    samples, rate = _samples(folder, watch)
    with watch("metering"):
        loudness = LoudnessMeter(rate, channel_weights(samples.shape[1], "stereo"))
        peak = TruePeakMeter(samples.shape[1], rate)
        for start in range(0, len(samples), rate):
            loudness.process(samples[start : start + rate])
            peak.process(samples[start : start + rate])
        peak.flush()
        integrated, loudness_range = loudness.integrated(), loudness.loudness_range()
    assert integrated is not None
    return {_LUFS: integrated, _LRA: loudness_range, _PEAK: _dbtp(peak.peak)}


def _pyebur128(folder: Path, watch: Stopwatch) -> Findings:
    import pyebur128

    modes = pyebur128.MeasurementMode
    samples, rate = _samples(folder, watch)
    channels = samples.shape[1]
    with watch("metering"):
        state = pyebur128.R128State(channels, rate, modes.MODE_I | modes.MODE_LRA | modes.MODE_TRUE_PEAK)
        for start in range(0, len(samples), rate):
            second = samples[start : start + rate]
            state.add_frames(second.reshape(-1), len(second))
        peak = max(pyebur128.get_true_peak(state, channel) for channel in range(channels))
        loudness = pyebur128.get_loudness_global(state)
        loudness_range = pyebur128.get_loudness_range(state)
    return {_LUFS: loudness, _LRA: loudness_range, _PEAK: _dbtp(peak)}


def _pyloudnorm(folder: Path, watch: Stopwatch) -> Findings:
    import pyloudnorm

    samples, rate = _samples(folder, watch)
    with watch("metering"):
        loudness = pyloudnorm.Meter(rate).integrated_loudness(samples)
    return {_LUFS: float(loudness)}


def _ffmpeg(folder: Path, watch: Stopwatch) -> Findings:
    import av

    samples, rate = _samples(folder, watch)
    with watch("metering"):
        graph = av.filter.Graph()
        source = graph.add_abuffer(sample_rate=rate, format="flt", layout="stereo", time_base=f"1/{rate}")
        meter = graph.add("ebur128", "peak=true:metadata=1:framelog=quiet")
        sink = graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
        said: dict[str, str] = {}
        for start in range(0, len(samples), rate):
            frame = av.AudioFrame.from_ndarray(
                samples[start : start + rate].reshape(1, -1), format="flt", layout="stereo"
            )
            frame.sample_rate, frame.pts = rate, start
            graph.push(frame)
            said = _pulled(graph) or said
        graph.push(None)
        said = _pulled(graph) or said
    peak = max(float(value) for name, value in said.items() if "true_peaks_ch" in name)
    return {
        _LUFS: float(said["lavfi.r128.I"]),
        _LRA: float(said["lavfi.r128.LRA"]),
        _PEAK: _dbtp(peak),
    }


def _pulled(graph: Any) -> dict[str, str]:
    """What the last frame that is ready says of all before it."""
    import av

    said: dict[str, str] = {}
    while True:
        try:
            said = dict(graph.pull().metadata)
        except (av.BlockingIOError, av.EOFError):
            return said


def _essentia(folder: Path, watch: Stopwatch) -> Findings:
    import essentia
    import essentia.standard

    essentia.log.infoActive = False
    samples, rate = _samples(folder, watch)
    with watch("metering"):
        meter = essentia.standard.LoudnessEBUR128(sampleRate=rate)
        _, _, integrated, loudness_range = meter(samples)
    return {_LUFS: float(integrated), _LRA: float(loudness_range)}


TONEARM: Final = Contender("Tonearm", "tonearm", "loudness, range, true peak", _tonearm)
CONTENDERS: Final = (
    TONEARM,
    Contender("pyebur128", "pyebur128", "loudness, range, true peak", _pyebur128),
    Contender("FFmpeg ebur128, PyAV", "av", "loudness, range, true peak, every tenth of a second", _ffmpeg),
    Contender("essentia", "essentia", "`LoudnessEBUR128`: loudness, range; no true peak", _essentia),
    Contender("pyloudnorm", "pyloudnorm", "loudness alone", _pyloudnorm),
)


def table_of(measured: Mapping[str, Measured]) -> str:
    """The cost and the findings of all, in Markdown."""
    ours = measured[TONEARM.name].cost("metering")
    rows = []
    for each in measured.values():
        cost, found = each.cost("metering"), each.findings
        name = f"{each.contender.name} {each.version}"
        rows.append(
            (
                "**Tonearm**" if each.contender is TONEARM else name,
                each.contender.does,
                str(cost),
                f"{LENGTH_S / cost.median:,.0f}",
                "1" if each.contender is TONEARM else str(cost.over(ours)),
                *(f"{found[key]:.2f}" if key in found else "" for key in (_LUFS, _LRA, _PEAK)),
            )
        )
    heading = ("program", "measures", "CPU s", "x real time", "times Tonearm", _LUFS, _LRA, _PEAK)
    return "\n\n".join(
        (
            "## Loudness and true peak",
            "Of samples that are decoded already. What each found stands beside what it cost. The true peak"
            " of Tonearm is the highest of 16 values a sample, where BS.1770 asks for 4 at the least.",
            table(heading, rows),
        )
    )
