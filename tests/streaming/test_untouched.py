"""A file as it lies there: any part of it, and what happens when it changes under way."""

import os
from contextlib import aclosing
from pathlib import Path

import pytest

from tonearm.model.errors import DecodeError, FileMissing
from tonearm.streaming.untouched import UntouchedFile

DATA = bytes(range(256)) * 4_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "song.wv"
    file.write_bytes(DATA)
    return file


@pytest.mark.parametrize(("first", "end"), [(0, None), (0, 0), (7, 9), (262_143, 700_000), (1_023_999, None)])
async def test_any_part(path: Path, first: int, end: int | None) -> None:
    file = await UntouchedFile.look_at(path, "wv")
    assert (file.length, file.media_type) == (len(DATA), "audio/x-wavpack")
    assert b"".join([piece async for piece in file.pieces(first, end)]) == DATA[first:end]


async def test_another_state_has_another_name(path: Path) -> None:
    before, same = await UntouchedFile.look_at(path, "wv"), await UntouchedFile.look_at(path, "wv")
    path.write_bytes(DATA + b"more")
    after = await UntouchedFile.look_at(path, "unheard of")
    assert before.tag == same.tag != after.tag
    assert after.media_type == "application/octet-stream"


async def test_a_file_replaced_before_it_is_sent_is_not_taken_for_the_other(path: Path) -> None:
    file = await UntouchedFile.look_at(path, "wv")
    path.write_bytes(DATA + b"more")
    with pytest.raises(DecodeError):
        await anext(file.pieces())
    path.unlink()
    with pytest.raises(FileMissing):
        await anext(file.pieces())


async def test_a_file_that_becomes_shorter_breaks_off(path: Path) -> None:
    file = await UntouchedFile.look_at(path, "wv")
    async with aclosing(file.pieces()) as pieces:
        await anext(pieces)
        os.truncate(path, 300_000)
        with pytest.raises(DecodeError):
            async for _ in pieces:
                pass


async def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        await UntouchedFile.look_at(tmp_path, "wv")
