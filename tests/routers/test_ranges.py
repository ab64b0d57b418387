"""What a Range header asks for."""

import pytest

from tonearm.routers.ranges import RangeBeyondEndError, wanted_part

LENGTH = 1_000


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("", None),
        ("bytes=0-0", (0, 1)),
        ("bytes=0-", (0, 1_000)),
        ("bytes=10-19", (10, 20)),
        ("bytes=999-", (999, 1_000)),
        ("bytes=990-5000", (990, 1_000)),
        ("bytes=-1", (999, 1_000)),
        ("bytes=-5000", (0, 1_000)),
        # Not a single range of bytes: the whole is an answer to that.
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("bytes=9-3", None),
        ("bytes=a-b", None),
        ("frames=0-1", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_what_is_asked_for(header: str | None, part: tuple[int, int] | None) -> None:
    assert wanted_part(header, LENGTH) == part


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=99999-"])
def test_what_does_not_exist(header: str) -> None:
    with pytest.raises(RangeBeyondEndError):
        wanted_part(header, LENGTH)


def test_of_nothing_no_part_exists() -> None:
    with pytest.raises(RangeBeyondEndError):
        wanted_part("bytes=0-", 0)
