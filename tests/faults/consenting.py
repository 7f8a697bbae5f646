"""A father says yes, so a social worker may watch; then a mother stops it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from core.ids import CaseId, PersonId, RenditionId
from keys import KeyStore
from tests.families import Someone, filming_visit, make_family
from tests.faults.drill import Acknowledge
from tests.faults.soundness import AFTER_A_CRASH, assert_nothing_left, assert_sound, events, tidy_up
from tests.faults.world import World, make, opened
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import add_clip, add_footage
from vault import DiskStore
from vault.models import RenditionRow

_NARROWING = "consent.withdrawn"
Page = list[Question]


@dataclass(frozen=True, slots=True)
class Asked:
    """A clip that father and mother were asked about, for a social worker."""

    clip: RenditionId
    mother: Someone
    father: Someone
    watcher: Someone

    def page(self, db: Database, who: Someone) -> Page:
        """What somebody is asked."""
        return [one for one in consent.questions_for(db, actor=who.actor) if one.purpose is Purpose.SOCIAL_WORKER]

    def agree(self, db: Database, who: Someone, *, page: Page | None = None) -> None:
        """Say yes, to what a page showed or shows now."""
        asked = self.page(db, who) if page is None else page
        consent.grant(
            db,
            actor=who.actor,
            questions=[one.id for one in asked],
            page_version=max(one.page_version for one in asked),
            notice=asked[0].notice.id,
        )

    def stop(self, db: Database) -> None:
        """The mother stops it."""
        consent.withdraw(db, actor=self.mother.actor, questions=[one.id for one in self.page(db, self.mother)])

    def watch(self, db: Database) -> None:
        """The social worker wants to watch."""
        vault.begin_viewing(db, actor=self.watcher.actor, rendition_id=self.clip, purpose=Purpose.SOCIAL_WORKER)

    def may_watch(self, db: Database) -> bool:
        """Whether they may."""
        try:
            self.watch(db)
        except Refused:
            return False
        return True


def ask(db: Database, keystore: KeyStore, store: DiskStore) -> Asked:
    """A clip whose people agreed to be filmed; mother and father are asked, and the mother says yes."""
    family = make_family(db, keystore)
    visit = filming_visit(db, family)
    agree_to_filming(db, keystore, family)
    footage = add_footage(db, keystore, store, family, visit)
    clip = add_clip(db, keystore, store, family, footage, content=b"a film").rendition_id
    with db.begin() as session:
        persons = vault.facts_for(session, clip).persons_shown
        vault.attest(session, clip, persons=persons, by=family.staff.colleague.id, at=db.clock.now())
    with db.read() as session:
        facts = vault.facts_for(session, clip)
    watcher = family.staff.social_worker
    consent.ask(
        db,
        actor=family.staff.guider.actor,
        rendition=facts,
        purpose=Purpose.SOCIAL_WORKER,
        audience=Audience(person=PersonId(watcher.id)),
    )
    asked = Asked(clip, family.mother, family.father, watcher)
    asked.agree(db, family.mother)
    return asked


class Consenting:
    """What was told is in force; what wasn't told is in force whole or not at all; in doubt nothing is shown."""

    def prepare(self, folder: Path) -> None:
        """A clip that the mother said yes to; the father was asked."""
        make(folder)
        with opened(folder) as world:
            self.asked = ask(world.db, world.keystore, world.store)
            tidy_up(world)
            self.before = _state(world)

    def act(self, folder: Path, acknowledge: Acknowledge) -> None:
        """One says yes, the other stops."""
        with opened(folder) as world:
            self.asked.agree(world.db, self.asked.father)
            acknowledge("yes")
            self.asked.stop(world.db)
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
            assert self.asked.may_watch(world.db) is (granted == 2 * mothers and withdrawn == 0)

    def recover(self, folder: Path) -> None:
        """Whoever wasn't told tries again."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            granted, withdrawn, _, _ = _state(world)
            if granted == self.before[0]:
                self.asked.agree(world.db, self.asked.father)
            if withdrawn == 0:
                self.asked.stop(world.db)
            tidy_up(world)

    def check_end(self, folder: Path) -> None:
        """One yes, one stop, and nothing is shown."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            assert_nothing_left(world)
            assert _state(world)[:2] == (2 * self.before[0], self.before[0])
            assert not self.asked.may_watch(world.db)


def said(db: Database, decision: Decision) -> int:
    """How often it was said about sharing."""
    with db.read() as session:
        query = select(EventRow.decision).where(EventRow.purpose == Purpose.SOCIAL_WORKER)
        return list(session.scalars(query)).count(decision)


def _state(world: World) -> tuple[int, int, int, int]:
    """How many yeses and stops to sharing, the case's version, and how much the witness is still to be told."""
    with world.db.read() as session:
        case_id = session.scalars(select(RenditionRow.case_id)).first() or ""
        (version,) = identity.versions(session, [CaseId(case_id)]).values()
        waiting = len(outbox.undelivered(session, audit.WITNESS))
    return said(world.db, Decision.GRANT), said(world.db, Decision.WITHDRAW), version, waiting
