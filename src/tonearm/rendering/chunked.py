"""A file and a plan to mastered blocks, from any position.

The chain's time constants are short (none above 0.3 s), so a seek starts it 4 s early, on the grid of
the track, and throws that output away: what follows equals the same part of a render of the whole
file. Sound goes through in steps of half a second counted from frame 0 of the file, so that neither
the size of a read nor the position of a seek moves the points where a ``HybridProcessor`` changes
its plan. With a plan the steps about the start are shorter: no more is made than the first read wants.
"""

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from tonearm.audio.decode import Decoder
from tonearm.dsp.downmix import to_stereo
from tonearm.mastering.chain import GRID_FRAMES, Chain
from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.audio import AudioFormat, AudioInfo, Block
from tonearm.model.errors import DecodeError
from tonearm.model.plan import MasteringPlan

STEREO: Final = 2
"""What a stream carries at most."""

PRE_ROLL_S: Final = 4.0
"""How long the chain runs before a sound that does not begin at the start of a file."""

_HYBRID_GLIDE_S: Final = 0.5
_PIECE_FRAMES: Final = 8192
_FINE_STEPS_PER_SECOND: Final = 16

NOTHING: Final[Block] = np.zeros((0, STEREO), np.float32)


@dataclass(frozen=True, slots=True)
class Pair:
    """The same frames before and after the chain, [frames, channels], in the output's channels.

    ``reduction_db``: the most that the limiter took off in them, or within 0.2 s of them, dB >= 0.
    """

    before: Block
    after: Block
    reduction_db: float


