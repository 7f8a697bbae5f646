"""A father says yes, so a social worker may watch; then a mother stops it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

import audit
import consent
import identity
import vault
from consent import Audience, Decision, Purpose, Question
from consent.models import EventRow
from core import outbox
from core.db import Database
from core.errors import Refused
from core.ids import CaseId, PersonId
from tests.families import Someone, make_family
from tests.faults.drill import Acknowledge
from tests.faults.soundness import AFTER_A_CRASH, assert_nothing_left, assert_sound, events, tidy_up
from tests.faults.world import World, make, opened
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import add_clip, add_footage
from vault.models import RenditionRow

_NARROWING = "consent.withdrawn"


class Consenting:
    """What was told is in force; what wasn't told is in force whole or not at all; in doubt nothing is shown."""

    def prepare(self, folder: Path) -> None:
        """A clip that the mother said yes to; the father was asked."""
        make(folder)
        with opened(folder) as world:
            db = world.db
            family = make_family(db, world.keystore)
            self.mother, self.father, self.watcher = family.mother, family.father, family.staff.social_worker
            visit = identity.record_visit(
                db,
                actor=family.staff.guider.actor,
                case_id=family.case_id,
                kind=identity.VisitKind.FILMING,
                visited_on=db.clock.now().date(),
                present=[family.mother.id, family.father.id, family.child],
            )
            agree_to_filming(db, world.keystore, family)
            footage = add_footage(db, world.keystore, world.store, family, visit)
            self.clip = add_clip(db, world.keystore, world.store, family, footage, content=b"a film")
            with db.begin() as session:
                persons = vault.facts_for(session, self.clip.rendition_id).persons_shown
                by, rendition = family.staff.colleague.id, self.clip.rendition_id
                vault.attest(session, rendition, persons=persons, by=by, at=db.clock.now())
            with db.read() as session:
                facts = vault.facts_for(session, self.clip.rendition_id)
            consent.ask(
                db,
                actor=family.staff.guider.actor,
                rendition=facts,
                purpose=Purpose.SOCIAL_WORKER,
                audience=Audience(person=PersonId(self.watcher.id)),
            )
            _grant(db, self.mother)
            tidy_up(world)
            self.before = _state(world)

    def act(self, folder: Path, acknowledge: Acknowledge) -> None:
        """One says yes, the other stops."""
        with opened(folder) as world:
            self.agree(world)
            acknowledge("yes")
            self.stop(world)
            acknowledge("stopped")

    def check(self, folder: Path, told: Sequence[str]) -> None:
        """Answers, version, log and witness's queue say the same; the clip is shown under both yeses and no stop."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            assert_sound(world)
            granted, withdrawn, version, waiting = _state(world)
            counted = events(world, "consent.granted", _NARROWING)
            mothers, none, first, queue = self.before
            assert none == 0
            assert granted in {mothers, 2 * mothers}  # for herself and for the child, and so does he
            assert withdrawn in {0, mothers}
            assert counted == {"consent.granted": granted, _NARROWING: withdrawn}
            assert (version > first) is (granted > mothers)
            assert waiting == queue + withdrawn
            assert granted == 2 * mothers or (withdrawn == 0 and "yes" not in told)
            assert withdrawn == mothers or "stopped" not in told
            assert self._may_watch(world) is (granted == 2 * mothers and withdrawn == 0)

    def recover(self, folder: Path) -> None:
        """Whoever wasn't told tries again."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            granted, withdrawn, _, _ = _state(world)
            if granted == self.before[0]:
                self.agree(world)
            if withdrawn == 0:
                self.stop(world)
            tidy_up(world)

    def check_end(self, folder: Path) -> None:
        """One yes, one stop, and nothing is shown."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            assert_nothing_left(world)
            assert _state(world)[:2] == (2 * self.before[0], self.before[0])
            assert not self._may_watch(world)

    def agree(self, world: World) -> None:
        """The father says yes."""
        _grant(world.db, self.father)

    def stop(self, world: World) -> None:
        """The mother stops it."""
        consent.withdraw(
            world.db, actor=self.mother.actor, questions=[one.id for one in _questions(world.db, self.mother)]
        )

    def watch(self, world: World) -> None:
        """The social worker wants to watch."""
        vault.begin_viewing(
            world.db, actor=self.watcher.actor, rendition_id=self.clip.rendition_id, purpose=Purpose.SOCIAL_WORKER
        )

    def _may_watch(self, world: World) -> bool:
        try:
            self.watch(world)
        except Refused:
            return False
        return True


def _questions(db: Database, who: Someone) -> list[Question]:
    return [one for one in consent.questions_for(db, actor=who.actor) if one.purpose is Purpose.SOCIAL_WORKER]


def _grant(db: Database, who: Someone) -> None:
    asked = _questions(db, who)
    consent.grant(
        db,
        actor=who.actor,
        questions=[one.id for one in asked],
        page_version=max(one.page_version for one in asked),
        notice=asked[0].notice.id,
    )


def _state(world: World) -> tuple[int, int, int, int]:
    """How many yeses and stops to sharing, the case's version, and how much the witness is still to be told."""
    with world.db.read() as session:
        said = session.scalars(select(EventRow.decision).where(EventRow.purpose == Purpose.SOCIAL_WORKER)).all()
        case_id = session.scalars(select(RenditionRow.case_id)).first() or ""
        (version,) = identity.versions(session, [CaseId(case_id)]).values()
        waiting = len(outbox.undelivered(session, audit.WITNESS))
    return said.count(Decision.GRANT), said.count(Decision.WITHDRAW), version, waiting
