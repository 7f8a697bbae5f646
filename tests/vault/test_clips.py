from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import func, select

import consent
import identity
import vault
from consent import Decision, FilmingAnswer, How
from core import jobs
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Refused
from core.ids import ClipId, FootageId, JobId, PersonId, RenditionId, VisitId, new_id
from core.jobs import JobRow, JobState
from core.outbox import OutboxRow
from keys import KeyStore
from tests.families import Family, Someone
from tests.vault.agreeing import agree_to_filming
from tests.vault.films import small_film
from tests.vault.scene import add_clip, add_footage
from tests.vault.test_finishing import Sender, deposit, finish, lease_of, plaintext
from vault import ClipState, DiskStore, renditions
from vault.models import ClipRow, FootageRow, ObjectRow, RenditionRow


@pytest.fixture
def footage(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> FootageId:
    agree_to_filming(db, keystore, family)
    return add_footage(db, keystore, store, family, visit, frames=100)


def cut(
    db: Database,
    keystore: KeyStore,
    who: Someone,
    footage_id: str,
    *,
    first: int = 0,
    last: int = 10,
    title: str = "Hi",
) -> ClipId:
    return vault.cut_clip(
        db,
        keystore=keystore,
        actor=who.actor,
        footage_id=FootageId(footage_id),
        first_frame=first,
        last_frame=last,
        title=title,
        goals=["turn-taking"],
    )


def test_a_clip_is_cut_exactly_and_its_hash_is_that_of_its_bytes(
    db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId
) -> None:
    agree_to_filming(db, keystore, family)
    sender = Sender(db, keystore, store, family, visit)
    footage_id = deposit(sender, small_film())
    finish(sender, lease_of(db, footage_id))
    clip_id = cut(db, keystore, family.staff.guider, footage_id, first=7, last=30)
    with db.begin() as session:
        job_id = JobId(session.get_one(ClipRow, clip_id).job_id)
        lease = jobs.take(session, job_id, at=db.clock.now())
        assert lease is not None
    vault.cut(db, keystore=keystore, store=store, lease=lease)
    with db.read() as session:
        clip = session.get_one(ClipRow, clip_id)
        (rendition,) = renditions.of_clip(session, clip_id)
        film = session.get_one(ObjectRow, rendition.object_id)
        facts = vault.facts_for(session, RenditionId(rendition.id))
        assert session.get_one(JobRow, job_id).state is JobState.DONE
    assert clip.state is ClipState.READY
    assert rendition.frames == 23
    assert rendition.poster_id
    assert rendition.strip_id
    assert hashlib.sha256(plaintext(sender, film)).hexdigest() == rendition.content_hash == facts.content_hash
    assert facts.persons_shown == facts.filmed
    assert not facts.is_footage


def test_a_clip_begins_before_it_ends_and_lies_within_its_film(
    db: Database, keystore: KeyStore, family: Family, footage: FootageId
) -> None:
    guider = family.staff.guider
    for first, last in ((10, 10), (10, 9), (5, -1)):
        with pytest.raises(Invalid, match="clip_end_before_start"):
            cut(db, keystore, guider, footage, first=first, last=last)
    for first, last in ((-1, 5), (0, 101)):
        with pytest.raises(Invalid, match="clip_outside_film"):
            cut(db, keystore, guider, footage, first=first, last=last)
    for title in ("", "   ", "\u202e", "x" * 121):
        with pytest.raises(Invalid, match="clip_title"):
            cut(db, keystore, guider, footage, title=title)
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(ClipRow)) == 0
        assert "job.start" not in session.scalars(select(OutboxRow.kind)).all()


def test_only_the_guider_cuts_and_foreign_footage_is_not_there(
    db: Database, keystore: KeyStore, family: Family, footage: FootageId
) -> None:
    staff = family.staff
    with pytest.raises(Refused, match="not_the_guider"):
        cut(db, keystore, staff.social_worker, footage)
    for stranger in (staff.colleague, staff.chair, family.mother):
        with pytest.raises(NotFound):
            cut(db, keystore, stranger, footage)
    for foreign in (new_id(), "", "x"):
        with pytest.raises(NotFound):
            cut(db, keystore, staff.guider, foreign)


