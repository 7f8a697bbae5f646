"""A blurred version that a later one took the place of: its film goes two weeks after, unless a hold keeps it."""

from __future__ import annotations

from datetime import timedelta

import pytest

import retention
import vault
from core.db import Database
from core.errors import NotFound
from core.ids import ObjectId, RenditionId
from keys import JobCapability
from retention import HoldScope
from tests.fakes import HandClock
from tests.redaction.faces import add_redacted
from tests.vault.cinema import Cinema
from tests.vault.conftest import cinema, family, store, visit
from vault.models import ObjectRow, ObjectState, RenditionRow

__all__ = ["cinema", "family", "store", "visit"]
SCHEDULE = retention.load()


@pytest.fixture
def versions(cinema: Cinema, clock: HandClock) -> tuple[RenditionId, RenditionId]:
    """A version, and the later one."""
    first, second = (
        add_redacted(cinema.db, cinema.keystore, cinema.store, cinema.family, cinema.clip, content=content)
        for content in (b"the first version", b"the second version")
    )
    clock.move(timedelta(days=13))
    return first, second


def erase(cinema: Cinema) -> int:
    return retention.erase_replaced(cinema.db, keystore=cinema.keystore, store=cinema.store, schedule=SCHEDULE)


def film_of(db: Database, rendition_id: RenditionId) -> ObjectRow:
    with db.read() as session:
        return session.get_one(ObjectRow, session.get_one(RenditionRow, rendition_id).object_id)


def opens(cinema: Cinema, row: ObjectRow) -> bool:
    use = JobCapability("test", cinema.family.case_id)
    try:
        cinema.keystore.object_key(ObjectId(row.id), capability=use)
    except NotFound:
        return False
    return True


def test_a_replaced_version_goes_after_two_weeks_and_the_one_in_use_never(
    cinema: Cinema, db: Database, clock: HandClock, versions: tuple[RenditionId, ...]
) -> None:
    store = cinema.store
    former, latest = (film_of(db, one) for one in versions)
    assert erase(cinema) == 0
    clock.move(timedelta(days=2))
    assert erase(cinema) == 1
    assert erase(cinema) == 0
    assert film_of(db, versions[0]).state is ObjectState.DESTROYED
    assert (opens(cinema, former), store.size(former.id)) == (False, None)
    assert opens(cinema, latest)
    assert opens(cinema, film_of(db, cinema.clip.rendition_id))
    with db.read() as session:
        row = session.get_one(RenditionRow, versions[0])
        assert row.content_hash == former.plain_sha256
        assert former.id in {one.id for one in vault.objects_of(session, cinema.clip.clip_id)}
        record = vault.record_for_disposal(session, cinema.clip.clip_id)
        assert record
        assert former.id not in {one.id for one in record.objects}
    (told,) = cinema.events("record.destroyed")
    assert (told.object_id, told.details["sha256"]) == (versions[0], row.content_hash)
    assert vault.fsck(db, keystore=cinema.keystore, store=store).findings == ()


def test_a_hold_keeps_a_replaced_version_and_what_was_begun_is_ended(
    cinema: Cinema, db: Database, clock: HandClock, versions: tuple[RenditionId, ...]
) -> None:
    clock.move(timedelta(days=2))
    officer = cinema.family.staff.officer.actor
    hold = retention.place_hold(
        db,
        keystore=cinema.keystore,
        actor=officer,
        scope=HoldScope.PERSON,
        subject=cinema.family.mother.id,
        reason="A complaint",
    )
    assert hold
    assert erase(cinema) == 0
    assert opens(cinema, film_of(db, versions[0]))
    with db.begin() as session:  # as a worker left it that had begun before the hold, and died
        vault.begin_erasing(session, versions[0], at=clock.now())
    assert erase(cinema) == 1
    assert not opens(cinema, film_of(db, versions[0]))


def test_a_replaced_version_whose_clip_is_on_its_way_out_goes_with_the_clip(
    cinema: Cinema, db: Database, clock: HandClock, versions: tuple[RenditionId, ...]
) -> None:
    clock.move(timedelta(days=2))
    with db.begin() as session:
        vault.begin_erasing(session, versions[0], at=clock.now())
        vault.begin_destroying(session, cinema.clip.clip_id, at=clock.now())
        assert film_of(db, versions[0]).id in vault.keys_of(session, cinema.clip.clip_id)
    assert erase(cinema) == 0
    assert cinema.events("record.destroyed") == []
