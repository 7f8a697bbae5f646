from __future__ import annotations

from dataclasses import replace

import pytest

import consent
import vault
from consent import Purpose
from core import jobs
from core.db import Database
from core.errors import NotFound, Refused, Unavailable
from core.ids import ClipId, FootageId, JobId, VisitId, new_id
from core.jobs import JobRow, JobState
from keys import KeyStore
from tests.families import Family
from tests.vault.agreeing import share_with_social_worker
from tests.vault.cinema import Cinema
from tests.vault.scene import TITLE
from tests.vault.sending import Sender, film
from vault import ClipState, DiskStore, FootageState
from vault.models import ClipRow, FootageRow


def test_the_guider_sees_footage_and_clips_with_their_titles(cinema: Cinema, db: Database) -> None:
    case_id = cinema.family.case_id
    (footage,) = vault.footage_of(db, keystore=cinema.keystore, actor=cinema.guider.actor, case_id=case_id)
    (clip,) = vault.clips_of(db, keystore=cinema.keystore, actor=cinema.guider.actor, case_id=case_id)
    assert footage.working_copy is not None
    assert (clip.title, clip.state, clip.footage_id) == (TITLE, ClipState.READY, footage.id)
    assert clip.renditions[0].persons_shown == {cinema.family.mother.id, cinema.family.father.id, cinema.family.child}
    assert vault.clip(db, keystore=cinema.keystore, actor=cinema.guider.actor, clip_id=clip.id) == clip
    assert vault.footage(db, keystore=cinema.keystore, actor=cinema.guider.actor, footage_id=footage.id) == footage


def test_nobody_else_sees_these_lists(cinema: Cinema, db: Database) -> None:
    staff, case_id = cinema.family.staff, cinema.family.case_id
    (clip,) = vault.clips_of(db, keystore=cinema.keystore, actor=cinema.guider.actor, case_id=case_id)
    for other, error in ((staff.social_worker, Refused), (staff.colleague, NotFound), (cinema.family.mother, NotFound)):
        for look in (vault.footage_of, vault.clips_of):
            with pytest.raises(error):
                look(db, keystore=cinema.keystore, actor=other.actor, case_id=case_id)
        with pytest.raises(error):
            vault.clip(db, keystore=cinema.keystore, actor=other.actor, clip_id=clip.id)
        with pytest.raises(error):
            vault.footage(db, keystore=cinema.keystore, actor=other.actor, footage_id=clip.footage_id)
        with pytest.raises(error):
            vault.record_phone_copy_removed(db, actor=other.actor, footage_id=clip.footage_id)
    for foreign in (new_id(), "x"):
        with pytest.raises(NotFound):
            vault.clip(db, keystore=cinema.keystore, actor=cinema.guider.actor, clip_id=ClipId(foreign))
        with pytest.raises(NotFound):
            vault.footage(db, keystore=cinema.keystore, actor=cinema.guider.actor, footage_id=FootageId(foreign))


def test_a_social_worker_sees_not_even_the_title_before_everyone_agrees_and_after_somebody_stops(
    cinema: Cinema, db: Database
) -> None:
    def seen() -> list[str]:
        found = vault.watchable(
            db,
            keystore=cinema.keystore,
            actor=cinema.social_worker.actor,
            purpose=Purpose.SOCIAL_WORKER,
            cases=[cinema.family.case_id],
        )
        return [one.title for one in found]

    assert seen() == []
    share_with_social_worker(db, cinema.family, cinema.clip.rendition_id)
    assert seen() == [TITLE]
    consent.stop_all(db, actor=cinema.family.father.actor)
    assert seen() == []


def test_a_parent_finds_nothing_that_another_person_in_it_has_not_let_them_see(cinema: Cinema, db: Database) -> None:
    found = vault.watchable(
        db, keystore=cinema.keystore, actor=cinema.family.mother.actor, purpose=Purpose.FAMILY_REVIEW
    )
    assert found == ()  # the father is in it and has said nothing yet
    vault.set_persons_shown(
        db,
        actor=cinema.guider.actor,
        rendition_id=cinema.clip.rendition_id,
        persons=[cinema.family.mother.id, cinema.family.child],
    )
    (mine,) = vault.watchable(
        db, keystore=cinema.keystore, actor=cinema.family.mother.actor, purpose=Purpose.FAMILY_REVIEW
    )
    assert mine.title == TITLE


def test_the_phone_copy_is_recorded_as_gone_once(cinema: Cinema, db: Database) -> None:
    (footage,) = vault.footage_of(
        db, keystore=cinema.keystore, actor=cinema.guider.actor, case_id=cinema.family.case_id
    )
    assert footage.phone_copy_removed_at is None
    for _ in range(2):
        vault.record_phone_copy_removed(db, actor=cinema.guider.actor, footage_id=footage.id)
    assert len(cinema.events("phone_copy.removed")) == 1


def test_a_job_that_failed_too_often_is_shown_as_failed_with_its_reason(
    db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId
) -> None:
    sender, content = Sender(db, keystore, store, family, visit), film(1000)
    upload = sender.begin(len(content))
    sender.send(upload, content, offset=0)
    footage_id = vault.complete_deposit(db, actor=sender.guider.actor, upload_id=upload)
    with db.begin() as session:
        job_id = JobId(session.get_one(FootageRow, footage_id).job_id)
        lease = jobs.take(session, job_id, at=db.clock.now())
    assert lease is not None
    error = Unavailable("media_process_hung", "Working on the film took too long. We will try again.")
    for _ in range(2):
        vault.give_up(db, lease=lease, error=error)
    shown = vault.footage(db, keystore=keystore, actor=sender.guider.actor, footage_id=footage_id)
    assert (shown.state, shown.progress.state) == (FootageState.REJECTED, JobState.PARKED)
    assert shown.progress.sentence == error.sentence
    assert shown.filename == "Kit in the bath.mp4"


def test_a_clip_that_failed_too_often_is_shown_as_failed(cinema: Cinema, db: Database) -> None:
    (footage,) = vault.footage_of(
        db, keystore=cinema.keystore, actor=cinema.guider.actor, case_id=cinema.family.case_id
    )
    clip_id = vault.cut_clip(
        db,
        keystore=cinema.keystore,
        actor=cinema.guider.actor,
        footage_id=footage.id,
        first_frame=0,
        last_frame=5,
        title="Hello",
    )
    with db.begin() as session:
        job_id = JobId(session.get_one(ClipRow, clip_id).job_id)
        lease = jobs.take(session, job_id, at=db.clock.now())
    assert lease is not None
    vault.give_up(db, lease=replace(lease, fence=lease.fence - 1), error=Unavailable("stale", "Not mine any more."))
    shown = vault.clip(db, keystore=cinema.keystore, actor=cinema.guider.actor, clip_id=clip_id)
    assert shown.state is ClipState.CUTTING
    vault.give_up(db, lease=lease, error=Unavailable("media_process_failed", "It failed."))
    shown = vault.clip(db, keystore=cinema.keystore, actor=cinema.guider.actor, clip_id=clip_id)
    assert (shown.state, shown.progress.sentence) == (ClipState.REJECTED, "It failed.")
    with db.read() as session:
        assert session.get_one(JobRow, job_id).state is JobState.PARKED
