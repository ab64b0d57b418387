"""The signature sees what changes in a file's head, tail, size and time."""

import hashlib
import os
from pathlib import Path

import pytest

from tonearm.audio.signature import file_signature
from tonearm.model.errors import FileMissing

KIB64 = 64 * 1024


@pytest.mark.parametrize("size", [0, 1, KIB64 - 1, KIB64, KIB64 + 1, 2 * KIB64, 2 * KIB64 + 1, 5 * KIB64])
def test_the_hash_is_of_head_and_tail(tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "a.flac").write_bytes(content)
    expected = content if size <= 2 * KIB64 else content[:KIB64] + content[-KIB64:]
    signature = file_signature(tmp_path / "a.flac")
    assert signature.content == hashlib.blake2b(expected, digest_size=16).hexdigest()
    assert (signature.size, signature.mtime_ns) == (size, (tmp_path / "a.flac").stat().st_mtime_ns)


def test_it_follows_the_content_and_the_time_not_the_name(tmp_path):
    (tmp_path / "a.flac").write_bytes(b"x" * 1000)
    os.utime(tmp_path / "a.flac", ns=(1, 1))
    first = file_signature(tmp_path / "a.flac")
    (tmp_path / "a.flac").rename(tmp_path / "b.flac")
    assert file_signature(tmp_path / "b.flac") == first
    os.utime(tmp_path / "b.flac", ns=(1, 2))
    assert file_signature(tmp_path / "b.flac").content == first.content
    assert file_signature(tmp_path / "b.flac") != first
    (tmp_path / "b.flac").write_bytes(b"x" * 999 + b"y")
    os.utime(tmp_path / "b.flac", ns=(1, 1))
    assert file_signature(tmp_path / "b.flac") != first


def _pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, _pipe, lambda path: path.symlink_to(path)])
def test_what_is_no_readable_file_is_missing(tmp_path, make):
    make(tmp_path / "a.flac")
    with pytest.raises(FileMissing, match=r"a\.flac"):
        file_signature(tmp_path / "a.flac")
