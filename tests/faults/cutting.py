"""A guider cuts a clip; its job makes the rendition, poster and strip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

import vault
from core import jobs
from core.ids import ClipId, FootageId, JobId
from core.jobs import JobRow, JobState
from media import launcher
from tests.families import filming_visit, make_family
from tests.faults.drill import Acknowledge
from tests.faults.soundness import AFTER_A_CRASH, assert_nothing_left, assert_sound, events, tidy_up
from tests.faults.world import World, make, opened, without_sandbox
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import add_footage
from vault import ClipState
from vault.models import ClipRow, ObjectKind, ObjectRow, RenditionRow


class Cutting:
    """The clip is asked for or isn't; what its job makes is there once."""

    def __init__(self) -> None:
        launcher.run = without_sandbox

    def prepare(self, folder: Path) -> None:
        """A film that everyone agreed to."""
        make(folder)
        with opened(folder) as world:
            family = make_family(world.db, world.keystore)
            self.guider = family.staff.guider
            visit = filming_visit(world.db, family)
            agree_to_filming(world.db, world.keystore, family)
            self.footage: FootageId = add_footage(world.db, world.keystore, world.store, family, visit)
            tidy_up(world)

    def act(self, folder: Path, acknowledge: Acknowledge) -> None:
        """The guider cuts, the worker works."""
        with opened(folder) as world:
            self._cut(world)
            acknowledge("asked")
            _work(world)
            acknowledge("made")

    def check(self, folder: Path, told: Sequence[str]) -> None:
        """No clip without its job; none is shown as ready before all of it is there."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            assert_sound(world)
            with world.db.read() as session:
                clips = session.scalars(select(ClipRow)).all()
                assert len(session.scalars(select(JobRow)).all()) == len(clips) <= 1
                made = session.scalars(select(RenditionRow).where(RenditionRow.clip_id.is_not(None))).all()
            assert ("asked" not in told) or clips
            for clip in clips:
                if clip.state is ClipState.READY or "made" in told:
                    assert [(one.poster_id is None, one.strip_id is None) for one in made] == [(False, False)]

    def recover(self, folder: Path) -> None:
        """Whoever was told nothing cuts again; the queue hands the job out."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            with world.db.read() as session:
                there = session.scalars(select(ClipRow.id)).all()
            tidy_up(world)
            if not there:
                self._cut(world)
            _work(world)
            tidy_up(world)

    def check_end(self, folder: Path) -> None:
        """One clip, one of each picture."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            assert_nothing_left(world)
            with world.db.read() as session:
                assert session.scalars(select(ClipRow.state)).all() == [ClipState.READY]
                assert session.scalars(select(JobRow.state)).all() == [JobState.DONE]
                made = session.scalars(select(ObjectRow)).all()
            cut = sorted(row.kind for row in made if row.kind not in {ObjectKind.ORIGINAL, ObjectKind.WORKING_COPY})
            assert cut == sorted([ObjectKind.CUT, ObjectKind.POSTER, ObjectKind.STRIP])
            assert {stored.name for stored in world.store.names()} == {row.id for row in made}
            assert events(world, "clip.cut") == {"clip.cut": 1}

    def _cut(self, world: World) -> ClipId:
        return vault.cut_clip(
            world.db,
            keystore=world.keystore,
            actor=self.guider.actor,
            footage_id=self.footage,
            first_frame=0,
            last_frame=25,
            title="Kit laughs",
        )


def _work(world: World) -> None:
    with world.db.begin() as session:
        job_id = JobId(session.scalars(select(JobRow.id)).one())
        lease = jobs.take(session, job_id, at=world.db.clock.now())
    if lease is not None:
        vault.cut(world.db, keystore=world.keystore, store=world.store, lease=lease)
