"""Q6: an album rendered track by track and joined, beside one render of its decoded tracks joined."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from audio_files import LOSSY, by_libsndfile
from numpy.typing import NDArray
from sounds import analysed

from quality.criteria import Finding
from quality.cutting import apart
from quality.playing import BYPASS, CURVE, by_hand, decided
from tonearm.mastering.chain import Chain
from tonearm.model.audio import Block
from tonearm.model.plan import MasteringPlan
from tonearm.rendering.stream import StreamRenderer

Maker = Callable[[Path, Block, int], Path]

LENGTHS_S: Final = (5.3, 4.4, 5.1)
"""The tracks of an album but the last; each is longer than what the chain runs over of it."""

SHORT_S: Final = (5.3, 2.1, 4.4)
"""An album with a track that is shorter."""

TAKE_S: Final = 20.0
LIMITED_DB: Final = 2.0
"""So far the loudest frame, or the softest join, lies over the ceiling: what plans have a limiter do."""

FADE_S: Final = 0.05
_READ_S: Final = 0.5
_NEAR_S: Final = 0.3
_SPAN_S: Final = 0.02
_SILENT_DB: Final = -100.0
_FLOOR: Final = 1e-20

KINDS: Final[dict[str, Maker]] = {
    "FLAC": lambda folder, x, rate: by_libsndfile(folder / "track.flac", x, rate, "PCM_16"),
    "MP3": lambda folder, x, _: LOSSY["mp3-vbr"](folder, x),
    "Vorbis": lambda folder, x, rate: by_libsndfile(folder / "track.ogg", x, rate, "VORBIS"),
    "Opus": lambda folder, x, _: LOSSY["opus"](folder, x),
    "M4A": lambda folder, x, _: LOSSY["aac"](folder, x),
}


@dataclass(frozen=True)
class Album:
    """Files of one take, in order; the sound of each as it decodes, and how many frames went into it."""

    name: str
    kind: str
    rate: int
    files: list[Path]
    sources: list[Block]
    written: list[int]

    @classmethod
    def of(cls, name: str, kind: str, folder: Path, tracks: list[Block], rate: int) -> "Album":
        """Write the tracks in one format; a codec that knows one rate only is given the samples at it."""
        files = []
        for number, track in enumerate(tracks):
            place = folder / f"{kind} {number}"
            place.mkdir()
            files.append(KINDS[kind](place, track, rate))
        sources = [streamed(file, BYPASS, None) for file in files]
        rate = {"Opus": 48_000, "MP3": 44_100, "M4A": 44_100}.get(kind, rate)
        return cls(name, kind, rate, files, sources, [len(track) for track in tracks])

    @property
    def whole(self) -> Block:
        return np.concatenate(self.sources)

    @property
    def joins(self) -> list[int]:
        """The frames at which a track begins that another precedes."""
        return [int(frame) for frame in np.cumsum([len(source) for source in self.sources])[:-1]]


def streamed(path: Path, plan: MasteringPlan, earlier: Path | None) -> Block:
    """All of a file as a listener is sent it, after the track before it."""
    stream = StreamRenderer.open(path, plan, 0, 0.0, earlier)
    try:
        assert earlier is None or (stream.joint is not None and stream.joint.gapless)
        step, parts = round(_READ_S * stream.format.rate), []
        while len(block := stream.read(step).block):
            parts.append(block)
    finally:
        stream.close()
    return np.concatenate(parts)


def cut_up(take: Block, rate: int, lengths_s: Sequence[float], near_s: float) -> list[Block]:
    """One take as an album, cut after these lengths, or where it is loudest within ``near_s`` of there."""
    magnitude, cuts, at = np.abs(take).max(axis=1), [], 0
    for length_s in lengths_s:
        first = at + round((length_s - near_s) * rate)
        at = first + int(np.argmax(magnitude[first : first + round(2 * near_s * rate) + 1]))
        cuts.append(at)
    return np.split(take, cuts)


def limiting(album: Album, near_s: float) -> MasteringPlan:
    """A plan by which the limiter has so much to take off of the softest join, or of the loudest frame."""
    span, magnitude = round(near_s * album.rate), np.abs(album.whole)
    peaks = [magnitude[join - span : join + span].max() for join in album.joins if span]
    softest = float(min(peaks, default=magnitude.max()))
    return by_hand(-1.0 - 20 * np.log10(softest) + LIMITED_DB, CURVE)


def joined(album: Album, plan: MasteringPlan) -> list[Block]:
    """Each track as it is streamed after the one before."""
    before = [None, *album.files]
    return [streamed(file, plan, earlier) for file, earlier in zip(album.files, before, strict=False)]


def at_once(album: Album, plan: MasteringPlan) -> Block:
    """One render of all of it."""
    whole = album.whole
    chain = Chain(plan, album.rate, whole.shape[1])
    return np.concatenate([chain.process(whole), chain.flush()])


def gapless(take: Block, rate: int, kind: str, folder: Path, name: str) -> Iterator[Finding]:
    """A take as albums in one format, by their own plan and by one that limits.

    Cut after some seconds, and where it is loudest: there, limiting begins right at the join, if anywhere.
    """
    for cut, near_s in (("cut anywhere", 0.0), ("cut where it is loudest", _NEAR_S)):
        place = folder / cut
        place.mkdir()
        album = Album.of(name, kind, place, cut_up(take, rate, LENGTHS_S, near_s), rate)
        yield from lengths(album)
        planned = decided(analysed(album.whole, album.rate))
        for label, plan in (("as planned", planned), ("limited", limiting(album, min(near_s, _SPAN_S)))):
            yield from beside(album, joined(album, plan), at_once(album, plan), f"{cut}, {label}")


def after_a_short_track(take: Block, rate: int, folder: Path, name: str) -> Iterator[Finding]:
    """What is lost where the track before is shorter than what the chain wants to run over."""
    album = Album.of(name, "FLAC", folder, cut_up(take, rate, SHORT_S, 0.0), rate)
    for label, plan in (("planned", decided(analysed(take, rate))), ("limited", limiting(album, 0.0))):
        both = np.concatenate(joined(album, plan)), at_once(album, plan)
        found, wanted = (x[album.joins[1] :] for x in both)
        yield apart("join-short", found, wanted, "FLAC", f"{name}, {label}")


def lengths(album: Album) -> Iterator[Finding]:
    """Frames of each track as it decodes, beside those that libsndfile reads, or else those written."""
    for file, source, written in zip(album.files, album.sources, album.written, strict=True):
        read = written if album.kind == "M4A" else len(soundfile.read(file, always_2d=True)[0])
        case = f"{album.name}, {len(source)} frames"
        yield Finding("join-length", f"{album.kind}, decoded", float(abs(len(source) - read)), case)


def beside(album: Album, tracks: list[Block], whole: Block, label: str) -> Iterator[Finding]:
    """Rendered tracks beside the render of the album."""
    case = f"{album.name}, {label}"
    surplus = sum(abs(len(track) - len(source)) for track, source in zip(tracks, album.sources, strict=True))
    yield Finding("join-length", f"{album.kind}, rendered", float(surplus), case)
    if surplus:
        return
    together, fade = np.concatenate(tracks), round(FADE_S * album.rate)
    exact = np.ones(len(whole), bool)
    for join in album.joins:
        exact[join - fade : join] = False
        part = slice(join - fade - fade // 5, join + fade // 5)
        step = steepest(together[part], whole[part], album.rate)
        yield Finding(
            "join-step",
            f"{album.kind}, {label.split(', ', maxsplit=1)[0]}",
            step,
            f"{case}, join at {join / album.rate:.2f} s",
        )
    yield apart("join", together[exact], whole[exact], album.kind, case)


def steepest(found: Block, wanted: Block, rate: int) -> float:
    """The largest change of the gain between two sounds from one ms to the next, dB."""
    levels = [_levels_db(x, rate) for x in (found, wanted)]
    sounding = np.minimum(*levels) > _SILENT_DB
    gain_db = (levels[0] - levels[1])[sounding]
    return float(np.abs(np.diff(gain_db)).max(initial=0.0))


def _levels_db(x: Block, rate: int) -> NDArray[np.float64]:
    """Of each whole ms, dBFS."""
    size = rate // 1000
    frames = x[: len(x) // size * size].astype(np.float64)
    power = (frames**2).reshape(-1, size * x.shape[1]).mean(axis=1)
    return np.asarray(10 * np.log10(power + _FLOOR))
