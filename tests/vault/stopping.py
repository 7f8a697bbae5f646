"""A store at one of whose commits something happens: just before or after the n-th object that a job writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from core import jobs
from core.db import Database
from core.errors import NotFound
from core.ids import JobId
from core.jobs import JobRow, JobState, Lease
from keys import KeyStore
from vault import DiskStore, begin_destroying, destroyed, keys_gone, keys_of
from vault.disk import DiskWriter
from vault.models import ObjectRow, ObjectState


class StartledStore(DiskStore):
    """Does something at its n-th commit, counted from 1."""

    def __init__(self, root: Path, *, at: int, before: Callable[[], object], after: Callable[[], object]) -> None:
        super().__init__(root)
        self.left, self._before, self._after = at, before, after

    def writer(self, name: str) -> DiskWriter:
        found = super().writer(name)
        commit = found.commit

        def startled() -> int:
            self.left -= 1
            if self.left == 0:
                self._before()
            size = commit()
            if self.left == 0:
                self._after()
            return size

        found.commit = startled  # type: ignore[method-assign]  # what happens in the middle is what is tried
        return found


def taken(db: Database, job_id: str) -> Lease:
    """A worker takes a job."""
    with db.begin() as session:
        lease = jobs.take(session, JobId(job_id), at=db.clock.now())
    assert lease is not None
    return lease


def state_of(db: Database, lease: Lease) -> JobState:
    """What is shown of a job."""
    with db.read() as session:
        return session.get_one(JobRow, lease.job_id).state


def destroy(db: Database, keystore: KeyStore, record_id: str) -> None:
    """Retention destroys a record as far as a certificate."""
    at = db.clock.now()
    with db.begin() as session:
        begin_destroying(session, record_id, at=at)
        keys = keys_of(session, record_id)
    for key in keys:
        try:
            keystore.destroy_object_key(key)
        except NotFound:
            continue
    with db.begin() as session:
        keys_gone(session, record_id, at=at)
        destroyed(session, record_id, at=at)


def assert_nothing_left(db: Database, keystore: KeyStore, store: DiskStore, lease: Lease) -> None:
    """No bytes, no key that opens and no row is left of what a job had begun."""
    with db.read() as session:
        rows = list(session.scalars(select(ObjectRow).where(ObjectRow.job_id == lease.job_id)))
        known = set(session.scalars(select(ObjectRow.id)))
    assert {row.state for row in rows} <= {ObjectState.DESTROYED}
    assert {stored.name for stored in store.names()} <= known
    assert {line.object_id for line in keystore.live_keys(after="", most=1000)} <= known
