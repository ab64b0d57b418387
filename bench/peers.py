"""The peers of the fingerprint, each used as its own documentation shows, with its defaults.

Where a library can share work between features (one spectrogram for all), it does.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.contender import Contender, Findings, Stopwatch

_WINDOW: Final = 2048
_HOP: Final = 512
_LOWEST_HZ: Final = 65.0
_HIGHEST_HZ: Final = 1000.0


def _samples(path: Path) -> tuple[NDArray[np.float32], int]:
    import soundfile

    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples, rate


def _librosa(folder: Path, watch: Stopwatch) -> Findings:
    """What of the 25 librosa has a function for; it has none for loudness and true peak."""
    import librosa

    with watch("decoding"):
        samples, rate = _samples(folder / "sound.wav")
    with watch("spectrum"):
        mono = samples.mean(axis=1)
        magnitude = np.abs(librosa.stft(mono, n_fft=_WINDOW, hop_length=_HOP))
        power = magnitude**2
        librosa.feature.rms(S=magnitude)
        centroid = np.median(librosa.feature.spectral_centroid(S=magnitude, sr=rate))
        librosa.feature.spectral_rolloff(S=magnitude, sr=rate)
        librosa.feature.spectral_flatness(S=magnitude)
    with watch("harmonic and percussive"):
        librosa.decompose.hpss(magnitude)
    with watch("chroma"):
        librosa.feature.chroma_stft(S=power, sr=rate)
    with watch("onsets and beats"):
        mel = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=rate))
        envelope = librosa.onset.onset_strength(S=mel, sr=rate)
        librosa.onset.onset_detect(onset_envelope=envelope, sr=rate)
        tempo, _ = librosa.beat.beat_track(onset_envelope=envelope, sr=rate)
    with watch("pitch (YIN)"):
        librosa.yin(mono, fmin=_LOWEST_HZ, fmax=_HIGHEST_HZ, sr=rate, frame_length=_WINDOW)
    return {"BPM": float(np.atleast_1d(tempo)[0]), "centroid, Hz": float(centroid)}


def _essentia(folder: Path, watch: Stopwatch) -> Findings:
    import essentia
    import essentia.standard

    essentia.log.infoActive = False
    with watch("whole"):
        pool, _ = essentia.standard.MusicExtractor()(str(folder / "sound.wav"))
    return {
        "LUFS": float(pool["lowlevel.loudness_ebu128.integrated"]),
        "LRA": float(pool["lowlevel.loudness_ebu128.loudness_range"]),
        "BPM": float(pool["rhythm.bpm"]),
        "centroid, Hz": float(pool["lowlevel.spectral_centroid.median"]),
    }


def _bliss(folder: Path, watch: Stopwatch) -> Findings:
    import bliss_audio

    with watch("whole"):
        song = bliss_audio.Song(str(folder / "sound.wav"))
    # Its values are scaled to -1..1; none can be held beside another's.
    return {"values": float(len(song.analysis))}


def _aubio(folder: Path, watch: Stopwatch) -> Findings:
    import aubio

    with watch("decoding"):
        samples, rate = _samples(folder / "sound.wav")
    with watch("analysis"):
        mono = samples.mean(axis=1)
        onset = aubio.onset("default", _WINDOW // 2, _HOP, rate)
        tempo = aubio.tempo("default", _WINDOW // 2, _HOP, rate)
        pitch = aubio.pitch("yinfft", _WINDOW, _HOP, rate)
        spectrum = aubio.pvoc(_WINDOW, _HOP)
        described = [aubio.specdesc(name, _WINDOW) for name in ("centroid", "rolloff", "specflux")]
        centroids = []
        for start in range(0, len(mono) - _HOP + 1, _HOP):
            frame = mono[start : start + _HOP]
            onset(frame)
            tempo(frame)
            pitch(frame)
            bins = spectrum(frame)
            values = [float(descriptor(bins)[0]) for descriptor in described]
            centroids.append(aubio.bintofreq(values[0], rate, _WINDOW))
    return {"BPM": float(tempo.get_bpm()), "centroid, Hz": float(np.median(centroids))}


def _ebur128(folder: Path, watch: Stopwatch) -> Findings:
    import pyebur128

    modes = pyebur128.MeasurementMode
    with watch("decoding"):
        samples, rate = _samples(folder / "sound.wav")
    channels = samples.shape[1]
    with watch("analysis"):
        state = pyebur128.R128State(channels, rate, modes.MODE_I | modes.MODE_LRA | modes.MODE_TRUE_PEAK)
        for start in range(0, len(samples), rate):
            second = samples[start : start + rate]
            state.add_frames(second.reshape(-1), len(second))
        peak = max(pyebur128.get_true_peak(state, channel) for channel in range(channels))
        loudness = pyebur128.get_loudness_global(state)
        loudness_range = pyebur128.get_loudness_range(state)
    return {"LUFS": loudness, "dBTP": float(20.0 * np.log10(peak)), "LRA": loudness_range}


CONTENDERS: Final = (
    Contender("essentia", "essentia", "`MusicExtractor`, all it has (over 500 values)", _essentia),
    Contender(
        "librosa",
        "librosa",
        "rms, centroid, rolloff, flatness, `hpss`, chroma, onsets, beats, `yin` from one STFT",
        _librosa,
    ),
    Contender("bliss", "bliss-audio", "`Song`: 23 values of tempo, timbre, chroma, loudness", _bliss),
    Contender(
        "aubio-ledfx", "aubio-ledfx", "onsets, tempo, pitch (`yinfft`), centroid, rolloff, flux", _aubio
    ),
    Contender("pyebur128", "pyebur128", "integrated loudness, range, true peak: 3 of ours", _ebur128),
)
