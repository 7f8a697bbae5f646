"""Sealing: entries leave the queue, take their places in the tree without gaps, and a checkpoint is signed over them.

One at a time: a second sealer on PostgreSQL finds the advisory lock taken and leaves it to the first; on SQLite it
waits for the transaction. Entries come from a queue table, never by "greater than the last": a transaction that commits
late would be skipped for good. Before anything is sealed, what the database holds is checked: the tree's edge against
our own signature, and every entry against the MAC of its chain. A gap or a bad MAC stops sealing and is an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from audit.checkpoint import Signer, open_checkpoint
from audit.leaf import NO_MAC, chain, encode
from audit.log import AuditWriter
from audit.merkle import Frontier, leaf_hash
from audit.models import AuditEntryRow, AuditPendingRow
from audit.rows import CHECKPOINT, HASH, LEAF, PENDING, WRITER, alarm, entry_of, latest_checkpoint, stored_hashes
from core.db import Database
from core.errors import Unavailable

MOST = 1000
"""Entries under one checkpoint, at most."""
_LOCK = 0x7669672D7365616C  # "vig-seal": any number that nobody else takes


def seal(db: Database, *, signer: Signer, most: int = MOST) -> int:
    """Seal what waits, oldest first, under one new checkpoint. Call again at once while it returns ``most``.

    Args:
        db: the main database, with a writer attached.
        signer: the log's name and signing key.
        most: how many entries at once.

    Returns:
        How many were sealed: 0 where nothing waited, or another process is sealing just now.

    Raises:
        Damaged: the log was changed behind the service's back. Nothing was sealed, and nothing will be.
        Unavailable: no writer key is attached.
    """
    writer = db.info.get("audit_writer")
    if not isinstance(writer, AuditWriter):
        raise Unavailable("audit_unavailable", "The audit log can't be sealed: its key isn't attached.")
    with db.begin() as session:
        if not db.is_sqlite and not session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
            return 0
        frontier = _edge(session, signer)
        behind = _behind(session)  # read before the queue, so that what commits in between is no gap
        rows = session.execute(
            select(AuditPendingRow.position, AuditPendingRow.entry_id, AuditEntryRow)
            .outerjoin(AuditEntryRow, AuditEntryRow.id == AuditPendingRow.entry_id)
            .order_by(AuditPendingRow.position)
            .limit(most)
        ).all()
        entries = [_present(entry) for _, _, entry in rows]
        leaves, sealed = _check(session, entries, writer)
        if len(rows) < most:
            _none_missing(behind, sealed)
        if not rows:
            return 0
        _plant(session, frontier, leaves)
        root = frontier.root()
        session.execute(
            insert(CHECKPOINT).values(
                size=frontier.size, root=root, note=signer.sign(size=frontier.size, root=root), at=db.clock.now()
            )
        )
        session.execute(delete(PENDING).where(PENDING.c.position.in_([position for position, _, _ in rows])))
    return len(rows)


def _edge(session: Session, signer: Signer) -> Frontier:
    """The tree as it stands, checked against the last checkpoint that we signed ourselves."""
    last = latest_checkpoint(session)
    leaves = session.scalar(select(func.max(LEAF.c.position)))
    size = 0 if leaves is None else leaves + 1
    if last is None:
        if size:
            alarm("there are leaves, and no checkpoint")
        return Frontier()
    signed = open_checkpoint(last.note, verifier=signer.verifier)
    if signed.size != size or last.size != size:
        alarm(f"{signed.size} entries were signed, {size} are there")
    frontier = Frontier(size, stored_hashes(session))
    if frontier.root() != signed.root:
        alarm(f"the tree of {size} entries isn't the one that was signed")
    return frontier


def _present(entry: AuditEntryRow | None) -> AuditEntryRow:
    if entry is None:
        alarm("an entry that waits to be sealed is gone")
    return entry


def _check(
    session: Session, entries: Sequence[AuditEntryRow], writer: AuditWriter
) -> tuple[list[tuple[AuditEntryRow, bytes]], dict[str, tuple[int, bytes]]]:
    """Check each entry's number and MAC against its chain.

    Returns:
        Each entry with its leaf hash; and where each chain in the batch stands after it.
    """
    sealed = _sealed(session, {entry.writer_id for entry in entries})
    leaves: list[tuple[AuditEntryRow, bytes]] = []
    for entry in entries:
        number, previous = sealed.get(entry.writer_id, (0, NO_MAC))
        hashed = leaf_hash(encode(entry_of(entry)))
        mac = chain(writer.key, writer=entry.writer_id, number=number + 1, previous=previous, leaf_hash=hashed)
        if entry.number != number + 1:
            alarm(f"in chain {entry.writer_id}, entry {number + 1} is missing")
        if entry.mac != mac:
            alarm(f"in chain {entry.writer_id}, entry {number + 1} was edited")
        sealed[entry.writer_id] = (entry.number, mac)
        leaves.append((entry, hashed))
    return leaves, sealed


def _sealed(session: Session, writers: set[str]) -> dict[str, tuple[int, bytes]]:
    """How far each chain is in the tree: its last number and MAC."""
    found: dict[str, tuple[int, bytes]] = {}
    for writer in writers:
        row = session.execute(
            select(LEAF.c.number, LEAF.c.mac).where(LEAF.c.writer_id == writer).order_by(LEAF.c.number.desc()).limit(1)
        ).first()
        if row is not None:
            found[writer] = (row.number, row.mac)
    return found


def _behind(session: Session) -> dict[str, int]:
    """The chains that have entries outside the tree, each with the number of its last one."""
    last = select(func.max(LEAF.c.number)).where(LEAF.c.writer_id == WRITER.c.id).scalar_subquery()
    rows = session.execute(select(WRITER.c.id, WRITER.c.number, last))
    return {writer: number for writer, number, sealed in rows if number != (sealed or 0)}


def _none_missing(behind: Mapping[str, int], sealed: Mapping[str, tuple[int, bytes]]) -> None:
    """Once the queue is empty, every chain must have arrived where its head says it is."""
    for writer, number in behind.items():
        arrived = sealed.get(writer, (0, NO_MAC))[0]
        if arrived < number:
            alarm(f"in chain {writer}, entries up to {number} were written and aren't there")


def _plant(session: Session, frontier: Frontier, leaves: Sequence[tuple[AuditEntryRow, bytes]]) -> None:
    """Give each entry its place, and store its hash and those that it completes."""
    places: list[dict[str, Any]] = []
    hashes: list[dict[str, Any]] = []
    for entry, hashed in leaves:
        places.append(
            {
                "position": frontier.size,
                "entry_id": entry.id,
                "writer_id": entry.writer_id,
                "number": entry.number,
                "leaf_hash": hashed,
                "mac": entry.mac,
            }
        )
        hashes += [
            {"level": level, "position": position, "hash": made} for level, position, made in frontier.append(hashed)
        ]
    session.execute(insert(LEAF), places)
    if hashes:
        session.execute(insert(HASH), hashes)
