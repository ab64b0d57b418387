"""Who takes part in what."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bench import decoding, fingerprint, lookup, mastering, metering, scanning
from bench.contender import Contender

SECTIONS: Final[Mapping[str, Sequence[Contender]]] = MappingProxyType(
    {
        "fingerprint": fingerprint.CONTENDERS,
        "metering": metering.CONTENDERS,
        "decoding": decoding.CONTENDERS,
        "mastering": mastering.CONTENDERS,
        "lookup": lookup.CONTENDERS,
        "scan": scanning.CONTENDERS,
    }
)
