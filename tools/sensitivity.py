"""Plant a wrong constant for each of the 25 dimensions and see that a test notices.

Run as ``python tools/sensitivity.py``. Faults go one by one into a copy of ``src``, each by a replacement
that must apply exactly once, and the tests run against that copy. Without a fault it must be green first.
Exits with 1 if any fault stays green.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tonearm.model.fingerprint import BAND_EDGES_HZ, BAND_NAMES, DIMENSION_NAMES

REPOSITORY: Final = Path(__file__).resolve().parents[1]
DIMENSIONS: Final = "tests/conformance/test_dimensions.py"
GREEN: Final = 0
RED: Final = 1

RUN: Final = """
import sys, pytest, tonearm
import numba  # now, for it keeps to the cache that is set when it is imported, and the tests set another one
assert tonearm.__file__.startswith(sys.argv[1]), tonearm.__file__
sys.exit(pytest.main(sys.argv[2:]))
"""


@dataclass(frozen=True)
class Fault:
    """``old`` becomes ``new`` in a file below ``src/tonearm``, and ``tests`` should notice."""

    dimension: str
    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = (DIMENSIONS,)
    own: bool = True
    """Only the tests of this dimension are run."""


def _band_faults() -> list[Fault]:
    """Each band's lower edge, 10 percent too high (that of the lowest, 30 Hz for 20)."""
    edges = ", ".join(str(edge) for edge in BAND_EDGES_HZ)
    faults = []
    for index, name in enumerate(BAND_NAMES):
        wrong = list(BAND_EDGES_HZ)
        wrong[index] = 30.0 if index == 0 else 1.1 * wrong[index]
        what = f"lower edge {wrong[index]:g} for {BAND_EDGES_HZ[index]:g} Hz"
        new = ", ".join(f"{edge:.1f}" for edge in wrong)
        faults.append(Fault(name, what, "model/fingerprint.py", f"({edges})", f"({new})"))
    return faults


LEVEL: Final = "analysis/level.py"
FAULTS: Final = (
    *_band_faults(),
    Fault("lufs", "offset -0.651 for -0.691 dB", "dsp/loudness.py", "-0.691\n", "-0.651\n"),
    Fault(
        "lufs",
        "relative gate -9 for -10 LU",
        "dsp/loudness.py",
        "RELATIVE_GATE_LU: Final = -10.0",
        "RELATIVE_GATE_LU: Final = -9.0",
    ),
    Fault(
        "lufs",
        "absolute gate -71 for -70 LUFS",
        "dsp/loudness.py",
        "ABSOLUTE_GATE_LUFS: Final = -70.0",
        "ABSOLUTE_GATE_LUFS: Final = -71.0",
    ),
    Fault(
        "crest_db",
        "gate of -20 for -10 LU",
        LEVEL,
        "block_energies, RELATIVE_GATE_LU)",
        "block_energies, RANGE_GATE_LU)",
    ),
    Fault(
        "bass_mid_ratio",
        "bass to 275 for 250 Hz",
        "analysis/tone.py",
        "between(power, self._spacing, 60.0, 250.0)",
        "between(power, self._spacing, 60.0, 275.0)",
    ),
    Fault(
        "tempo_bpm",
        "60.5 for 60 seconds a minute",
        "analysis/tempo.py",
        "bpm = 60.0 * frame_rate / _refined",
        "bpm = 60.5 * frame_rate / _refined",
        ("tests/conformance/test_tempo.py",),
        own=False,
    ),
    Fault(
        "tempo_bpm",
        "prior about 60 for 120 BPM",
        "analysis/tempo.py",
        "_PRIOR_BPM: Final = 120.0",
        "_PRIOR_BPM: Final = 60.0",
        ("tests/conformance/test_tempo.py",),
        own=False,
    ),
    Fault(
        "rhythm_stability",
        "3 for 4 beats are enough",
        "analysis/tempo.py",
        "_LEAST_BEATS: Final = 4",
        "_LEAST_BEATS: Final = 3",
    ),
    Fault(
        "transient_density",
        "threshold 0.3 for 0.08",
        "analysis/rhythm.py",
        "_THRESHOLD: Final = 0.08",
        "_THRESHOLD: Final = 0.3",
    ),
    Fault(
        "silence_ratio",
        "silence 50 for 60 dB under the loudest",
        "analysis/series.py",
        "_SILENCE_RATIO: Final = 1e-6",
        "_SILENCE_RATIO: Final = 1e-5",
    ),
    Fault(
        "spectral_centroid",
        "silent frames count",
        "analysis/tone.py",
        "median(kept(shapes[:, 0], ~silent))",
        "median(shapes[:, 0])",
    ),
    Fault(
        "spectral_rolloff",
        "share 0.86 for 0.85",
        "analysis/tone.py",
        "_ROLLOFF: Final = 0.85",
        "_ROLLOFF: Final = 0.86",
    ),
    Fault(
        "spectral_flatness",
        "floor 3e-10 for 1e-10",
        "analysis/tone.py",
        "_FLOORS: Final = (1e-10,",
        "_FLOORS: Final = (3e-10,",
    ),
    Fault(
        "harmonic_ratio",
        "medians over 9 for 15 bins",
        "analysis/spectral.py",
        "_SEPARATION_COLUMNS: Final = 15",
        "_SEPARATION_COLUMNS: Final = 9",
    ),
    Fault(
        "pitch_stability",
        "scale of 30 for 25 cents",
        "analysis/pitch.py",
        "_CENTS: Final = 25.0",
        "_CENTS: Final = 30.0",
    ),
    Fault(
        "chroma_energy",
        "bells of 0.4 for 0.35 semitones",
        "analysis/harmony.py",
        "_SEMITONES: Final = 0.35",
        "_SEMITONES: Final = 0.4",
    ),
    Fault(
        "dynamic_range_variation",
        "frames of 0.5 for 1 s",
        LEVEL,
        """    tops = windows(peaks, FRAMES_PER_SECOND).max(axis=1)
    means = windows(energies, FRAMES_PER_SECOND).sum(axis=1) / windows(lengths, FRAMES_PER_SECOND).sum(axis=1)
    sounding = ~windows(silent.astype(np.float64), FRAMES_PER_SECOND)""",
        """    tops = windows(peaks, 10).max(axis=1)
    means = windows(energies, 10).sum(axis=1) / windows(lengths, 10).sum(axis=1)
    sounding = ~windows(silent.astype(np.float64), 10)""",
    ),
    Fault(
        "loudness_variation_std",
        "gate of -10 for -20 LU",
        LEVEL,
        "gated(energies, RANGE_GATE_LU)])",
        "gated(energies, RELATIVE_GATE_LU)])",
    ),
    Fault(
        "peak_consistency",
        "frames of 0.25 for 0.5 s",
        LEVEL,
        """    tops = windows(peaks, FRAMES_PER_SECOND // 2).max(axis=1)
    return kept(tops, ~np.asarray(windows(silent.astype(np.float64), FRAMES_PER_SECOND // 2)""",
        """    tops = windows(peaks, FRAMES_PER_SECOND // 4).max(axis=1)
    return kept(tops, ~np.asarray(windows(silent.astype(np.float64), FRAMES_PER_SECOND // 4)""",
    ),
    Fault(
        "stereo_width",
        "total 2.001 for 2 times both",
        "analysis/stereo.py",
        "total = 2.0 * (ll + rr)",
        "total = 2.001 * (ll + rr)",
    ),
    Fault(
        "phase_correlation",
        "the constant part counts",
        "analysis/stereo.py",
        "product = lr - left_sum * right_sum / count",
        "product = lr",
    ),
)


