"""What was found on the disk, beside what the library knows."""

from collections.abc import Iterable, Iterator

from tonearm.library.values import KnownFile
from tonearm.scanning.walk import FoundFile


def side_by_side(
    found: Iterable[FoundFile], known: Iterable[KnownFile]
) -> Iterator[tuple[FoundFile | None, KnownFile | None]]:
    """Pair what was found with what is known by path; both come in the order of their paths."""
    rows = iter(known)
    row = next(rows, None)
    for file in found:
        while row is not None and row.path < file.path:
            yield None, row
            row = next(rows, None)
        if row is not None and row.path == file.path:
            yield file, row
            row = next(rows, None)
        else:
            yield file, None
    while row is not None:
        yield None, row
        row = next(rows, None)
