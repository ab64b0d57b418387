"""One measurement, in a process of its own: ``python -m bench.one SECTION NAME CORE FOLDER``.

``FOLDER`` holds ``whole`` and ``start``, the sound and its first seconds. Prints one line of JSON:
the CPU seconds of every part, and what was found.
"""

import gc
import json
import os
import sys
from pathlib import Path

from bench.contender import Stopwatch
from bench.sections import SECTIONS


def main() -> None:
    section, name, core, folder = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    contender = next(each for each in SECTIONS[section] if each.name == name)
    contender.work(Path(folder, "start"), Stopwatch())
    gc.collect()
    watch = Stopwatch()
    findings = contender.work(Path(folder, "whole"), watch)
    sys.stdout.write(json.dumps({"seconds": watch.seconds, "findings": findings}) + "\n")


if __name__ == "__main__":
    main()
