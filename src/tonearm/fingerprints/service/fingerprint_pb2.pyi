from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MeasureRequest(_message.Message):
    __slots__ = ("path", "signature", "track_id", "probe_first", "background")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIRST_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    path: str
    signature: str
    track_id: int
    probe_first: bool
    background: bool
    def __init__(self, path: _Optional[str] = ..., signature: _Optional[str] = ..., track_id: _Optional[int] = ..., probe_first: _Optional[bool] = ..., background: _Optional[bool] = ...) -> None: ...

class AudioBlock(_message.Message):
    __slots__ = ("f32le", "rate", "channels", "layout", "track_id", "background")
    F32LE_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    f32le: bytes
    rate: int
    channels: int
    layout: str
    track_id: int
    background: bool
    def __init__(self, f32le: _Optional[bytes] = ..., rate: _Optional[int] = ..., channels: _Optional[int] = ..., layout: _Optional[str] = ..., track_id: _Optional[int] = ..., background: _Optional[bool] = ...) -> None: ...

class MeasureReply(_message.Message):
    __slots__ = ("probe", "progress", "result", "algorithm_version", "processing_time_ms")
    PROBE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    probe: Probe
    progress: Progress
    result: Result
    algorithm_version: int
    processing_time_ms: int
    def __init__(self, probe: _Optional[_Union[Probe, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., algorithm_version: _Optional[int] = ..., processing_time_ms: _Optional[int] = ...) -> None: ...

class Probe(_message.Message):
    __slots__ = ("lufs", "crest_db", "true_peak_dbtp", "bands_pct", "third_octaves_db", "rate", "windows", "seconds")
    LUFS_FIELD_NUMBER: _ClassVar[int]
    CREST_DB_FIELD_NUMBER: _ClassVar[int]
    TRUE_PEAK_DBTP_FIELD_NUMBER: _ClassVar[int]
    BANDS_PCT_FIELD_NUMBER: _ClassVar[int]
    THIRD_OCTAVES_DB_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    lufs: float
    crest_db: float
    true_peak_dbtp: float
    bands_pct: _containers.RepeatedScalarFieldContainer[float]
    third_octaves_db: _containers.RepeatedScalarFieldContainer[float]
    rate: int
    windows: int
    seconds: float
    def __init__(self, lufs: _Optional[float] = ..., crest_db: _Optional[float] = ..., true_peak_dbtp: _Optional[float] = ..., bands_pct: _Optional[_Iterable[float]] = ..., third_octaves_db: _Optional[_Iterable[float]] = ..., rate: _Optional[int] = ..., windows: _Optional[int] = ..., seconds: _Optional[float] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: int
    def __init__(self, frames: _Optional[int] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("fingerprint", "measures")
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    fingerprint: Fingerprint
    measures: Measures
    def __init__(self, fingerprint: _Optional[_Union[Fingerprint, _Mapping]] = ..., measures: _Optional[_Union[Measures, _Mapping]] = ...) -> None: ...

class Fingerprint(_message.Message):
    __slots__ = ("sub_bass_pct", "bass_pct", "low_mid_pct", "mid_pct", "upper_mid_pct", "presence_pct", "air_pct", "lufs", "crest_db", "bass_mid_ratio", "tempo_bpm", "rhythm_stability", "transient_density", "silence_ratio", "spectral_centroid", "spectral_rolloff", "spectral_flatness", "harmonic_ratio", "pitch_stability", "chroma_energy", "dynamic_range_variation", "loudness_variation_std", "peak_consistency", "stereo_width", "phase_correlation")
    SUB_BASS_PCT_FIELD_NUMBER: _ClassVar[int]
    BASS_PCT_FIELD_NUMBER: _ClassVar[int]
    LOW_MID_PCT_FIELD_NUMBER: _ClassVar[int]
    MID_PCT_FIELD_NUMBER: _ClassVar[int]
    UPPER_MID_PCT_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_PCT_FIELD_NUMBER: _ClassVar[int]
    AIR_PCT_FIELD_NUMBER: _ClassVar[int]
    LUFS_FIELD_NUMBER: _ClassVar[int]
    CREST_DB_FIELD_NUMBER: _ClassVar[int]
    BASS_MID_RATIO_FIELD_NUMBER: _ClassVar[int]
    TEMPO_BPM_FIELD_NUMBER: _ClassVar[int]
    RHYTHM_STABILITY_FIELD_NUMBER: _ClassVar[int]
    TRANSIENT_DENSITY_FIELD_NUMBER: _ClassVar[int]
    SILENCE_RATIO_FIELD_NUMBER: _ClassVar[int]
    SPECTRAL_CENTROID_FIELD_NUMBER: _ClassVar[int]
    SPECTRAL_ROLLOFF_FIELD_NUMBER: _ClassVar[int]
    SPECTRAL_FLATNESS_FIELD_NUMBER: _ClassVar[int]
    HARMONIC_RATIO_FIELD_NUMBER: _ClassVar[int]
    PITCH_STABILITY_FIELD_NUMBER: _ClassVar[int]
    CHROMA_ENERGY_FIELD_NUMBER: _ClassVar[int]
    DYNAMIC_RANGE_VARIATION_FIELD_NUMBER: _ClassVar[int]
    LOUDNESS_VARIATION_STD_FIELD_NUMBER: _ClassVar[int]
    PEAK_CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    STEREO_WIDTH_FIELD_NUMBER: _ClassVar[int]
    PHASE_CORRELATION_FIELD_NUMBER: _ClassVar[int]
    sub_bass_pct: float
    bass_pct: float
    low_mid_pct: float
    mid_pct: float
    upper_mid_pct: float
    presence_pct: float
    air_pct: float
    lufs: float
    crest_db: float
    bass_mid_ratio: float
    tempo_bpm: float
    rhythm_stability: float
    transient_density: float
    silence_ratio: float
    spectral_centroid: float
    spectral_rolloff: float
    spectral_flatness: float
    harmonic_ratio: float
    pitch_stability: float
    chroma_energy: float
    dynamic_range_variation: float
    loudness_variation_std: float
    peak_consistency: float
    stereo_width: float
    phase_correlation: float
    def __init__(self, sub_bass_pct: _Optional[float] = ..., bass_pct: _Optional[float] = ..., low_mid_pct: _Optional[float] = ..., mid_pct: _Optional[float] = ..., upper_mid_pct: _Optional[float] = ..., presence_pct: _Optional[float] = ..., air_pct: _Optional[float] = ..., lufs: _Optional[float] = ..., crest_db: _Optional[float] = ..., bass_mid_ratio: _Optional[float] = ..., tempo_bpm: _Optional[float] = ..., rhythm_stability: _Optional[float] = ..., transient_density: _Optional[float] = ..., silence_ratio: _Optional[float] = ..., spectral_centroid: _Optional[float] = ..., spectral_rolloff: _Optional[float] = ..., spectral_flatness: _Optional[float] = ..., harmonic_ratio: _Optional[float] = ..., pitch_stability: _Optional[float] = ..., chroma_energy: _Optional[float] = ..., dynamic_range_variation: _Optional[float] = ..., loudness_variation_std: _Optional[float] = ..., peak_consistency: _Optional[float] = ..., stereo_width: _Optional[float] = ..., phase_correlation: _Optional[float] = ...) -> None: ...

class Measures(_message.Message):
    __slots__ = ("frames", "rate", "channels", "true_peak_dbtp", "lra_lu", "plr_db", "psr_p10_db", "clipped_ppm", "dc_offset", "bass_phase_correlation", "downmix_lufs", "downmix_true_peak_dbtp", "third_octaves_db", "gating_histogram", "waveform")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    TRUE_PEAK_DBTP_FIELD_NUMBER: _ClassVar[int]
    LRA_LU_FIELD_NUMBER: _ClassVar[int]
    PLR_DB_FIELD_NUMBER: _ClassVar[int]
    PSR_P10_DB_FIELD_NUMBER: _ClassVar[int]
    CLIPPED_PPM_FIELD_NUMBER: _ClassVar[int]
    DC_OFFSET_FIELD_NUMBER: _ClassVar[int]
    BASS_PHASE_CORRELATION_FIELD_NUMBER: _ClassVar[int]
    DOWNMIX_LUFS_FIELD_NUMBER: _ClassVar[int]
    DOWNMIX_TRUE_PEAK_DBTP_FIELD_NUMBER: _ClassVar[int]
    THIRD_OCTAVES_DB_FIELD_NUMBER: _ClassVar[int]
    GATING_HISTOGRAM_FIELD_NUMBER: _ClassVar[int]
    WAVEFORM_FIELD_NUMBER: _ClassVar[int]
    frames: int
    rate: int
    channels: int
    true_peak_dbtp: float
    lra_lu: float
    plr_db: float
    psr_p10_db: float
    clipped_ppm: float
    dc_offset: float
    bass_phase_correlation: float
    downmix_lufs: float
    downmix_true_peak_dbtp: float
    third_octaves_db: _containers.RepeatedScalarFieldContainer[float]
    gating_histogram: _containers.RepeatedScalarFieldContainer[int]
    waveform: bytes
    def __init__(self, frames: _Optional[int] = ..., rate: _Optional[int] = ..., channels: _Optional[int] = ..., true_peak_dbtp: _Optional[float] = ..., lra_lu: _Optional[float] = ..., plr_db: _Optional[float] = ..., psr_p10_db: _Optional[float] = ..., clipped_ppm: _Optional[float] = ..., dc_offset: _Optional[float] = ..., bass_phase_correlation: _Optional[float] = ..., downmix_lufs: _Optional[float] = ..., downmix_true_peak_dbtp: _Optional[float] = ..., third_octaves_db: _Optional[_Iterable[float]] = ..., gating_histogram: _Optional[_Iterable[int]] = ..., waveform: _Optional[bytes] = ...) -> None: ...
