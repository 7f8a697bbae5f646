"""What keys cost: wraps under each root, an epoch roll over many cases, a case roll, and what a viewer sees of a roll.

* ``keys.wraps_per_s.ROOT``: a 32-byte key sealed under a root and opened again (``local`` in memory; ``pkcs11`` where
  SoftHSM is installed; ``hcvault`` in an OpenBao server by TLS and ``aws-kms`` in moto's, both started for it: moto is
  no AWS, so that one is what our side costs); ``keys.wraps_per_s.epoch``: under an epoch key, which is what a roll does
  with each row. A change of the keyring asks its root a few times; films and uploads never do.
* ``keys.epoch_roll_s.DATABASE``: a whole roll over ``--cases`` cases with a media key and a record key each, until the
  old epoch is gone from every place, the copy of all rows included. Meanwhile one thread opens object keys and another
  makes new ones: the longest that either waited (``.read_wait_ms``, ``.write_wait_ms``).
* ``keys.case_roll_ms``: a new media key for a case of ``--objects`` objects (median).
* ``keys.viewer_pause_ms``: the longest gap between two pieces of film that a viewer of a real server met while the
  epoch rolled in another process, over ``--watched`` cases: a pause is as long as one batch takes, however many come
  after it; ``.baseline`` the same for as long without a roll, the two in turns; ``.ratio``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import insert

from bench.cutoff import postgresql
from bench.keys_roots import KINDS as ROOT_KINDS
from bench.keys_roots import roots
from bench.keys_viewer import viewer_pauses
from core.clock import SystemClock
from core.db import connect
from core.ids import CaseId, ObjectId, new_id
from core.secret import Secret
from keys import KEYS_METADATA, Cost, JobCapability, KeyStore, LocalRoot
from keys.cases import wrap_case_key
from keys.fields import RecordOwner
from keys.models import CaseKeyRow, EpochRow, EpochState, KeyState, RecordKeyRow
from keys.records import wrap_record_key
from keys.wrap import WrapKind, fresh_key, unwrap, wrap

KINDS = ("sqlite", "postgresql")
ROUNDS = 5
QUICK = Cost(passes=1, memory_kib=64, lanes=1)
CASE = CaseId(new_id())
MAY = JobCapability("bench", CASE)
_AT_ONCE = 2000


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--cases", type=int, default=100_000, help="that an epoch roll goes through")
    command.add_argument("--watched", type=int, default=10_000, help="cases of the roll that somebody watches through")
    command.add_argument("--objects", type=int, default=100, help="of the case that is rolled")
    command.add_argument("--root", choices=ROOT_KINDS, action="append", help="only this kind; may be said again")
    command.add_argument("--seconds", type=float, default=0.3, help="for each round of wraps")
    command.add_argument("--rounds", type=int, default=2, help="of watching, with and without a roll")
    command.add_argument("--database", choices=KINDS, action="append", help="only this kind; may be said twice")


def run(asked: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="vig-bench") as name:
        folder = Path(name)
        wraps(folder, seconds=asked.seconds, kinds=asked.root or ROOT_KINDS)
        for kind in asked.database or KINDS:
            with key_store(kind, folder / kind) as keystore:
                case_roll(keystore, kind=kind, objects=asked.objects)
                epoch_roll(keystore, kind=kind, cases=asked.cases)
        for kind in asked.database or KINDS:
            gaps = viewer_pauses(
                folder / f"{kind}-viewer",
                settings=lambda where, kind=kind: postgresql(where) if kind == "postgresql" else None,
                prepare=lambda keystore: seed(keystore, cases=asked.watched),
                rounds=asked.rounds,
            )
            base, rolled = statistics.median(gaps.without), statistics.median(gaps.during)
            print(f"keys.viewer_pause_ms.{kind}: {rolled:.1f}")
            print(f"keys.viewer_pause_ms.{kind}.longest: {max(gaps.during):.1f}")
            print(f"keys.viewer_pause_ms.{kind}.baseline: {base:.1f}")
            print(f"keys.viewer_pause_ms.{kind}.ratio: {rolled / base:.2f}")


def wraps(folder: Path, *, seconds: float, kinds: Collection[str]) -> None:
    """Wraps under each root and under an epoch key, in turns."""
    epoch, key = fresh_key(), fresh_key()

    def under_epoch() -> None:
        sealed = wrap(epoch, key=key, kind=WrapKind.CASE_MEDIA, parent_id="e", own_id="c", owner="x")
        unwrap(epoch, wrapped=sealed, kind=WrapKind.CASE_MEDIA, parent_id="e", own_id="c", owner="x")

    with roots(folder, kinds=kinds) as opened:
        tasks: dict[str, Callable[[], object]] = {"epoch": under_epoch}
        for name, root in opened.items():
            tasks[name] = lambda root=root: root.decrypt(  # type: ignore[misc]  # mypy can't type defaults
                root.encrypt(key.reveal(), associated_data=b"bench"), associated_data=b"bench"
            )
        found: dict[str, list[float]] = {name: [] for name in tasks}
        for _ in range(ROUNDS):
            for name, task in tasks.items():
                found[name].append(rate(task, seconds=seconds))
    for name, rates in found.items():
        print(f"keys.wraps_per_s.{name}: {statistics.median(rates):.0f}")


def rate(task: Callable[[], object], *, seconds: float) -> float:
    """How often a second something can be done."""
    begun, count = time.perf_counter(), 0
    while (taken := time.perf_counter() - begun) < seconds:
        task()
        count += 1
    return count / taken


@contextmanager
def key_store(kind: str, folder: Path) -> Iterator[KeyStore]:
    """An empty key store on one kind of database."""
    folder.mkdir()
    places = [folder / "live", folder / "recovery"]
    if kind == "sqlite":
        with _made(f"sqlite:///{folder / 'keys.db'}", places) as keystore:
            yield keystore
    else:
        with postgresql(folder / "postgresql") as urls, _made(urls["keys_url"], places) as keystore:
            yield keystore


@contextmanager
def _made(url: str, places: list[Path]) -> Iterator[KeyStore]:
    db = connect(url, clock=SystemClock())
    KEYS_METADATA.create_all(db.engine)
    yield KeyStore.create(db=db, root=LocalRoot(Secret("correct horse battery"), cost=QUICK), places=places)
    db.engine.dispose()


def case_roll(keystore: KeyStore, *, kind: str, objects: int) -> None:
    """A case with many objects gets a new media key."""
    for _ in range(objects):
        keystore.new_object_key(case_id=CASE, object_id=ObjectId(new_id()), capability=MAY)
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        assert keystore.roll_case(CASE) == objects
        taken.append((time.perf_counter() - begun) * 1000)
    print(f"keys.case_roll_ms.{kind}: {statistics.median(taken):.1f}")


def seed(keystore: KeyStore, *, cases: int) -> None:
    """Put cases in, with a media key and a record key each, as work would have over the years."""
    keyring, at = keystore.keyring, keystore.db.clock.now()
    with keystore.db.read() as session:
        epoch = session.query(EpochRow).filter(EpochRow.state == EpochState.ACTIVE).one().id
    for start in range(0, cases, _AT_ONCE):
        media, records = [], []
        for _ in range(min(_AT_ONCE, cases - start)):
            case_id, media_id, record_id = new_id(), new_id(), new_id()
            owner = RecordOwner.case(CaseId(case_id))
            common = {"epoch_id": epoch, "state": KeyState.ACTIVE, "created_at": at}
            wrapped = wrap_case_key(keyring, key=fresh_key(), own_id=media_id, epoch_id=epoch, case_id=case_id)
            media.append({"id": media_id, "case_id": case_id, "wrapped": wrapped, "needs_roll": False, **common})
            wrapped = wrap_record_key(keyring, key=fresh_key(), own_id=record_id, epoch_id=epoch, owner=owner)
            names = {"owner_kind": owner.kind, "owner_id": owner.id}
            records.append({"id": record_id, "wrapped": wrapped, **names, **common})
        with keystore.db.begin() as session:
            session.execute(insert(CaseKeyRow), media)
            session.execute(insert(RecordKeyRow), records)


@dataclass
class Beside:
    """Somebody who does something again and again, and notes the longest that it took."""

    what: Callable[[], object]
    longest: float = 0.0
    count: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until told to stop."""
        while not self.stop.is_set():
            begun = time.perf_counter()
            self.what()
            self.longest = max(self.longest, time.perf_counter() - begun)
            self.count += 1
            time.sleep(0.01)


