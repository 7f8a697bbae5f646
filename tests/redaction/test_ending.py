"""What redaction made goes when the film goes: nothing of it outlives the footage or the clip that it belongs to."""

from __future__ import annotations

from datetime import timedelta

import pytest

import vault
from app.blur_words import told
from core import jobs
from core.db import Database
from core.errors import NotFound, VaultError
from core.ids import ObjectId
from core.jobs import JobRow
from keys import KeyStore
from redaction import Keep
from tests.fakes import HandClock
from tests.redaction.chooser import Chooser
from tests.redaction.faces import add_detections, add_redacted, footage_of, two_people
from tests.vault.cinema import Cinema
from tests.vault.stopping import taken
from vault import DiskStore, Treatment
from vault.models import ObjectRow, ObjectState, RenditionRow
from vault.redaction_models import ChoicesRow, DetectionsRow


def test_faces_found_in_footage_are_destroyed_and_certified_with_it(
    cinema: Cinema, db: Database, keystore: KeyStore, store: DiskStore
) -> None:
    footage_id = footage_of(db, cinema.clip.clip_id)
    add_detections(db, keystore, store, cinema.family, footage_id, two_people())
    with db.read() as session:
        row = session.get_one(DetectionsRow, footage_id)
        found = {ObjectId(one) for one in (row.object_id, row.faces_id) if one}
        assert found <= set(vault.keys_of(session, footage_id))
        assert {"detections", "faces"} <= {one.kind for one in vault.objects_of(session, footage_id)}
        assert found.isdisjoint(vault.keys_of(session, cinema.clip.clip_id))
    at = db.clock.now()
    with db.begin() as session:
        vault.begin_destroying(session, footage_id, at=at)
        assert {session.get_one(ObjectRow, one).state for one in found} == {ObjectState.DESTROYING}
    with pytest.raises(VaultError):
        Chooser(cinema).looks()


def test_a_search_that_still_runs_is_stopped_with_its_footage(cinema: Cinema, db: Database) -> None:
    footage_id = footage_of(db, cinema.clip.clip_id)
    vault.look_for_people(db, actor=cinema.guider.actor, footage_id=footage_id)
    vault.look_for_people(db, actor=cinema.guider.actor, footage_id=footage_id)  # one search, however often asked
    at = db.clock.now()
    with db.begin() as session:
        (job,) = jobs.about(session, footage_id)
        lease = jobs.take(session, job, at=at)
        vault.begin_destroying(session, footage_id, at=at)
        assert lease
        assert jobs.holds(session, lease) is None
        assert session.get_one(JobRow, job).cancel_asked


def test_every_version_of_a_clip_and_what_was_chosen_go_with_it(
    cinema: Cinema, db: Database, keystore: KeyStore, store: DiskStore
) -> None:
    chooser = Chooser(cinema)
    chooser.finds()
    chooser.takes(Keep(1, cinema.family.child))
    clip_id = cinema.clip.clip_id
    made = [
        add_redacted(db, keystore, store, cinema.family, cinema.clip, content=content)
        for content in (b"one", b"another")
    ]
    at = db.clock.now()
    with db.begin() as session:
        films = {ObjectId(session.get_one(RenditionRow, one).object_id) for one in made}
        assert films <= set(vault.keys_of(session, clip_id))
        vault.begin_destroying(session, clip_id, at=at)
        vault.keys_gone(session, clip_id, at=at)
        vault.destroyed(session, clip_id, at=at)
    with db.read() as session:
        chosen = session.get_one(ChoicesRow, clip_id)
        assert (chosen.choices, chosen.asked) == (None, None)
        rows = [row for row in vault.renditions.of_clip(session, clip_id) if row.treatment is Treatment.REDACTED]
        assert [(row.manifest, row.look_here) for row in rows] == [(None, None)] * 2
        assert {session.get_one(ObjectRow, row.object_id).state for row in rows} == {ObjectState.DESTROYED}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_search_says_how_long_it_takes_by_the_attempt_that_goes_on_and_can_be_stopped(
    cinema: Cinema, db: Database, clock: HandClock
) -> None:
    guider, footage_id = cinema.guider.actor, footage_of(db, cinema.clip.clip_id)

    def says() -> str:
        with db.read() as session:
            looking = vault.looking(session, footage_id)
        assert looking
        return told(looking.progress, at=clock.now())

    def reaches(progress: int, *, after: timedelta) -> str:
        clock.move(after)
        with db.begin() as session:
            jobs.report(session, lease, stage="detect", progress=progress)
        return says()

    with pytest.raises(NotFound):
        vault.stop_looking(db, actor=guider, footage_id=footage_id)
    vault.look_for_people(db, actor=guider, footage_id=footage_id)
    with db.read() as session:
        (job,) = jobs.about(session, footage_id)
    lease = taken(db, job)
    assert reaches(500, after=timedelta(minutes=8)) == "Looking for faces. 50 %. About 8 minutes left"
    lease = taken(db, job)  # the worker was killed, and comes back
    assert says() == "Waiting to begin"
    assert reaches(500, after=timedelta(minutes=2)) == "Looking for faces. 50 %. About 2 minutes left"
    with db.begin() as session:
        jobs.hand_back(session, lease, at=clock.now())
    assert says() == "Waiting to begin"
    lease = taken(db, job)
    reaches(200, after=timedelta(minutes=1))
    vault.stop_looking(db, actor=guider, footage_id=footage_id)
    assert says() == "Stopped", "before the worker has noticed, too"
    vault.look_for_people(db, actor=guider, footage_id=footage_id)
    assert says() == "Waiting to begin"
