"""The fingerprint and everybody who measures something like it.

Parts: ``decoding`` and whatever follows, or ``whole`` for those that read the file themselves.
"""

from pathlib import Path
from typing import Final

from bench import peers
from bench.contender import Contender, Findings, Stopwatch
from bench.sound import read
from tonearm.analysis.extract import Extractor
from tonearm.audio.decode import inspect
from tonearm.model.measures import Analysis
from tonearm.rendering.measure import measure_file


def _apart(folder: Path, watch: Stopwatch) -> Findings:
    path = folder / "sound.wav"
    with watch("decoding"):
        info = inspect(path)
        blocks = read(path)
    with watch("analysis"):
        extractor = Extractor(info.format.rate, info.format.channels, info.channel_layout)
        for block in blocks:
            extractor.process(block)
        analysis = extractor.finish()
    return _findings(analysis)


def _from_file(folder: Path, watch: Stopwatch) -> Findings:
    with watch("whole"):
        analysis = measure_file(folder / "sound.wav")
    return _findings(analysis)


def _findings(analysis: Analysis) -> Findings:
    return {
        "LUFS": analysis.fingerprint.lufs,
        "dBTP": analysis.measures.true_peak_dbtp,
        "LRA": analysis.measures.lra_lu,
        "BPM": analysis.fingerprint.tempo_bpm,
        "centroid, Hz": analysis.fingerprint.spectral_centroid,
    }


APART: Final = Contender("Tonearm", "tonearm", "all 25 and the measures", _apart)
FROM_FILE: Final = Contender(
    "Tonearm, reading the file", "tonearm", "all 25 and the measures, block by block", _from_file
)
CONTENDERS: Final = (APART, FROM_FILE, *peers.CONTENDERS)
