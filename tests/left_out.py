"""Say which part of the check this machine could not run. Last word of ``make test``."""

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from browser import chromium

if __name__ == "__main__":
    left_out = []
    if chromium() is None:
        left_out.append("the browser tests (no Chromium on this machine: apt install chromium)")
    if shutil.which("npm") is None:
        left_out.append("the checks of the page's own sources (no npm on this machine: apt install npm)")
    if not os.environ.get("TONEARM_TEST_MUSIC"):
        left_out.append("the larger music set (TONEARM_TEST_MUSIC is not set; the demo clips were used)")
    print("Left out: " + "; ".join(left_out) if left_out else "Nothing was left out.")
