"""The walk finds every file once, in order, and never leaves the roots."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tonearm.model.errors import OutsideLibrary
from tonearm.scanning.walk import Walk, audio_files, count_audio, folders_to_scan, is_below


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"music")


def walked(roots: list[Path], folders: list[Path] | None = None) -> list[str]:
    """What a walk finds, relative to the folder around the first root, in its order."""
    walk = Walk(roots, folders or roots)
    found = [file.path for start in walk.starts() for file in walk.below(start)]
    assert walk.unreadable == []
    return [os.path.relpath(os.fsdecode(path), roots[0].parent) for path in found]


def test_audio_of_any_case_is_found_and_nothing_else(tmp_path):
    root = tmp_path / "music"
    make(root, "a.FLAC", "b.Mp3", "c.txt", "d", "e.flac.part", "f.jpg", "deep/er/g.opus", "mp3x")
    (root / "folder.mp3").mkdir()
    make(root, "folder.mp3/h.wv")
    assert walked([root]) == ["music/a.FLAC", "music/b.Mp3", "music/deep/er/g.opus", "music/folder.mp3/h.wv"]


def test_hidden_files_and_what_devices_keep_are_left_out(tmp_path):
    root = tmp_path / "music"
    make(root, ".a.flac", ".hidden/b.flac", "@eaDir/c.mp3", "#recycle/d.mp3", "x/._e.flac", "f.flac")
    assert walked([root]) == ["music/f.flac"]


KEPT_BY_DEVICES = {b"@eaDir", b"#recycle", b"#snapshot", b"$RECYCLE.BIN", b"lost+found"}
NAMES = st.binary(min_size=1, max_size=6).filter(
    lambda name: not set(name) & {0, 47} and name.strip(b".") and name not in KEPT_BY_DEVICES
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=st.lists(st.lists(NAMES, min_size=1, max_size=3), max_size=12))
def test_files_come_in_the_order_of_the_bytes_of_their_paths(tmp_path_factory, paths):
    root = tmp_path_factory.mktemp("music")
    for parts in paths:
        folder = root.joinpath(*map(os.fsdecode, parts))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.flac").touch()
        folder.with_name(folder.name + "-.flac").touch()
    visible = [
        os.fsencode(path)
        for path in root.rglob("*.flac")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]
    walk = Walk([root], [root])
    found = [file.path for start in walk.starts() for file in walk.below(start)]
    assert found == sorted(visible)
    assert count_audio(os.fsencode(root)) == len(found)


def test_size_and_time_are_told(tmp_path):
    make(tmp_path, "a.flac")
    os.utime(tmp_path / "a.flac", ns=(5, 123_456_789))
    walk = Walk([tmp_path], [tmp_path])
    ((path, size, mtime_ns),) = [file for start in walk.starts() for file in walk.below(start)]
    assert (path, size, mtime_ns) == (os.fsencode(tmp_path / "a.flac"), 5, 123_456_789)


def test_links_inside_the_roots_lead_to_files_under_their_own_paths(tmp_path):
    music, more = tmp_path / "music", tmp_path / "more"
    make(music, "a/1.flac", "z/2.flac", ".store/3.flac", ".store/blob")
    make(more, "4.flac", "sub/5.flac")
    (music / "b").symlink_to(music / "z")
    (music / "c.flac").symlink_to(music / "a" / "1.flac")
    (music / "d.flac").symlink_to("../music/.store/3.flac")
    (music / "e.flac").symlink_to(music / ".store" / "blob")
    (music / "f").symlink_to(more / "sub")
    everything = ["more/4.flac", "more/sub/5.flac", "music/a/1.flac", "music/z/2.flac", "music/.store/3.flac"]
    assert walked([music, more]) == everything
    # Alone, the first root still finds what its links lead to, and all of that only once.
    assert sorted(walked([music, more], [music])) == sorted(everything[1:])
    assert walked([music, more], [music / "a"]) == ["music/a/1.flac"]


def test_links_out_of_the_roots_are_not_followed(tmp_path):
    root = tmp_path / "music"
    make(root, "1.flac")
    make(tmp_path, "music_private/2.flac", "secret/3.flac")
    (root / "folder").symlink_to(tmp_path / "secret")
    (root / "4.flac").symlink_to(tmp_path / "secret" / "3.flac")
    (root / "beside").symlink_to(tmp_path / "music_private")
    (root / "up").symlink_to("..")
    (root / "chain").symlink_to("folder")
    (root / "broken").symlink_to("nowhere")
    assert walked([root]) == ["music/1.flac"]


def test_links_in_circles_end(tmp_path):
    root = tmp_path / "music"
    make(root, "a/1.flac", ".h/2.flac")
    (root / "a" / "itself").symlink_to(root / "a")
    (root / "a" / "root").symlink_to(root)
    (root / "x").symlink_to(root / "y")
    (root / "y").symlink_to(root / "x")
    (root / "hidden").symlink_to(".h")
    (root / ".h" / "back").symlink_to("../.h")
    (root / ".h" / "up").symlink_to(root)
    assert walked([root]) == ["music/a/1.flac", "music/.h/2.flac"]


def test_folders_inside_each_other_are_walked_once(tmp_path):
    root = tmp_path / "music"
    make(root, "a/b/1.flac", "a/2.flac")
    folders = [root / "a" / "b", root / "a", root / "a"]
    assert walked([root], folders) == ["music/a/2.flac", "music/a/b/1.flac"]


def test_pipes_are_left_out(tmp_path):
    make(tmp_path / "music", "1.flac")
    os.mkfifo(tmp_path / "music" / "2.flac")
    assert walked([tmp_path / "music"]) == ["music/1.flac"]


def test_folders_may_lie_deeper_than_calls_can(tmp_path):
    folders = [tmp_path.joinpath(*["d"] * depth) for depth in range(1, 1_500)]
    for folder in folders:
        folder.mkdir()
    (folders[-1] / "1.flac").touch()
    try:
        assert [path.name for path in audio_files(tmp_path)] == ["1.flac"]
        assert count_audio(os.fsencode(tmp_path)) == 1
    finally:
        # Removed here, because what removes temporary folders calls itself for each level.
        (folders[-1] / "1.flac").unlink()
        for folder in reversed(folders):
            folder.rmdir()


def test_what_cannot_be_listed_is_told(tmp_path):
    walk = Walk([tmp_path / "gone"], [tmp_path / "gone"])
    assert [file for start in walk.starts() for file in walk.below(start)] == []
    assert [(folder, type(reason)) for folder, reason in walk.unreadable] == [
        (os.fsencode(tmp_path / "gone"), FileNotFoundError)
    ]


OUTSIDE = [
    *("/music_private", "/", "", "/music/..", "/music/../music_private/a", "/music/link", "/music/link/a"),
    *("/music/a\0b", "/music/\ud83d", "/music/loop/../.."),
]


@pytest.mark.parametrize("asked", OUTSIDE, ids=ascii)
def test_a_folder_outside_of_the_roots_is_refused(tmp_path, asked):
    (tmp_path / "music").mkdir()
    (tmp_path / "music_private").mkdir()
    (tmp_path / "music" / "link").symlink_to(tmp_path / "music_private")
    (tmp_path / "music" / "loop").symlink_to("loop")
    with pytest.raises(OutsideLibrary):
        folders_to_scan([tmp_path / "music"], [Path(f"{tmp_path}{asked}")])


def test_folders_inside_are_resolved_and_none_means_all_roots(tmp_path):
    (tmp_path / "real" / "a").mkdir(parents=True)
    (tmp_path / "music").symlink_to("real")
    roots = [tmp_path / "music"]
    assert folders_to_scan(roots, []) == (tmp_path / "real",)
    assert folders_to_scan(roots, [tmp_path / "music" / "a"]) == (tmp_path / "real" / "a",)
    assert folders_to_scan(roots, [tmp_path / "real" / "not there"]) == (tmp_path / "real" / "not there",)


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        *((b"/m", b"/m", True), (b"/m/a", b"/m", True), (b"/a", b"/", True), (b"/m/a", b"/m/", True)),
        *((b"/ma", b"/m", False), (b"/m", b"/m/a", False), (b"/m-", b"/m", False)),
    ],
)
def test_is_below(path, folder, expected):
    assert is_below(path, folder) is expected
