"""What a listener is sent: a track mastered, matched in level where asked, metered before and after.

The level match is a gain after the limiter. It changes nothing but the level, and never turns up. Where
a track is named that has just played, the chain runs over its end first, so that what the filters and
the limiter are amid of there is heard here.
"""

from copy import deepcopy
from pathlib import Path
from typing import Final, Self

from tonearm.audio.decode import inspect
from tonearm.dsp.gain import Gain
from tonearm.dsp.meters import StreamMeter
from tonearm.mastering.chain import GRID_FRAMES
from tonearm.mastering.hybrid import HybridProcessor
from tonearm.model.audio import AudioFormat, AudioInfo, Block
from tonearm.model.errors import DecodeError, FileMissing
from tonearm.model.plan import MasteringPlan
from tonearm.model.stream import Joint, MeterReading, Rendered
from tonearm.rendering.chunked import NOTHING, PRE_ROLL_S, STEREO, ChunkedAudioProcessor
from tonearm.rendering.tail import tail

_MOST_BITS: Final = 16


class StreamRenderer:
    """One stream's sound. Calls block, and belong to one caller at a time.

    Args:
        track: the mastered track.
        match_gain_db: what the stream is turned down by behind the limiter, dB <= 0.
        joint: how it joins the track before; None where none was named.
    """

    def __init__(self, track: ChunkedAudioProcessor, match_gain_db: float, joint: Joint | None) -> None:
        self.joint = joint
        self._track = track
        self._match = Gain(_at_most_0(match_gain_db), track.position)
        self._before = StreamMeter(track.format.rate, track.format.channels)
        # As long as nothing is done to the sound, one meter speaks for both sides.
        untouched = track.plan.bypass and match_gain_db == 0.0
        self._after = self._before if untouched else deepcopy(self._before)

    @classmethod
    def open(
        cls,
        path: Path,
        source: MasteringPlan | HybridProcessor,
        start_frame: int,
        match_gain_db: float,
        earlier: Path | None,
    ) -> Self:
        """Open a file where it shall begin, after the file ``earlier`` if one is named.

        Raises:
            FileMissing, DecodeError: the file itself cannot be opened. If it is the earlier one, the
                stream begins without it, and ``joint`` says so.
        """
        lead_in, joint = (NOTHING, None) if earlier is None else _join(earlier, path, start_frame)
        track = ChunkedAudioProcessor(path, source, start_frame, lead_in=lead_in)
        return cls(track, match_gain_db, joint)

    @property
    def format(self) -> AudioFormat:
        return self._track.format

    @property
    def info(self) -> AudioInfo:
        return self._track.info

    @property
    def position(self) -> int:
        return self._track.position

    @property
    def plan(self) -> MasteringPlan:
        return self._track.plan

    @property
    def sixteen_bits(self) -> bool:
        """Whether the chain gives the samples of a source of at most 16 bits, which need no dither."""
        info = self._track.info
        kept = self._track.plan.bypass and self._track.format == info.format
        return kept and info.bit_depth is not None and info.bit_depth <= _MOST_BITS

    def read(self, frames: int) -> Rendered:
        """Exactly ``frames`` frames with their meters; fewer only at the end, 0 frames = the end.

        Raises:
            DecodeError: the file ends early or is damaged; everything decodable was returned before.
        """
        pair = self._track.read_pair(frames)
        block = self._match.process(pair.after)
        before = self._before.process(pair.before)
        after = before if self._after is self._before else self._after.process(block)
        return Rendered(block, MeterReading(before, after, pair.reduction_db))

    def retarget(self, plan: MasteringPlan, match_gain_db: float, glide_s: float) -> None:
        """Glide to another plan and level match from here on; as ``ChunkedAudioProcessor.retarget``."""
        if self._after is self._before:
            self._after = deepcopy(self._before)
        self._track.retarget(plan, glide_s)
        self._match.glide(_at_most_0(match_gain_db), round(glide_s * self.format.rate))

    def close(self) -> None:
        self._track.close()


def _at_most_0(gain_db: float) -> float:
    if gain_db > 0.0:
        raise ValueError(f"a level match never turns up, got {gain_db} dB")
    return gain_db


def _join(earlier: Path, path: Path, start_frame: int) -> tuple[Block, Joint]:
    """The end of the earlier track for the chain to run over, or the reason why it does not."""
    if start_frame:
        return NOTHING, Joint(gapless=False, reason="The stream does not begin at the start of the track.")
    try:
        forms = [_streamed(inspect(file).format) for file in (earlier, path)]
        if forms[0] != forms[1]:
            reason = (
                f"The track before has {_said(forms[0])}, this one {_said(forms[1])}: the chain begins anew."
            )
            return NOTHING, Joint(gapless=False, reason=reason)
        frames = round(PRE_ROLL_S * forms[1].rate) // GRID_FRAMES * GRID_FRAMES
        return tail(earlier, frames), Joint(gapless=True)
    except (FileMissing, DecodeError) as error:
        return NOTHING, Joint(gapless=False, reason=f"The track before: {error.sentence}")


def _streamed(source: AudioFormat) -> AudioFormat:
    return AudioFormat(source.rate, min(source.channels, STEREO))


def _said(form: AudioFormat) -> str:
    return f"{form.rate} Hz and {form.channels} channel{'s' if form.channels > 1 else ''}"
