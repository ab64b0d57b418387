"""How near a probe comes to the full measurement: ``python tools/probe_accuracy.py DIR``.

Every track in DIR is measured whole and probed: once with all windows, which is the same on every
machine, and once within the time that a listener is kept waiting, which depends on what else the machine
does. The class of a probe is decided from its loudness and crest alone, the class of the whole from
everything that is measured.
"""

import math
import sys
import time
from pathlib import Path
from typing import Any, Final

from tonearm.analysis.probe import warm
from tonearm.mastering.adaptive import AdaptiveMode
from tonearm.mastering.lwrp import decide
from tonearm.model.errors import DecodeError, NotEnoughAudio
from tonearm.model.measures import Analysis
from tonearm.model.plan import Preset, Target
from tonearm.model.probe import Probe
from tonearm.rendering.measure import measure_file
from tonearm.rendering.probing import probe_file

LOUDNESS_BOUND_LU: Final = 1.0


def probe_rows(music: Path) -> list[dict[str, Any]]:
    """One row for each track in a folder, by name; what cannot be measured is left out and named.

    Of the whole: ``lufs``, ``crest_db``, ``true_peak_dbtp``, ``class``. Of the probe: ``windows``,
    ``milliseconds``, ``probe_class``. Probe minus whole: ``lufs_error``, ``crest_error``,
    ``true_peak_error``, ``band_error`` (largest of the seven, points), ``gain_error`` (of the plans, dB).
    Of the probe that has to be in time: ``hurried_windows``, ``hurried_lufs_error``.
    """
    warm()
    rows = []
    for path in sorted(music.iterdir()):
        if not path.is_file():
            continue
        try:
            started = time.monotonic()
            probe = probe_file(path, budget_s=math.inf)
            milliseconds = 1000.0 * (time.monotonic() - started)
            hurried = probe_file(path)
            row = _row(probe, measure_file(path))
            rows.append(
                {
                    "file": path.name,
                    "milliseconds": milliseconds,
                    **row,
                    "hurried_windows": hurried.windows,
                    "hurried_lufs_error": hurried.lufs - row["lufs"],
                }
            )
        except (DecodeError, NotEnoughAudio) as exc:
            sys.stderr.write(f"left out: {path.name}: {exc}\n")
    return rows


def _row(probe: Probe, whole: Analysis) -> dict[str, Any]:
    fingerprint, measures = whole.fingerprint, whole.measures
    lufs, true_peak = measures.downmix_lufs, measures.downmix_true_peak_dbtp
    mode, asked = AdaptiveMode(), (Preset.ADAPTIVE, 1.0, Target())
    shares = fingerprint.as_vector()[: len(probe.bands_pct)]
    return {
        "windows": probe.windows,
        "lufs": lufs,
        "lufs_error": probe.lufs - lufs,
        "crest_db": fingerprint.crest_db,
        "crest_error": probe.crest_db - fingerprint.crest_db,
        "true_peak_dbtp": true_peak,
        "true_peak_error": probe.true_peak_dbtp - true_peak,
        "band_error": max(abs(a - b) for a, b in zip(probe.bands_pct, shares, strict=True)),
        "gain_error": mode.plan_from_probe(probe, *asked).gain_db
        - mode.plan(fingerprint, measures, *asked).gain_db,
        "class": decide(lufs, fingerprint.crest_db, measures.psr_p10_db).policy.value,
        "probe_class": decide(probe.lufs, probe.crest_db, math.inf).policy.value,
    }


def share(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Of all rows: the share with the loudness within 1 LU, and the share with the same class."""
    near = sum(abs(row["lufs_error"]) <= LOUDNESS_BOUND_LU for row in rows)
    same = sum(row["class"] == row["probe_class"] for row in rows)
    return near / len(rows), same / len(rows)


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python tools/probe_accuracy.py DIR")
    rows = probe_rows(Path(sys.argv[1]))
    if not rows:
        raise SystemExit("no track could be measured")
    for row in rows:
        values = " ".join(
            f"{v:+8.2f}" if isinstance(v, float) else f"{v!s:>8}" for v in list(row.values())[1:]
        )
        sys.stdout.write(f"{row['file'][:32]:<32} {values}\n")
    sys.stdout.write(f"{'':<32} {' '.join(f'{name[:8]:>8}' for name in list(rows[0])[1:])}\n")
    near, same = share(rows)
    sys.stdout.write(
        f"{len(rows)} tracks: within {LOUDNESS_BOUND_LU:g} LU {near:.0%}, same class {same:.0%}\n"
    )


if __name__ == "__main__":
    main()
