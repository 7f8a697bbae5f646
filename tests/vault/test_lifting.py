"""What was quarantined is read whole again: only what is all right is used again, and nothing that anybody stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

import vault
from consent import Purpose, RenditionState
from core import jobs, outbox
from core.db import Database
from core.errors import Refused
from core.ids import FootageId, ObjectId, VisitId, new_id
from core.segments import damaged
from keys import KeyStore
from tests.families import Family
from tests.vault.cinema import Cinema, make_cinema
from vault import Depth, DiskStore, Lifting, ObjectState, Pace, Trouble, disposal, quarantine
from vault.models import ClipRow, FootageRow, FootageState, ObjectRow, RenditionRow


@dataclass
class Shelf:
    """A clip that plays, and the file that it lies in."""

    cinema: Cinema
    path: Path
    right: bytes

    @property
    def db(self) -> Database:
        return self.cinema.db

    @property
    def film(self) -> ObjectId:
        return self.cinema.clip.object_id

    def damage(self, at: int = 500) -> None:
        """Somebody plays it with a bit turned over."""
        wrong = bytearray(self.right)
        wrong[at] ^= 1
        self.path.write_bytes(wrong)
        self.mark()

    def mark(self) -> None:
        with self.db.begin() as session:
            quarantine.quarantine(session, self.film)

    def restore(self) -> None:
        self.path.write_bytes(self.right)

    def lift(self, **more: Pace) -> Lifting:
        cinema = self.cinema
        more = {"pace": Pace()} | more
        return vault.lift_quarantines(cinema.db, keystore=cinema.keystore, store=cinema.store, **more)

    def state(self) -> tuple[ObjectState, RenditionState]:
        with self.db.read() as session:
            rendition = session.get_one(RenditionRow, self.cinema.clip.rendition_id)
            return session.get_one(ObjectRow, self.film).state, rendition.state

    def play(self) -> bytes:
        cinema = self.cinema
        return cinema.play(cinema.guider, cinema.begin(cinema.guider, Purpose.PREPARE).id)


@pytest.fixture
def shelf(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId, tmp_path: Path) -> Shelf:
    cinema = make_cinema(db, keystore, store, family, visit)
    path = next(tmp_path.rglob(cinema.clip.object_id))
    return Shelf(cinema, path, path.read_bytes())


QUARANTINED = (ObjectState.QUARANTINED, RenditionState.QUARANTINED)
IN_USE = (ObjectState.SEALED, RenditionState.LIVE)


def test_what_is_all_right_again_is_played_again_and_the_log_says_so(shelf: Shelf) -> None:
    ticket = shelf.cinema.begin(shelf.cinema.guider, Purpose.PREPARE).id
    shelf.damage()
    assert shelf.state() == QUARANTINED
    shelf.restore()
    done = shelf.lift()
    assert (done.lifted, done.findings, done.left, done.objects) == ((shelf.film,), (), 0, 1)
    assert done.read_bytes == len(shelf.cinema.clip.content)
    assert shelf.state() == IN_USE
    assert shelf.play() == shelf.cinema.clip.content
    assert shelf.cinema.play(shelf.cinema.guider, ticket) == shelf.cinema.clip.content  # decided anew like any other
    (told,) = shelf.cinema.events("object.quarantine_lifted")
    assert (told.object_id, told.case_id) == (shelf.film, shelf.cinema.family.case_id)
    assert shelf.lift() == Lifting(0, 0, (), (), 0, (), ())


WRONG: dict[str, tuple[Callable[[bytes], bytes | None], Trouble]] = {
    "its last byte is gone": (lambda right: right[:-1], Trouble.OBJECT_QUARANTINED),
    "it has a byte more": (lambda right: right + b"\0", Trouble.OBJECT_QUARANTINED),
    "its header is another": (lambda right: right[:3] + b"\0" + right[4:], Trouble.OBJECT_QUARANTINED),
    "one bit of its last tag": (lambda right: right[:-1] + bytes([right[-1] ^ 1]), Trouble.OBJECT_QUARANTINED),
    "it isn't there": (lambda _right: None, Trouble.OBJECT_MISSING),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # it lies in the bytes
def test_what_differs_anywhere_stays_quarantined(shelf: Shelf) -> None:
    shelf.mark()
    for wrong, (change, trouble) in WRONG.items():
        shelf.path.unlink(missing_ok=True)
        content = change(shelf.right)
        if content is not None:
            shelf.path.write_bytes(content)
        done = shelf.lift()
        assert [(one.trouble, one.subject) for one in done.findings] == [(trouble, shelf.film)], wrong
        assert (done.lifted, shelf.state()) == ((), QUARANTINED), wrong
    shelf.restore()
    for column, other in (("sealed_sha256", "00" * 32), ("plain_sha256", "00" * 32), ("plain_length", 1)):
        with shelf.db.begin() as session:  # its bytes open, and aren't what was pinned
            row = session.get_one(ObjectRow, shelf.film)
            pinned = getattr(row, column)
            setattr(row, column, other)
        assert [one.trouble for one in shelf.lift().findings] == [Trouble.OBJECT_QUARANTINED], column
        with shelf.db.begin() as session:
            setattr(session.get_one(ObjectRow, shelf.film), column, pinned)
    assert shelf.cinema.events("object.quarantine_lifted") == []
    assert shelf.lift().lifted == (shelf.film,)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_its_key_nothing_is_lifted(shelf: Shelf) -> None:
    shelf.mark()
    shelf.cinema.keystore.destroy_object_key(shelf.film)
    assert [one.trouble for one in shelf.lift().findings] == [Trouble.KEY_MISSING]
    assert shelf.state() == QUARANTINED


def test_what_was_stopped_while_it_was_quarantined_is_not_brought_back_by_lifting(shelf: Shelf) -> None:
    case_id, clip_id = shelf.cinema.family.case_id, shelf.cinema.clip.clip_id
    shelf.mark()
    with shelf.db.begin() as session:  # as a family's request to erase it does
        stopped = disposal.stop_use(session, case_id=case_id, clip_id=clip_id)
    assert stopped == [shelf.cinema.clip.rendition_id, clip_id]
    assert shelf.lift().lifted == (shelf.film,)
    assert shelf.state() == (ObjectState.SEALED, RenditionState.WITHDRAWN_FROM_USE)
    with pytest.raises(Refused, match="not_available"):
        shelf.play()
    shelf.mark()
    with shelf.db.begin() as session:  # the request is taken back: it is what it was, which is damaged
        disposal.resume_use(session, stopped)
    assert shelf.state() == QUARANTINED
    shelf.lift()
    assert shelf.state() == IN_USE


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_on_its_way_out_is_never_lifted(shelf: Shelf) -> None:
    shelf.mark()
    with shelf.db.read() as session:
        seen = session.get_one(ObjectRow, shelf.film)
        clip = session.get_one(ClipRow, shelf.cinema.clip.clip_id)
    with shelf.db.begin() as session:
        disposal.begin_destroying(session, clip.id, at=shelf.db.clock.now())
    with shelf.db.begin() as session:  # as if it was read just before
        assert not quarantine.lift(session, seen)
    assert shelf.lift() == Lifting(0, 0, (), (), 0, (), ())
    assert shelf.state() == (ObjectState.DESTROYING, RenditionState.WITHDRAWN_FROM_USE)


def test_of_two_that_lift_at_once_one_does_and_the_log_says_so_once(shelf: Shelf) -> None:
    shelf.mark()
    inner: list[Lifting] = []

    class Interrupted(DiskStore):
        def size(self, name: str) -> int | None:
            if not inner:
                inner.append(shelf.lift())
            return super().size(name)

    store = Interrupted(shelf.cinema.store.spool.parent)
    outer = vault.lift_quarantines(shelf.db, keystore=shelf.cinema.keystore, store=store, pace=Pace())
    assert (inner[0].lifted, outer.lifted, outer.findings) == ((shelf.film,), (), ())
    assert len(shelf.cinema.events("object.quarantine_lifted")) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_broken_off_it_lifts_nothing_that_was_not_read_to_its_end(shelf: Shelf) -> None:
    stop = threading.Event()
    shelf.mark()
    stop.set()
    done = shelf.lift(pace=Pace(stop=stop))
    assert (done.lifted, done.left, shelf.state()) == ((), 1, QUARANTINED)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_work_that_had_stopped_at_it_is_named_with_what_to_do(shelf: Shelf) -> None:
    clip, at = shelf.cinema.clip, shelf.db.clock.now()
    for case_id in (shelf.cinema.family.case_id, new_id()):
        with shelf.db.begin() as session:
            job = jobs.enqueue(session, vault.REDACT, subject=clip.clip_id, case_id=case_id, at=at)
            lease = jobs.take(session, job, at=at)
            assert lease is not None
            jobs.park(session, lease, at=at, code=damaged().code, sentence=damaged().sentence)
    shelf.mark()
    (stopped,) = shelf.lift().stopped
    assert (stopped.kind, stopped.subject) == (vault.REDACT, clip.clip_id)
    assert "anew" in stopped.sentence


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_fsck_names_what_is_quarantined_until_it_is_lifted(shelf: Shelf) -> None:
    def told(depth: Depth) -> list[tuple[Trouble, str]]:
        report = vault.fsck(shelf.db, keystore=shelf.cinema.keystore, store=shelf.cinema.store, depth=depth)
        return [(one.trouble, one.subject) for one in report.findings]

    shelf.mark()
    assert told(Depth.LENGTHS) == told(Depth.EVERYTHING) == [(Trouble.OBJECT_QUARANTINED, shelf.film)]
    shelf.lift()
    assert told(Depth.LENGTHS) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_stopped", [False, True], ids=["and goes on", "and use was stopped"])
def test_a_deposit_had_stopped_at_it(shelf: Shelf, is_stopped: bool) -> None:  # noqa: FBT001 - a case of the table
    with shelf.db.begin() as session:
        at, footage = shelf.db.clock.now(), session.scalars(select(FootageRow)).one()
        footage_id, original = FootageId(footage.id), ObjectId(footage.original_id or "")
        job = jobs.enqueue(session, vault.FINISH, subject=footage_id, case_id=footage.case_id, at=at)
        lease = jobs.take(session, job, at=at)
        quarantine.quarantine(session, original)
        if is_stopped:
            disposal.stop_use(session, case_id=shelf.cinema.family.case_id, clip_id=None)
    assert lease is not None
    vault.give_up(shelf.db, lease=lease, error=damaged())
    done = shelf.lift()
    with shelf.db.read() as session:
        footage = session.get_one(FootageRow, footage_id)
        waiting = [payload["job_id"] for payload in outbox.undelivered(session, jobs.START)]
    assert done.lifted == (original,)
    if is_stopped:
        assert (done.going_on, [one.subject for one in done.stopped]) == ((), [footage_id])
        assert (footage.state, footage.error_code) == (FootageState.REJECTED, "object_damaged")
    else:
        assert (done.going_on, done.stopped) == ((footage_id,), ())
        assert (footage.state, footage.error_code) == (FootageState.PREPARING, None)
        assert footage.job_id in waiting
