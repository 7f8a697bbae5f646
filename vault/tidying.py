"""Making good what crashes left: uploads that are over and not cleared, bytes that no row knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from core.db import Database
from keys import KeyStore
from vault import uploads
from vault.models import ObjectRow, ObjectState, PartRow
from vault.objects import ObjectStore

_AT_ONCE = 500


def tidy(db: Database, *, keystore: KeyStore, store: ObjectStore, older_than: timedelta = timedelta(days=1)) -> int:
    """Clear uploads that are over, and remove stored bytes that nobody can refer to any more.

    Args:
        db: the main database.
        keystore: whose upload keys are destroyed.
        store: what is tidied.
        older_than: younger bytes may belong to somebody who hasn't committed yet. By the store's own clock.

    Returns:
        How many stored objects were removed because no row knows them.
    """
    with db.read() as session:
        over = uploads.uncleared(session)
    for upload_id in over:
        uploads.clear(db, keystore=keystore, store=store, upload_id=upload_id)
    before = datetime.now(UTC) - older_than
    store.clear_unfinished(before=before)
    old = [stored.name for stored in store.names() if stored.written_at < before]
    return sum(_remove_unknown(db, store, old[start : start + _AT_ONCE]) for start in range(0, len(old), _AT_ONCE))


def _remove_unknown(db: Database, store: ObjectStore, names: list[str]) -> int:
    with db.read() as session:
        there = ObjectRow.state != ObjectState.DESTROYED
        known = set(session.scalars(select(ObjectRow.id).where(ObjectRow.id.in_(names), there)))
        known |= set(session.scalars(select(PartRow.name).where(PartRow.name.in_(names))))
    unknown = [name for name in names if name not in known]
    for name in unknown:
        store.delete(name)
    return len(unknown)
