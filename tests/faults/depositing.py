"""A deposit's last part arrives; its job seals the one object, destroys the upload's key, makes copy, poster, strip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from core import jobs
from core.ids import JobId, UploadId
from core.jobs import JobRow, JobState
from media import launcher
from tests.families import filming_visit, make_family
from tests.faults.drill import Acknowledge
from tests.faults.soundness import AFTER_A_CRASH, assert_nothing_left, assert_sound, events, tidy_up
from tests.faults.world import World, make, opened, without_sandbox
from tests.vault.sending import Sender, film
from vault import Bounds, FootageState, UploadState, finish
from vault.models import FootageRow, ObjectKind, ObjectRow, PartRow, RenditionRow, UploadRow
from vault.receiving import PartReceiver

FILM = film(650_000)
LAST = 450_000
"""Where the last part begins."""


class Depositing:
    """Whole or absent: a part counts or doesn't; the film is sealed once, and nothing of it is lost."""

    def __init__(self) -> None:
        launcher.run = without_sandbox
        self.upload = UploadId("")

    def prepare(self, folder: Path) -> None:
        """Everything but the last part has arrived."""
        make(folder)
        with opened(folder) as world:
            family = make_family(world.db, world.keystore)
            self.guider = family.staff.guider
            visit = filming_visit(world.db, family)
            sender = Sender(world.db, world.keystore, world.store, family, visit)
            self.upload = sender.begin(len(FILM))
            for start in (0, LAST // 2):
                sender.send(self.upload, FILM[start : start + LAST // 2], offset=start)
            tidy_up(world)

    def act(self, folder: Path, acknowledge: Acknowledge) -> None:
        """The last part comes, then the worker takes the job."""
        with opened(folder) as world:
            self.send(world)
            acknowledge("received")
            _work(world)
            acknowledge("finished")

    def check(self, folder: Path, told: Sequence[str]) -> None:
        """The offset is true; the footage is there with all its bytes, or isn't there."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            assert_sound(world)
            with world.db.read() as session:
                upload = session.get_one(UploadRow, self.upload)
                footage = session.scalars(select(FootageRow)).one_or_none()
                parts = session.scalars(select(PartRow)).all()
                originals = session.scalars(
                    select(ObjectRow).where(ObjectRow.kind == ObjectKind.ORIGINAL, ObjectRow.sealed_at.is_not(None))
                ).all()
            assert (footage is None) is (upload.state is UploadState.RECEIVING)
            assert upload.offset == (LAST if footage is None else len(FILM))
            assert ("received" not in told) or footage is not None
            assert len(originals) == (footage is not None and footage.original_id is not None)
            if originals:
                assert world.opens(originals[0]) == FILM
            else:
                assert sum(part.length for part in parts) == upload.offset
            if "finished" in told:
                assert footage is not None
                assert footage.state is FootageState.READY

    def recover(self, folder: Path) -> None:
        """The phone goes on where the true offset says; the queue hands the job out again."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            with world.db.read() as session:
                waits = session.get_one(UploadRow, self.upload).state is UploadState.RECEIVING
            tidy_up(world)
            if waits:
                self.send(world)
            _work(world)
            tidy_up(world)

    def check_end(self, folder: Path) -> None:
        """One film, one of each picture, each act told once, and no key but theirs."""
        with opened(folder, after=AFTER_A_CRASH) as world:
            assert_nothing_left(world)
            with world.db.read() as session:
                assert session.scalars(select(FootageRow.state)).all() == [FootageState.READY]
                assert session.scalars(select(JobRow.state)).all() == [JobState.DONE]
                assert len(session.scalars(select(RenditionRow)).all()) == 1
                made = {row.kind: row for row in session.scalars(select(ObjectRow))}
                assert session.scalars(select(PartRow)).all() == []
            assert set(made) == {
                ObjectKind.ORIGINAL,
                ObjectKind.WORKING_COPY,
                ObjectKind.POSTER,
                ObjectKind.STRIP,
            }
            assert world.opens(made[ObjectKind.ORIGINAL]) == FILM
            assert {stored.name for stored in world.store.names()} == {row.id for row in made.values()}
            told = events(world, "deposit.received", "deposit.sealed", "footage.prepared")
            assert set(told.values()) == {1}

    def send(self, world: World) -> None:
        """The last part comes."""
        receiver = PartReceiver(
            world.db,
            keystore=world.keystore,
            store=world.store,
            actor=self.guider.actor,
            upload_id=self.upload,
            offset=LAST,
            bounds=Bounds(),
        )
        assert list(receiver.runs(FILM[LAST:])) == []
        assert receiver.end() == len(FILM)


def _work(world: World) -> None:
    with world.db.begin() as session:
        job_id = JobId(session.scalars(select(JobRow.id)).one())
        lease = jobs.take(session, job_id, at=world.db.clock.now())
    if lease is not None:
        finish(world.db, keystore=world.keystore, store=world.store, lease=lease)
