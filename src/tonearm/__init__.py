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
    from tonearm.audio.decode import Decoder as Decoder
    from tonearm.mastering.adaptive import AdaptiveMode as AdaptiveMode
    from tonearm.mastering.chain import Chain as Chain
    from tonearm.model.errors import TonearmError as TonearmError
    from tonearm.model.fingerprint import Fingerprint as Fingerprint
    from tonearm.model.measures import TrackMeasures as TrackMeasures
    from tonearm.model.plan import MasteringPlan as MasteringPlan
    from tonearm.model.plan import Preset as Preset
    from tonearm.model.plan import Target as Target
    from tonearm.rendering.fingerprint import fingerprint as fingerprint
    from tonearm.rendering.folder import master_files as master_files
    from tonearm.rendering.offline import Order as Order
    from tonearm.rendering.offline import master_file as master

_HOMES = {
    "AdaptiveMode": ("tonearm.mastering.adaptive", "AdaptiveMode"),
    "Chain": ("tonearm.mastering.chain", "Chain"),
    "Decoder": ("tonearm.audio.decode", "Decoder"),
    "Fingerprint": ("tonearm.model.fingerprint", "Fingerprint"),
    "MasteringPlan": ("tonearm.model.plan", "MasteringPlan"),
    "Order": ("tonearm.rendering.offline", "Order"),
    "Preset": ("tonearm.model.plan", "Preset"),
    "Target": ("tonearm.model.plan", "Target"),
    "TonearmError": ("tonearm.model.errors", "TonearmError"),
    "TrackMeasures": ("tonearm.model.measures", "TrackMeasures"),
    "fingerprint": ("tonearm.rendering.fingerprint", "fingerprint"),
    "master": ("tonearm.rendering.offline", "master_file"),
    "master_files": ("tonearm.rendering.folder", "master_files"),
}

__all__ = [
    "AdaptiveMode",
    "Chain",
    "Decoder",
    "Fingerprint",
    "MasteringPlan",
    "Order",
    "Preset",
    "Target",
    "TonearmError",
    "TrackMeasures",
    "fingerprint",
    "master",
    "master_files",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use (PEP 562)."""
    try:
        module, attribute = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'tonearm' has no attribute {name!r}") from None
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
