"""Tonearm: a music server that masters your own library while it plays.

As a library it offers the parts that need no server. They are loaded on first use, so
``import tonearm`` costs nothing and pulls in neither the web, the database nor gRPC.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

import platformdirs

__version__ = "0.1.0"

# Compiled kernels are kept in the user's cache, never beside the package, which may be
# read-only. numba reads this once, on import, so it has to stand before everything else.
os.environ.setdefault(
    "NUMBA_CACHE_DIR",
    os.path.join(platformdirs.user_cache_dir("tonearm"), f"kernels-{__version__}"),  # noqa: PTH118
)

if TYPE_CHECKING:
    from tonearm.mastering.chain import Chain as Chain
    from tonearm.model.fingerprint import Fingerprint as Fingerprint
    from tonearm.model.measures import TrackMeasures as TrackMeasures
    from tonearm.model.plan import MasteringPlan as MasteringPlan
    from tonearm.rendering.fingerprint import fingerprint as fingerprint
    from tonearm.rendering.offline import master_file as master

_HOMES = {
    "Chain": ("tonearm.mastering.chain", "Chain"),
    "Fingerprint": ("tonearm.model.fingerprint", "Fingerprint"),
    "MasteringPlan": ("tonearm.model.plan", "MasteringPlan"),
    "TrackMeasures": ("tonearm.model.measures", "TrackMeasures"),
    "fingerprint": ("tonearm.rendering.fingerprint", "fingerprint"),
    "master": ("tonearm.rendering.offline", "master_file"),
}

__all__ = ["Chain", "Fingerprint", "MasteringPlan", "TrackMeasures", "fingerprint", "master"]


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use (PEP 562)."""
    try:
        module, attribute = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'tonearm' has no attribute {name!r}") from None
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