def epoch_roll(keystore: KeyStore, *, kind: str, cases: int) -> None:
    """Roll, while others read and write."""
    seed(keystore, cases=cases)
    known = ObjectId(new_id())
    keystore.new_object_key(case_id=CASE, object_id=known, capability=MAY)
    reading = Beside(lambda: keystore.object_key(known, capability=MAY))
    writing = Beside(lambda: keystore.new_object_key(case_id=CASE, object_id=ObjectId(new_id()), capability=MAY))
    threads = [threading.Thread(target=one.run) for one in (reading, writing)]
    for thread in threads:
        thread.start()
    times: list[float] = []
    begun = time.perf_counter()
    report = keystore.roll_epoch(on_progress=lambda _done, _of: times.append(time.perf_counter() - begun))
    taken = time.perf_counter() - begun
    for one in (reading, writing):
        one.stop.set()
    for thread in threads:
        thread.join()
    assert report.is_done
    assert reading.count
    assert writing.count
    sys.stderr.write(f"{kind}: {cases} cases, wrapped after {times[-1]:.1f} s, {writing.count} written beside it\n")
    print(f"keys.epoch_roll_s.{kind}: {taken:.1f}")
    print(f"keys.epoch_roll_s.{kind}.keys_per_s: {2 * cases / taken:.0f}")
    print(f"keys.epoch_roll_s.{kind}.read_wait_ms: {reading.longest * 1000:.0f}")
    print(f"keys.epoch_roll_s.{kind}.write_wait_ms: {writing.longest * 1000:.0f}")
