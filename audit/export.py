"""Export: the whole sealed log as files that verify offline, in the layout of C2SP tlog-tiles.

    checkpoint               the signed note over all of it, written last: a torn export has none
    tile/<L>/<N>             the tree's hashes, 256 to a file
    tile/entries/<N>         the entries' canonical bytes, each after its length (two bytes, big-endian)
    checkpoints.jsonl        every checkpoint ever signed
    details.jsonl            what entries commit to, with the salts that open the commitments
    disposed.jsonl           entries without a body, each with its certificate; their bundle has a length of 0

Specification: c2sp.org/tlog-tiles. A disposed entry's empty place is the one thing that goes beyond it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from audit.leaf import encode
from audit.models import AuditDisposalRow, AuditEntryRow, AuditLeafRow
from audit.rows import CHECKPOINT, HASH, alarm, entry_of, latest_checkpoint
from core.db import Database
from core.errors import Conflict, Unavailable

TILE = 256
TILE_HEIGHT = 8
LENGTH_BYTES = 2
_NOTES_AT_ONCE = 1000
_Found = tuple[AuditLeafRow, AuditEntryRow | None, AuditDisposalRow | None]


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds.

    Attributes:
        size: number of sealed entries.
        disposed: how many of them have no body any more.
        note: the signed checkpoint over them.
    """

    size: int
    disposed: int
    note: str


def export(db: Database, *, to: Path) -> Exported:
    """Write the sealed log into a new folder. The log may grow meanwhile; what is exported doesn't.

    Args:
        db: the main database; nothing is written to it.
        to: a folder that is empty or isn't there yet.

    Raises:
        Conflict: the folder has something in it, or nothing was sealed yet.
        Unavailable: the folder can't be written.
        Damaged: the log has a gap; verify it first.
    """
    with db.read() as session:
        latest = latest_checkpoint(session)
    if latest is None:
        raise Conflict("audit_nothing_sealed", "Nothing has been sealed yet, so there is nothing to export.")
    try:
        to.mkdir(parents=True, exist_ok=True)
        if any(to.iterdir()):
            raise Conflict("export_folder_not_empty", "Choose an empty folder for the export.", field="to")
        disposed = _write_entries(db, to, latest.size)
        _write_tree(db, to, latest.size)
        with (to / "checkpoints.jsonl").open("xb") as file:
            for size, note in _notes(db, latest.size):
                file.write(_line({"note": note, "size": size}))
        (to / "checkpoint").write_text(latest.note, encoding="utf-8", newline="\n")
    except OSError as error:
        raise Unavailable("export_unwritable", "The export can't be written to that folder.") from error
    return Exported(latest.size, disposed, latest.note)


def tile_path(level: str, number: int, *, width: int = TILE) -> str:
    """Where a tile or an entry bundle stands (c2sp.org/tlog-tiles, "Merkle Tree").

    Args:
        level: ``0`` and up, or ``entries``.
        number: the tile's place in its level.
        width: how much is in it; partial where less than 256.
    """
    groups = f"{number:03d}" if number < 1000 else f"{number:0{-(-len(str(number)) // 3) * 3}d}"  # noqa: PLR2004 - three digits
    parts = [groups[start : start + 3] for start in range(0, len(groups), 3)]
    path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{path}" + ("" if width == TILE else f".p/{width}")


def tiles(count: int) -> Iterator[tuple[int, int]]:
    """The tiles of a level with so many hashes: each one's number and width."""
    for number in range(-(-count // TILE)):
        yield number, min(TILE, count - number * TILE)


def _write_entries(db: Database, to: Path, size: int) -> int:
    disposed = 0
    with (to / "details.jsonl").open("xb") as details, (to / "disposed.jsonl").open("xb") as gone:
        for number, width in tiles(size):
            bundle, hashes = bytearray(), bytearray()
            for leaf, body, disposal in _leaves(db, number * TILE, width):
                data = encode(entry_of(body)) if body else b""
                bundle += len(data).to_bytes(LENGTH_BYTES) + data
                hashes += leaf.leaf_hash
                if body is not None and body.commitment and body.details_salt:
                    details.write(
                        _line({"details": body.details, "index": leaf.position, "salt": body.details_salt.hex()})
                    )
                if disposal is not None:
                    gone.write(_line({"certificate": disposal.certificate_id, "index": leaf.position}))
                    disposed += 1
            _write(to / tile_path("entries", number, width=width), bundle)
            _write(to / tile_path("0", number, width=width), hashes)
    return disposed


def _write_tree(db: Database, to: Path, size: int) -> None:
    level = 1
    while count := size >> (TILE_HEIGHT * level):
        for number, width in tiles(count):
            first = number * TILE
            query = (
                select(HASH.c.hash)
                .where(HASH.c.level == TILE_HEIGHT * level, HASH.c.position.between(first, first + width - 1))
                .order_by(HASH.c.position)
            )
            with db.read() as session:
                hashes = session.scalars(query).all()
            if len(hashes) != width:
                alarm(f"hashes at level {TILE_HEIGHT * level} are missing")
            _write(to / tile_path(str(level), number, width=width), b"".join(hashes))
        level += 1


def _leaves(db: Database, first: int, width: int) -> list[_Found]:
    query = (
        select(AuditLeafRow, AuditEntryRow, AuditDisposalRow)
        .outerjoin(AuditEntryRow, AuditEntryRow.id == AuditLeafRow.entry_id)
        .outerjoin(AuditDisposalRow, AuditDisposalRow.entry_id == AuditLeafRow.entry_id)
        .where(AuditLeafRow.position.between(first, first + width - 1))
        .order_by(AuditLeafRow.position)
    )
    with db.read() as session:
        rows: list[_Found] = [(leaf, body, disposal) for leaf, body, disposal in session.execute(query)]
    if len(rows) != width:
        alarm(f"leaves between {first} and {first + width} are missing")
    for leaf, body, disposal in rows:
        if body is None and disposal is None:
            alarm(f"entry {leaf.position} is gone, and no certificate says why")
    return rows


def _notes(db: Database, size: int) -> Iterator[tuple[int, str]]:
    last = 0
    query = select(CHECKPOINT.c.size, CHECKPOINT.c.note).order_by(CHECKPOINT.c.size).limit(_NOTES_AT_ONCE)
    while last < size:
        with db.read() as session:
            rows = session.execute(query.where(CHECKPOINT.c.size > last, CHECKPOINT.c.size <= size)).all()
        yield from ((found, note) for found, note in rows)
        last = rows[-1][0] if rows else size


def _write(path: Path, data: bytes | bytearray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"
