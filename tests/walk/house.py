"""A served store in the middle of its life: families, film, answers, a hold, a certificate; what each page needs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe
from sqlalchemy import select

import audit
import consent
import identity
import redaction
import retention
from app.demo.clock import DemoClock
from consent import Audience, Purpose
from core import mark
from core.ids import PersonId, VisitId
from identity import PersonKind, Role
from tests.app.stage import Stage, staged
from tests.families import Family, Someone, Staff, sign_in
from tests.redaction.faces import add_detections, two_people
from tests.retention.conftest import Shelf
from tests.vault.agreeing import agree_to_filming, share_with_social_worker
from tests.vault.scene import Clip, add_clip, add_footage, add_object
from vault import attest, begin_deposit, begin_viewing, clips, facts_for
from vault.models import ClipRow, ObjectKind, RenditionRow

AWAY = "https://quiet.example/"
MORE_FAMILIES = 26
FRAMES = 50
TITLES = ("Kit looks up and Mum smiles", "Reading together", "Kit laughs in the bath")
_FILM = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-movflags", "faststart"]


@dataclass(frozen=True, slots=True)
class House:
    """What a walk needs.

    Attributes:
        people: who can be signed in, by role; ``nobody`` isn't.
        ids: the values that a name in a path can have.
        asked: the clip about which questions wait.
        shared: the clip that the social worker may watch.
        visit: at which they were filmed.
        film, pictures: of every clip: two seconds, a still of them and a strip.
    """

    stage: Stage
    family: Family
    people: dict[str, Someone | None]
    ids: dict[str, list[str]]
    asked: Clip
    shared: Clip
    visit: VisitId
    film: bytes
    pictures: Mapping[ObjectKind, bytes]

    @property
    def origin(self) -> str:
        return self.stage.served.origin


@contextmanager
def furnished(folder: Path) -> Iterator[House]:
    """Make the store and serve it."""
    with staged(folder / "service", "--no-worker", exit_address=AWAY, help_phone="020 7946 0000") as stage:
        film, pictures = _make_film(folder)
        certificate = _certificate(stage)
        family = replace(stage, staff=_again(stage)).family()
        team = family.staff
        db, keys, store = stage.service.db, stage.service.keystore, stage.store
        agree_to_filming(db, keys, family)
        visit = stage.visit(family)
        footage = add_footage(db, keys, store, family, visit, frames=FRAMES)
        made = [
            add_clip(db, keys, store, family, footage, content=film + b"\0\0\0\x09free" + bytes([number]))
            for number in range(3)
        ]
        _make_real(stage, family, film, pictures)
        add_detections(db, keys, store, family, footage, two_people(frames=FRAMES), sheet=pictures[ObjectKind.POSTER])
        shared, asked, unchecked = made
        share_with_social_worker(db, family, shared.rendition_id)
        _watched(stage, team.social_worker, shared)
        _ask(stage, family, asked)
        redaction.request_check(
            db,
            actor=team.guider.actor,
            rendition_id=unchecked.rendition_id,
            checker=team.colleague.id,
            needed_by=date(2026, 12, 3),
        )
        hold = retention.place_hold(
            db,
            keystore=keys,
            actor=team.officer.actor,
            scope=retention.HoldScope.CASE,
            subject=family.case_id,
            reason="Proceedings in the family court",
        )
        invited = identity.invite(db, actor=team.guider.actor, case_id=family.case_id, person=family.father.id)
        enrolled = identity.add_staff(
            db,
            keystore=keys,
            actor=team.administrator.actor,
            name="New Here",
            email="new@example.gov.uk",
            roles=[Role.GUIDER],
        )
        upload = begin_deposit(
            db, keystore=keys, actor=team.guider.actor, case_id=family.case_id, visit_id=visit, length=24
        )
        _more_families(stage, team.manager)
        receipts = [one.id for one in consent.history(db, actor=family.mother.actor)]
        audit.seal(db, signer=stage.service.signer)
        yield House(
            stage=stage,
            family=family,
            people={
                "nobody": None,
                "guider": team.guider,
                "manager": team.manager,
                "officer": team.officer,
                "administrator": team.administrator,
                "social worker": team.social_worker,
                "colleague": team.colleague,
                "chair": team.chair,
                "mother": family.mother,
            },
            ids={
                "case_id": [family.case_id],
                "visit_id": [visit],
                "footage_id": [footage],
                "subject": [footage],
                "clip_id": [one.clip_id for one in (asked, shared)],
                "rendition_id": [one.rendition_id for one in (asked, shared, unchecked)],
                "upload_id": [upload],
                "person_id": [team.chair.id, family.father.id],
                "event_id": receipts[:1],
                "hold_id": [hold],
                "certificate_id": [certificate],
                "token": [invited.token.reveal(), enrolled.token.reveal()],
                "number": ["1"],
                "session_id": [],
                "viewing_id": [],
                "picture": [],
            },
            asked=asked,
            shared=shared,
            visit=visit,
            film=film,
            pictures=pictures,
        )


def _make_film(folder: Path) -> tuple[bytes, dict[ObjectKind, bytes]]:
    """Two seconds that a browser plays, a still of them and a strip."""
    ffmpeg = [get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=2"]
    outputs = {
        "film.mp4": _FILM,
        "strip.jpg": ["-vf", "fps=5,scale=160:90,tile=10x1", "-frames:v", "1", "-update", "1"],
        "poster.jpg": ["-frames:v", "1", "-update", "1"],
    }
    for name, options in outputs.items():
        subprocess.run([*ffmpeg, *options, str(folder / name)], check=True)
    film, strip, poster = ((folder / name).read_bytes() for name in outputs)
    return film, {ObjectKind.STRIP: strip, ObjectKind.POSTER: poster}


def _certificate(stage: Stage) -> str:
    """Let a film's time pass, and destroy it."""
    shelf = Shelf(stage.service.db, stage.service.keystore, stage.store, stage.family())
    shelf.film()
    DemoClock(stage.served.clock).move(timedelta(days=29))
    db, keys = stage.service.db, stage.service.keystore
    with db.begin() as session:
        mark.raise_to(session, at=db.clock.now())
    retention.nightly(db, keystore=keys, store=stage.store, schedule=stage.service.schedule)
    keys.roll_epoch()
    officer = sign_in(db, stage.staff.officer.id, kind=PersonKind.STAFF)
    issued, _ = retention.certificates_issued(db, keystore=keys, actor=officer.actor)
    return issued[0].id


