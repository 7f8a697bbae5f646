"""One process between its start and its end, with a root that is away, wrong, or another than before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app import host as hosting
from app import unsealing
from app.host import Host
from app.main import create_app
from app.service import Service
from audit.models import AuditEntryRow
from core.errors import Refused, Unavailable
from core.secret import Secret
from keys import LocalRoot, PlaceKind
from keys.models import PlaceRow
from keys.roots import OpenRoot, RootRecord, unreachable
from tests.app.browser import PROGRAM, Browser
from tests.app.keyshop import PASSPHRASE, QUICK, Shop

PATIENCE_SECONDS = 30
AWAY = "The token is in a drawer."


class AwayFor(LocalRoot):
    """A root that can't be reached at first."""

    def __init__(self, times: int) -> None:
        super().__init__(Secret(PASSPHRASE), cost=QUICK)
        self.left = times

    def open(self, record: RootRecord) -> OpenRoot:  # type: ignore[override]  # it opens what its parent does
        self.left -= 1
        if self.left >= 0:
            raise unreachable(AWAY)
        return super().open(record)


class Begun:
    """What a process does once it has a service."""

    def __init__(self) -> None:
        self.services: list[Service] = []

    def __call__(self, service: Service) -> None:
        self.services.append(service)


@pytest.fixture
def begun() -> Begun:
    return Begun()


@pytest.fixture
def host(shop: Shop, begun: Begun) -> Iterator[Host]:
    host = Host(shop.settings, name="serve", begin=begun)
    yield host
    host.end()


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def tell(shop: Shop, passphrase: str) -> unsealing.Told:
    (told,) = unsealing.ask_all(shop.settings.store / unsealing.FOLDER, secret=Secret(passphrase))
    return told


def test_a_root_that_is_away_keeps_it_sealed_until_it_is_back(
    host: Host, begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "TRIES_AGAIN", timedelta(milliseconds=20))
    root = AwayFor(3)
    host.start(root)
    assert begun.services == []
    until(lambda: not host.is_sealed())
    assert len(begun.services) == 1
    assert root.left == -1


def test_a_wrong_root_ends_the_start(host: Host, begun: Begun) -> None:
    with pytest.raises(Refused, match="wrong_root"):
        host.start(LocalRoot(Secret("incorrect horse battery")))
    assert (host.is_sealed(), begun.services) == (True, [])


def test_what_may_not_be_served_is_not_unsealed_either(shop: Shop) -> None:
    def begin(_service: Service) -> None:
        raise Unavailable("quarantined", "It may be an old backup.")

    host = Host(shop.settings, name="serve", begin=begin)
    host.start(None)
    told = tell(shop, PASSPHRASE)
    assert (told.is_sealed, told.code, host.is_sealed()) == (True, "quarantined", True)
    host.end()


def test_a_process_is_unsealed_once_and_again_under_another_root(host: Host, begun: Begun, shop: Shop) -> None:
    host.start(None)
    for _ in range(2):
        assert not tell(shop, PASSPHRASE).is_sealed
    (service,) = begun.services
    with shop.opened() as other:
        other.keystore.change_root(LocalRoot(Secret("another battery altogether"), cost=QUICK))
    assert tell(shop, PASSPHRASE).code == "wrong_root"
    until(lambda: tell(shop, "another battery altogether").code == "")
    assert not host.is_sealed()
    service.keystore.back_up()
    assert len(begun.services) == 1, "it goes on with the same service"
    with service.db.read() as session:
        assert list(session.scalars(select(AuditEntryRow.event))).count("store.unsealed") == 2


def test_readiness_tells_of_a_copy_that_is_overdue_and_goes_on(shop: Shop) -> None:
    with shop.opened() as service:
        before = service.db.clock.now() - timedelta(minutes=31)
        answer = Browser(create_app(service)).get("/readyz", headers=PROGRAM).json()
        assert (answer["ready"], "alarms" in answer) == (True, False)
        with service.keystore.db.begin() as session:
            session.execute(update(PlaceRow).where(PlaceRow.kind == PlaceKind.RECOVERY).values(copied_at=before))
        answer = Browser(create_app(service)).get("/readyz", headers=PROGRAM).json()
        assert answer == {"ready": True, "failing": {}, "alarms": {"key_copy": "key_copy_overdue"}}