class ChunkedAudioProcessor:
    """The mastered track as a stream of blocks, float32 [frames, channels].

    Calls block, and belong to one caller at a time. Frames out = frames decoded from ``start_frame`` on.

    Args:
        path: the file.
        source: a plan for the whole track, or the fallback that makes its plans as it hears the track.
        start_frame: absolute frame of the first sample out, >= 0.
        most_channels: sources of more are mixed down to stereo before the chain, so that nothing is
            mixed after the ceiling.
        lead_in: what was heard right before frame 0, in the output's channels; the chain goes through
            it first, where it has anything to do and the start is frame 0.

    Raises:
        FileMissing, DecodeError: the file cannot be opened.
        ValueError: a negative start.
    """

    def __init__(
        self,
        path: Path,
        source: MasteringPlan | HybridProcessor,
        start_frame: int = 0,
        most_channels: int = STEREO,
        lead_in: Block = NOTHING,
    ) -> None:
        self._hybrid = source if isinstance(source, HybridProcessor) else None
        self._plan = source.plan if isinstance(source, HybridProcessor) else source
        if start_frame < 0:
            raise ValueError(f"start_frame must be >= 0, got {start_frame}")
        self._position = start_frame
        self._ready: deque[tuple[Block, float]] = deque()
        self._sources: deque[Block] = deque()
        self._ended = False
        self._failure: DecodeError | None = None
        # Opened once: to open a file can take as long as to decode a second of it.
        self._decoder = Decoder(path, self._first_frame)
        first = self._decoder.position
        rate, channels = self.info.format.rate, self.info.format.channels
        self._grid = source.grid_frames if isinstance(source, HybridProcessor) else rate // 2
        self._fine, self._fine_until = rate // _FINE_STEPS_PER_SECOND, start_frame + rate // 2
        self._surplus = self._source_surplus = start_frame - first
        self._format = AudioFormat(rate, channels if channels <= most_channels else STEREO)
        led_in = lead_in if start_frame == 0 and not self._plan.bypass else lead_in[:0]
        self._chain = Chain(self._plan, rate, self._format.channels, first - len(led_in))
        self._surplus += len(led_in)
        if len(led_in):
            self._master(led_in)

    @property
    def info(self) -> AudioInfo:
        """What the container says about the source."""
        return self._decoder.info

    @property
    def format(self) -> AudioFormat:
        """What comes out: the source's rate, and its channels or stereo."""
        return self._format

    @property
    def position(self) -> int:
        """Absolute frame of the next sample out."""
        return self._position

    @property
    def plan(self) -> MasteringPlan:
        """The plan in force."""
        return self._plan

    def read(self, frames: int) -> Block:
        """Exactly ``frames`` mastered frames; fewer only at the end, 0 frames = the end.

        Raises:
            DecodeError: the file ends early or is damaged; everything decodable was returned before.
        """
        return self.read_pair(frames).after

    def read_pair(self, frames: int) -> Pair:
        """As ``read``, with what went into the chain for the same frames."""
        parts: list[Block] = []
        wanted, reduction_db = frames, 0.0
        while wanted > 0 and (taken := self._take(wanted)) is not None:
            block, reduced_db = taken
            parts.append(block)
            wanted -= len(block)
            reduction_db = max(reduction_db, reduced_db)
        self._position += frames - wanted
        if not parts and frames > 0 and self._failure is not None:
            raise self._failure
        return Pair(self._joined(self._take_sources(frames - wanted)), self._joined(parts), reduction_db)

    def retarget(self, plan: MasteringPlan, glide_s: float) -> None:
        """Glide to another plan from here on; a ``HybridProcessor`` has nothing more to say after it.

        Where that is bypass, the source passes bit for bit once the glide is over and what the filters
        and the limiter were amid of has died away.

        Raises:
            ValueError: from bypass to a plan that changes the sound; that takes a new stream.
        """
        if self._plan.bypass and not plan.bypass:
            raise ValueError(f"cannot glide from state {self._plan.state} to {plan.state}")
        glides = not self._plan.bypass
        self._hybrid = None
        self._plan = plan
        if glides:
            self._chain.retarget(plan, glide_s)

    def close(self) -> None:
        """Let go of the file; there is nothing more to read."""
        self._decoder.close()
        # Its traceback leads back to here.
        self._failure = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _first_frame(self, info: AudioInfo) -> int:
        """Where the chain begins, for the first sample out."""
        if self._plan.bypass:
            return self._position
        rate = info.format.rate
        aligned = GRID_FRAMES if self._hybrid is None else self._hybrid.grid_frames
        return max(0, self._position - round(PRE_ROLL_S * rate)) // aligned * aligned

    def _joined(self, parts: list[Block]) -> Block:
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.zeros((0, self.format.channels), np.float32)

    def _take(self, wanted: int) -> tuple[Block, float] | None:
        while not self._ready:
            if self._ended:
                return None
            self._step()
        block, reduction_db = self._ready.popleft()
        if len(block) > wanted:
            self._ready.appendleft((block[wanted:], reduction_db))
            block = block[:wanted]
        return block, reduction_db

    def _take_sources(self, wanted: int) -> list[Block]:
        """The chain gives as many frames as it takes, so they are there."""
        parts = []
        while wanted > 0:
            block = self._sources.popleft()
            if len(block) > wanted:
                self._sources.appendleft(block[wanted:])
                block = block[:wanted]
            parts.append(block)
            wanted -= len(block)
        return parts

    def _step(self) -> None:
        """Master up to the next half second of the track, or about the start less, as someone waits."""
        position = self._decoder.position
        grid = self._grid
        if self._hybrid is None and self._fine_until - self._grid <= position < self._fine_until:
            grid = self._fine
        try:
            decoded = self._decoder.read(grid - position % grid)
        except DecodeError as exc:
            self._failure = exc
            decoded = np.zeros((0, self.info.format.channels), np.float32)
        if not len(decoded):
            self._ended = True
            self._put(self._chain.flush())
            return
        mixed_down = decoded.shape[1] != self._format.channels
        block = to_stereo(decoded, self.info.channel_layout) if mixed_down else decoded
        discarded = min(self._source_surplus, len(block))
        self._source_surplus -= discarded
        if len(block) > discarded:
            self._sources.append(block[discarded:])
        self._master(block)
        if self._hybrid is not None:
            self._follow(self._hybrid.update(block))

    def _master(self, block: Block) -> None:
        """In pieces, so that what the limiter did is known of each."""
        for start in range(0, len(block), _PIECE_FRAMES):
            self._put(self._chain.process(block[start : start + _PIECE_FRAMES]))

    def _follow(self, plan: MasteringPlan) -> None:
        if plan is not self._plan:
            self._plan = plan
            self._chain.retarget(plan, _HYBRID_GLIDE_S)

    def _put(self, block: Block) -> None:
        discarded = min(self._surplus, len(block))
        self._surplus -= discarded
        if len(block) > discarded:
            self._ready.append((block[discarded:], self._chain.reduction_db))
