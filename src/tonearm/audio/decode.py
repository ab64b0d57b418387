"""Audio files to float32 blocks, from any frame, exactly.

Whatever the format, a decode that starts at frame ``n`` yields the samples that a decode of the
whole file has from ``n`` on. Encoder delay and padding are removed. Integers are scaled by a power
of two, so they are exact; floats are kept as they are, also above 1.0.

The one exception is AAC that was encoded with noise substitution (PNS): its decoder draws noise from
a generator whose state depends on everything decoded before, so after a seek the frame position is
exact and the noise is another.

A packet that cannot be decoded, or is not there, becomes silence of its own length, so that what
follows stays in its place (an MP3 carries no positions: there it only grows shorter). The damage is
told by a ``DecodeError`` once everything that can be decoded was delivered.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av.error
import numpy as np
from av.audio.frame import AudioFrame

from tonearm.audio.container import Packets, open_audio
from tonearm.audio.samples import joined
from tonearm.model.audio import AudioFormat, AudioInfo, Block
from tonearm.model.errors import DecodeError

_PRE_ROLL_S: Final = 2.0
"""Decoded and thrown away before a seek's target, as lossy decoders carry state. Opus needs the most
(exact in 20 of 20 seeks at 2 s, in 18 at 0.5 s); the others take it too, it costs 3 ms."""

_MAX_LOSS_S: Final = 10.0
"""So much undecodable audio in a row is the end of what can be decoded; one lost page of Ogg is 1 s."""

_VOTES: Final = 32
"""FFmpeg stamps Vorbis frames beside a change of block size up to 448 frames off; the position is
what most of this many frames agree on."""

_AGREEING: Final = 3
"""Time stamps in a row that must agree before a jump in them counts as missing audio."""

_JOINED_FRAMES: Final = 8192
"""Short frames are converted together up to this many."""

_Sound = AudioFrame | Block
_Stamped = tuple[int | None, int, _Sound]
"""Where it says that it belongs (an absolute frame), how many frames it has, and itself."""


def inspect(path: Path) -> AudioInfo:
    """What the container says; nothing is decoded beyond what tells the format.

    Raises:
        FileMissing: there is no such file, or it may not be read.
        DecodeError: the file is not audio of an allowed kind.
    """
    source = open_audio(path)
    source.container.close()
    return source.info


class Decoder:
    """A file as a stream of blocks, float32 [frames, channels], full scale +/-1.0.

    Args:
        path: the file.
        start_frame: absolute frame of the first sample that ``read`` returns, >= 0; or what says it, told
            what the container says.

    Raises:
        FileMissing, DecodeError: as ``inspect``.
        ValueError: a negative start.
    """

    def __init__(self, path: str | PathLike[str], start_frame: int | Callable[[AudioInfo], int] = 0) -> None:
        self._path = Path(path)
        self._lost_frames = 0
        self._failure: DecodeError | None = None
        self._source = open_audio(self._path)
        self._rest: Block = self._silence(0)
        try:
            start = start_frame if isinstance(start_frame, int) else start_frame(self.info)
            self._position = start
            self._blocks: Iterator[Block] = self._from(start)
        except BaseException:
            self.close()
            raise

    @property
    def info(self) -> AudioInfo:
        return self._source.info

    @property
    def position(self) -> int:
        """Absolute frame of the next sample that ``read`` returns."""
        return self._position

    def read(self, frames: int) -> Block:
        """The next ``frames`` frames; fewer only at the end, 0 frames = the end.

        Raises:
            DecodeError: the file ends early or is damaged; everything decodable was returned before.
        """
        if self._failure is not None:
            raise self._failure
        parts: list[Block] = []
        wanted = min(frames, self._limit() - self._position)
        try:
            while wanted > 0 and (block := self._take(wanted)) is not None:
                parts.append(block)
                wanted -= len(block)
                self._position += len(block)
            if frames > 0 and (wanted > 0 or not parts):
                self._check_whole()
        except DecodeError as exc:
            self._failure = exc
            if not parts:
                raise
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else self._silence(0)

    def close(self) -> None:
        """Let go of the file, and of all that was decoded; there is nothing more to read."""
        self._source.container.close()
        # These lead back to this object, and would keep it in memory until garbage is collected.
        self._blocks = iter(())
        self._failure = None
        self._rest = self._silence(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _silence(self, frames: int) -> Block:
        return np.zeros((frames, self.info.format.channels), np.float32)

    def _limit(self) -> int:
        """Padding lies beyond the exact count; an estimate must cut nothing."""
        return self.info.frames if self.info.frames_exact else 1 << 62

    def _take(self, wanted: int) -> Block | None:
        if not len(self._rest):
            block = next(self._blocks, None)
            if block is None:
                return None
            self._rest = block
        taken, self._rest = self._rest[:wanted], self._rest[wanted:]
        return taken

    def _check_whole(self) -> None:
        """At the end: was this all there should be?"""
        length = self._source.length
        if self._position < length.required:
            raise DecodeError(f"{self._path}: ends at frame {self._position} of {length.frames}")
        if length.cut_off:
            raise DecodeError(f"{self._path}: the container is cut off at frame {self._position}")
        if self._lost_frames:
            raise DecodeError(f"{self._path}: {self._lost_frames} frames could not be decoded")

    def _from(self, start: int) -> Iterator[Block]:
        """Blocks whose first sample is frame ``start``."""
        if start < 0:
            raise ValueError(f"start_frame must be >= 0, got {start}")
        lossless = self.info.bit_depth is not None
        for seconds in (0.0 if lossless else _PRE_ROLL_S, 5 * _PRE_ROLL_S):
            target = start - round(seconds * self.info.format.rate)
            if target <= 0 or not self._source.frame_true:
                break
            stamped = self._seek(target)
            found = self._locate(stamped)
            if found is not None and found[0] <= start:
                return self._skip(*found, start)
            self._reopen()
        found = self._locate(self._decoded(self._source.packets))
        if found is None:
            return iter(())
        return self._skip(*found, start)

    def _seek(self, target: int) -> Iterator[_Stamped]:
        stream = self._source.stream
        try:
            self._source.container.seek(self._source.stamp_of(target), stream=stream)
            self._source.decoder.flush_buffers()
        except av.error.FFmpegError:
            # No index and no way to make one: the caller decodes from the start instead.
            return iter(())
        return self._decoded(self._source.container.demux(stream))

    def _reopen(self) -> None:
        self._source.container.close()
        self._source = open_audio(self._path)
        self._lost_frames = 0

    def _locate(self, stamped: Iterator[_Stamped]) -> tuple[int, Iterator[Block]] | None:
        """The absolute frame of the first decoded sample, and the blocks from there; None = no audio."""
        first = list(islice(stamped, _VOTES if self.info.codec == "vorbis" else 1))
        if not first:
            return None
        starts: Counter[int] = Counter()
        offset = 0
        for at, frames, _ in first:
            if at is not None:
                starts[at - offset] += 1
            offset += frames
        position = starts.most_common(1)[0][0] if starts else 0
        return position, self._converted(self._in_place(position, chain(first, stamped)))

    def _converted(self, sounds: Iterator[_Sound]) -> Iterator[Block]:
        try:
            yield from joined(sounds, _JOINED_FRAMES)
        except ValueError as exc:
            raise DecodeError(f"{self._path}: {exc}") from exc

    def _in_place(self, position: int, stamped: Iterator[_Stamped]) -> Iterator[_Sound]:
        """The same, with silence where the time stamps say that some are missing."""
        ahead: deque[_Stamped] = deque()
        failure: DecodeError | None = None
        try:
            for item in stamped:
                ahead.append(item)
                if len(ahead) < _AGREEING:
                    continue
                at, frames, sound = ahead[0]
                if at is not None and at > position and (gap := self._gap(position, ahead)):
                    self._lost_frames += gap
                    position += gap
                    yield self._silence(gap)
                ahead.popleft()
                position += frames
                yield sound
        except DecodeError as exc:
            failure = exc
        yield from (sound for _, _, sound in ahead)
        if failure is not None:
            raise failure

    def _gap(self, position: int, ahead: Iterable[_Stamped]) -> int:
        """Frames between ``position`` and where the next ones say, with one voice, that they belong."""
        gap = 0
        for number, (at, frames, _) in enumerate(ahead):
            if at is None or at <= position or (number and at - position != gap):
                return 0
            gap = at - position
            position += frames
        if gap > _MAX_LOSS_S * self.info.format.rate:
            raise DecodeError(f"{self._path}: {gap} frames are missing before frame {position}")
        return gap

    def _skip(self, position: int, blocks: Iterator[Block], start: int) -> Iterator[Block]:
        if position > start:
            self._lost_frames += position - start
            yield self._silence(position - start)
        for block in blocks:
            end = position + len(block)
            if end > start:
                yield block[max(0, start - position) :]
            position = end

    def _decoded(self, packets: Packets) -> Iterator[_Stamped]:
        """Frames as they come out of the decoder, with their places where those can be told."""
        source = self._source
        decoder, wanted = source.decoder, self.info.format
        lost, started = 0, False
        try:
            for packet in packets:
                try:
                    decoded = decoder.decode(packet)
                except av.error.FFmpegError as exc:
                    lost += self._packet_frames(packet.duration)
                    if lost > _MAX_LOSS_S * self.info.format.rate:
                        raise DecodeError(f"{self._path}: {exc}") from exc
                    continue
                if decoded and lost:
                    # What fails before the first frame only moves the first time stamp.
                    if started:
                        self._lost_frames += lost
                        yield None, lost, self._silence(lost)
                    lost = 0
                for frame in decoded:
                    started = True
                    if (frame.sample_rate, frame.layout.nb_channels) != (wanted.rate, wanted.channels):
                        raise DecodeError(f"{self._path}: changes from {wanted} to {_format(frame)}")
                    pts = frame.pts if source.frame_true else None
                    yield None if pts is None else source.frame_of(pts), frame.samples, frame
        except av.error.FFmpegError as exc:
            raise DecodeError(f"{self._path}: {exc}") from exc

    def _packet_frames(self, duration: int | None) -> int:
        base = self._source.stream.time_base
        assert base is not None
        rate = self.info.format.rate
        return round(duration * base * rate) if duration else rate // 50


def _format(frame: AudioFrame) -> AudioFormat:
    return AudioFormat(frame.sample_rate, frame.layout.nb_channels)
