"""Copies of the key rows at the recovery places. They hold wrapped keys only: without the capsule, noise.

One JSON file: format, store, and every table but that of the running processes. Copied at least every quarter of an
hour while it changes, and at the end of each epoch roll, before the old epoch is removed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Damaged, Unavailable
from keys.files import read_private, write_private
from keys.keyring import Keyring
from keys.models import KEYS_METADATA, PlaceKind, PlaceRow, ProcessRow, RootRow, StoreRow

FILE_NAME = "keys.json"
FORMAT = "vig-vault-keys/1"
_TABLES = [table for table in KEYS_METADATA.sorted_tables if table is not ProcessRow.__table__]
_CAME_LATER = frozenset({RootRow.__tablename__})
_AT_ONCE = 1000
COPY_AFTER = timedelta(minutes=14)
"""So that with a look a minute none is older than a quarter of an hour."""
COPY_OVERDUE = timedelta(minutes=30)
_NOT_COMPARED = ("copied_at", "copied")


def write_copies(db: Database, *, keyring: Keyring) -> int:
    """Copy the key rows to each recovery place that has another state of them, and read each back.

    Whoever calls holds the keyring's ``writer``.

    Returns:
        How many places were written.
    """
    at = db.clock.now()
    with db.read() as session:
        data = dump(session)
        known = {row.id: row.copied for row in session.scalars(select(PlaceRow).where(PlaceRow.lost_at.is_(None)))}
    digest, written = sha256(data).hexdigest(), 0
    for place in keyring.places[1:]:
        place_id = keyring.file_at(place).place
        if place_id not in known:
            raise place_unknown()
        if known[place_id] != digest or not _is_there(place, data):
            write_private(place / FILE_NAME, data)
            if not _is_there(place, data):
                raise _damaged()
            written += 1
        with db.begin() as session:
            row = session.get_one(PlaceRow, place_id)
            row.copied_at, row.copied = at, digest
    return written


def unsaved_since(db: Database) -> datetime | None:
    """Since when what was made or destroyed lies in no recovery copy; nothing where each copy has it all.

    Looks through all key rows; ``older_than`` is the quick question.
    """
    with db.read() as session:
        digest = sha256(dump(session)).hexdigest()
        behind = [row.copied_at or row.registered_at for row in _recovery(session) if row.copied != digest]
    return min(behind, default=None)


def older_than(db: Database, age: timedelta) -> bool:
    """Whether a recovery place's copy hasn't been looked at for so long."""
    with db.read() as session:
        before = db.clock.now() - age
        return any((row.copied_at or row.registered_at) < before for row in _recovery(session))


def _recovery(session: Session) -> Sequence[PlaceRow]:
    return session.scalars(
        select(PlaceRow).where(PlaceRow.kind == PlaceKind.RECOVERY, PlaceRow.lost_at.is_(None))
    ).all()


def dump(session: Session) -> bytes:
    """All key rows as one JSON file, a row a line."""
    store = session.scalars(select(StoreRow.id)).one()
    return b"".join(_pieces(session, store=store))


def _pieces(session: Session, *, store: str) -> Iterator[bytes]:
    """Piece by piece and without ``indent``, with which Python's own slow encoder would do it."""
    head = json.dumps({"format": FORMAT, "store": store, "tables": {}})
    yield head.removesuffix("}}").encode()
    for number, table in enumerate(_TABLES):
        columns = [column for column in table.columns if column.name not in _NOT_COMPARED]
        query = select(*columns).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
        yield f"{',' if number else ''}\n{json.dumps(table.name)}: [".encode()
        names, between = [column.name for column in columns], "\n"
        for rows in session.execute(query).partitions():
            lines = [_ROW.encode(dict(zip(names, row, strict=True))) for row in rows]
            yield (between + ",\n".join(lines)).encode()
            between = ",\n"
        yield b"]"
    yield b"}}\n"


def read_copy(place: Path, *, store: str) -> dict[str, list[dict[str, Any]]]:
    """The tables of the copy at a place.

    Raises:
        Unavailable: there is none.
        Damaged: it isn't a copy of this store's rows.
    """
    try:
        content = json.loads(read_private(place / FILE_NAME))
        if content["format"] != FORMAT or content["store"] != store:
            raise _damaged()
        return {
            table.name: [
                {name: _from_json(value) for name, value in row.items()} for row in content["tables"][table.name]
            ]
            for table in _TABLES
            if table.name in content["tables"] or table.name not in _CAME_LATER
        }
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise _damaged() from None


def written_at(place: Path) -> float | None:
    """When the copy at a place was written, in seconds since 1970; nothing where there is none."""
    try:
        return (place / FILE_NAME).stat().st_mtime
    except OSError:
        return None


def load(session: Session, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Fill empty tables."""
    for table in _TABLES:
        if tables.get(table.name):
            session.execute(insert(table), tables[table.name])


def require_places(db: Database, *, keyring: Keyring) -> None:
    """Every registered place is at hand, and no other: otherwise "gone from every place" would be a guess.

    Raises:
        Unavailable: ``place_unknown``, or what keeps a place from being read.
    """
    with db.read() as session:
        registered = set(session.scalars(select(PlaceRow.id).where(PlaceRow.lost_at.is_(None))))
    if {keyring.file_at(place).place for place in keyring.places} != registered:
        raise place_unknown()


def place_unknown() -> Unavailable:
    """The answer to a folder that is configured and not registered, or the other way round."""
    return Unavailable(
        "place_unknown",
        "The folders named for the keys are not the registered ones: set VAULT_RECOVERY_PLACE to those that `vig-vault "
        "key places list` shows, and start every process again.",
    )


def _is_there(place: Path, data: bytes) -> bool:
    try:
        return read_private(place / FILE_NAME) == data
    except Unavailable:
        return False


def _to_json(value: bytes | datetime) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    return {"time": value.isoformat()}


_ROW = json.JSONEncoder(default=_to_json)
"""Python's own fast encoder asks us only of what JSON doesn't have."""


def _from_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "bytes" in value:
        return base64.b64decode(value["bytes"], validate=True)
    return datetime.fromisoformat(value["time"])


def _damaged() -> Damaged:
    return Damaged("key_copy_damaged", "The copy of the keys can't be read. Please tell your administrator.")
