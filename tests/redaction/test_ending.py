"""What redaction made goes when the film goes: nothing of it outlives the footage or the clip that it belongs to."""

from __future__ import annotations

import pytest

import vault
from core import jobs
from core.db import Database
from core.errors import NotFound, VaultError
from core.ids import ObjectId
from core.jobs import JobRow, JobState
from keys import KeyStore
from redaction import Keep
from tests.redaction.faces import add_detections, add_redacted, footage_of, two_people
from tests.redaction.test_choosing import Chooser
from tests.vault.cinema import Cinema
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


def test_a_search_is_stopped_by_its_guider_and_can_be_asked_for_again(cinema: Cinema, db: Database) -> None:
    footage_id = footage_of(db, cinema.clip.clip_id)
    with pytest.raises(NotFound):
        vault.stop_looking(db, actor=cinema.guider.actor, footage_id=footage_id)
    vault.look_for_people(db, actor=cinema.guider.actor, footage_id=footage_id)
    vault.stop_looking(db, actor=cinema.guider.actor, footage_id=footage_id)
    with db.read() as session:
        looking = vault.looking(session, footage_id)
    assert looking
    assert looking.progress.state is JobState.CANCELLED
    vault.look_for_people(db, actor=cinema.guider.actor, footage_id=footage_id)
    with db.read() as session:
        looking = vault.looking(session, footage_id)
    assert looking
    assert looking.progress.state is JobState.WAITING
