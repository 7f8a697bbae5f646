"""The objects to another store while the service goes on: nothing lost, nothing read from a place that was left."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import vault
from audit.models import AuditEntryRow
from core.db import Database
from core.errors import Conflict, Unavailable
from core.ids import FootageId, VisitId, new_id
from keys import KeyStore
from keys.models import ProcessRow
from tests.fakes import HandClock
from tests.families import Family
from tests.vault.scene import add_clip, add_footage
from tests.vault.sending import Sender, film
from vault import BothStores, Depth, DiskStore, Next, ObjectState, Pace, recognise, whereabouts
from vault.disk import DiskWriter
from vault.models import ObjectRow
from vault.upkeep_models import CopiedRow, StoreRow, StoreState


@dataclass
class Removal:
    """An old store with film in it, and a new one; as processes that are set to use them see both."""

    db: Database
    keystore: KeyStore
    folder: Path
    old: DiskStore
    new: DiskStore
    footage: FootageId
    sender: Sender

    def move(self, **more: object) -> vault.Moved:
        named = {"source": self.old, "target": self.new, "address": "/new", "pace": Pace()} | more
        return vault.move(self.db, keystore=self.keystore, **named)

    def start(self, store: vault.ObjectStore) -> vault.ObjectStore:
        recognise(self.db, store=store, address="/somewhere")
        return store

    def switch(self) -> BothStores:
        """Every process is started again, with the new store before the old one."""
        self.pass_time()
        both = BothStores(self.new, self.old)
        self.start(both)
        with self.keystore.db.begin() as session:
            for row in session.scalars(select(ProcessRow)):
                row.started_at = row.seen_at = self.db.clock.now()
        return both

    def pass_time(self) -> None:
        assert isinstance(self.db.clock, HandClock)
        self.db.clock.move(timedelta(seconds=5))

    def add(self, store: vault.ObjectStore, size: int = 50_000) -> str:
        return add_clip(
            self.db, self.keystore, store, self.sender.family, self.footage, content=os.urandom(size)
        ).object_id

    def names(self, store: vault.ObjectStore) -> set[str]:
        with self.db.read() as session:
            return {stored.name for stored in store.names()} - whereabouts.marks(session)

    def is_sound(self, store: vault.ObjectStore) -> bool:
        return vault.fsck(self.db, keystore=self.keystore, store=store, depth=Depth.EVERYTHING).is_clean

    def file(self, store: str, name: str) -> Path:
        return self.folder / store / "objects" / name[:2] / name


@pytest.fixture
def removal(db: Database, keystore: KeyStore, family: Family, visit: VisitId, tmp_path: Path) -> Removal:
    old, new = DiskStore(tmp_path / "old"), DiskStore(tmp_path / "new")
    recognise(db, store=old, address="/old")
    footage = add_footage(db, keystore, old, family, visit)
    sender = Sender(db, keystore, old, family, visit)
    upload = sender.begin(300_000)
    sender.send(upload, film(300_000)[:100_000], offset=0)
    removal = Removal(db, keystore, tmp_path, old, new, footage, sender)
    removal.add(old, 2_500_000)
    return removal


def states(db: Database) -> dict[str, StoreState]:
    with db.read() as session:
        return {row.address: row.state for row in session.scalars(select(StoreRow))}


def test_objects_move_while_film_comes_and_the_old_store_is_left_only_when_nothing_lies_there_alone(
    removal: Removal,
) -> None:
    seen: list[tuple[int, int]] = []
    first = removal.move(on_progress=lambda done, of: seen.append((done, of)))
    assert (first.next, first.damaged, first.missing) == (Next.SWITCH, (), ())
    assert seen[-1][0] == seen[-1][1] > 2_500_000
    assert removal.names(removal.new) == removal.names(removal.old)

    between = removal.add(removal.old)
    both = removal.switch()
    assert removal.is_sound(both)
    later = removal.add(both)
    assert between in removal.names(removal.old) - removal.names(removal.new)
    assert later in removal.names(removal.new) - removal.names(removal.old)

    last = removal.move()
    assert (last.copied, last.next) == (2, Next.DROP)  # a film and its poster
    assert removal.move().next is Next.DROP
    shutil.rmtree(removal.folder / "old")
    with pytest.raises(Unavailable, match="store_unavailable"):
        removal.names(removal.old)
    assert removal.is_sound(removal.start(removal.new))
    assert states(removal.db) == {"/old": StoreState.FORMER, "/new": StoreState.CURRENT}
    with removal.db.read() as session:
        told = session.scalars(select(AuditEntryRow.event).where(AuditEntryRow.event.like("store.move%"))).all()
        assert session.scalars(select(CopiedRow)).all() == []
    assert sorted(told) == ["store.move_begun", "store.moved"]


def test_while_a_process_from_before_the_switch_runs_the_old_store_is_not_given_up(removal: Removal) -> None:
    removal.move()
    removal.pass_time()
    removal.start(BothStores(removal.new, removal.old))
    assert removal.move().next is Next.RESTART
    assert states(removal.db)["/old"] is StoreState.CURRENT


def test_what_is_destroyed_while_it_moves_is_gone_in_both(removal: Removal) -> None:
    name = removal.add(removal.old)
    removal.move()
    both = BothStores(removal.old, removal.new)
    both.delete(name)
    assert (removal.old.size(name), removal.new.size(name)) == (None, None)


def test_a_copy_that_was_made_while_its_object_was_destroyed_is_removed_again(removal: Removal) -> None:
    name = removal.add(removal.old)

    class Destroyed(DiskStore):
        def size(self, name_: str) -> int | None:
            return None if name_ == name and removal.new.size(name) is not None else super().size(name_)

    removal.move(source=Destroyed(removal.folder / "old"))
    assert removal.new.size(name) is None


def test_what_was_destroyed_at_its_source_after_it_was_copied_is_removed_from_the_target(removal: Removal) -> None:
    name = removal.add(removal.old)
    removal.move()
    with removal.db.begin() as session:
        session.get_one(ObjectRow, name).state = ObjectState.DESTROYED
    removal.old.delete(name)  # by a process that doesn't know of the target
    removal.move()
    assert removal.new.size(name) is None


def test_broken_off_it_says_so_and_goes_on(removal: Removal) -> None:
    stop = threading.Event()

    def after_a_mib(done: int, _of: int) -> None:
        if done > 2**20:
            stop.set()

    broken = removal.move(pace=Pace(stop=stop), on_progress=after_a_mib)
    assert broken.next is Next.COPY
    whole = removal.move()
    assert whole.next is Next.SWITCH
    assert broken.copied + whole.copied == len(removal.names(removal.old))
    assert removal.names(removal.new) == removal.names(removal.old)


def killed(act: Callable[[], object]) -> None:
    """Do something in a process that is killed on the way."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(3)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a connection isn't carried into another process
