"""The jobs, with a real film in the real sandbox; faces come from the test."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass

import pytest

import redaction
import vault
from consent import RenditionState
from core import jobs
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Refused
from core.ids import ClipId, FootageId, JobId, RenditionId
from core.jobs import JobRow, JobState, Lease
from keys import KeyStore
from redaction import Keep
from tests.redaction.faces import add_detections, footage_of, numbered_otherwise, two_people
from tests.vault.cinema import Cinema
from tests.vault.films import small_film
from tests.vault.scene import add_object
from vault import DiskStore, Treatment
from vault.models import ObjectKind, ObjectRow, RenditionRow
from vault.redaction_models import ChoicesRow

REASON = "A neighbour came in"


@dataclass
class Booth:
    """A guider who has a blurred version of a clip made."""

    cinema: Cinema
    footage_id: FootageId

    @property
    def clip_id(self) -> ClipId:
        return self.cinema.clip.clip_id

    def keeps(self, number: int) -> int:
        return redaction.choose(
            self.cinema.db,
            keystore=self.cinema.keystore,
            store=self.cinema.store,
            actor=self.cinema.guider.actor,
            clip_id=self.clip_id,
            looked_at=self.version(),
            step=Keep(number, self.cinema.family.child),
        )

    def version(self) -> int:
        with self.cinema.db.read() as session:
            return vault.choices_of(session, keystore=self.cinema.keystore, clip_id=self.clip_id).version

    def asks(self, *, looked_at: int | None = None, reason: str = REASON) -> None:
        redaction.render(
            self.cinema.db,
            keystore=self.cinema.keystore,
            actor=self.cinema.guider.actor,
            clip_id=self.clip_id,
            looked_at=self.version() if looked_at is None else looked_at,
            reason=reason,
        )

    def job(self) -> JobRow:
        with self.cinema.db.read() as session:
            return session.get_one(JobRow, session.get_one(ChoicesRow, self.clip_id).job_id)

    def lease(self) -> Lease:
        db = self.cinema.db
        job = JobId(self.job().id)
        with db.begin() as session:
            lease = jobs.take(session, job, at=db.clock.now())
        assert lease is not None
        return lease

    def works(self, lease: Lease) -> None:
        redaction.redact(self.cinema.db, keystore=self.cinema.keystore, store=self.cinema.store, lease=lease)

    def made(self) -> list[RenditionRow]:
        with self.cinema.db.read() as session:
            rows = vault.renditions.of_clip(session, self.clip_id)
        return [row for row in rows if row.treatment is Treatment.REDACTED]


@pytest.fixture
def booth(cinema: Cinema, db: Database, keystore: KeyStore, store: DiskStore) -> Booth:
    footage_id = footage_of(db, cinema.clip.clip_id)
    film = small_film()
    copy = add_object(db, keystore, store, cinema.family, film, kind=ObjectKind.WORKING_COPY, job="test")
    with db.begin() as session:
        row = vault.renditions.working_copy(session, footage_id)
        assert row is not None
        row.object_id, row.frames, row.content_hash = copy, 50, hashlib.sha256(film).hexdigest()
    add_detections(db, keystore, store, cinema.family, footage_id, two_people(frames=50))
    return Booth(cinema, footage_id)


def test_a_blurred_version_is_made_with_what_ties_it_to_its_film_and_takes_the_place_of_the_one_before(
    booth: Booth, db: Database, keystore: KeyStore
) -> None:
    booth.keeps(2)
    booth.asks()
    booth.works(booth.lease())
    (first,) = booth.made()
    assert booth.job().state is JobState.DONE
    assert (first.state, first.frames, first.attested_by) == (RenditionState.LIVE, 25, None)
    assert first.poster_id
    assert first.strip_id
    with db.read() as session:
        film = session.get_one(ObjectRow, first.object_id)
        copy = vault.renditions.working_copy(session, booth.footage_id)
        manifest = redaction.manifest_of(session, keystore=keystore, rendition_id=RenditionId(first.id))
        looks = redaction.look_here_of(session, keystore=keystore, rendition_id=RenditionId(first.id))
        assert vault.persons_listed(session, RenditionId(first.id)) == {booth.cinema.family.child}
    assert manifest
    assert copy
    assert looks is not None
    assert (manifest.made, manifest.working_copy) == (film.plain_sha256, copy.content_hash)
    assert manifest.reason == REASON
    assert first.manifest
    assert REASON.encode() not in first.manifest
    (entry,) = booth.cinema.events("clip.redacted")
    assert entry.details["rendition"] == first.id
    said = json.loads(
        redaction.statement(db, keystore=keystore, actor=booth.cinema.guider.actor, clip_id=booth.clip_id)
    )
    assert hashlib.sha256(said["manifest"].encode()).hexdigest() == said["manifest_sha256"] == entry.details["manifest"]
    assert json.loads(said["manifest"])["original"] == manifest.original
    assert said["audit"]["entry"] == entry.id
    for other in (booth.cinema.social_worker, booth.cinema.family.mother):
        with pytest.raises((NotFound, Refused)):
            redaction.statement(db, keystore=keystore, actor=other.actor, clip_id=booth.clip_id)
    with pytest.raises(Invalid, match="kept_person_missing"):
        redaction.set_persons_shown(
            db, keystore=keystore, actor=booth.cinema.guider.actor, rendition_id=RenditionId(first.id), persons=()
        )
    booth.asks(reason="Another")
    booth.works(booth.lease())
    former, latest = booth.made()
    assert (former.state, latest.state) == (RenditionState.WITHDRAWN_FROM_USE, RenditionState.LIVE)


def test_a_clip_whose_use_was_stopped_meanwhile_gets_no_live_version(booth: Booth, db: Database) -> None:
    booth.asks()
    lease = booth.lease()
    with db.begin() as session:
        stopped = vault.stop_use(session, case_id=booth.cinema.family.case_id, clip_id=booth.clip_id)
    booth.works(lease)
    assert booth.made() == []
    assert booth.job().error_code == "clip_not_in_use"
    with db.begin() as session:
        vault.resume_use(session, stopped)
    assert booth.made() == []


def test_choices_among_other_faces_are_never_made(
    booth: Booth, db: Database, keystore: KeyStore, store: DiskStore
) -> None:
    booth.keeps(2)
    booth.asks()
    other = two_people(frames=50, right_from=6)
    add_detections(db, keystore, store, booth.cinema.family, booth.footage_id, other)
    booth.works(booth.lease())
    assert booth.made() == []
    assert booth.job().error_code == "choices_of_other_faces"


def test_choices_by_numbers_that_mean_others_by_now_are_never_made(
    booth: Booth, monkeypatch: pytest.MonkeyPatch
) -> None:
    booth.keeps(2)
    booth.asks()
    monkeypatch.setattr("redaction.found.follow", numbered_otherwise)
    monkeypatch.setattr("redaction.found._remembered", OrderedDict())  # the worker has a later version of the program
    booth.works(booth.lease())
    assert booth.made() == []
    assert booth.job().error_code == "choices_of_other_faces"


def test_what_is_made_is_what_was_looked_at_and_says_why(booth: Booth) -> None:
    seen = booth.version()
    booth.keeps(2)
    with pytest.raises(Conflict, match="choices_moved"):
        booth.asks(looked_at=seen)
    for none in ("", "  ", "x" * 501):
        with pytest.raises(Invalid, match="redaction_reason"):
            booth.asks(reason=none)


def test_only_the_familys_guider_has_it_made_or_stopped(booth: Booth) -> None:
    family, guider = booth.cinema.family, booth.cinema.guider
    staff = family.staff
    for other, error in ((staff.social_worker, Refused), (family.mother, NotFound), (staff.chair, NotFound)):
        booth.cinema.guider = other
        with pytest.raises(error):
            booth.asks(looked_at=0)
        with pytest.raises(error):
            vault.stop_redaction(booth.cinema.db, actor=other.actor, clip_id=booth.clip_id)
        with pytest.raises(error):
            vault.look_for_people(booth.cinema.db, actor=other.actor, footage_id=booth.footage_id)
    booth.cinema.guider = guider
    assert booth.cinema.events("redaction.asked")[-1].outcome == "refused"


def test_without_the_footage_there_is_nothing_to_make_it_of(booth: Booth, db: Database) -> None:
    with db.begin() as session:
        row = vault.renditions.working_copy(session, booth.footage_id)
        assert row is not None
        row.state = RenditionState.DESTROYED
    with pytest.raises(Conflict, match="footage_gone"):
        booth.asks()
    with pytest.raises(Conflict, match="footage_gone"):
        vault.look_for_people(db, actor=booth.cinema.guider.actor, footage_id=booth.footage_id)
