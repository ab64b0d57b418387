"""Before anything is imported: every test process keeps its compiled kernels to itself.

Two processes that compile librosa's kernels into one fresh cache at the same time can crash. And two
processes that both multiply small matrices on all the cores mostly wait for each other.
"""

import os
from pathlib import Path

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
os.environ["NUMBA_CACHE_DIR"] = str(Path.home() / ".cache" / "tonearm-tests" / _WORKER)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
