"""A family with film: real keys, real ciphertext, the vault's own rows; only the media process is left out."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

import identity
import retention
from core import jobs, mark
from core.db import Database
from core.errors import NotFound
from core.ids import CaseId, ClipId, FootageId, ObjectId, PersonId, RenditionId, UploadId, VisitId, new_id
from core.segments import SegmentReader, SegmentWriter
from identity import Keeping, VisitKind
from keys import JobCapability, KeyStore, object_binding
from retention import Outcome, Schedule
from tests.fakes import HandClock
from tests.families import Family, Staff, make_family, make_staff
from vault import DiskStore
from vault.models import (
    ClipRow,
    ClipState,
    FootageRow,
    FootageState,
    ObjectKind,
    ObjectRow,
    ObjectState,
    PersonShownRow,
    RenditionRow,
    RenditionState,
    Treatment,
    UploadRow,
    UploadState,
)


@dataclass(slots=True)
class Shelf:
    """Puts film into a store and looks whether it still opens."""

    db: Database
    keystore: KeyStore
    store: DiskStore
    family: Family

    def pass_days(self, days: int) -> None:
        """Let days go by in which the service was up: nobody is surprised by the time."""
        clock = self.db.clock
        assert isinstance(clock, HandClock)
        clock.move(timedelta(days=days))
        with self.db.begin() as session:
            mark.raise_to(session, at=clock.now())

    def close_case(self, *, look_again: Keeping = Keeping.NO) -> None:
        identity.close_case(
            self.db,
            keystore=self.keystore,
            actor=self.family.staff.manager.actor,
            case_id=self.family.case_id,
            reason="The work is done.",
            family_copy=Keeping.YES,
            look_again=look_again,
        )

    def visit(self) -> VisitId:
        return identity.record_visit(
            self.db,
            actor=self.family.staff.guider.actor,
            case_id=self.family.case_id,
            kind=VisitKind.FILMING,
            visited_on=self.db.clock.now().date(),
            present=[self.family.mother.id, self.family.child],
        )

    def film(self, *, size: int = 1000, visit: VisitId | None = None) -> FootageId:
        """Deposit a film of the family, as its finished job leaves it."""
        visit_id, film_id, upload_id = visit or self.visit(), FootageId(new_id()), UploadId(new_id())
        at, case_id = self.db.clock.now(), self.family.case_id
        with self.db.begin() as session:
            job = self._job(session, "deposit.finish", subject=film_id)
            session.add(
                UploadRow(
                    id=upload_id,
                    case_id=case_id,
                    visit_id=visit_id,
                    depositor=self.family.staff.guider.id,
                    length=size,
                    offset=size,
                    media_type="video/mp4",
                    state=UploadState.SEALED,
                    created_at=at,
                    last_byte_at=at,
                )
            )
            session.flush()
            original = self._object(session, job, kind=ObjectKind.ORIGINAL, size=size)
            session.add(
                FootageRow(
                    id=film_id,
                    case_id=case_id,
                    visit_id=visit_id,
                    upload_id=upload_id,
                    depositor=self.family.staff.guider.id,
                    original_id=original.id,
                    job_id=job,
                    filename=b"sealed name",
                    state=FootageState.READY,
                    deposited_at=at,
                )
            )
            session.flush()
            copy = self._object(session, job, kind=ObjectKind.WORKING_COPY, size=size // 2)
            self._rendition(
                session, film_id, copy, clip_id=None, poster=self._object(session, job, kind=ObjectKind.POSTER, size=40)
            )
        return film_id

    def clip(self, film_id: FootageId, *, size: int = 300, persons: tuple[PersonId, ...] | None = None) -> ClipId:
        """Cut a clip from a film, as its finished job leaves it."""
        clip_id, at = ClipId(new_id()), self.db.clock.now()
        with self.db.begin() as session:
            job = self._job(session, "clip.cut", subject=clip_id)
            session.add(
                ClipRow(
                    id=clip_id,
                    case_id=self.family.case_id,
                    footage_id=film_id,
                    first_frame=0,
                    last_frame=50,
                    title=b"sealed title",
                    author=self.family.staff.guider.id,
                    job_id=job,
                    state=ClipState.READY,
                    created_at=at,
                )
            )
            session.flush()
            cut = self._object(session, job, kind=ObjectKind.CUT, size=size)
            shown = (self.family.mother.id, self.family.child) if persons is None else persons
            self._rendition(session, film_id, cut, clip_id=clip_id, persons=shown)
        return clip_id

    def objects(self, record: str) -> list[ObjectRow]:
        """The objects that were made for a record."""
        from vault.belongings import objects_in  # noqa: PLC0415 - a look inside

        with self.db.read() as session:
            return objects_in(session, record)

    def opens(self, row: ObjectRow, *, keystore: KeyStore | None = None, store: DiskStore | None = None) -> bytes:
        """The plaintext of an object.

        Raises:
            VaultError: it can't be opened.
        """
        object_id, case_id = ObjectId(row.id), CaseId(row.case_id)
        use = JobCapability(job="test", case_id=case_id, objects=frozenset({object_id}))
        key = (keystore or self.keystore).object_key(object_id, capability=use)
        assert row.sealed_length is not None
        assert row.header is not None
        reader = SegmentReader(
            key,
            associated_data=object_binding(case_id=case_id, object_id=object_id, generation=1),
            size=row.sealed_length,
            header=row.header,
            read_at=lambda start, length: (store or self.store).read(row.id, start=start, length=length),
        )
        assert row.plain_length is not None
        return bytes(reader.read(0, row.plain_length))

    def is_gone(self, record: str) -> bool:
        """Whether neither a key nor a byte of a record is left."""
        rows = self.objects(record)
        for row in rows:
            with suppress(NotFound):
                self.opens(row)
                return False
        return bool(rows) and all(self.store.size(row.id) is None for row in rows)

    def _job(self, session: Session, kind: str, *, subject: str) -> str:
        return jobs.enqueue(session, kind, subject=subject, case_id=self.family.case_id, at=self.db.clock.now())

    def _object(self, session: Session, job: str, *, kind: ObjectKind, size: int) -> ObjectRow:
        object_id, case_id = ObjectId(new_id()), self.family.case_id
        use = JobCapability(job=job, case_id=case_id, objects=frozenset({object_id}))
        key = self.keystore.new_object_key(case_id=case_id, object_id=object_id, capability=use)
        pieces: list[bytes] = []
        binding = object_binding(case_id=case_id, object_id=object_id, generation=1)
        plain = bytes(index % 251 for index in range(size))
        writer = SegmentWriter(key, associated_data=binding, write=lambda piece: pieces.append(bytes(piece)))
        writer.write(plain)
        done, sealed = writer.close(), b"".join(pieces)
        with self.store.writer(object_id) as out:
            out.write(sealed)
            out.commit()
        row = ObjectRow(
            id=object_id,
            case_id=case_id,
            generation=1,
            kind=kind,
            state=ObjectState.SEALED,
            job_id=job,
            fence=1,
            media_type="video/mp4",
            header=done.header,
            sealed_length=len(sealed),
            sealed_sha256=hashlib.sha256(sealed).hexdigest(),
            plain_length=size,
            plain_sha256=hashlib.sha256(plain).hexdigest(),
            created_at=self.db.clock.now(),
            sealed_at=self.db.clock.now(),
        )
        session.add(row)
        session.flush()
        return row

    def _rendition(
        self,
        session: Session,
        film_id: FootageId,
        made: ObjectRow,
        *,
        clip_id: ClipId | None,
        poster: ObjectRow | None = None,
        persons: tuple[PersonId, ...] = (),
    ) -> None:
        rendition = RenditionRow(
            id=RenditionId(new_id()),
            case_id=self.family.case_id,
            footage_id=film_id,
            clip_id=clip_id,
            treatment=Treatment.ORIGINAL_CUT if clip_id else Treatment.WORKING_COPY,
            object_id=made.id,
            poster_id=poster.id if poster else None,
            content_hash=made.plain_sha256,
            state=RenditionState.LIVE,
            author=self.family.staff.guider.id,
            nobody_recognisable=False,
            width=640,
            height=360,
            fps_numerator=25,
            fps_denominator=1,
            frames=50,
            duration_ms=2000,
            has_audio=False,
            created_at=self.db.clock.now(),
        )
        session.add(rendition)
        session.flush()
        session.add_all(PersonShownRow(rendition_id=rendition.id, person_id=person) for person in persons)


class Night:
    """The nightly run."""

    def __init__(self, db: Database, keystore: KeyStore, store: DiskStore, schedule: Schedule) -> None:
        self.db, self.keystore, self.store, self.schedule = db, keystore, store, schedule

    def __call__(self) -> Outcome | None:
        return retention.nightly(self.db, keystore=self.keystore, store=self.store, schedule=self.schedule)

    def carry_out(self, sweep_id: str) -> Outcome:
        return retention.carry_out(
            self.db, keystore=self.keystore, store=self.store, schedule=self.schedule, sweep_id=sweep_id
        )


@pytest.fixture
def night(db: Database, keystore: KeyStore, store: DiskStore, schedule: Schedule) -> Night:
    return Night(db, keystore, store, schedule)


@pytest.fixture
def schedule() -> Schedule:
    return retention.load()


@pytest.fixture
def staff(db: Database, keystore: KeyStore) -> Staff:
    return make_staff(db, keystore)


@pytest.fixture
def family(db: Database, keystore: KeyStore, staff: Staff) -> Family:
    return make_family(db, keystore, staff=staff)


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store")


@pytest.fixture
def shelf(db: Database, keystore: KeyStore, store: DiskStore, family: Family) -> Shelf:
    return Shelf(db, keystore, store, family)
