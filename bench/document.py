"""``docs/bench.md``: what was measured, section by section."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

from bench import decoding, fingerprint, lookup, mastering, sound
from bench.contender import Contender
from bench.mastering_peers import EQ_DB, OVER_DB
from bench.measure import Cost, Measured
from bench.quicker import quicker
from bench.table import table

_NONE: Final = ""
_SECTION: Final = re.compile(r"^## ", re.MULTILINE)
_VERSIONS: Final = "Versions"


def head(machine: str, origin: str, revision: str, runs: int, loads: Sequence[float]) -> str:
    """How it was measured."""
    return f"""\
# What it costs

Written by `make bench`; every figure below comes from one run of it, but for sections that say themselves how
busy the machine was: these were run alone.

- **Machine**: {machine}.
  Its cores were shared with other work (between {min(loads):.1f} and
  {max(loads):.1f} processes wanted one): the ratios count, the seconds hold only here.
- **Sound**: {origin}, cut or repeated to {sound.LENGTH_S} s, decoded once to 44.1 kHz, stereo, 16 bit.
- **Figures**: CPU seconds of a process of its own, all its threads together, bound to one core, one
  thread for every library that asks; median (lowest..highest) of {runs} runs. The contenders take
  turns, and a ratio is the median of the ratios of each round. Imports and compilers are not counted:
  the same work is done once on the first {sound.WARM_UP_S} s before the clock starts.
