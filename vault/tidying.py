"""Making good what crashes left: deposits that are over and not cleared, drafts of ended jobs, bytes nobody can open.

Nothing is removed that may be the only copy of anything: bytes that no row knows go only where no key opens them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

import audit
from audit import Event
from core.db import Database
from core.ids import ObjectId, UploadId
from keys import KeyStanding, KeyStore
from vault import sealed, uploads, whereabouts
from vault.fsck import left_drafts
from vault.models import ObjectRow, ObjectState, PartRow, UploadRow
from vault.objects import ObjectStore

_AT_ONCE = 500
_GONE = (ObjectState.KEY_DESTROYED, ObjectState.DESTROYED)
_OPENS = frozenset({KeyStanding.ALIVE, KeyStanding.DAMAGED})
"""A key that may come back (a damaged row, from a copy) counts as one that opens."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """What was removed.

    Attributes:
        uploads: deposits that were over.
        drafts: objects of jobs that have ended.
        unfinished: files of writers that died.
        objects: stored bytes that no row knows, or whose row says that they are destroyed.
    """

    uploads: int
    drafts: int
    unfinished: int
    objects: int


def tidy(db: Database, *, keystore: KeyStore, store: ObjectStore, older_than: timedelta = timedelta(days=1)) -> Tidied:
    """Clear uploads that are over, and remove stored bytes that nobody can refer to any more. What went is in the log.

    Args:
        db: the main database.
        keystore: whose upload keys are destroyed.
        store: what is tidied.
        older_than: younger bytes may belong to somebody who hasn't committed yet. By the store's own clock.
    """
    with db.read() as session:
        over, drafts = uploads.uncleared(session), left_drafts(session)
    for upload_id in over:
        uploads.clear(db, keystore=keystore, store=store, upload_id=upload_id)
    for draft in drafts:
        sealed.discard(db, keystore=keystore, store=store, draft=draft)
    before = datetime.now(UTC) - older_than
    unfinished = store.clear_unfinished(before=before)
    old = [stored.name for stored in store.names() if stored.written_at < before]
    chunks = (old[start : start + _AT_ONCE] for start in range(0, len(old), _AT_ONCE))
    unknown = sum(_remove_unknown(db, keystore, store, chunk) for chunk in chunks)
    tidied = Tidied(len(over), len(drafts), unfinished, unknown)
    if any(asdict(tidied).values()):
        with db.begin() as session:
            audit.record(session, Event.STORE_TIDIED, actor=None, details=asdict(tidied))
    return tidied


def destroy_again(db: Database, *, keystore: KeyStore) -> int:
    """Destroy the keys of what is destroyed already, and has its key again since older key rows were brought back.

    Certificates wait for a further roll of the epoch from then on. What doesn't open at all is left; ``fsck`` tells.

    Returns:
        How many came back and are gone now.
    """
    with db.read() as session:
        objects = list(session.scalars(select(ObjectRow.id).where(ObjectRow.state.in_(_GONE))))
        uploads_over = list(session.scalars(select(UploadRow.id).where(UploadRow.key_destroyed_at.is_not(None))))
    back = _back(keystore, objects)
    for name in back:
        keystore.destroy_object_key(ObjectId(name))
        with db.begin() as session:
            audit.record(session, Event.KEY_DESTROYED, actor=None, object_id=name, reason="came_back")
    back_uploads = _back(keystore, uploads_over)
    for name in back_uploads:
        keystore.destroy_upload_key(UploadId(name))
    return len(back) + len(back_uploads)


def _back(keystore: KeyStore, names: list[str]) -> list[str]:
    chunks = (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))
    return [name for chunk in chunks for name, key in keystore.standings(chunk).items() if key is KeyStanding.ALIVE]


def _remove_unknown(db: Database, keystore: KeyStore, store: ObjectStore, names: list[str]) -> int:
    with db.read() as session:
        there = ObjectRow.state != ObjectState.DESTROYED
        known = set(session.scalars(select(ObjectRow.id).where(ObjectRow.id.in_(names), there)))
        known |= set(session.scalars(select(PartRow.name).where(PartRow.name.in_(names))))
        known |= whereabouts.marks(session)
    keys = keystore.standings(names)
    unknown = [name for name in names if name not in known and keys.get(ObjectId(name)) not in _OPENS]
    for name in unknown:
        store.delete(name)
    return len(unknown)
