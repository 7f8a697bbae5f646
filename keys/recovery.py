"""Coming back from a recovery place after the live keyring, the key database or both were lost.

Nothing that is there is ever overwritten: a keyring or rows that lie there, newer or older, must be moved away first.
What was made after the copy of the rows is lost; what was destroyed after it has its key again, until whoever brought
it back destroys it again (``vault.destroy_again``).

The rows come first, then the keyring's file: after a crash between the two it may simply be done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Conflict, Unavailable, VaultError
from core.ids import new_id
from keys import copies, heartbeat, rooting
from keys.capsule import Capsule, KeyringFile, open_capsule, open_root
from keys.keyring import Keyring
from keys.models import EpochRow, EpochState, PlaceKind, PlaceRow, ProcessRow, StoreRow
from keys.roots import OpenRoot, Root


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came back.

    Attributes:
        place: the recovery place that it came from.
        keyring: whether the live keyring was made from it.
        rows: whether the key rows were.
        rows_of: when the copy of the rows was written; what was made since is lost. Nothing where they weren't lost.
    """

    place: Path
    keyring: bool
    rows: bool
    rows_of: datetime | None


def recover(*, db: Database, root: Root, places: Sequence[Path]) -> Recovered:
    """Bring back from the recovery places whatever of live keyring and key rows isn't there.

    A live place that was lost stays on record as such, since its keyring may still lie somewhere.

    Args:
        db: the key database, with its tables, empty or not.
        root: what opens the keyring.
        places: the live folder, then the recovery places.

    Raises:
        Conflict: ``keyring_exists``: nothing is missing; ``keys_behind``: the rows that are there are older than the
            keyring, or another store's. Nothing was changed.
        Unavailable: ``keys_in_use``: a process uses these keys; or no recovery place can be read.
        Refused: ``wrong_root``; nothing was changed.
        Damaged: a copy can't be read; nothing was changed.
    """
    keyring = Keyring(tuple(places))
    live = _live_file(keyring)
    with db.read() as session:
        if live is not None and _store(session) is not None:
            raise _nothing_missing()
    place, file = _newest(keyring)
    opened = open_root(root, file=live or file)
    capsule = open_capsule(live or file, root=opened)
    rows_of: datetime | None = None
    with keyring.writer():
        with db.read() as session:
            _require_nobody(session, at=db.clock.now())
            has_rows = _store(session) is not None
        if not has_rows:
            rows_of = _bring_rows(db, place=_newest_rows(keyring, first=place), capsule=capsule)
        if live is None:
            _bring_keyring(db, keyring=keyring, file=file, root=root, opened=opened, capsule=capsule)
        keyring.unseal(root)
        with db.read() as session:
            known = set(session.scalars(select(EpochRow.id).where(EpochRow.state != EpochState.DESTROYED)))
        if not has_rows and any(epoch.id not in known for epoch in keyring.current().epochs):
            keyring.change(lambda now: now.only(known))  # an epoch of which the copy didn't know yet wraps nothing
    return Recovered(place, keyring=live is None, rows=not has_rows, rows_of=rows_of)


def _living(session: Session, *, at: datetime) -> int:
    lately = select(func.count()).select_from(ProcessRow).where(ProcessRow.seen_at > at - heartbeat.LAPSES_AFTER)
    return session.scalars(lately).one()


def _store(session: Session) -> str | None:
    return session.scalars(select(StoreRow.id)).first()


def _require_nobody(session: Session, *, at: datetime) -> None:
    if _living(session, at=at):
        raise keys_in_use()


def _live_file(keyring: Keyring) -> KeyringFile | None:
    try:
        return keyring.file_at(keyring.places[0])
    except Unavailable as error:
        if error.code != "keyring_missing":
            raise
        return None


def _newest(keyring: Keyring) -> tuple[Path, KeyringFile]:
    """The recovery place with the newest keyring; one that can't be read is passed over while another can."""
    found: list[tuple[int, Path, KeyringFile]] = []
    problem: VaultError | None = None
    for place in keyring.places[1:]:
        try:
            file = keyring.file_at(place)
            found.append((file.sequence, place, file))
        except VaultError as error:
            problem = error
    if not found:
        assert problem is not None
        raise problem
    _, place, file = max(found, key=lambda one: one[0])
    return place, file


def _newest_rows(keyring: Keyring, *, first: Path) -> Path:
    """The recovery place with the newest copy of the rows."""
    written = {place: written for place in keyring.places[1:] if (written := copies.written_at(place)) is not None}
    return max(written, key=lambda place: written[place]) if written else first


def _bring_rows(db: Database, *, place: Path, capsule: Capsule) -> datetime | None:
    tables = copies.read_copy(place, store=capsule.store)
    written = copies.written_at(place)
    active = {row["id"] for row in tables[EpochRow.__tablename__] if row["state"] == EpochState.ACTIVE}
    if not active <= {epoch.id for epoch in capsule.epochs}:
        raise keys_behind()
    with db.begin() as session:
        copies.load(session, tables)
    return None if written is None else datetime.fromtimestamp(written, tz=UTC)


def _bring_keyring(
    db: Database, *, keyring: Keyring, file: KeyringFile, root: Root, opened: OpenRoot, capsule: Capsule
) -> None:
    at, live_id = db.clock.now(), new_id()
    with db.begin() as session:
        if session.get(StoreRow, capsule.store) is None:
            raise keys_behind()
        active = set(session.scalars(select(EpochRow.id).where(EpochRow.state == EpochState.ACTIVE)))
        if not active <= {epoch.id for epoch in capsule.epochs}:
            raise keys_behind()
        # Older rows may not know it yet, and what was lost may be sealed under it: it is written down first.
        rooting.note(session, uri=root.uri, record=file.root, reference=root.reference(file.root), at=at)
        session.execute(
            update(PlaceRow).where(PlaceRow.kind == PlaceKind.LIVE, PlaceRow.lost_at.is_(None)).values(lost_at=at)
        )
        session.add(PlaceRow(id=live_id, kind=PlaceKind.LIVE, registered_at=at))
    keyring.adopt(file, root=opened, capsule=capsule, place_id=live_id)


def keys_in_use() -> Unavailable:
    """The answer to a restore beside a running service."""
    return Unavailable(
        "keys_in_use", "A process uses these keys, or did a minute ago. Stop every process, then try again."
    )


def keys_behind() -> Conflict:
    """The answer to rows and a keyring that aren't of one time."""
    return Conflict("keys_behind", "Key rows and keyring are not of one time, or of two stores. Nothing was changed.")


def _nothing_missing() -> Conflict:
    return Conflict("keyring_exists", "Keyring and key rows are there. They were left as they are.")
