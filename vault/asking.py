"""Asking a bucket or container of ``obstore``'s, and what its errors are called here.

What ``obstore`` says of an error stays here, since it may quote an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import AzureStore, GCSStore, S3Store

from core.errors import VaultError
from core.ids import well_formed
from vault import errors
from vault.objects import Part

_PAST_THE_END = ("status code: 416", "Wanted range")
_FULL = ("status code: 507", "QuotaExceeded", "InsufficientStorage", "InsufficientCapacity", "EntityTooLarge")
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted", "bucket does not exist")
_DENIED = (PermissionDeniedError, UnauthenticatedError)
ERRORS = (BaseError, OSError, ValueError)

Remote = S3Store | AzureStore | GCSStore


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a store may take.

    Attributes:
        connect: to take a connection.
        answer: to answer one request whole.
        retries: how often a request is made again that failed in a way that may pass.
        retrying: after how long none is made again.
    """

    connect: timedelta = timedelta(seconds=5)
    answer: timedelta = timedelta(seconds=30)
    retries: int = 4
    retrying: timedelta = timedelta(seconds=20)

    def client(self) -> dict[str, Any]:
        """As ``obstore`` takes it."""
        return {"connect_timeout": self.connect, "timeout": self.answer}

    def retry(self) -> dict[str, Any]:
        """As ``obstore`` takes it."""
        backoff = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=3), "base": 2}
        return {"max_retries": self.retries, "retry_timeout": self.retrying, "backoff": backoff}


def size_in(remote: Remote, name: str) -> int | None:
    """Length in bytes; nothing where there is no such object, and the bucket says so."""
    try:
        return int(obstore.head(remote, checked(name))["size"])
    except FileNotFoundError:
        see_bucket(remote)
        return None
    except ERRORS as error:
        raise ours(error) from None


def range_of(remote: Remote, name: str, *, start: int, length: int) -> bytes:
    """A range of an object; shorter where the object ends."""
    return part_of(remote, name, start=start, length=length).content if length > 0 else b""


def part_of(remote: Remote, name: str, *, start: int, length: int) -> Part:
    """A range of an object, at least a byte, and the object's length: both of one answer."""
    try:
        found = obstore.get(remote, checked(name), options={"range": (start, start + length)})
        return Part(bytes(found.bytes()), int(found.meta["size"]))
    except FileNotFoundError as error:
        raise (errors.store_unavailable() if _says(error, _NO_BUCKET) else errors.object_missing()) from None
    except ERRORS as error:
        refusal = ours(error)
        past = _says(error, _PAST_THE_END)
    size = size_in(remote, name) if past else None
    if size is not None and start >= size:
        return Part(b"", size)
    raise refusal


def keeps_versions(remote: Remote, name: str) -> bool | None:
    """Whether an object has a version of its own, as where former ones are kept; nothing where that can't be told."""
    if isinstance(remote, GCSStore):  # there each object has a generation, kept or not
        return None
    try:
        return obstore.head(remote, checked(name))["version"] not in {None, "null"}
    except ERRORS as error:
        raise ours(error) from None


def see_bucket(remote: Remote) -> None:
    """Tell an object that isn't there from a bucket that isn't."""
    try:
        next(iter(obstore.list(remote, chunk_size=1)), None)
    except ERRORS as error:
        raise ours(error) from None


def checked(name: str) -> str:
    """A name, if it is one of an object."""
    if not well_formed(name):
        raise errors.bad_object_name()
    return name


def ours(error: Exception) -> VaultError:
    """The same error without the words of another program."""
    if isinstance(error, _DENIED):
        return errors.store_denied()
    return errors.store_full() if _says(error, _FULL) else errors.store_unavailable()


def _says(error: Exception, words: tuple[str, ...]) -> bool:
    text = str(error)
    return any(word in text for word in words)