def _again(stage: Stage) -> Staff:
    """The staff signed in anew: a month has passed."""
    names = stage.staff.__dataclass_fields__
    db = stage.service.db
    return replace(
        stage.staff, **{name: sign_in(db, getattr(stage.staff, name).id, kind=PersonKind.STAFF) for name in names}
    )


def _make_real(stage: Stage, family: Family, film: bytes, pictures: dict[ObjectKind, bytes]) -> None:
    """Give every rendition of the family a film that plays, with its still and strip."""
    db, keys, store = stage.service.db, stage.service.keystore, stage.store
    made = {
        kind: add_object(db, keys, store, family, content, kind=kind, job="test") for kind, content in pictures.items()
    }
    copy = add_object(db, keys, store, family, film, kind=ObjectKind.WORKING_COPY, job="test")
    with db.begin() as session:
        for row in session.scalars(select(RenditionRow).where(RenditionRow.case_id == family.case_id)):
            row.poster_id, row.strip_id = made[ObjectKind.POSTER], made[ObjectKind.STRIP]
            row.frames, row.duration_ms, row.width, row.height = FRAMES, FRAMES * 40, 640, 360
            if row.clip_id is None:
                row.object_id = copy
        for number, clip in enumerate(session.scalars(select(ClipRow).where(ClipRow.case_id == family.case_id))):
            clip.last_frame = FRAMES - number
            title = clips.seal(keys, family.case_id, column="title", row=clip.id, value=TITLES[number])
            clip.title = title


def _ask(stage: Stage, family: Family, clip: Clip) -> None:
    db = stage.service.db
    with db.begin() as session:
        facts = facts_for(session, clip.rendition_id)
        attest(session, clip.rendition_id, persons=facts.persons_shown, by=family.staff.colleague.id, at=db.clock.now())
    with db.read() as session:
        facts = facts_for(session, clip.rendition_id)
    for purpose, person in (
        (Purpose.SOCIAL_WORKER, family.staff.social_worker.id),
        (Purpose.FAMILY_REVIEW, family.mother.id),
    ):
        audience = Audience(person=PersonId(person))
        consent.ask(db, actor=family.staff.guider.actor, rendition=facts, purpose=purpose, audience=audience)
    for parent in (family.mother, family.father):
        asked = [one for one in consent.questions_for(db, actor=parent.actor) if one.purpose is Purpose.FAMILY_REVIEW]
        if asked:
            consent.grant(
                db,
                actor=parent.actor,
                questions=[one.id for one in asked],
                page_version=max(one.page_version for one in asked),
                notice=asked[0].notice.id,
            )


def _watched(stage: Stage, someone: Someone, clip: Clip) -> None:
    begin_viewing(stage.service.db, actor=someone.actor, rendition_id=clip.rendition_id, purpose=Purpose.SOCIAL_WORKER)


def _more_families(stage: Stage, manager: Someone) -> None:
    """So many that their list has a second page."""
    for number in range(MORE_FAMILIES):
        identity.open_case(
            stage.service.db,
            keystore=stage.service.keystore,
            actor=manager.actor,
            referral=identity.Referral(identity.ReferrerKind.OTHER, identity.Status.CHILD_IN_NEED, None),
            children=[identity.NewChild(name=f"Child {number:02}", born_on=date(2020, 5, 1), is_index=True)],
            adults=[],
            asked_about=[identity.AskedAbout(0, identity.AskOutcome.NOT_KNOWN)],
            guider=None,
            social_worker=None,
        )
