"""The mastering plan: every parameter that will touch the sound, with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

EQ_BANDS: Final = 7
EQ_LIMIT_DB: Final = 3.0
DEFAULT_TARGET_LUFS: Final = -14.0
DEFAULT_CEILING_DBTP: Final = -1.0

Level = Literal["track", "album"]


class Preset(StrEnum):
    """A bias on the plan, not another program."""

    ADAPTIVE = "adaptive"
    GENTLE = "gentle"
    WARM = "warm"
    BRIGHT = "bright"
    PUNCHY = "punchy"
    LIVE = "live"


class Policy(StrEnum):
    """What the two-dimensional loudness-war restraint principle asks for."""

    RESTORE = "restore"
    PRESERVE = "preserve"
    MASTER = "master"


class MasteringState(StrEnum):
    """On what the sound of a stream rests."""

    FINGERPRINT = "fingerprint"
    PROVISIONAL = "provisional"
    STANDARD = "standard"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class PolicyWeights:
    """How much each policy counts; they sum to 1."""

    restore: float
    preserve: float
    master: float


@dataclass(frozen=True, slots=True)
class Lwrp:
    """The decision: the largest weight names the policy; ``amount`` is 0 unless that is *restore*."""

    policy: Policy
    weights: PolicyWeights
    amount: float
    reason: str


@dataclass(frozen=True, slots=True)
class AlbumLevel:
    """What a whole album measures: energy-gated loudness over all tracks, highest true peak."""

    lufs: float
    true_peak_dbtp: float


@dataclass(frozen=True, slots=True)
class Target:
    """Where the level should go.

    Attributes:
        lufs: integrated loudness to reach, LUFS.
        ceiling_dbtp: true peak that is never exceeded, dBTP.
        level: ``track`` (each track by itself) or ``album`` (one gain for all its tracks).
        album: what the album measures; required where ``level`` is ``album``.
    """

    lufs: float = DEFAULT_TARGET_LUFS
    ceiling_dbtp: float = DEFAULT_CEILING_DBTP
    level: Level = "track"
    album: AlbumLevel | None = None


@dataclass(frozen=True, slots=True)
class Compression:
    """Three-band downward compression; ``reduction_db`` 0 skips the stage.

    Attributes:
        reduction_db: what it takes off the loud parts of each band, and never more, dB.
        ratio: where its curve is steepest.
        full_dbfs: mean-square level of each band (up to 200 Hz, up to 4 kHz, above) from which on the whole
            reduction is taken, dB full scale.
    """

    reduction_db: float = 0.0
    ratio: float = 1.0
    full_dbfs: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Restoration:
    """Three-band re-opening of attacks; ``boost_db`` 0 skips the stage.

    Attributes:
        boost_db: the most that an attack is turned up, dB.
        peaks_dbfs: the level near which the peaks of the source are, dB full scale: only there are attacks
            looked for.
        true_peak_dbtp: the highest of them.
    """

    boost_db: float = 0.0
    peaks_dbfs: float = 0.0
    true_peak_dbtp: float = 0.0


@dataclass(frozen=True, slots=True)
class Width:
    """Gain of the side signal, dB; ``mono_bass`` 0..1 is how much of it under 120 Hz is taken out."""

    side_gain_db: float = 0.0
    mono_bass: float = 0.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the output should measure."""

    lufs: float
    true_peak_dbtp: float
    plr_db: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MasteringPlan:
    """Everything that will be done to one track, constant over it.

    Attributes:
        state: on what the plan rests; ``NONE`` means the chain is bypassed and the source passes bit for bit.
        preset, intensity: what the listener asked for (intensity 0..1).
        lwrp: the decision, or None where there was no full fingerprint.
        gain_db: level change before the limiter, dB.
        eq_db: gain of each of the fingerprint's seven bands, dB, each within +/-3.
        compression, restoration, width: neutral values skip their stage.
        ceiling_dbtp: true peak of the output is at most this.
        limiting_db: the most that the limiter is planned to take off, dB.
        reasons: one sentence for every parameter, by its name.
        measured: the values that the plan rests on, by name.
        predicted: what the output should measure, or None where nothing was measured.
    """

    state: MasteringState
    preset: Preset = Preset.ADAPTIVE
    intensity: float = 1.0
    target_lufs: float = DEFAULT_TARGET_LUFS
    ceiling_dbtp: float = DEFAULT_CEILING_DBTP
    lwrp: Lwrp | None = None
    gain_db: float = 0.0
    eq_db: tuple[float, ...] = (0.0,) * EQ_BANDS
    compression: Compression = Compression()
    restoration: Restoration = Restoration()
    width: Width = Width()
    limiting_db: float = 0.0
    reasons: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    measured: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    predicted: Prediction | None = None

    @property
    def bypass(self) -> bool:
        return self.state is MasteringState.NONE


def untouched(reason: str, preset: Preset = Preset.ADAPTIVE, intensity: float = 0.0) -> MasteringPlan:
    """The plan that does nothing: the chain is bypassed and the source passes bit for bit."""
    return MasteringPlan(
        state=MasteringState.NONE,
        preset=preset,
        intensity=intensity,
        reasons=MappingProxyType({"bypass": reason}),
    )
