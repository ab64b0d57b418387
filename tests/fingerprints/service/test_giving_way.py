"""A thread that is nicer than its process, for one piece of work."""

import os
import sys

import pytest

from tonearm.fingerprints.service.giving_way import NICENESS, giving_way
from tonearm.model.errors import NotEnoughAudio

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness for each thread")


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def test_the_work_is_nicer_and_the_caller_is_not() -> None:
    before = _niceness()
    assert giving_way(_niceness) == min(19, before + NICENESS)
    assert _niceness() == before


def test_every_piece_of_work_begins_anew() -> None:
    assert giving_way(_niceness) == giving_way(_niceness)


def test_what_goes_wrong_is_told_as_it_is() -> None:
    def fail() -> None:
        raise NotEnoughAudio("a tenth of a second")

    with pytest.raises(NotEnoughAudio, match="a tenth"):
        giving_way(fail)
