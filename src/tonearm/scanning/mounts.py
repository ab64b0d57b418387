"""Which folders lie on another machine: its changes are not told to this one's kernel.

Source: proc_pid_mountinfo(5).
"""

import os
import re
from pathlib import Path
from typing import Final

MOUNTS: Final = Path("/proc/self/mountinfo")

_REMOTE: Final = frozenset(
    {
        *("9p", "afs", "ceph", "cifs", "coda", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4"),
        *("prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"),
        *("fuse.davfs2", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)
_OCTAL: Final = re.compile(rb"\\([0-7]{3})")


def is_remote(folder: Path, mounts: bytes) -> bool:
    """Whether ``folder``, links resolved, lies on a network file system.

    Args:
        mounts: the contents of ``/proc/self/mountinfo``; later mounts lie over earlier ones.
    """
    path, best, kind = os.fsencode(folder), -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(b" - ")
        fields = before.split(b" ")
        if len(fields) < 5 or not after:
            continue
        point = _OCTAL.sub(lambda match: bytes([int(match.group(1), 8)]), fields[4]).rstrip(b"/")
        if (path == point or path.startswith(point + b"/")) and len(point) >= best:
            best, kind = len(point), os.fsdecode(after.split(b" ")[0])
    return kind in _REMOTE
