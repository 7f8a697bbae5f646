"""A guider has people looked for in footage, and a clip blurred: two jobs; a worker that was lost comes back late."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import select

import redaction
import vault
from consent import RenditionState
from core import jobs
from core.ids import JobId
from core.jobs import JobRow, JobState, Lease
from media import launcher
from redaction import Keep
from tests.families import filming_visit, make_family
from tests.faults.drill import Acknowledge
from tests.faults.soundness import AFTER_A_CRASH, assert_nothing_left, assert_sound, events, tidy_up
from tests.faults.world import World, make, opened, without_sandbox
from tests.redaction.faces import two_people
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import add_clip, add_footage
from vault.models import ObjectKind, ObjectRow, RenditionRow
from vault.redaction_models import DetectionsRow

_MADE = (ObjectKind.DETECTIONS, ObjectKind.FACES, ObjectKind.REDACTED, ObjectKind.POSTER, ObjectKind.STRIP)

FRAMES = 12


class Blurring:
    """People are found whole or not at all; a blurred version is there once and whole, or isn't there."""

    def __init__(self) -> None:
        launcher.run = partial(without_sandbox, outputs={launcher.Detect: two_people(frames=FRAMES).to_bytes()})

    def prepare(self, folder: Path) -> None:
        """A clip of a film that everyone agreed to."""
        make(folder)
        with opened(folder) as world:
            self.family = make_family(world.db, world.keystore)
            self.guider = self.family.staff.guider
            visit = filming_visit(world.db, self.family)
            agree_to_filming(world.db, world.keystore, self.family)
            self.footage = add_footage(world.db, world.keystore, world.store, self.family, visit, frames=FRAMES)
            self.clip = add_clip(
                world.db, world.keystore, world.store, self.family, self.footage, content=b"a clip", frames=FRAMES
            ).clip_id
            with world.db.read() as session:
                self.there = set(session.scalars(select(ObjectRow.id)))
            tidy_up(world)

    def act(self, folder: Path, acknowledge: Acknowledge) -> None:
        """The guider looks for people, keeps the child visible, and has the rest blurred."""
        with opened(folder) as world:
            self._look(world)
            _work(world, vault.DETECT)
            acknowledge("found")
            self._ask(world)
            acknowledge("asked")
            _work(world, vault.REDACT)
            acknowledge("made")

    def check(self, folder: Path, told: Sequence[str]) -> None:
        """Nobody can choose before all is found; no version is shown before all of it is there, and it is one."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            assert_sound(world)
            with world.db.read() as session:
                looking = vault.looking(session, self.footage)
                seen = session.get(DetectionsRow, self.footage)
                made = self._versions(world)
                done = list(session.scalars(select(JobRow.kind).where(JobRow.state == JobState.DONE)))
                rendering = session.scalars(select(JobRow.id).where(JobRow.kind == vault.REDACT)).all()
            if "found" in told:
                assert looking is not None
            if looking is not None and looking.is_done:
                assert seen is not None
                assert seen.faces_id
                assert looking.people == 2
            assert len(rendering) <= 1
            assert rendering or "asked" not in told
            assert len(made) == (vault.REDACT in done)
            assert made or "made" not in told
            for row in made:
                assert row.state is RenditionState.LIVE
                assert row.poster_id
                assert row.strip_id
                assert row.manifest
                assert vault.persons_listed(session, row.id) == {self.family.child}

    def recover(self, folder: Path) -> None:
        """Whoever was told nothing asks again; a lost worker's job is ended by the next, and the first comes back."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            tidy_up(world)
            self._look(world)
            self._work_late(world, vault.DETECT)
            if not self._versions(world) and not _jobs(world, vault.REDACT):
                self._ask(world)
            self._work_late(world, vault.REDACT)
            tidy_up(world)

    def check_end(self, folder: Path) -> None:
        """One search, one version, one of each picture, and no key but theirs."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            assert_nothing_left(world)
            with world.db.read() as session:
                assert set(session.scalars(select(JobRow.state))) == {JobState.DONE}
                rows = [row for row in session.scalars(select(ObjectRow)) if row.id not in self.there]
            assert len(self._versions(world)) == 1
            assert sorted(row.kind for row in rows) == sorted(_MADE)
            assert {stored.name for stored in world.store.names()} == self.there | {row.id for row in rows}
            wanted = ("faces.sought", "redaction.asked", "clip.redacted")
            assert events(world, *wanted) == dict.fromkeys(wanted, 1)

    def _look(self, world: World) -> None:
        vault.look_for_people(world.db, actor=self.guider.actor, footage_id=self.footage)

    def _ask(self, world: World) -> None:
        with world.db.read() as session:
            version = vault.choices_of(session, keystore=world.keystore, clip_id=self.clip).version
        if version == 0:
            version = redaction.choose(
                world.db,
                keystore=world.keystore,
                store=world.store,
                actor=self.guider.actor,
                clip_id=self.clip,
                looked_at=0,
                step=Keep(1, self.family.child),
            )
        redaction.render(
            world.db,
            keystore=world.keystore,
            actor=self.guider.actor,
            clip_id=self.clip,
            looked_at=version,
            reason="A neighbour came in",
        )

    def _versions(self, world: World) -> list[RenditionRow]:
        with world.db.read() as session:
            rows = vault.renditions.of_clip(session, self.clip)
        return [row for row in rows if row.treatment is vault.Treatment.REDACTED]

    def _work_late(self, world: World, kind: str) -> None:
        stale, fresh = _lease(world, kind), _lease(world, kind)
        for lease in (fresh, stale):
            if lease is not None:
                redaction.RUNNERS[kind](world.db, keystore=world.keystore, store=world.store, lease=lease)


def _jobs(world: World, kind: str) -> list[JobId]:
    with world.db.read() as session:
        return [JobId(one) for one in session.scalars(select(JobRow.id).where(JobRow.kind == kind))]


def _lease(world: World, kind: str) -> Lease | None:
    (job_id,) = _jobs(world, kind)
    with world.db.begin() as session:
        return jobs.take(session, job_id, at=world.db.clock.now())


def _work(world: World, kind: str) -> None:
    lease = _lease(world, kind)
    assert lease is not None
    redaction.RUNNERS[kind](world.db, keystore=world.keystore, store=world.store, lease=lease)
