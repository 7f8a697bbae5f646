"""The worker's look at the keys every few seconds: next to nothing where nothing is new, and nothing is left untold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select

import keys
from app import keeping
from app.service import Service
from audit.models import AuditEntryRow
from core.secret import Secret
from keys import LocalRoot, PlaceKind
from tests.app.keyshop import QUICK, make_shop


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with make_shop(tmp_path / "shop").opened() as service:
        yield service


@contextmanager
def counted(*engines: Engine) -> Iterator[list[str]]:
    """What is asked of the databases; the beginning of a transaction isn't."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield asked
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def told(service: Service) -> list[str]:
    ours = AuditEntryRow.event.like("key_place.%") | AuditEntryRow.event.in_(("epoch.rolled", "root.rotated"))
    with service.db.read() as session:
        return list(session.scalars(select(AuditEntryRow.event).where(ours).order_by(AuditEntryRow.number)))


def test_a_look_where_nothing_is_new_costs_one_query(service: Service) -> None:
    look = keeping.finishing(service)
    look()
    with counted(service.db.engine, service.keystore.db.engine) as asked:
        look()
    assert len(asked) == 1, asked
    service.keystore.roll_epoch()
    with counted(service.db.engine, service.keystore.db.engine) as asked:
        look()
        busy = len(asked)
        look()
    assert len(asked) == busy + 1
    assert told(service) == ["epoch.rolled"]


def test_what_others_did_and_were_killed_before_telling_is_told_by_a_look_that_had_seen_all(service: Service) -> None:
    """Each is done without the step that tells it, as by a process that is killed in between."""
    look, keystore = keeping.finishing(service), service.keystore
    expected: list[str] = []
    look()
    for act, event_told in (
        (keystore.roll_epoch, "epoch.rolled"),
        (lambda: keystore.change_root(LocalRoot(Secret("another passphrase"), cost=QUICK)), "root.rotated"),
        (lambda: _lose(service), "key_place.lost"),
    ):
        act()
        look()
        look()
        expected.append(event_told)
        assert told(service) == expected


def test_the_first_look_of_a_process_goes_through_everything(service: Service) -> None:
    keeping.finishing(service)()
    _lose(service)
    keeping.finishing(service)()
    keeping.finishing(service)()
    assert told(service) == ["key_place.lost"]


def _lose(service: Service) -> None:
    place = next(one for one in service.keystore.status().places if one.kind is PlaceKind.RECOVERY)
    keys.lose(service.keystore.db, place_id=place.id)