@pytest.mark.parametrize("at", [100_000, 1_500_000, 2_600_000])
def test_a_move_that_is_killed_goes_on_and_loses_nothing(removal: Removal, at: int) -> None:
    def die(done: int, _of: int) -> None:
        if done >= at:
            os.kill(os.getpid(), signal.SIGKILL)

    removal.move(pace=(pace := Pace(stop=threading.Event())), on_progress=lambda *_: pace._stop.set())
    removal.db.engine.dispose()
    killed(lambda: removal.move(on_progress=die))
    done = removal.move()
    assert done.next is Next.SWITCH
    assert removal.names(removal.new) == removal.names(removal.old)
    both = removal.switch()
    assert removal.is_sound(both)
    assert removal.move().next is Next.DROP
    assert removal.is_sound(removal.new)


def test_what_was_copied_and_not_noted_is_compared_and_what_differs_is_copied_again(removal: Removal) -> None:
    right, wrong = removal.add(removal.old), removal.add(removal.old)
    removal.move(pace=(pace := Pace()), on_progress=lambda *_: pace._stop.set())
    for name, content in ((right, removal.file("old", right).read_bytes()), (wrong, b"something else")):
        removal.new.delete(name)
        with removal.new.writer(name) as writer:
            writer.write(content)
            writer.commit()
    with removal.db.begin() as session:
        for row in session.scalars(select(CopiedRow).where(CopiedRow.name.in_([right, wrong]))):
            session.delete(row)
    removal.move()
    for name in (right, wrong):
        assert removal.file("new", name).read_bytes() == removal.file("old", name).read_bytes()


def test_what_is_damaged_is_told_quarantined_and_still_kept(removal: Removal) -> None:
    name = removal.add(removal.old)
    path = removal.file("old", name)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert removal.move().damaged == (name,)
    with removal.db.read() as session:
        assert session.get_one(ObjectRow, name).state is ObjectState.QUARANTINED
    assert removal.file("new", name).read_bytes() == path.read_bytes()


def test_one_bad_read_quarantines_nothing_and_is_not_kept(removal: Removal) -> None:
    name = removal.add(removal.old)

    class Flickering(DiskStore):
        bad = 1

        def read(self, name: str, *, start: int, length: int) -> bytes:
            content = super().read(name, start=start, length=length)
            if length < 40_000 or not self.bad:
                return content
            self.bad -= 1
            return content[:-1] + bytes([content[-1] ^ 1])

    source = Flickering(removal.folder / "old")
    with pytest.raises(Unavailable, match="copy_differs"):
        removal.move(source=source)
    with removal.db.read() as session:
        assert session.get_one(ObjectRow, name).state is ObjectState.SEALED
    assert removal.move(source=source).damaged == ()
    assert removal.names(removal.new) == removal.names(removal.old)
    assert removal.file("new", name).read_bytes() == removal.file("old", name).read_bytes()


def test_what_was_cut_short_is_copied_as_it_is_and_does_not_hold_the_move_up(removal: Removal) -> None:
    name = removal.add(removal.old)
    path = removal.file("old", name)
    path.write_bytes(path.read_bytes()[:-1])
    assert removal.move().damaged == (name,)
    removal.switch()
    assert removal.move().next is Next.DROP


