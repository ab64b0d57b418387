"""The kinds of files that can be written, chosen by the suffix of a name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final


class BitDepth(StrEnum):
    """How a lossless file holds its samples."""

    INT16 = "16"
    INT24 = "24"
    FLOAT32 = "32f"


@dataclass(frozen=True, slots=True)
class Encoding:
    """One kind of file: FFmpeg's muxer and encoder and what to ask of them.

    ``rates`` are those the encoder takes, empty for all; other rates are resampled to the last.
    ``bit_rate`` is that of one or two channels; more get more.
    """

    muxer: str
    encoder: str
    sample_format: str
    rates: tuple[int, ...] = ()
    bit_rate: int = 0
    most_channels: int = 8
    lossless: bool = False
    picture: bool = True
    muxer_options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    encoder_options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def rate_for(self, rate: int) -> int:
        """The rate of the file for sound of ``rate``."""
        return rate if not self.rates or rate in self.rates else self.rates[-1]

    def encoder_options_for(self, channels: int) -> dict[str, str]:
        """What to ask of the encoder for so many channels."""
        bit_rate = {"b": str(self.bit_rate * max(2, channels) // 2)} if self.bit_rate else {}
        return {**self.encoder_options, **bit_rate}

    def muxer_options_at(self, rate: int) -> dict[str, str]:
        """What to ask of the muxer for sound of ``rate``."""
        # An edit list in the default of milliseconds could not state the length.
        scale = {"movie_timescale": str(self.rate_for(rate))} if self.muxer == "mp4" else {}
        return {**self.muxer_options, **scale}


_LOSSY: Final = MappingProxyType(
    {
        ".mp3": Encoding(
            "mp3",
            "libmp3lame",
            "fltp",
            (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
            most_channels=2,
            bit_rate=320_000,
        ),
        ".opus": Encoding(
            "opus",
            "libopus",
            "flt",
            (48000,),
            picture=False,
            bit_rate=192_000,
        ),
        # No noise substitution: a decoder draws that noise from its history, which a seek cuts off.
        ".m4a": Encoding(
            "mp4",
            "aac",
            "fltp",
            (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 88200, 96000, 48000),
            muxer_options=MappingProxyType({"brand": "M4A ", "movflags": "+faststart"}),
            bit_rate=256_000,
            encoder_options=MappingProxyType({"aac_pns": "0"}),
        ),
    }
)
_WAV_ENCODERS: Final = {
    BitDepth.INT16: ("pcm_s16le", "s16"),
    BitDepth.INT24: ("pcm_s24le", "s32"),
    BitDepth.FLOAT32: ("pcm_f32le", "flt"),
}
SUFFIXES: Final = (".flac", ".wav", *_LOSSY)


def encoding_for(path: Path, bit_depth: BitDepth) -> Encoding:
    """The encoding that a file's suffix asks for; lossy ones have no bit depth and ignore it.

    Raises:
        ValueError: an unknown suffix, or FLAC in floating point.
    """
    match path.suffix.lower():
        case ".wav":
            encoder, sample_format = _WAV_ENCODERS[bit_depth]
            return Encoding(
                "wav",
                encoder,
                sample_format,
                lossless=True,
                picture=False,
                muxer_options=MappingProxyType({"rf64": "auto"}),
            )
        case ".flac":
            if bit_depth is BitDepth.FLOAT32:
                raise ValueError("FLAC holds integers: wanted a bit depth of 16 or 24, got 32f")
            sample_format = "s16" if bit_depth is BitDepth.INT16 else "s32"
            depth = MappingProxyType({"bits_per_raw_sample": bit_depth.value})
            return Encoding("flac", "flac", sample_format, lossless=True, encoder_options=depth)
        case suffix if suffix in _LOSSY:
            return _LOSSY[suffix]
        case suffix:
            raise ValueError(f"wanted a name that ends in one of {', '.join(SUFFIXES)}, got {suffix!r}")
