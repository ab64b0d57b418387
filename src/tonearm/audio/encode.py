"""Blocks to audio files: FLAC, WAV, MP3, Opus and M4A, with the tags and the cover of another file.

A file appears under its name only when it is whole: it is written beside it and renamed.
"""

import secrets
from contextlib import suppress
from pathlib import Path
from typing import cast

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream

from tonearm.audio.extras import FRONT_COVER_COMMENT, Cover, Extras
from tonearm.audio.formats import Encoding
from tonearm.audio.packing import packed
from tonearm.model.audio import AudioFormat, Block
from tonearm.model.errors import EncodeError


class Encoder:
    """Write blocks into a file that appears under its name when ``close`` has made it whole.

    Args:
        path: the file; one that is there is replaced on ``close``.
        encoding: the kind of file.
        sound: rate and channels of the blocks.
        layout: FFmpeg's name of the channel layout.
        extras: tags and cover to put in; a WAV holds few tags and no cover.
        dithered: whether 16-bit samples are dithered; other kinds never are.

    Raises:
        EncodeError: the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        encoding: Encoding,
        sound: AudioFormat,
        layout: str,
        extras: Extras,
        *,
        dithered: bool,
    ) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.stem[:64]}.{secrets.token_hex(4)}.part")
        # The encoders of more than two channels know the surround speakers by the name of back ones.
        self._layout = layout if encoding.lossless else layout.replace("(side)", "")
        self._encoding, self._rate, self._channels = encoding, sound.rate, sound.channels
        self._dithered = dithered
        self._frames = 0
        try:
            self._container = av.open(
                f"file:{self._partial.absolute()}",
                "w",
                format=encoding.muxer,
                options=encoding.muxer_options_at(sound.rate),
            )
            self._stream = self._add_sound(extras)
            self._begin(extras)
        except (av.error.FFmpegError, OSError) as exc:
            self._remove()
            raise EncodeError(f"{path}: {exc}") from exc
        except BaseException:
            self._remove()
            raise

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._frames

    def write(self, block: Block) -> None:
        """Append samples, float32 [frames, channels]; integers are rounded, and clipped at full scale.

        Raises:
            EncodeError: there is no room, or the disc failed.
        """
        if not len(block):
            return
        sample_format = self._encoding.sample_format.removesuffix("p")
        values = packed(block, sample_format, self._frames, dithered=self._dithered).reshape(1, -1)
        frame = AudioFrame.from_ndarray(values, sample_format, self._layout)
        frame.rate = self._rate
        frame.pts = self._frames
        self._frames += len(block)
        try:
            self._send(frame)
        except (av.error.FFmpegError, OSError) as exc:
            raise EncodeError(f"{self._path}: {exc}") from exc

    def close(self) -> None:
        """Finish, and give the file its name.

        Raises:
            EncodeError: there is no room, or the disc failed; nothing is left behind.
        """
        try:
            self._send(None)
            self._container.close()
            self._partial.replace(self._path)
        except (av.error.FFmpegError, OSError) as exc:
            self.abort()
            raise EncodeError(f"{self._path}: {exc}") from exc

    def abort(self) -> None:
        """Leave nothing behind."""
        # The end of a file that is about to be removed need not be written well.
        with suppress(av.error.FFmpegError, OSError):
            self._container.close()
        self._remove()

    def _remove(self) -> None:
        self._partial.unlink(missing_ok=True)

    def _add_sound(self, extras: Extras) -> AudioStream:
        encoding = self._encoding
        stream = cast(
            AudioStream, self._container.add_stream(encoding.encoder, rate=encoding.rate_for(self._rate))
        )
        stream.codec_context.layout = self._layout
        stream.codec_context.format = encoding.sample_format
        stream.codec_context.options = encoding.encoder_options_for(self._channels)
        tags = dict(extras.tags)
        if encoding.muxer == "opus":
            # Ogg keeps tags and picture with the stream.
            if extras.cover is not None:
                tags["METADATA_BLOCK_PICTURE"] = extras.cover.as_vorbis_comment()
            stream.metadata.update(tags)
        else:
            self._container.metadata.update(tags)
        return stream

    def _begin(self, extras: Extras) -> None:
        """Write the head of the file, and the picture, which stands there."""
        cover = extras.cover if self._encoding.picture else None
        picture = None if cover is None else self._add_picture(self._container, cover)
        self._container.start_encoding()
        if cover is not None and picture is not None:
            packet = Packet(cover.data)
            packet.stream = picture
            packet.pts = packet.dts = 0
            packet.is_keyframe = True
            self._container.mux(packet)

    def _add_picture(self, container: OutputContainer, cover: Cover) -> Stream:
        stream = container.add_mux_stream(cover.codec, width=cover.width, height=cover.height)
        stream.disposition = Disposition.attached_pic
        stream.metadata["comment"] = FRONT_COVER_COMMENT
        return stream

    def _send(self, frame: AudioFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