def test_what_is_missing_is_told_and_the_old_store_is_not_given_up(removal: Removal) -> None:
    name = removal.add(removal.old)
    removal.old.delete(name)
    assert removal.move().missing == (name,)
    removal.switch()
    last = removal.move()
    assert (last.missing, last.next) == ((name,), Next.COPY)


def test_a_target_that_gives_back_other_bytes_is_found_out(removal: Removal) -> None:
    class Lying(DiskStore):
        def read(self, name: str, *, start: int, length: int) -> bytes:
            return super().read(name, start=start, length=length)[:-1] + b"?"

    with pytest.raises(Unavailable, match="copy_differs"):
        removal.move(target=Lying(removal.folder / "new"))
    assert removal.names(removal.new) == set()


def test_a_target_with_something_in_it_is_refused(removal: Removal) -> None:
    with removal.new.writer(new_id()) as writer:
        writer.commit()
    with pytest.raises(Conflict, match="target_not_empty"):
        removal.move()


def test_a_process_that_is_set_to_a_wrong_or_a_left_store_does_not_start(removal: Removal) -> None:
    with pytest.raises(Unavailable, match="store_unknown"):
        removal.start(DiskStore(removal.folder / "another"))
    removal.move()
    with pytest.raises(Unavailable, match="store_move_unfinished"):
        removal.start(removal.new)
    removal.start(BothStores(removal.old, removal.new))
    removal.switch()
    for stale in (removal.old, BothStores(removal.old, removal.new)):
        with pytest.raises(Unavailable, match="store_moved"):
            removal.start(stale)
    assert removal.move().next is Next.DROP
    with pytest.raises(Unavailable, match="store_moved"):
        removal.start(removal.old)
    removal.start(removal.new)


def test_a_store_from_before_stores_were_known_is_known_from_now_on_unless_its_objects_are_elsewhere(
    removal: Removal,
) -> None:
    with removal.db.begin() as session:
        for row in session.scalars(select(StoreRow)):
            session.delete(row)
    with pytest.raises(Unavailable, match="store_unknown"):
        removal.start(removal.new)
    removal.start(removal.old)
    assert states(removal.db) == {"/somewhere": StoreState.CURRENT}


def test_the_mark_of_a_store_is_no_leftover(removal: Removal) -> None:
    report = vault.fsck(removal.db, keystore=removal.keystore, store=removal.old)
    assert {kind for kind, count in report.leftovers.items() if count} == set()
    vault.tidy(removal.db, keystore=removal.keystore, store=removal.old, older_than=timedelta(days=-1))
    removal.start(removal.old)


def test_what_was_put_right_after_it_was_copied_as_damage_is_copied_anew_before_the_old_store_is_left(
    removal: Removal,
) -> None:
    mended, kept = removal.add(removal.old), removal.add(removal.old)
    right = {name: removal.file("old", name).read_bytes() for name in (mended, kept)}
    for name, content in right.items():
        removal.file("old", name).write_bytes(content[:-1] + b"\0\0"[: 1 + (name == kept)])
    assert set(removal.move().damaged) == {mended, kept}
    removal.file("old", mended).write_bytes(right[mended])
    lifted = vault.lift_quarantines(removal.db, keystore=removal.keystore, store=removal.old, pace=Pace()).lifted
    assert lifted == (mended,)
    removal.switch()

    class Late(DiskStore):
        """Its copy is made right only after everything was looked through."""

        def names(self) -> Iterator[vault.objects.Stored]:
            return (stored for stored in super().names() if stored.name != mended)

    assert removal.move(source=Late(removal.folder / "old")).next is Next.COPY
    done = removal.move()
    assert (done.next, done.copied, done.damaged) == (Next.DROP, 1, ())
    assert removal.file("new", mended).read_bytes() == right[mended]
    assert removal.file("new", kept).read_bytes() == removal.file("old", kept).read_bytes()


def test_of_two_first_processes_at_once_one_store_is_known(removal: Removal) -> None:
    with removal.db.begin() as session:
        for row in session.scalars(select(StoreRow)):
            session.delete(row)
    both_have_marked = threading.Barrier(2)

    class Meeting(DiskStore):
        """Lets a process go on only when the other has left its mark, too."""

        def writer(self, name: str) -> DiskWriter:
            writer = super().writer(name)
            both_have_marked.wait(timeout=20)
            return writer

    store = Meeting(removal.folder / "old")
    first, second = (threading.Thread(target=removal.start, args=(store,)) for _ in range(2))
    for thread in (first, second):
        thread.start()
    for thread in (first, second):
        thread.join()
    assert states(removal.db) == {"/somewhere": StoreState.CURRENT}
    with removal.db.read() as session:
        (mark,) = whereabouts.marks(session)
    assert store.size(mark) is not None
    assert removal.is_sound(store)
