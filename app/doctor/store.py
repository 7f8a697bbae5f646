"""The store on its disk: its folder, what file system it is on, whether that keeps what it is told, and the keyring."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from app.doctor.findings import Finding, fault, fine, left_out, warning
from app.readiness import check_room
from app.settings import PREFIX, Settings
from core.errors import OutOfRoom, Refused, Unavailable, VaultError
from keys import Destruction, KeyStore, Root

_NETWORKED = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph"})
_FLEETING = frozenset({"tmpfs", "ramfs", "overlay"})
_SNAPSHOTS = frozenset({"btrfs", "zfs", "bcachefs"})
_DESTRUCTION = {
    Destruction.IMMEDIATE: "A root key that is replaced can be destroyed at once, as far as the registered places go.",
    Destruction.DELAYED: "A root key that is replaced is gone only after a waiting time; certificates name its end.",
    Destruction.NONE: "Nobody has said when copies of a root key that is replaced are gone, so it is never claimed.",
}
_MOUNT_POINT, _TYPE = 4, 0


def folder(read: Settings) -> Iterator[Finding]:
    """The folder, and what it lies on."""
    if not read.store.is_dir():
        yield fault("store", "There is no store here yet.", "Make it with `vig-vault init`, or mount its disk.")
        return
    facts = read.store.stat()
    if stat.S_IMODE(facts.st_mode) & 0o077:
        yield fault("store", "Others can look into the store's folder.", f"chmod 700 {read.store}")
    elif not os.access(read.store, os.W_OK | os.X_OK):
        yield fault("store", "This program may not write there.", "Make its user the folder's owner.")
    else:
        yield fine("store", "The store's folder is there, and is its owner's alone.")
    kind = filesystem(read.store)
    if kind in _FLEETING:
        yield warning("file_system", f"The store lies on {kind}, which may not outlive a restart.", "Use a real disk.")
    elif kind in _NETWORKED:
        yield warning("file_system", f"The store lies on {kind}.", "SQLite needs a local disk; use PostgreSQL.")
    else:
        yield fine("file_system", f"The store lies on {kind or 'a file system without a name'}.")
    yield from room(read.store)
    yield from _sync(read.store)


def keyring(read: Settings, *, store: KeyStore, root: Root | None) -> Iterator[Finding]:
    """The places of the keyring; opens it in this process's memory where its root is given."""
    yield from _apart(read)
    files = {}
    for number, place in enumerate(read.places):
        name = "keyring" if number == 0 else "recovery_place"
        try:
            files[place] = store.keyring.file_at(place)
        except VaultError as error:
            yield fault(name, f"{error.sentence} ({error.code})", f"Mount or mend {place}.")
            continue
        if stat.S_IMODE(place.stat().st_mode) & 0o077:
            yield warning(name, "Others can look into its folder.", f"chmod 700 {place}")
        elif (kind := filesystem(place)) in _SNAPSHOTS:
            yield warning(name, f"It lies on {kind}.", "Make sure that no snapshot keeps an old keyring.")
        else:
            yield fine(name, "The keyring is there, and its owner alone reads it.")
    if len(files) < len(read.places):
        return
    if len({(file.store, file.sequence) for file in files.values()}) > 1:
        advice = "If a roll is under way, look again; else start the service, which writes both."
        yield fault("keyring_places", "The places hold different keyrings.", advice)
    else:
        yield fine("keyring_places", "All places hold the same keyring.")
    yield from _root(store, root=root)


def filesystem(path: Path) -> str:
    """What kind of file system a folder lies on, as the kernel names it; empty where it can't be said."""
    best, kind = "", ""
    real = str(path.resolve())
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split()[_MOUNT_POINT].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split()[_TYPE]
    return kind


def room(path: Path, *, name: str = "room") -> Iterator[Finding]:
    """What is free on a disk."""
    facts = os.statvfs(path)
    free, size = facts.f_bavail * facts.f_frsize, facts.f_blocks * facts.f_frsize
    said = f"{free // 2**20} MiB of {size // 2**20} MiB are free."
    try:
        check_room(path)
    except OutOfRoom:
        yield fault(name, said, "Make room: nothing more is taken.")
    except Unavailable as error:
        yield fault(name, error.sentence, "Look at the disk and how it is mounted.")
    else:
        if free * 10 < size:
            yield warning(name, said, "Less than a tenth: make room before films need it.")
        else:
            yield fine(name, said)


def _sync(path: Path) -> Iterator[Finding]:
    """Write to a file that has no name, so that nothing is changed."""
    try:
        handle = os.open(path, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError:
        yield left_out("sync", "Writing through to the disk couldn't be tried here.")
        return
    try:
        os.write(handle, b"\0")
        os.fsync(handle)
        root = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(root)
        finally:
            os.close(root)
    except OSError:
        yield fault("sync", "The disk doesn't write through.", "Replace it; nothing new is taken until then.")
    else:
        yield fine("sync", "The disk writes through when it is told to.")
    finally:
        os.close(handle)


def _apart(read: Settings) -> Iterator[Finding]:
    live, *others = read.places
    named = [("recovery_apart", place, "RECOVERY_PLACE") for place in others]
    for name, path, setting in [*named, ("witness_apart", read.witness, "WITNESS")]:
        if path is None:
            advice = f"Set {PREFIX}{setting}, on another disk and in other hands."
            yield warning(name, "There is no witness: an old backup can't be told from the store.", advice)
            continue
        there = path if path.exists() else path.parent
        if path.resolve().is_relative_to(read.store.resolve()):
            yield warning(name, "It lies in the store.", f"Set {PREFIX}{setting} to another disk.")
        elif there.exists() and live.exists() and there.stat().st_dev == live.stat().st_dev:
            yield warning(name, "It lies on the store's own disk.", f"Set {PREFIX}{setting} to another disk.")
        else:
            yield fine(name, "It lies on another disk than the store.")


def _root(store: KeyStore, *, root: Root | None) -> Iterator[Finding]:
    if root is None:
        yield left_out("root", "No passphrase was given, so the keyring wasn't opened.")
        return
    try:
        store.keyring.unseal(root)
        for place in store.keyring.places:
            store.keyring.capsule_at(place)
    except Refused as error:
        yield fault("root", f"{error.sentence} ({error.code})", "Find the right one; nothing was changed.")
    except Unavailable as error:
        yield fault("root", f"{error.sentence} ({error.code})", "Look at the token, or at the key service.")
    except VaultError as error:
        yield fault("root", f"{error.sentence} ({error.code})", "Bring back the place that still opens.")
    else:
        yield fine("root", f"The root {root.uri} opens the keyring at every place.")
        yield _destroys(root)


def _destroys(root: Root) -> Finding:
    """How soon a root key can be destroyed; that it doesn't leave its place was looked at when it was opened."""
    words = _DESTRUCTION[root.destruction]
    if root.destruction is Destruction.NONE:
        advice = "Say with snapshots-kept-days how long the key service's snapshots and backups are kept."
        return warning("root_destruction", words, advice)
    return fine("root_destruction", words)
