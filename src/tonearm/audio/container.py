"""Opening an audio file, and what its container says about it.

FFmpeg picks a demuxer by a file's content, so a playlist named ``.mp3`` would make it open other
files. Only the demuxers, decoders and the one protocol listed here may be used; everything else is
refused before a byte of it is acted upon.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final

import av
import av.error
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from tonearm.audio.headers import lame_frames, ogg_ending, wav_frames
from tonearm.audio.mp4 import itunes_frames, mp4_frames
from tonearm.model.audio import MAX_CHANNELS, MAX_RATE, MIN_RATE, AudioFormat, AudioInfo
from tonearm.model.errors import DecodeError, FileMissing

_DEMUXERS: Final = (
    *("aac", "aiff", "ape", "asf", "au", "caf", "flac", "matroska", "mov", "mp3"),
    *("mpc", "mpc8", "ogg", "tta", "w64", "wav", "wv"),
)
_DECODERS: Final = frozenset(
    {
        *(
            "aac",
            "alac",
            "ape",
            "flac",
            "mp2float",
            "mp3float",
            "mp3",
            "mpc7",
            "mpc8",
            "opus",
            "tta",
            "vorbis",
        ),
        *("wavpack", "wmalossless", "wmapro", "wmav1", "wmav2", "adpcm_ima_wav", "adpcm_ms"),
        *("pcm_alaw", "pcm_mulaw", "pcm_f32be", "pcm_f32le", "pcm_f64be", "pcm_f64le", "pcm_s8", "pcm_u8"),
        *("pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le", "pcm_s32be", "pcm_s32le"),
    }
)
_OPTIONS: Final = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(_DEMUXERS),
    "codec_whitelist": ",".join(sorted(_DECODERS)),
    # In PCM it would look for DTS in disguise, 30 ms long, which is not allowed anyway.
    "max_probe_packets": "1",
    # Edit lists of MP4 would be applied in milliseconds and drop the last packet; without this only
    # their delay is.
    "advanced_editlist": "0",
}

_LAYOUTS: Final = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""What is assumed, by number of channels, where a file does not say which speakers it means."""

_COUNTED: Final = frozenset({"aiff", "ape", "au", "caf", "flac", "tta", "w64", "wv"})
"""Containers that store the number of frames of their lossless audio."""

_TIMED: Final = frozenset({"asf", "matroska"})
"""Containers that store their duration in time only."""


Packets = Iterator["Packet[AudioStream]"]


@dataclass(frozen=True, slots=True)
class Length:
    """How long a file is.

    Attributes:
        frames: decoded frames, delay and padding removed.
        exact: whether that is a count; otherwise it is an estimate.
        at_least: fewer decoded frames than this mean that something is missing.
        cut_off: the container's own end is missing.
    """

    frames: int
    exact: bool
    at_least: int = 0
    cut_off: bool = False

    @property
    def required(self) -> int:
        return self.frames if self.exact else self.at_least


@dataclass(frozen=True, slots=True)
class OpenAudio:
    """An opened file: the stream, what decodes it, what is known of it, and where its first frame lies.

    ``origin`` is the time stamp, in frames, of frame 0; ``tick`` is one step of time stamps, in frames.
    ``frame_true`` is False where they are too coarse to say which frame they mean.
    """

    container: InputContainer
    stream: AudioStream
    packets: Packets
    decoder: AudioCodecContext
    info: AudioInfo
    length: Length
    origin: int
    tick: Fraction
    frame_true: bool

    def frame_of(self, pts: int) -> int:
        """The absolute frame that a time stamp of the stream means."""
        return _rounded(pts, self.tick) - self.origin

    def stamp_of(self, frame: int) -> int:
        """The time stamp of an absolute frame, rounded down."""
        return int((frame + self.origin) / self.tick)


def open_audio(path: Path) -> OpenAudio:
    """Open the first audio stream of a file; the caller closes ``container``.

    Raises:
        FileMissing: there is no such file, or it may not be read.
        DecodeError: not a regular file, not an allowed kind of audio, or outside 1..8 channels and
            8..384 kHz.
    """
    container = open_container(path)
    try:
        return _describe(path, container)
    except BaseException:
        container.close()
        raise


