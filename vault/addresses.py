"""Where objects lie, as an address: a folder, ``s3://bucket/prefix``, ``az://container/prefix``, ``gs://bucket/prefix``.

An address holds no secret. Options stand behind a question mark: ``endpoint`` (an address of one's own server),
``region`` (S3), ``account`` (Azure), ``ca`` (a file with the certificate of one's own authority). Credentials come from
a file that only its owner reads, or, where none is named, from the platform itself (the role of the machine).
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from core.errors import Invalid
from keys import read_private
from vault.disk import DiskStore, holds
from vault.objects import ObjectStore


class Scheme(StrEnum):
    """Whose store it is."""

    FOLDER = "file"
    S3 = "s3"
    AZURE = "az"
    GOOGLE = "gs"


_PEEKS_FOR = timedelta(seconds=8)
_OPTIONS: Mapping[Scheme, frozenset[str]] = {
    Scheme.FOLDER: frozenset(),
    Scheme.S3: frozenset({"endpoint", "region", "ca"}),
    Scheme.AZURE: frozenset({"endpoint", "account", "ca"}),
    Scheme.GOOGLE: frozenset({"endpoint", "ca"}),
}
_CREDENTIALS: Mapping[Scheme, frozenset[str]] = {
    Scheme.S3: frozenset({"access_key_id", "secret_access_key", "session_token"}),
    Scheme.AZURE: frozenset({"account_name", "account_key", "sas_token", "tenant_id", "client_id", "client_secret"}),
}


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address.

    Attributes:
        place: a folder's path, or a bucket's or container's name.
        prefix: what stands before every name; may be empty.
        options: what stood behind the question mark.
    """

    scheme: Scheme
    place: str
    prefix: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The place without its options, to be shown."""
        if self.scheme is Scheme.FOLDER:
            return self.place
        return f"{self.scheme}://{'/'.join(filter(None, (self.place, self.prefix)))}"

    @classmethod
    def parsed(cls, text: str) -> Address:
        """Read an address.

        Raises:
            Invalid: ``store_address``.
        """
        if "://" not in text:
            if not Path(text).is_absolute():
                raise _bad(why="a folder must be named from the root on")
            return cls(Scheme.FOLDER, text)
        try:
            parts = urlsplit(text)
            scheme, port = Scheme(parts.scheme), parts.port
        except ValueError:
            raise _bad(why="begin it with s3://, az:// or gs://, or name a folder") from None
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if scheme is Scheme.FOLDER or port is not None or not parts.hostname or parts.fragment:
            raise _bad(why="write it as in s3://bucket/prefix")
        if parts.username is not None or parts.password is not None:
            raise _bad(why="it must hold no credentials: name a file")
        if unknown := options.keys() - _OPTIONS[scheme]:
            raise _bad(why=f"it knows no option {min(unknown)}")
        _check_endpoint(options.get("endpoint"))
        return cls(scheme, parts.netloc, parts.path.strip("/"), options)


def open_store(address: Address, *, spool: Path, credentials: Path | None = None) -> ObjectStore:
    """Open a store. Nothing is asked of it yet.

    Args:
        address: where it is.
        spool: a folder of our own on a local disk, where the store is elsewhere (a folder has its own).
        credentials: a file of mode 0600: ``name = value`` lines, or Google's own JSON; else the platform's.

    Raises:
        Invalid: ``objects_extra_missing``, ``credentials_unreadable``.
        Refused: others may read the file.
        Unavailable: the file isn't there.
    """
    if address.scheme is Scheme.FOLDER:
        return DiskStore(Path(address.place))
    _, buckets, remotes = _extra()
    store: ObjectStore = buckets.BucketStore(remotes.remote(address, _read(address.scheme, credentials)), spool=spool)
    return store


@dataclass(frozen=True, slots=True)
class Peek:
    """A look into a place that may be a store: nothing is made, cleared or changed there or here.

    Attributes:
        has: whether it has an object; raises ``Unavailable`` where that can't be said just now.
        keeps_versions: whether it keeps former versions of an object that it has; nothing where that can't be told.
    """

    has: Callable[[str], bool]
    keeps_versions: Callable[[str], bool | None]


def peek(address: Address, *, credentials: Path | None = None) -> Peek:
    """Look into a place, with little patience.

    Raises:
        Invalid, Refused, Unavailable: as ``open_store``.
    """
    if address.scheme is Scheme.FOLDER:
        return Peek(lambda name: holds(Path(address.place), name), lambda _name: False)
    asking, _, remotes = _extra()
    patience = asking.Patience(answer=_PEEKS_FOR, retries=1, retrying=_PEEKS_FOR)
    remote = remotes.remote(address, _read(address.scheme, credentials), patience=patience)
    return Peek(lambda name: asking.size_in(remote, name) is not None, lambda name: asking.keeps_versions(remote, name))


def _extra() -> tuple[Any, Any, Any]:
    try:
        from vault import asking, buckets, remotes  # noqa: PLC0415 - their library is an extra
    except ImportError:
        raise Invalid(
            "objects_extra_missing", "To keep objects in a bucket, install the extra: pip install 'vig-vault[objects]'."
        ) from None
    return asking, buckets, remotes


def _read(scheme: Scheme, credentials: Path | None) -> Mapping[str, str]:
    """What a file says, by names that ``obstore`` knows."""
    if credentials is None:
        return {}
    try:
        text = read_private(credentials).decode()
        if scheme is Scheme.GOOGLE:
            json.loads(text)
            return {"service_account_key": text}
        lines = [line.partition("=") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    except ValueError:
        raise _unreadable(why="it can't be read as such a file") from None
    found = {name.strip(): value.strip() for name, _, value in lines}
    if not found or not found.keys() <= _CREDENTIALS[scheme]:
        raise _unreadable(why=f"it may have these lines: {', '.join(sorted(_CREDENTIALS[scheme]))}")
    return found


def _check_endpoint(endpoint: str | None) -> None:
    if endpoint is None:
        return
    parts = urlsplit(endpoint)
    if parts.username is not None or parts.password is not None:
        raise _bad(why="it must hold no credentials: name a file")
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not _is_loopback(parts.hostname or ""):
        raise _bad(why="an endpoint begins with https://; http:// only on this machine")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bad(*, why: str) -> Invalid:
    return Invalid("store_address", f"That is no address of an object store: {why}.")


def _unreadable(*, why: str) -> Invalid:
    return Invalid("credentials_unreadable", f"The file with the store's credentials can't be used: {why}.")
