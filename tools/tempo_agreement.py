"""The tempo part of ``docs/conformance.md``."""

from collections.abc import Iterable
from itertools import combinations

import librosa
import numpy as np
from estimators import Estimator, installed
from recordings import Recording
from sounds import analysed
from tables import Line, table, verdict
from tempi import TEMPI, found_tempi, related_tempo, same_tempo

LEAST_S = 10.0
ESTIMATOR_RATE = 44_100
TEXT = """
## Tempo

Accuracy1 counts what is within 4 %, Accuracy2 also octave errors (double, triple, half, third).

{built}
On tracks of at least {least:g} s nobody knows the truth, so the estimators are held against each other
({names}; the majority is the median of those of them that agree, where two do).
BPM; 0 where no pulse is heard:

{music}"""
LEAST_ACCURACY_1 = 0.85
LEAST_ACCURACY_2 = 0.98


def _built() -> tuple[str, list[Line], list[bool]]:
    """The table of tempi, the rows for the table of dimensions, the verdicts."""
    found = found_tempi()
    shares = np.mean(same_tempo(found, TEMPI)), np.mean(related_tempo(found, TEMPI))
    inside, rows = [], []
    for name, accuracy, least in zip(
        ("Accuracy1", "Accuracy2"), shares, (LEAST_ACCURACY_1, LEAST_ACCURACY_2), strict=True
    ):
        inside.append(bool(accuracy >= least))
        right = f"{name} {accuracy:.0%}"
        rows.append(
            [
                "closed form",
                "drum tracks of 62-196 BPM",
                str(len(TEMPI)),
                right,
                "",
                "",
                f">= {least:.0%}",
                verdict(inside[-1]),
            ]
        )
    head = ["built", *(str(bpm) for bpm in TEMPI)]
    return table(head, [["found", *(f"{bpm:.1f}" for bpm in found)]]), rows, inside


def _beside(ours: list[float], theirs: list[float]) -> Line:
    """Of the tracks where both hear a pulse: the same, an octave error, neither."""
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if a > 0 and b > 0]
    same = sum(bool(same_tempo(a, b)) for a, b in both)
    related = sum(bool(related_tempo(a, b)) for a, b in both)
    return [str(len(both)), str(same), str(related - same), str(len(both) - related)]


def _majority(tempi: list[float]) -> float:
    """The median of those that agree with at least one other; 0 if none does."""
    agreeing = [
        a
        for i, a in enumerate(tempi)
        if a > 0 and any(same_tempo(b, a) for j, b in enumerate(tempi) if j != i)
    ]
    return float(np.median(agreeing)) if agreeing else 0.0


def _music(tracks: Iterable[Recording], estimators: dict[str, Estimator]) -> tuple[str, list[Line]]:
    heard: dict[str, list[float]] = {"Tonearm": [], **{name: [] for name in estimators}}
    rows = []
    for name, x, rate in tracks:
        if len(x) < LEAST_S * rate:
            continue
        mono = librosa.resample(np.ascontiguousarray(x.mean(axis=1)), orig_sr=rate, target_sr=ESTIMATOR_RATE)
        heard["Tonearm"].append(analysed(x, rate).fingerprint.tempo_bpm)
        for other, estimator in estimators.items():
            heard[other].append(estimator(mono, ESTIMATOR_RATE))
        rows.append([name, *(f"{tempi[-1]:.1f}" for tempi in heard.values())])
    text = table(["track", *heard], rows) + "\n"
    pairs = [[f"{a} and {b}", *_beside(heard[a], heard[b])] for a, b in combinations(heard, 2)]
    lines = [_told(other, heard["Tonearm"], heard[other]) for other in estimators]
    if len(estimators) > 2:
        public = [_majority(list(tempi)) for tempi in zip(*(heard[name] for name in estimators), strict=True)]
        pairs += [[f"{name} and the majority", *_beside(tempi, public)] for name, tempi in heard.items()]
        lines.append(_told("their majority", heard["Tonearm"], public))
    return text + table(["", "tracks", "same", "octave error", "other"], pairs), lines


def _told(by: str, ours: list[float], theirs: list[float]) -> Line:
    total, same, octave, rest = _beside(ours, theirs)
    return [by, "music", total, f"same {same}, octave {octave}, other {rest}", "", "", "", "told only"]


def tempo_section(tracks: Iterable[Recording]) -> tuple[str, list[Line], list[bool]]:
    """The section, rows for the table of dimensions (from its column "by" on), and the verdicts."""
    estimators = installed()
    built, built_rows, inside = _built()
    music, music_rows = _music(tracks, estimators)
    text = TEXT.format(built=built, least=LEAST_S, names=", ".join(estimators), music=music)
    return text, built_rows + music_rows, inside
