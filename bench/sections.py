"""Who takes part in what."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bench import decoding, fingerprint, lookup, mastering, scanning
from bench.contender import Contender

SECTIONS: Final[Mapping[str, Sequence[Contender]]] = MappingProxyType(
    {
        "fingerprint": fingerprint.CONTENDERS,
        "decoding": decoding.CONTENDERS,
        "mastering": mastering.CONTENDERS,
        "lookup": lookup.CONTENDERS,
        "scan": scanning.CONTENDERS,
    }
)