class Copy:
    """A copy of the source in which one fault at a time is planted."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._source = root / "src"
        self._kernels = root / "kernels"
        shutil.copytree(REPOSITORY / "src", self._source, ignore=shutil.ignore_patterns("__pycache__"))

    def exit_code(self, tests: tuple[str, ...], names: str) -> tuple[int, str]:
        """That of pytest, and the first test that failed.

        Raises:
            SystemExit: the tests could not be run at all.
        """
        environment = os.environ | {
            "PYTHONPATH": str(self._source),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": str(self._kernels),
        }
        options = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", "-k", names, *tests]
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(self._source), *options],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in {GREEN, RED}:
            raise SystemExit(f"pytest exit {done.returncode}:\n{done.stdout}{done.stderr}")
        failed = [line.split("::", 1)[1] for line in done.stdout.splitlines() if line.startswith("FAILED")]
        return done.returncode, failed[0].split(" - ")[0] if failed else ""

    def with_fault(self, fault: Fault) -> tuple[int, str]:
        """What the tests say of one fault; the file is as before afterwards, and so are the kernels."""
        path = self._source / "tonearm" / fault.file
        text, times = path.read_text(encoding="utf-8"), path.stat()
        if (count := text.count(fault.old)) != 1:
            raise SystemExit(
                f"{fault.dimension}: {fault.old!r} is {count} times in {fault.file}, wanted once"
            )
        kept = shutil.copytree(self._kernels, self._root / "kept")
        path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
        try:
            return self.exit_code(fault.tests, f"[{fault.dimension}:" if fault.own else "")
        finally:
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            shutil.rmtree(self._kernels)
            kept.rename(self._kernels)


def main() -> None:
    if missing := set(DIMENSION_NAMES) - {fault.dimension for fault in FAULTS}:
        raise SystemExit(f"no fault for {sorted(missing)}")
    started = time.monotonic()
    green = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder).resolve())
        code, failed = copy.exit_code(tuple(sorted({test for fault in FAULTS for test in fault.tests})), "")
        if code != GREEN:
            raise SystemExit(f"without a fault the tests are red already: {failed}")
        print(f"{'dimension':24} {'fault':40} tests")
        for fault in FAULTS:
            code, failed = copy.with_fault(fault)
            green += code == GREEN
            print(
                f"{fault.dimension:24} {fault.what:40} {'red: ' + failed if code == RED else 'GREEN'}",
                flush=True,
            )
    seconds = time.monotonic() - started
    print(f"{len(FAULTS)} faults in {len(DIMENSION_NAMES)} dimensions, {green} not noticed, {seconds:.0f} s")
    sys.exit(1 if green else 0)


if __name__ == "__main__":
    main()