def test_footage_that_is_not_ready_is_not_cut(
    db: Database, keystore: KeyStore, family: Family, footage: FootageId
) -> None:
    with db.begin() as session:
        session.get_one(FootageRow, footage).state = vault.FootageState.PREPARING
    with pytest.raises(Conflict, match="footage_not_ready"):
        cut(db, keystore, family.staff.guider, footage)


def test_footage_of_somebody_who_did_not_agree_to_be_filmed_is_not_cut(
    db: Database, keystore: KeyStore, family: Family, footage: FootageId
) -> None:
    guider = family.staff.guider
    no = FilmingAnswer(family.father.id, family.father.id, Decision.REFUSE, How.TOLD_TO_STAFF)
    consent.record_filming(db, keystore=keystore, actor=guider.actor, case_id=family.case_id, answers=[no])
    with pytest.raises(Refused, match="not_available"):
        cut(db, keystore, guider, footage)


def test_no_title_stands_in_the_database_in_clear(
    db: Database, keystore: KeyStore, family: Family, footage: FootageId
) -> None:
    clip_id = cut(db, keystore, family.staff.guider, footage, title="Kit laughs in the bath")
    with db.read() as session:
        clip = session.get_one(ClipRow, clip_id)
    assert clip.title is not None
    assert b"Kit" not in clip.title
    assert vault.clips.open_title(keystore, clip) == "Kit laughs in the bath"
    assert vault.clips.open_goals(keystore, clip) == ("turn-taking",)


def test_saying_who_is_shown_voids_what_was_attested_and_raises_the_version(
    db: Database, keystore: KeyStore, store: DiskStore, family: Family, footage: FootageId
) -> None:
    rendition_id = add_clip(db, keystore, store, family, footage).rendition_id
    shown = frozenset({family.mother.id, family.child})
    vault.set_persons_shown(db, actor=family.staff.guider.actor, rendition_id=rendition_id, persons=shown)
    with db.begin() as session:
        vault.attest(session, rendition_id, persons=shown, by=family.staff.colleague.id, at=db.clock.now())
        before = identity.versions(session, [family.case_id])[family.case_id]
        assert vault.facts_for(session, rendition_id).attested_by == family.staff.colleague.id
    vault.set_persons_shown(db, actor=family.staff.guider.actor, rendition_id=rendition_id, persons=[family.child])
    with db.read() as session:
        facts = vault.facts_for(session, rendition_id)
        assert facts.attested_by is None
        assert facts.persons_shown == {family.child}
        assert identity.versions(session, [family.case_id])[family.case_id] > before


def test_a_list_that_moved_on_is_not_attested(
    db: Database, keystore: KeyStore, store: DiskStore, family: Family, footage: FootageId
) -> None:
    rendition_id = add_clip(db, keystore, store, family, footage).rendition_id
    with pytest.raises(Conflict, match="persons_changed"), db.begin() as session:
        vault.attest(session, rendition_id, persons=frozenset(), by=family.staff.colleague.id, at=db.clock.now())
    with db.read() as session:
        assert vault.facts_for(session, rendition_id).attested_by is None


def test_only_people_of_the_case_can_be_shown_and_only_the_guider_says_so(
    db: Database, keystore: KeyStore, store: DiskStore, family: Family, footage: FootageId
) -> None:
    rendition_id = add_clip(db, keystore, store, family, footage).rendition_id
    staff = family.staff
    with pytest.raises(Invalid, match="persons_unknown"):
        vault.set_persons_shown(db, actor=staff.guider.actor, rendition_id=rendition_id, persons=[PersonId(new_id())])
    with pytest.raises(Refused):
        vault.set_persons_shown(db, actor=staff.social_worker.actor, rendition_id=rendition_id, persons=[])
    with pytest.raises(NotFound):
        vault.set_persons_shown(db, actor=staff.colleague.actor, rendition_id=rendition_id, persons=[])


def test_a_rendition_that_is_no_longer_in_use_is_left_alone(
    db: Database, keystore: KeyStore, store: DiskStore, family: Family, footage: FootageId
) -> None:
    rendition_id = add_clip(db, keystore, store, family, footage).rendition_id
    with db.begin() as session:
        vault.stop_use(session, case_id=family.case_id, clip_id=None)
        assert session.get_one(RenditionRow, rendition_id).state.value == "withdrawn_from_use"
    with pytest.raises(Conflict, match="film_not_in_use"):
        vault.set_persons_shown(db, actor=family.staff.guider.actor, rendition_id=rendition_id, persons=[family.child])
