"""Where the sealed objects lie: whether that place answers and is ours, and what it does that it shouldn't."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import vault
from app.doctor.findings import Finding, fault, fine, left_out, warning
from app.doctor.store import room
from app.settings import PREFIX, Settings
from core.db import Database
from core.errors import Unavailable
from vault import NOT_OURS, Address, Peek, Scheme

_CLOUDS = ("AWS_", "AZURE_", "GOOGLE_")
_SECRETS = ("SECRET", "KEY", "TOKEN", "SAS", "PASSWORD")
_WAYS = ("ENDPOINT", "ALLOW_HTTP", "ALLOW_INVALID_CERTIFICATES", "PROXY_URL")


def credentials(read: Settings, *, environment: Mapping[str, str]) -> Iterator[Finding]:
    """What the libraries for buckets would take from the environment, beside the settings."""
    if not _is_elsewhere(read):
        return
    ours = sorted(name for name in environment if name.startswith(_CLOUDS) and environment[name])
    secrets = [name for name in ours if any(word in name for word in _SECRETS) and not name.endswith("_FILE")]
    ways = [name for name in ours if any(word in name for word in _WAYS)]
    if secrets:
        advice = f"Put them into a file of mode 0600, set {PREFIX}OBJECTS_CREDENTIALS, and unset {', '.join(secrets)}."
        yield warning("objects_environment", "Credentials of a store lie in the environment.", advice)
    elif ways:
        advice = f"Unset {', '.join(ways)}; say it in {PREFIX}OBJECTS."
        yield warning("objects_environment", "The environment says where a store is, or how it is asked.", advice)
    else:
        yield fine("objects_environment", "The environment holds no credentials of a store.")


def place(read: Settings, *, db: Database, is_online: bool) -> Iterator[Finding]:
    """The place that is set: reachable, known again by its mark, without former versions; and the local spool."""
    if _is_elsewhere(read):
        spool = read.objects_spool or read.store / "spool"
        yield from room(next(folder for folder in (spool, *spool.parents) if folder.exists()), name="spool")
        if not is_online:
            yield left_out("objects", "The store of the objects wasn't asked.")
            return
    first = vault.peek(Address.parsed(read.objects_address), credentials=read.objects_credentials)
    also = None
    if read.objects_also:
        also = vault.peek(Address.parsed(read.objects_also), credentials=read.objects_also_credentials)
    try:
        mark = vault.seen_in(db, first=first.has, also=None if also is None else also.has)
        if mark is None:
            yield fine("objects", "No process has used a place for objects yet: the first one marks it.")
            return
        yield fine("objects", "The objects' place answers and is the right one.")
        yield from _versions(first, mark) if _is_elsewhere(read) else ()
    except Unavailable as error:
        advice = f"Look at {PREFIX}OBJECTS, and whether its disk is mounted."
        if error.code not in NOT_OURS:
            advice = "Look at its server, the network and the credentials. Pages go on meanwhile; film doesn't."
        yield fault("objects", f"{error.sentence} ({error.code})", advice)


def _versions(found: Peek, mark: str) -> Iterator[Finding]:
    """As far as an object of ours shows it; the bucket's own settings can't be read with the rights that we need."""
    keeps = found.keeps_versions(mark)
    if keeps is None:
        yield left_out("objects_versions", "Google doesn't show whether former versions are kept.")
    elif keeps:
        advice = "Switch versioning off and remove former versions: what was destroyed still lies there, as noise."
        yield warning("objects_versions", "The bucket keeps former versions of objects.", advice)
    else:
        yield fine("objects_versions", "Our mark there shows no versions.")


def _is_elsewhere(read: Settings) -> bool:
    places = [read.objects_address, *([read.objects_also] if read.objects_also else [])]
    return any(Address.parsed(one).scheme is not Scheme.FOLDER for one in places)
