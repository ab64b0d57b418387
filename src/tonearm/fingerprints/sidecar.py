"""The ``.25d`` file: one analysis as JSON, named for the state of the file that was measured.

    {"format_version": 1, "algorithm_version": 2,
     "signature": {"size": ..., "mtime_ns": ..., "content": "..."},
     "fingerprint": {25 names}, "measures": {...}}

``measures.waveform`` is base64. These files make a rebuilt database instant.
"""

import base64
import binascii
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import structlog

from tonearm.model.errors import InvalidFingerprint
from tonearm.model.fingerprint import ALGORITHM_VERSION, Fingerprint
from tonearm.model.measures import Analysis, TrackMeasures
from tonearm.model.track import FileSignature

FORMAT_VERSION: Final = 1
SUFFIX: Final = ".25d"

_DAMAGE: Final = (OSError, ValueError, TypeError, KeyError, RecursionError, InvalidFingerprint)
"""What reading a file can raise that is cut off, overwritten or made to look like one."""

_TEMPORARY: Final = ".tmp"
_ABANDONED_S: Final = 60.0
"""Writing one takes milliseconds."""

log = structlog.get_logger()


class Sidecars:
    """The ``.25d`` files of one directory. All calls block.

    Args:
        directory: where the files are; made when the first one is stored.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, signature: FileSignature) -> Path:
        """Where the analysis of a file in that state is, or would be."""
        return self._directory / f"{signature}{SUFFIX}"

    def sweep(self) -> None:
        """Remove what a program left that was killed while it wrote; it may be called at any time.

        Only files whose writer is surely gone: another server may share the directory.
        """
        for left in self._directory.glob(f".*{_TEMPORARY}"):
            try:
                if time.time() - left.stat().st_mtime > _ABANDONED_S:
                    left.unlink()
            except OSError as error:
                log.warning("Unfinished .25d file not removed", file=left.name, reason=error.strerror)

    def load(self, signature: FileSignature) -> Analysis | None:
        """The analysis of a file in exactly that state; None if there is none that can be used.

        Another version, another signature and damage all count as none. Damage is logged.
        """
        path = self.path(signature)
        try:
            return _decode(path.read_bytes(), signature)
        except FileNotFoundError:
            return None
        except _DAMAGE as error:
            log.warning("Unusable .25d file", file=path.name, reason=f"{type(error).__name__}: {error}")
            return None

    def store(self, signature: FileSignature, analysis: Analysis) -> None:
        """Write the analysis to a temporary name and rename it, so that no one sees half of it.

        Raises:
            OSError: the disk is full, read-only or gone.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        number, temporary = tempfile.mkstemp(dir=self._directory, prefix=".", suffix=_TEMPORARY)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(_encode(signature, analysis))
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self.path(signature))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _encode(signature: FileSignature, analysis: Analysis) -> bytes:
    measures = asdict(analysis.measures)
    measures["waveform"] = base64.b64encode(analysis.measures.waveform).decode()
    document = {
        "format_version": FORMAT_VERSION,
        "algorithm_version": analysis.algorithm_version,
        "signature": asdict(signature),
        "fingerprint": analysis.fingerprint.as_mapping(),
        "measures": measures,
    }
    return json.dumps(document, allow_nan=False).encode()


def _decode(text: bytes, signature: FileSignature) -> Analysis | None:
    document = json.loads(text)
    versions = (document["format_version"], document["algorithm_version"])
    if versions != (FORMAT_VERSION, ALGORITHM_VERSION):
        log.debug("Other version of a .25d file", signature=str(signature), versions=versions)
        return None
    if document["signature"] != asdict(signature):
        log.debug("Other signature in a .25d file", signature=str(signature))
        return None
    fingerprint = {name: _number(document["fingerprint"][name]) for name in document["fingerprint"]}
    measures = {
        measure.name: _READERS[measure.type](document["measures"][measure.name])
        for measure in fields(TrackMeasures)
    }
    return Analysis(
        fingerprint=Fingerprint.from_mapping(fingerprint),
        measures=TrackMeasures(**measures),
        algorithm_version=ALGORITHM_VERSION,
    )


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"wanted a number, got {value!r:.40}")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"wanted a whole number, got {value!r:.40}")
    return value


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(f"wanted base64: {error}") from error


_READERS: Final[dict[Any, Callable[[Any], Any]]] = {
    int: _count,
    float: _number,
    tuple[int, ...]: lambda values: tuple(map(_count, values)),
    tuple[float, ...]: lambda values: tuple(map(_number, values)),
    bytes: _bytes,
}
"""How each type of measure is read from JSON."""
