"""Which folders lie on another machine, as the kernel's table of mounts says."""

from pathlib import Path

import pytest

from tonearm.scanning.mounts import MOUNTS, is_remote

TABLE = b"""\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /mnt/nas rw,relatime shared:20 - nfs4 nas:/music rw,vers=4.2
41 22 0:36 / /mnt/My\\040Music rw,relatime - cifs //nas/music rw
42 40 8:2 / /mnt/nas/disk rw - ext4 /dev/sdb1 rw
43 22 0:40 / /media rw - ext4 /dev/sdc1 rw
44 22 0:41 / /media rw master:1 propagate_from:2 - fuse.sshfs me@there: rw
"""


@pytest.mark.parametrize(
    ("folder", "remote"),
    [
        ("/", False),
        ("/home/music", False),
        ("/mnt/nas", True),
        ("/mnt/nas/albums", True),
        ("/mnt/nas-copy", False),
        ("/mnt/My Music/x", True),
        ("/mnt/nas/disk/x", False),
        ("/media/x", True),
    ],
)
def test_the_nearest_mount_above_decides_and_the_last_of_two(folder: str, remote: bool) -> None:
    assert is_remote(Path(folder), TABLE) is remote


def test_a_table_that_says_nothing_makes_nothing_remote() -> None:
    assert not is_remote(Path("/music"), b"")
    assert not is_remote(Path("/music"), b"nonsense\n- - -\n")


@pytest.mark.skipif(not MOUNTS.exists(), reason="only Linux has this table")
def test_the_table_of_this_machine(tmp_path: Path) -> None:
    assert not is_remote(tmp_path, MOUNTS.read_bytes())