- **Tonearm** is that of commit {revision}. The others are used with their defaults."""


def replaced(old: str, new: str) -> str:
    """The document with the sections that stand in ``new``; what stands before its first section is left out.

    A section is one with the same heading; one that was not there comes before the versions.
    """
    sections = dict(zip(_headings(old), _SECTION.split(old)[1:], strict=True))
    taken = dict(zip(_headings(new), _SECTION.split(new)[1:], strict=True))
    taken.pop(_VERSIONS, None)
    last = sections.pop(_VERSIONS, "")
    merged = {**sections, **taken, _VERSIONS: last}
    return _SECTION.split(old)[0] + "".join(
        f"## {merged[name].strip()}\n\n" for name in merged if merged[name]
    )


def kept(old: str, new: str) -> str:
    """A new document, with those sections of the old one that were not measured anew."""
    known = {*_headings(new), _VERSIONS}
    parts = zip(_headings(old), _SECTION.split(old)[1:], strict=True)
    return replaced(new, "".join(f"## {part}" for name, part in parts if name not in known))


def _headings(text: str) -> list[str]:
    return [section.splitlines()[0] for section in _SECTION.split(text)[1:]]


def absences(missing: Sequence[Contender]) -> str:
    """Names what could not be installed; nothing where all are there."""
    names = sorted({contender.package for contender in missing})
    return f"Not to be had here, so not measured: {', '.join(names)}." if names else ""


def fingerprints(measured: Mapping[str, Measured]) -> str:
    """The cost of the fingerprint beside its peers."""
    ours, whole = measured[fingerprint.APART.name], measured[fingerprint.FROM_FILE.name]
    base = whole.cost()
    analysis = ours.cost("analysis")
    peers = [each for each in measured.values() if each not in {ours, whole}]
    rows = [_fingerprint_row(ours, base, analysis, base)]
    rows += [_fingerprint_row(peer, peer.cost(), analysis, base) for peer in peers]
    heading = ("program", "computes", "decoding", "the rest", "together", "x real time")
    ratios = ("the rest, times Tonearm", "together, times Tonearm")
    return "\n\n".join(
        (
            "## Fingerprint",
            "From the WAV to the result; what is not taken apart reads the file itself. None of the others"
            " computes the same as Tonearm: the second column says what.",
            table((*heading, *ratios), rows),
            *filter(None, [quicker(measured, whole)]),
            *(_parts(peer) for peer in peers if len(peer.parts) > 2),
            "What they found, as a sign that all heard the same (centroids differ by window and frames):",
            _found(measured.values()),
        )
    )


def decoders(measured: Mapping[str, Measured]) -> str:
    """Decoding, format by format."""
    rows = []
    for kind in sound.KINDS:
        ours, theirs = measured[f"Tonearm {kind}"].cost(), measured.get(f"libsndfile {kind}")
        reason = "cannot read it" if kind in decoding.WITHOUT_LIBSNDFILE else "not here"
        other = (str(theirs.cost()), str(theirs.cost().over(ours))) if theirs else (reason, _NONE)
        rows.append((sound.NAMES[kind], str(ours), _speed(ours), *other))
    heading = ("format", "Tonearm", "x real time", "libsndfile", "times Tonearm")
    return "\n\n".join(("## Decoding to float32", table(heading, rows)))


def chains(measured: Mapping[str, Measured]) -> str:
    """The mastering chain beside others."""
    ours = measured[mastering.TONEARM.name]
    base = ours.cost()
    rows = [
        (
            _named(each),
            each.contender.does,
            str(each.cost()),
            _speed(each.cost()),
            _ratio(each.cost(), base),
            f"{each.findings['dBTP']:+.2f}",
        )
        for each in measured.values()
    ]
    heading = ("program", "does", "CPU s", "x real time", "times Tonearm", "true peak out, dBTP")
    return "\n\n".join(
        (
            "## Mastering chain, decoding included",
            f"Seven bands of {min(EQ_DB):+g} to {max(EQ_DB):+g} dB; level raised until the loudest sample"
            f" would stand {OVER_DB:g} dB over the ceiling of -1 dBTP, so that Tonearm's limiter was at work"
            f" in {ours.findings['seconds limited, %']:.0f} % of the seconds. From the WAV except where"
            f" said; {ours.cost('decoding').median:.3f} s of Tonearm's first figure are decoding. The true"
            " peak is that of the whole output, by scipy at 16x; Tonearm's must not be over -0.98."
            " matchering gets the same sound, raised and clipped, as the reference it wants.",
            table(heading, rows),
            *filter(None, [quicker(measured, ours)]),
        )
    )


def lookups(measured: Mapping[str, Measured]) -> str:
    """Finding a stored fingerprint."""
    (ours,) = measured.values()
    found = ours.findings
    rows = [
        (clock, f"{found[f'{clock} p50, ms']:.3f}", f"{found[f'{clock} p99, ms']:.3f}")
        for clock in ("CPU", "wall")
    ]
    return "\n\n".join(
        (
            "## Stored fingerprint, lookup",
            f"By track and file signature, from a library of {found['tracks']:,.0f} tracks in SQLite; a"
            f" fingerprint comes with its measures. {lookup.LOOKUPS:,} random lookups, milliseconds, median"
            " of the runs. Wall time holds what other processes took of the core.",
            table(("clock", "p50", "p99"), rows),
        )
    )


def versions(measured: Sequence[Measured]) -> str:
    """What was installed."""
    found = {each.contender.package: each.version for each in measured}
    return "## Versions\n\n" + ", ".join(f"{name} {found[name]}" for name in sorted(found)) + "."


def _fingerprint_row(each: Measured, together: Cost, analysis: Cost, base: Cost) -> tuple[str, ...]:
    apart, relative = (_NONE, _NONE), _NONE
    if "decoding" in each.parts:
        rest = each.cost(*(part for part in each.parts if part != "decoding"))
        apart = (str(each.cost("decoding")), str(rest))
        relative = _ratio(rest, analysis)
    return (
        *(_named(each), each.contender.does, *apart, str(together), _speed(together)),
        *(relative, _ratio(together, base)),
    )


def _parts(each: Measured) -> str:
    parts = ", ".join(f"{part} {each.cost(part).median:.2f}" for part in each.parts if part != "decoding")
    return f"Of {each.contender.name}'s: {parts}."


def _found(measured: Iterable[Measured]) -> str:
    kept = [each for each in measured if each.contender is not fingerprint.FROM_FILE]
    names = list(dict.fromkeys(chain.from_iterable(each.findings for each in kept)))
    rows = [
        (_named(each), *(f"{each.findings[name]:.5g}" if name in each.findings else _NONE for name in names))
        for each in kept
    ]
    return table(("program", *names), rows)


def _named(each: Measured) -> str:
    name = each.contender.name
    return f"**{name}**" if each.contender.package == "tonearm" else f"{name} {each.version}"


def _ratio(cost: Cost, base: Cost) -> str:
    return "1" if cost == base else str(cost.over(base))


def _speed(cost: Cost) -> str:
    return f"{sound.LENGTH_S / cost.median:,.0f}"
