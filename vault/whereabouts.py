"""Knowing again the stores that objects lie in, so that nobody reads from, or writes to, a wrong or a left one.

Each store of this service holds a small object whose name only the database knows. A folder that isn't mounted, a
mistyped bucket, a store that was moved away from: a process that is set to one of them refuses to start, in place of
finding that every film is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Unavailable
from core.ids import new_id
from vault.both import BothStores
from vault.models import ObjectRow, ObjectState
from vault.objects import ObjectStore
from vault.upkeep_models import StoreRow, StoreState

Has = Callable[[str], bool]
"""Whether a place has an object of that name."""
_MARK = b"An object store of VIG Vault. Its database knows it by the name of this object.\n"
_LOOKED_AT = 20
_LOCK = 0x7669672D686F6D65  # "vig-home": any number that nobody else takes
NOT_OURS = frozenset({"store_unknown", "store_moved", "store_move_unfinished"})
"""What a store that answers may be refused for."""


def recognise(db: Database, *, store: ObjectStore, address: str) -> None:
    """See that a process may use a store, before anything is read from it or written to it.

    Args:
        db: the main database.
        store: as the process is set to use it.
        address: of the one that is written to, to be shown.

    Raises:
        Unavailable: ``store_unknown``, ``store_moved`` or ``store_move_unfinished``, or it can't be read just now.
    """
    first, also = (store.first, store.also) if isinstance(store, BothStores) else (store, None)
    with db.read() as session:
        known = list(session.scalars(select(StoreRow)))
    if not known:
        _adopt(db, store=first, address=address)
        return
    state, _ = _judge(
        known,
        first=lambda name: first.size(name) is not None,
        also=None if also is None else lambda name: also.size(name) is not None,
    )
    if state is StoreState.TARGET:
        _note_switch(db)


def seen_in(db: Database, *, first: Has, also: Has | None) -> str | None:
    """See whether a place is ours, and change nothing.

    Args:
        db: the main database.
        first: whether the place that is written to has an object.
        also: the same of the one beside it.

    Returns:
        The name of its mark; nothing where no process has used any place yet.

    Raises:
        Unavailable: as ``recognise``.
    """
    with db.read() as session:
        known = list(session.scalars(select(StoreRow)))
    return _judge(known, first=first, also=also)[1] if known else None


def marks(session: Session) -> set[str]:
    """Names of objects that are none of a family's."""
    return set(session.scalars(select(StoreRow.id)))


def mark(store: ObjectStore, *, name: str) -> None:
    """Leave a mark of this name in a store."""
    with store.writer(name) as writer:
        writer.write(_MARK)
        writer.commit()


def bears(store: ObjectStore, rows: Collection[StoreRow]) -> StoreRow | None:
    """Which of these stores it is, by its mark."""
    return next((row for row in rows if store.size(row.id) is not None), None)


def _judge(known: Collection[StoreRow], *, first: Has, also: Has | None) -> tuple[StoreState, str]:
    """What the place that is written to is to us, and its mark's name, if a process may use it so."""
    here = {row.state: row.id for row in known if first(row.id)}
    if StoreState.CURRENT in here:
        if any(row.state is StoreState.TARGET and row.written_since is not None for row in known):
            raise _moved()
        return StoreState.CURRENT, here[StoreState.CURRENT]
    if StoreState.TARGET in here:
        if also is None or not any(row.state is StoreState.CURRENT and also(row.id) for row in known):
            raise _unfinished()
        return StoreState.TARGET, here[StoreState.TARGET]
    raise _moved() if StoreState.FORMER in here else _unknown()


def _adopt(db: Database, *, store: ObjectStore, address: str) -> None:
    """Know a store from now on: a new one, or one from before stores were known."""
    with db.read() as session:
        query = select(ObjectRow.id).where(ObjectRow.state == ObjectState.SEALED).limit(_LOOKED_AT)
        expected = list(session.scalars(query))
    if expected and all(store.size(name) is None for name in expected):
        raise _unknown()
    name = new_id()
    mark(store, name=name)
    at = db.clock.now()
    with db.begin() as session:
        if not db.is_sqlite:  # there one writes at a time anyway
            session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        if session.scalars(select(StoreRow.id).limit(1)).first() is None:
            session.add(StoreRow(id=name, address=address, state=StoreState.CURRENT, noted_at=at))
            return
    store.delete(name)  # another process was quicker
    recognise(db, store=store, address=address)


def _note_switch(db: Database) -> None:
    at = db.clock.now()
    with db.begin() as session:
        for row in session.scalars(select(StoreRow).where(StoreRow.state == StoreState.TARGET).with_for_update()):
            row.written_since = row.written_since or at


def _unknown() -> Unavailable:
    return Unavailable(
        "store_unknown",
        "This is not where the objects were. Is its disk mounted, and VAULT_OBJECTS right? Nothing was changed.",
    )


def _moved() -> Unavailable:
    return Unavailable(
        "store_moved", "The objects have moved: set VAULT_OBJECTS to where they are now. Nothing was changed."
    )


def _unfinished() -> Unavailable:
    return Unavailable(
        "store_move_unfinished",
        "The objects are still moving here: set VAULT_OBJECTS_ALSO to where they come from. Nothing was changed.",
    )
