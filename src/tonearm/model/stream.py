"""What is told of a stream besides its samples: how loud it is, and how it joins the track before."""

from dataclasses import dataclass

from tonearm.model.audio import Block


@dataclass(frozen=True, slots=True)
class Heard:
    """What a meter shows of some samples.

    Attributes:
        true_peak_dbtp: their highest true peak; -inf for silence.
        short_term_lufs: loudness of the 3 s that end with them, or of what the stream has had so far;
            -inf for silence and while no tenth of a second is complete.
    """

    true_peak_dbtp: float
    short_term_lufs: float


@dataclass(frozen=True, slots=True)
class MeterReading:
    """The source and the output of the chain for the same frames, and what the limiter took off, dB >= 0."""

    before: Heard
    after: Heard
    gain_reduction_db: float


@dataclass(frozen=True, slots=True)
class Rendered:
    """Some frames of a stream, ``[frames, channels]``, and what the meters show of them."""

    block: Block
    reading: MeterReading


@dataclass(frozen=True, slots=True)
class Joint:
    """Whether a stream runs on from the track before it; ``reason`` says why not."""

    gapless: bool
    reason: str = ""
