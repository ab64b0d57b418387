"""How the inner loops are compiled: without the GIL, cached on disk, and never with fastmath.

``fastmath`` lets results depend on where a vector loop ends, so that cutting a stream would
change the sound. A division by zero gives what it gives in numpy: to raise an error instead, a loop
would look at each number by itself. A kernel calls only kernels of its own file, for numba's cache does not
notice when a function of another file changes; ``lanes.py`` and ``logarithms.py`` are the exceptions, and
say what follows from it.
"""

import os
from collections.abc import Callable
from typing import TypeVar, cast

import numba
from numba.core import config

# numba reads NUMBA_CACHE_DIR when it is imported, which another library may have done before this
# package set it; without this the kernels would then be kept beside the package.
if not getattr(config, "CACHE_DIR", ""):
    config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # type: ignore[attr-defined]

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile ``function`` on its first call and keep the result in the user's cache."""
    return cast(F, numba.njit(nogil=True, cache=True, fastmath=False, error_model="numpy")(function))