def open_container(path: Path) -> InputContainer:
    """Open a file of an allowed kind, with whatever streams it has; the caller closes it.

    Raises:
        FileMissing, DecodeError: as ``open_audio``.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise DecodeError(f"{path}: not a regular file")
        # "file:" keeps a name such as "concat:a.mp3" from being read as a protocol.
        url = "file:" + os.fspath(path.absolute())
        return av.open(url, mode="r", options=dict(_OPTIONS), metadata_errors="replace")
    except av.error.FFmpegError as exc:
        if isinstance(exc, FileNotFoundError | PermissionError):
            raise FileMissing(f"{path}: {exc}") from exc
        raise DecodeError(f"{path}: not an audio file of an allowed kind: {exc}") from exc
    except OSError as exc:
        raise FileMissing(f"{path}: {exc}") from exc


def _describe(path: Path, container: InputContainer) -> OpenAudio:
    if not container.streams.audio:
        raise DecodeError(f"{path}: no audio stream")
    stream = container.streams.audio[0]
    codec = stream.codec_context
    # A stream of an unknown codec has no context and no name, whatever the stubs say.
    if codec is None or codec.name not in _DECODERS:
        found = "none" if codec is None else codec.name
        raise DecodeError(f"{path}: no allowed decoder, found {found}")
    # Where the headers contradict each other no sample format is chosen.
    if codec.format is None:
        raise DecodeError(f"{path}: {codec.name} without a sample format")
    rate, channels = codec.sample_rate, codec.channels
    if not (MIN_RATE <= rate <= MAX_RATE and 1 <= channels <= MAX_CHANNELS and stream.time_base):
        raise DecodeError(
            f"{path}: wanted 8..384 kHz and 1..8 channels, found {rate} Hz, {channels} channels"
        )
    demuxer = container.format.name.split(",")[0]
    packets: Packets = container.demux(stream)
    origin = _to_frames(stream, stream.start_time or 0, rate)
    if demuxer == "ogg" and codec.name == "vorbis":
        packets, origin = _after_first_packet(stream, packets, origin, rate)
    length = _length(path, container, stream, demuxer, origin, rate)
    info = AudioInfo(
        format=AudioFormat(rate, channels),
        frames=length.frames,
        frames_exact=length.exact,
        codec=_codec_name(codec.name),
        container="mp4" if demuxer == "mov" else demuxer,
        bit_depth=_bit_depth(codec.name, codec.format.name, codec.extradata or b""),
        bitrate=codec.bit_rate or container.bit_rate or None,
        channel_layout=_layout_name(codec.layout.name, channels),
    )
    # The raw AAC demuxer guesses its time stamps from the bit rate, and so does WAV for ADPCM.
    guessed = demuxer == "aac" or codec.name.startswith("adpcm_")
    tick = stream.time_base * rate
    frame_true = tick <= 1 and not guessed
    return OpenAudio(container, stream, packets, _decoder(stream), info, length, origin, tick, frame_true)


def _after_first_packet(stream: AudioStream, packets: Packets, origin: int, rate: int) -> tuple[Packets, int]:
    """The first packet of Vorbis only primes the decoder: sound begins where it ends.

    Most files stamp it below zero; one that was cut out of another does not.
    """
    first = next(packets, None)
    if first is None or first.pts is None:
        return iter(()), origin
    sounds = _to_frames(stream, first.pts + (first.duration or 0), rate)
    return chain((first,), packets), max(origin, sounds)


def _decoder(stream: AudioStream) -> AudioCodecContext:
    """One thread each: results do not depend on the machine, and many streams share its cores."""
    codec = stream.codec_context
    if codec.name == "opus":
        # FFmpeg's own Opus decoder is up to 0.17 of full scale away from the reference, mostly where
        # SILK and CELT meet; libopus is the reference.
        codec = av.CodecContext.create("libopus", "r")
        codec.extradata = stream.codec_context.extradata
        codec.options = {"request_sample_fmt": "flt", "pkt_timebase": str(stream.time_base)}
    codec.thread_count = 1
    return codec


def _to_frames(stream: AudioStream, pts: int, rate: int) -> int:
    base = stream.time_base
    assert base is not None
    return _rounded(pts, base * rate)


def _rounded(pts: int, tick: Fraction) -> int:
    """A time stamp in frames; in integers, as this runs for every packet."""
    return (2 * pts * tick.numerator + tick.denominator) // (2 * tick.denominator)


def _length(
    path: Path, container: InputContainer, stream: AudioStream, demuxer: str, origin: int, rate: int
) -> Length:
    if stream.duration is None:
        return _stated_in_time(container, demuxer, rate)
    frames = _to_frames(stream, stream.duration, rate)
    name = stream.codec_context.name
    match demuxer:
        case "mov":
            # iTunes states delay, padding and length in a comment; others in an edit list.
            stated = itunes_frames(container.metadata.get("iTunSMPB", ""))
            counted = stated or mp4_frames(path, rate)
            return Length(counted, exact=True) if counted else Length(frames - origin, exact=False)
        case "ogg" if name in {"flac", "opus", "vorbis"}:
            ending = ogg_ending(path)
            if name == "opus":
                frames -= _opus_pre_skip(stream.codec_context.extradata or b"")
            else:
                frames -= origin - _to_frames(stream, stream.start_time or 0, rate)
            return Length(max(0, frames), ending.one_stream, cut_off=not ending.complete)
        case "mp3":
            return Length(frames, frames == lame_frames(path))
        case "wav" if name.startswith("pcm_"):
            return Length(wav_frames(path) or frames, exact=True)
    return Length(frames, demuxer in _COUNTED)


def _stated_in_time(container: InputContainer, demuxer: str, rate: int) -> Length:
    """Only a duration in time is known: true to some milliseconds, or guessed from the bit rate."""
    frames = max(0, round((container.duration or 0) * rate / av.time_base))
    return Length(frames, exact=False, at_least=frames - rate if demuxer in _TIMED else 0)


def _opus_pre_skip(header: bytes) -> int:
    """Frames at 48 kHz to drop from the start; RFC 7845, section 5.1."""
    return int.from_bytes(header[10:12], "little") if header[:8] == b"OpusHead" else 0


def _codec_name(decoder: str) -> str:
    return {"mp3float": "mp3", "mp2float": "mp2", "mpc7": "musepack", "mpc8": "musepack"}.get(
        decoder, decoder
    )


def _layout_name(name: str, channels: int) -> str:
    return _LAYOUTS[channels - 1] if name.endswith(" channels") else name


def _bit_depth(decoder: str, sample_format: str, header: bytes) -> int | None:
    """Bits per sample of a lossless source; None for lossy ones."""
    if decoder == "flac" and len(header) >= 14:
        return ((header[12] & 1) << 4 | header[13] >> 4) + 1
    if decoder == "alac" and len(header) >= 18:
        return header[17]
    if decoder.startswith("pcm_"):
        digits = "".join(filter(str.isdigit, decoder))
        return int(digits) if digits else 16
    if decoder in {"ape", "tta", "wavpack", "wmalossless"}:
        # Integers wider than 16 bits arrive in 32; the width that music uses there is 24.
        return {"u8": 8, "u8p": 8, "s16": 16, "s16p": 16, "flt": 32, "fltp": 32}.get(sample_format, 24)
    return None
