"""Blurring in each state that somebody can meet it in: clips of a family of its own, one for each state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from sqlalchemy import select

import redaction
import vault
from consent import Purpose
from core import jobs
from core.ids import FootageId, JobId, PersonId, RenditionId, VisitId
from core.jobs import JobRow
from media.detections import Detections, Face
from redaction import Box, Keep, Merge, Mute, Part, Place, Step
from redaction.models import CheckRow
from tests.app.stage import Stage
from tests.families import Family
from tests.redaction.faces import add_detections, add_redacted
from tests.vault.scene import Clip, add_clip, add_footage, add_object
from vault import clips, manifests
from vault.models import ClipRow, ObjectKind, RenditionRow
from vault.viewing_models import ViewingRow
from vault.watched import note

FRAMES, RATE, WIDTH, HEIGHT = 50, 25, 640, 360
CROWD, ACROSS = 46, 8
NOTE = "The one on the right is seen for a moment at the end."
LONG_NOTE = " ".join(["A face can be seen in the mirror behind the door, each time that it opens."] * 12)
LONG_TITLE = "Kit builds a tower of all the bricks there are, looks round for Mum, and tells her about it at length"
BROKEN = ("job_failed", "Something went wrong on our side. We have been told.")
TOO_MUCH = ("covers_too_many", "That is more than can be covered in one film. Make the clip shorter.")


@dataclass(frozen=True, slots=True)
class Shot:
    """A page in some state.

    Attributes:
        name: of its picture.
        address: of the page.
        who: looks at it, by the names of ``House.people``.
        opened: which folded part of the page is open, by its words.
    """

    name: str
    address: str
    who: str = "guider"
    opened: str = ""


@dataclass(frozen=True, slots=True)
class Studio:
    """Makes clips with a film that plays."""

    stage: Stage
    family: Family
    visit: VisitId
    film: bytes
    pictures: Mapping[ObjectKind, bytes]

    def clip(self, *, title: str = "Kit laughs in the bath") -> tuple[FootageId, Clip]:
        """One that nothing was done to."""
        db, keys, store = self.stage.service.db, self.stage.service.keystore, self.stage.store
        footage = add_footage(db, keys, store, self.family, self.visit, frames=FRAMES)
        made = add_clip(db, keys, store, self.family, footage, content=self.film, frames=FRAMES)
        kept = {
            kind: add_object(db, keys, store, self.family, content, kind=kind, job="test")
            for kind, content in self.pictures.items()
        }
        with db.begin() as session:
            for row in session.scalars(select(RenditionRow).where(RenditionRow.footage_id == footage)):
                row.poster_id, row.strip_id = kept[ObjectKind.POSTER], kept[ObjectKind.STRIP]
                row.width, row.height = WIDTH, HEIGHT
            cut = session.get_one(ClipRow, made.clip_id)
            cut.title = clips.seal(keys, self.family.case_id, column="title", row=cut.id, value=title)
        return footage, made

    def found(self, people: Detections, *steps: Step, title: str = "Kit laughs in the bath") -> Clip:
        """One in whose film people were found, and some steps taken."""
        footage, made = self.clip(title=title)
        service, sheet = self.stage.service, self.pictures[ObjectKind.POSTER]
        add_detections(service.db, service.keystore, self.stage.store, self.family, footage, people, sheet=sheet)
        for version, step in enumerate(steps):
            redaction.choose(
                service.db,
                keystore=service.keystore,
                store=self.stage.store,
                actor=self.family.staff.guider.actor,
                clip_id=made.clip_id,
                looked_at=version,
                step=step,
            )
        return made

    def looked_through(self) -> tuple[Clip, JobId]:
        """One in whose film faces are sought."""
        footage, made = self.clip()
        vault.look_for_people(self.stage.service.db, actor=self.family.staff.guider.actor, footage_id=footage)
        return made, self._job_of(footage)

    def being_made(self) -> tuple[Clip, JobId]:
        """One whose blurred version is on its way."""
        made = self.found(two_people(), Keep(1, self.family.child))
        service, actor = self.stage.service, self.family.staff.guider.actor
        redaction.render(
            service.db, keystore=service.keystore, actor=actor, clip_id=made.clip_id, looked_at=1, reason="A visitor"
        )
        return made, self._job_of(made.clip_id)

    def blurred(self, *, title: str = "Kit laughs in the bath") -> tuple[Clip, RenditionId]:
        """One with a blurred version."""
        made = self.found(two_people(), Keep(1, self.family.child), title=title)
        return made, self.again(made)

    def again(self, clip: Clip) -> RenditionId:
        """A blurred version, which takes the place of what there is."""
        service, child = self.stage.service, self.family.child
        made = add_redacted(
            service.db,
            service.keystore,
            self.stage.store,
            self.family,
            clip,
            content=self.film + b"\0\0\0\x08free",
            persons=(child,),
        )
        words = {"made": "", "original": "", "working_copy": "", "persons": [child], "reason": "A visitor came in"}
        looks = [[3 * at, kind, 2, False] for at, kind in enumerate(("birth", "gap", "unsure", "death") * 4)]
        with service.db.begin() as session:
            row = session.get_one(RenditionRow, made)
            row.poster_id = session.get_one(RenditionRow, clip.rendition_id).poster_id
            row.width, row.height = WIDTH, HEIGHT
            manifests.keep(row, keystore=service.keystore, manifest=json.dumps(words), look_here=json.dumps(looks))
        return made

    def asked(self, rendition: RenditionId) -> None:
        """Have the colleague asked to check it."""
        staff = self.family.staff
        redaction.request_check(
            self.stage.service.db, actor=staff.guider.actor, rendition_id=rendition, checker=staff.colleague.id
        )

    def sent_back(self, rendition: RenditionId, *, note: str) -> None:
        """Have them send it back."""
        self.asked(rendition)
        service, actor = self.stage.service, self.family.staff.colleague.actor
        redaction.send_back(service.db, keystore=service.keystore, actor=actor, rendition_id=rendition, note=note)

    def passed(self, rendition: RenditionId) -> None:
        """Have them watch all of it, a minute ago, and say that only the child can be recognised."""
        self.asked(rendition)
        db, colleague = self.stage.service.db, self.family.staff.colleague
        watched = vault.begin_viewing(db, actor=colleague.actor, rendition_id=rendition, purpose=Purpose.CHECK)
        with db.begin() as session:
            check = session.scalars(select(CheckRow).where(CheckRow.rendition_id == rendition)).one()
            viewing = session.get_one(ViewingRow, watched.id)
            check.asked_at = viewing.begun_at = db.clock.now() - timedelta(minutes=1)
            viewing.bytes_served = watched.size_bytes
            note(session, watched.id, [(0, watched.size_bytes)])
        redaction.attest(db, actor=colleague.actor, rendition_id=rendition, persons=(self.family.child,))

    def goes_on(self, job: JobId, *, stage: str, thousandths: int) -> None:
        """A worker has been at it for a minute."""
        db = self.stage.service.db
        with db.begin() as session:
            lease = jobs.take(session, job, at=db.clock.now() - timedelta(minutes=1))
            assert lease is not None
            jobs.report(session, lease, stage=stage, progress=thousandths)

    def is_given_up(self, job: JobId, why: tuple[str, str]) -> None:
        """It failed too often."""
        db = self.stage.service.db
        with db.begin() as session:
            lease = jobs.take(session, job, at=db.clock.now())
            assert lease is not None
            jobs.park(session, lease, at=db.clock.now(), code=why[0], sentence=why[1])

    def is_stopped(self, job: JobId) -> None:
        """Somebody stopped it."""
        db = self.stage.service.db
        with db.begin() as session:
            jobs.cancel(session, job, at=db.clock.now())

    def _job_of(self, subject: str) -> JobId:
        with self.stage.service.db.read() as session:
            rows = session.scalars(select(JobRow.id).where(JobRow.subject == subject, JobRow.ended_at.is_(None)))
            return JobId(rows.one())


def people_at(*places: tuple[float, float, range]) -> Detections:
    """Somebody at each place, for as long as it says."""
    looked = {
        frame: tuple(Face(x, y, 44.0, 54.0, 0.9) for x, y, there in places if frame in there)
        for frame in sorted({*range(0, FRAMES, 3), FRAMES - 1})
    }
    return Detections(WIDTH, HEIGHT, Fraction(RATE), FRAMES, looked, ())


def two_people() -> Detections:
    """One all the time, and one who comes in."""
    return people_at((120.0, 120.0, range(FRAMES)), (420.0, 100.0, range(12, FRAMES)))


def crowd() -> Detections:
    """So many that they fill several pages."""
    return people_at(
        *((10.0 + 78 * (one % ACROSS), 5.0 + 58 * (one // ACROSS), range(FRAMES - one // 2)) for one in range(CROWD))
    )


def shots(studio: Studio) -> list[Shot]:
    """Make each state, and say where it can be seen."""
    return [*_looking(studio), *_choosing(studio), *_making(studio), *_checking(studio)]


def _blur(name: str, clip: Clip, *, opened: str = "") -> Shot:
    return Shot(name, f"/clips/{clip.clip_id}/blur", opened=opened)


def _looking(studio: Studio) -> list[Shot]:
    (waiting, _), (running, job), (failed, parked), (stopped, ended) = (studio.looked_through() for _ in range(4))
    studio.goes_on(job, stage="detect", thousandths=400)
    studio.is_given_up(parked, BROKEN)
    studio.is_stopped(ended)
    return [
        _blur("looking-not-yet", studio.clip()[1]),
        _blur("looking-waits", waiting),
        _blur("looking-time-left", running),
        _blur("looking-failed", failed),
        _blur("looking-stopped", stopped),
    ]


def _choosing(studio: Studio) -> list[Shot]:
    child, mother = studio.family.child, PersonId(studio.family.mother.id)
    whole, alone = people_at(), people_at((280.0, 120.0, range(FRAMES)))
    several = [Keep(1, child), Part(2, 30), Place(0, 5, Box(200.0, 40.0, 90.0, 60.0)), Mute(5, 20)]
    return [
        _blur("choosing-nobody-found", studio.found(whole)),
        _blur("choosing-one-person", studio.found(alone, Keep(1, child))),
        _blur("choosing-split", studio.found(two_people(), *several), opened="Two people in one?"),
        _blur("choosing-merged", studio.found(two_people(), Merge(frozenset({1, 2})), Keep(1, mother))),
        _blur("choosing-crowd", studio.found(crowd(), Keep(3, child), title=LONG_TITLE)),
    ]


def _making(studio: Studio) -> list[Shot]:
    (waiting, _), (running, job), (failed, parked), (stopped, ended) = (studio.being_made() for _ in range(4))
    studio.goes_on(job, stage="redact", thousandths=300)
    studio.is_given_up(parked, TOO_MUCH)
    studio.is_stopped(ended)
    return [
        _blur("making-waits", waiting),
        _blur("making-time-left", running),
        _blur("making-failed", failed),
        _blur("making-stopped", stopped),
    ]


def _checking(studio: Studio) -> list[Shot]:
    back, short = studio.blurred()
    talked, long = studio.blurred(title=LONG_TITLE)
    waiting, flagged = studio.blurred()
    taken, withdrawn = studio.blurred()
    mended, former = studio.blurred()
    done, shown = studio.blurred()
    studio.sent_back(short, note=NOTE)
    studio.sent_back(long, note=LONG_NOTE)
    studio.asked(flagged)
    studio.asked(withdrawn)
    redaction.take_back(studio.stage.service.db, actor=studio.family.staff.guider.actor, rendition_id=withdrawn)
    studio.asked(former)
    studio.again(mended)
    studio.passed(shown)
    return [
        Shot("clip-sent-back", f"/clips/{back.clip_id}"),
        Shot("clip-sent-back-long", f"/clips/{talked.clip_id}"),
        _blur("mending-sent-back", talked),
        Shot("clip-check-waits", f"/clips/{waiting.clip_id}"),
        Shot("clip-check-taken-back", f"/clips/{taken.clip_id}"),
        Shot("clip-superseded", f"/clips/{mended.clip_id}"),
        Shot("clip-passed", f"/clips/{done.clip_id}"),
        Shot("checking", f"/checks/{flagged}", "colleague"),
        Shot("checking-taken-back", f"/checks/{withdrawn}", "colleague"),
        Shot("checking-superseded", f"/checks/{former}", "colleague"),
        Shot("at-home", f"/your-clips/{shown}", "mother"),
        Shot("at-home-list", "/your-clips", "mother"),
    ]
