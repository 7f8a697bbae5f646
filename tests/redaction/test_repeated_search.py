"""Looking for people, given up or damaged at every step and asked for again: what was found before doesn't stay."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

import redaction
import retention
import vault
from core.db import Database
from core.errors import Invalid
from core.jobs import JobState
from media import launcher
from retention import HoldScope
from tests.faults.world import without_sandbox
from tests.redaction.chooser import Chooser
from tests.redaction.faces import two_people
from tests.vault.cinema import Cinema
from tests.vault.stopping import state_of, taken
from vault.models import ObjectKind, ObjectRow, ObjectState
from vault.redaction_models import DetectionsRow

FOUND = {launcher.Detect: two_people().to_bytes()}


class Searcher(Chooser):
    """A guider who has people looked for, by a sandbox in which one kind of job may fail."""

    fails: type[launcher.Job] | None = None

    def run(self, job: launcher.Job, **more: Any) -> launcher.Result:
        if type(job) is self.fails:
            raise Invalid("film_unreadable", "This film can't be read.")
        return without_sandbox(job, **more, outputs=FOUND)

    def searches(self, *, fails: type[launcher.Job] | None = None) -> JobState:
        self.fails, cinema = fails, self.cinema
        vault.look_for_people(cinema.db, actor=cinema.guider.actor, footage_id=self.footage_id)
        lease = taken(cinema.db, self.row().job_id)
        redaction.detect(cinema.db, keystore=cinema.keystore, store=cinema.store, lease=lease)
        return state_of(cinema.db, lease)

    def row(self) -> DetectionsRow:
        with self.cinema.db.read() as session:
            return session.get_one(DetectionsRow, self.footage_id)

    def lying(self) -> set[str]:
        """What searches wrote, and whose key may open it."""
        with self.cinema.db.read() as session:
            rows = session.scalars(
                select(ObjectRow).where(ObjectRow.kind.in_((ObjectKind.DETECTIONS, ObjectKind.FACES)))
            ).all()
        return {row.id for row in rows if row.state is not ObjectState.DESTROYED}

    def erases(self) -> int:
        cinema = self.cinema
        vault.tidy(cinema.db, keystore=cinema.keystore, store=cinema.store)
        return retention.erase_searches(cinema.db, keystore=cinema.keystore, store=cinema.store)


@pytest.fixture
def searcher(cinema: Cinema, monkeypatch: pytest.MonkeyPatch) -> Searcher:
    made = Searcher(cinema)
    monkeypatch.setattr(launcher, "run", made.run)
    return made


def test_what_a_search_found_that_was_given_up_goes_once_it_is_made_anew(searcher: Searcher, db: Database) -> None:
    cinema = searcher.cinema
    assert searcher.searches(fails=launcher.Detect) is JobState.PARKED
    assert searcher.lying() == set()
    assert searcher.searches(fails=launcher.Sheet) is JobState.PARKED
    first = searcher.row().object_id
    assert searcher.erases() == 0, "it is the latest there is"
    assert searcher.lying() == {first}
    assert searcher.searches(fails=launcher.Sheet) is JobState.PARKED
    second = searcher.row().object_id
    assert searcher.lying() == {first, second}
    assert searcher.erases() == 1
    assert searcher.lying() == {second}
    with db.begin() as session:  # damaged on the disk, and found to be
        session.get_one(ObjectRow, second).state = ObjectState.QUARANTINED
    assert searcher.searches() is JobState.DONE
    retention.place_hold(
        db,
        keystore=cinema.keystore,
        actor=cinema.family.staff.officer.actor,
        scope=HoldScope.PERSON,
        subject=cinema.family.mother.id,
        reason="A complaint",
    )
    assert searcher.erases() == 0
    with db.begin() as session:  # as a worker left it that had begun before the hold, and died
        vault.begin_erasing_search(session, vault.replaced_searches(session)[0].id, at=db.clock.now())
    assert (searcher.erases(), searcher.erases()) == (1, 0)
    row = searcher.row()
    assert searcher.lying() == {row.object_id, row.faces_id}
    assert cinema.store.size(first or "") is None
    assert cinema.store.size(second or "") is None
    assert len(searcher.looks().somebody) == 2
    assert {one.object_id for one in cinema.events("record.destroyed")} == {first, second}
    assert {one.object_id for one in cinema.events("destruction.begun")} == {first}
    report = vault.fsck(db, keystore=cinema.keystore, store=cinema.store)
    assert (report.findings, sum(report.leftovers.values())) == ((), 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_a_search_found_goes_with_its_footage_where_that_goes_first(searcher: Searcher, db: Database) -> None:
    searcher.searches(fails=launcher.Sheet)
    first = searcher.row().object_id
    searcher.searches()
    with db.begin() as session:
        (one,) = vault.replaced_searches(session)
        vault.begin_erasing_search(session, one.id, at=db.clock.now())
        vault.begin_destroying(session, searcher.footage_id, at=db.clock.now())
        assert first in vault.keys_of(session, searcher.footage_id)
    assert searcher.erases() == 0
