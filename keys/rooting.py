"""Which root keys ever sealed the keyring, and what became of them: it decides what an old copy is worth.

A root key's row is written before the first file is sealed under it, so no copy of a file is older than its row. The
row of a ``local:`` root is no more than a fingerprint: its key lies, sealed under the passphrase, in the keyring only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Conflict, Invalid, NotFound
from keys.keyring import Keyring
from keys.models import RootRow, StoreRow
from keys.roots import Root, RootRecord, wrong_root


@dataclass(frozen=True, slots=True)
class RootStanding:
    """A root key that sealed the keyring at some time.

    Attributes:
        id: its fingerprint.
        uri: its name.
        is_live: whether it seals the keyring now.
        destroyed_at: when its destruction was asked for.
        gone_at: from when no copy of it exists; nothing where that isn't known.
    """

    id: str
    uri: str
    made_at: datetime
    is_live: bool
    destroyed_at: datetime | None
    gone_at: datetime | None


def fingerprint(uri: str, record: RootRecord) -> str:
    """A root key's id."""
    return sha256(json.dumps({**record, "uri": uri}, sort_keys=True).encode()).hexdigest()


def note(session: Session, *, uri: str, record: RootRecord, reference: RootRecord, at: datetime) -> str:
    """Write down a root key that is about to seal the keyring, or is met for the first time.

    Returns:
        Its id.
    """
    root_id = fingerprint(uri, record)
    if session.get(RootRow, root_id) is None:
        if session.scalars(select(func.count()).select_from(RootRow)).one() == 0:  # a store from before these rows
            at = session.scalars(select(StoreRow.made_at)).one()
        session.add(RootRow(id=root_id, uri=uri, reference=json.dumps(dict(reference)), made_at=at))
        session.flush()
    return root_id


def standings(session: Session, *, live: str | None) -> tuple[RootStanding, ...]:
    """Every root key that ever sealed the keyring, the oldest first."""
    rows = session.scalars(select(RootRow).order_by(RootRow.made_at, RootRow.id))
    return tuple(_standing(row, live=live) for row in rows)


def live_id(keyring: Keyring) -> str:
    """The id of the root key that seals the live keyring.

    Raises:
        Unavailable: ``keyring_missing``.
    """
    file = keyring.file_at(keyring.places[0])
    return fingerprint(file.root_uri, file.root)


def destroy(db: Database, *, keyring: Keyring, root_id: str, root: Root) -> RootStanding:
    """Destroy a root key that seals none of the places any more; whoever calls holds the keyring's ``writer``.

    Raises:
        NotFound: ``root_unknown``.
        Conflict: ``root_in_use``.
        Invalid: ``root_in_keyring``: a ``local:`` root went with the files that held it.
        Refused: ``wrong_root``: that root is of another name.
    """
    with db.read() as session:
        row = require_former(session, keyring=keyring, root_id=root_id)
    reference = json.loads(row.reference)
    if not reference:
        raise _in_keyring()
    if root.uri != row.uri:
        raise wrong_root()
    at = db.clock.now()
    gone_at = root.destroy(reference, at=at)
    with db.begin() as session:
        row = session.get_one(RootRow, root_id)
        if row.destroyed_at is None:
            row.destroyed_at, row.gone_at = at, gone_at
        return _standing(row, live=None)


def require_former(session: Session, *, keyring: Keyring, root_id: str) -> RootRow:
    """The row of a root key that seals none of the places any more.

    Raises:
        NotFound: ``root_unknown``.
        Conflict: ``root_in_use``.
    """
    row = session.get(RootRow, root_id)
    if row is None:
        raise _unknown()
    files = [keyring.file_at(place) for place in keyring.places]
    if root_id in {fingerprint(file.root_uri, file.root) for file in files}:
        raise _in_use()
    return row


def _standing(row: RootRow, *, live: str | None) -> RootStanding:
    return RootStanding(row.id, row.uri, row.made_at, row.id == live, row.destroyed_at, row.gone_at)


def _unknown() -> NotFound:
    return NotFound("root_unknown", "There is no such root key in this vault's list.")


def _in_use() -> Conflict:
    return Conflict("root_in_use", "The keyring is sealed under this root key. Change the root first.")


def _in_keyring() -> Invalid:
    return Invalid(
        "root_in_keyring", "This root key lay in the keyring itself and went with it; there is nothing else to destroy."
    )
