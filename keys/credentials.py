"""systemd's credentials, known apart from files that others may read.

From version 254 on, systemd gives a credential of a unit with ``User=`` the mode 0440: not for a group, but because an
access list (ACL) lets that one user read it, and its mask shows where a file without a list shows the group's rights.
Exactly this is taken: in the unit's own folder of credentials, in memory, owned by root or by us, a list that lets
nobody read but the owner and us, and nobody write.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path

FOLDER_VARIABLE = "CREDENTIALS_DIRECTORY"
ROOT = 0
_IN_MEMORY = frozenset({"ramfs", "tmpfs"})
_LIST = "system.posix_acl_access"
_VERSION = 2
_ENTRY = struct.Struct("<HHI")
_READ = 4
_DEVICE = 2


class _Tag(IntEnum):
    """Whom an entry of an access list is about (linux/posix_acl.h)."""

    OWNER = 1
    USER = 2
    GROUP = 4
    MASK = 16
    OTHERS = 32


def is_ours_alone(path: Path, descriptor: int, *, environment: Mapping[str, str]) -> bool:
    """Whether an open file is a credential of this unit that nobody else may read.

    Args:
        path: by which it was opened.
        descriptor: of the open file.
        environment: of this process, which systemd made.
    """
    folder = environment.get(FOLDER_VARIABLE, "")
    if not folder or path.parent != Path(folder):
        return False
    file, around = os.fstat(descriptor), Path(folder).lstat()
    owners = {ROOT, os.geteuid()}
    if not (stat.S_ISREG(file.st_mode) and stat.S_ISDIR(around.st_mode) and {file.st_uid, around.st_uid} <= owners):
        return False
    if stat.S_IMODE(file.st_mode) & ~0o440 or stat.S_IMODE(around.st_mode) & 0o022 or file.st_dev != around.st_dev:
        return False
    if file_system_of(file.st_dev) not in _IN_MEMORY:
        return False
    try:
        listed = os.getxattr(descriptor, _LIST)
    except OSError:
        return False
    return lets_only_read(listed, user=os.geteuid())


def lets_only_read(listed: bytes, *, user: int) -> bool:
    """Whether an access list, in the kernel's form, lets nobody but the owner and one user read, and nobody write."""
    if len(listed) < 4 or (len(listed) - 4) % _ENTRY.size or struct.unpack_from("<I", listed)[0] != _VERSION:  # noqa: PLR2004 - its head
        return False
    for tag, rights, who in _ENTRY.iter_unpack(listed[4:]):
        may = tag in {_Tag.OWNER, _Tag.MASK} or (tag == _Tag.USER and who == user)
        known = tag in set(_Tag)
        if not known or rights & ~_READ or (rights and not may):
            return False
    return True


def file_system_of(device: int) -> str:
    """The kind of the file system that is mounted as this device; empty where it can't be said."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    kinds = {line.partition(" - ")[2].split()[0] for line in lines if line.split()[_DEVICE] == wanted}
    return kinds.pop() if len(kinds) == 1 else ""
