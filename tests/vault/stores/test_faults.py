"""Stores elsewhere on a bad day: gone, slow, failing, full, closed to us. Nothing half-visible, nothing of a secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import Damaged, OutOfRoom, Unavailable, VaultError
from core.ids import new_id
from tests.vault.stores.conftest import REMOTE, address_of, credentials_of, port_of
from tests.vault.stores.door import Door
from tests.vault.stores.servers import AZURE_KEY, S3_CREDENTIALS
from tests.vault.stores.test_every_store import LARGE, noise, put
from vault import Address, ObjectStore
from vault.addresses import _read
from vault.asking import Patience
from vault.buckets import BucketStore
from vault.objects import Part
from vault.putting import PIECE_BYTES
from vault.remotes import remote

SHORT = Patience(connect=timedelta(seconds=0.5), answer=timedelta(seconds=1), retries=2, retrying=timedelta(seconds=1))

Opened = Callable[..., ObjectStore]


@pytest.fixture(params=REMOTE)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def door(kind: str, request: pytest.FixtureRequest) -> Iterator[Door]:
    with Door(port_of(kind, request)) as opened:
        yield opened


@pytest.fixture
def opened(kind: str, prefix: str, tmp_path: Path) -> Opened:
    def open_at(endpoint: str, *, patience: Patience = SHORT, change: tuple[str, str] = ("", "")) -> ObjectStore:
        file = credentials_of(kind, tmp_path, endpoint=endpoint)
        address = Address.parsed(address_of(kind, prefix=prefix, endpoint=endpoint).replace(*change))
        found = remote(address, _read(address.scheme, file), patience=patience)
        return BucketStore(found, spool=tmp_path / "spool")

    return open_at


@pytest.fixture
def store(opened: Opened, door: Door) -> ObjectStore:
    return opened(door.address)


def test_a_range_and_the_length_of_the_whole_are_one_request(store: ObjectStore, door: Door) -> None:
    name = put(store, b"0123456789")
    door.asked.clear()
    assert store.part(name, start=3, length=4) == Part(b"3456", 10)
    assert [verb for verb, _ in door.asked] == ["GET"]


def test_a_server_that_fails_now_and_then_is_asked_again_and_nobody_notices(store: ObjectStore, door: Door) -> None:
    failed: dict[tuple[str, str], int] = {}

    def once_each(verb: str, path: str) -> int | None:
        failed[verb, path] = failed.get((verb, path), 0) + 1
        return 503 if failed[verb, path] == 1 else None

    door.fault = once_each
    name = put(store, b"0123456789")
    assert store.read(name, start=2, length=3) == b"234"
    store.delete(name)
    assert store.size(name) is None
    assert max(failed.values()) > 1


def test_a_server_that_is_gone_says_so_in_bounded_time_and_what_was_put_is_there_when_it_comes_back(
    store: ObjectStore, door: Door
) -> None:
    name, begun = put(store, b"0123456789"), time.monotonic()
    door.shut.set()
    acts: list[Callable[[], object]] = [
        lambda: store.read(name, start=0, length=10),
        lambda: store.size(name),
        lambda: store.delete(name),
        lambda: list(store.names()),
        lambda: put(store, b"x"),
    ]
    for act in acts:
        with pytest.raises(Unavailable, match="store_unavailable"):
            act()
    assert time.monotonic() - begun < 60
    door.shut.clear()
    assert store.read(name, start=0, length=10) == b"0123456789"


def test_a_server_that_goes_in_the_middle_of_a_large_object_leaves_nothing_of_it(
    store: ObjectStore, door: Door
) -> None:
    name = new_id()
    with pytest.raises(Unavailable, match="store_unavailable"), store.writer(name) as writer:
        writer.write(noise(LARGE))
        door.shut.set()
        writer.write(bytes(2 * PIECE_BYTES))
        writer.commit()
    door.shut.clear()
    assert store.size(name) is None


def test_a_server_that_never_answers_is_given_up(store: ObjectStore, door: Door) -> None:
    name = put(store, b"x")
    door.slow.set()
    with pytest.raises(Unavailable, match="store_unavailable"):
        store.read(name, start=0, length=1)


def test_a_full_server_is_told_as_full(store: ObjectStore, door: Door) -> None:
    door.fault = lambda verb, _path: 507 if verb in {"PUT", "POST"} else None
    with pytest.raises(OutOfRoom, match="store_full"):
        put(store, b"x")
    with pytest.raises(OutOfRoom, match="store_full"):
        put(store, noise(LARGE))


@pytest.mark.parametrize("status", [401, 403])
def test_a_store_that_does_not_let_us_in_is_no_missing_film(store: ObjectStore, door: Door, status: int) -> None:
    name = put(store, b"x")
    door.fault = lambda _verb, _path: status
    for act in (lambda: store.read(name, start=0, length=1), lambda: store.size(name), lambda: put(store, b"y")):
        with pytest.raises(Unavailable, match="store_denied"):
            act()


def test_a_bucket_that_is_not_there_is_no_missing_film(opened: Opened, door: Door) -> None:
    store = opened(door.address, change=("://films/", "://other/"))
    for act in (lambda: store.size(new_id()), lambda: store.read(new_id(), start=0, length=1)):
        with pytest.raises(Unavailable, match=r"store_(unavailable|denied)"):
            act()


def test_a_request_whose_answer_was_lost_and_that_is_made_again_finds_its_own_object(
    store: ObjectStore, door: Door
) -> None:
    lost: list[str] = []

    def lose(verb: str, path: str) -> bool:
        first = verb == "PUT" and not lost
        lost.extend([path] if first else [])
        return first

    door.lose = lose
    name = put(store, b"only once")
    assert lost
    assert len([path for verb, path in door.asked if verb == "PUT"]) == 2
    assert store.read(name, start=0, length=100) == b"only once"


def test_no_secret_is_in_what_is_shown(opened: Opened, door: Door, tmp_path: Path) -> None:
    store = opened(door.address)
    secrets = (S3_CREDENTIALS["secret_access_key"], AZURE_KEY)
    door.fault = lambda _verb, _path: 400
    said = [repr(store), str(store)]
    for act in (lambda: store.size(new_id()), lambda: put(store, b"x")):
        with pytest.raises(VaultError) as told:
            act()
        said += [str(told.value), repr(told.value), told.value.sentence]
        assert told.value.__suppress_context__
    assert not [secret for secret in secrets for text in said if secret in text]


def test_what_is_missing_is_told_as_damage_only_where_the_bucket_answers(store: ObjectStore, door: Door) -> None:
    with pytest.raises(Damaged, match="object_missing"):
        store.read(new_id(), start=0, length=1)
