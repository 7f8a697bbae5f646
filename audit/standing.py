"""What is told to the witness, and how the store stands to it when the service starts.

- *Store behind the witness*: an old backup was restored. It serves nothing until what it forgot is replayed.
- *Store ahead*: an ordinary crash. It may serve if it extends the witness's checkpoint, and everything that the witness
  wasn't told yet still waits in the outbox.
- *Witness behind what it had acknowledged, or missing*: someone rolled it back. The service refuses.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.checkpoint import Checkpoint, Verifier, open_checkpoint
from audit.entry import NARROWING
from audit.leaf import encode
from audit.log import WITNESS, AuditWriter
from audit.merkle import root
from audit.models import AuditEntryRow, AuditWitnessMarkRow
from audit.rows import ENTRY, LEAF, entry_of, latest_checkpoint, stored_hashes
from audit.witness import Kind, Line, Witness
from core.db import Database, get
from core.errors import Damaged, Unavailable
from core.ids import EntryId
from core.outbox import OutboxRow
from core.secret import Secret

_LABEL = b"vig-vault witness v1"
_NONCE_BYTES = 12
_AT_ONCE = 500


class Standing(StrEnum):
    """How store and witness stand to each other."""

    LEVEL = "level"
    AHEAD = "ahead"
    """The store has more, and what the witness lacks waits for delivery."""
    STORE_BEHIND = "store_behind"
    """The witness knows more: an old backup. Quarantine, and replay."""
    FORKED = "forked"
    """The store's history isn't the one that was witnessed."""
    UNEXPLAINED = "unexplained"
    """The store took access away without ever telling the witness, and doesn't mean to."""
    WITNESS_BEHIND = "witness_behind"
    """The witness lost what it had acknowledged, or is gone."""
    WITNESS_DAMAGED = "witness_damaged"
    """The witness's own lines don't hold together."""


MAY_SERVE = frozenset({Standing.LEVEL, Standing.AHEAD})


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A narrowing event as the witness holds it: what a restore replays.

    Attributes:
        entry: the canonical form of the entry, decoded.
        details: what else was noted.
    """

    entry: dict[str, Any]
    details: dict[str, Any]

    @property
    def entry_id(self) -> EntryId:
        """Which entry."""
        return EntryId(self.entry["id"])


@dataclass(frozen=True, slots=True)
class Report:
    """The answer of ``check_witness``.

    Attributes:
        standing: how they stand.
        checkpoint: the witness's last checkpoint.
        forgotten: what the witness knows and the store doesn't, oldest first.
        untold: entries that the store should have told and didn't.
    """

    standing: Standing
    checkpoint: Checkpoint | None = None
    forgotten: tuple[Witnessed, ...] = ()
    untold: tuple[EntryId, ...] = ()


def tell_narrowing(db: Database, *, witness: Witness, entry_id: EntryId) -> None:
    """Deliver one narrowing event: what a ``witness`` row of the outbox asks for. Harmless when done twice.

    Raises:
        NotFound: there is no such entry.
        Unavailable: the witness can't be reached; try again.
        Damaged: the witness was rolled back or changed.
    """
    key = _sealing_key(db)
    with db.read() as session:
        row = get(session, AuditEntryRow, entry_id)
        plain = {"details": row.details or {}, "entry": encode(entry_of(row)).decode()}
        before = session.get(AuditWitnessMarkRow, witness.name)
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + AESGCM(key.reveal()).encrypt(nonce, json.dumps(plain, sort_keys=True).encode(), _LABEL)
    line = witness.append(Kind.NARROWING, base64.b64encode(sealed).decode())
    _acknowledge(db, witness, line, before=before, size=0)


def tell_checkpoint(db: Database, *, witness: Witness) -> bool:
    """Give the witness the latest checkpoint, unless it has it: once a minute.

    Returns:
        Whether there was one to give.

    Raises:
        Unavailable: the witness can't be reached; try again.
        Damaged: the witness was rolled back or changed.
    """
    with db.read() as session:
        latest = latest_checkpoint(session)
        before = session.get(AuditWitnessMarkRow, witness.name)
    if latest is None or (before is not None and before.size >= latest.size):
        return False
    _acknowledge(db, witness, witness.append(Kind.CHECKPOINT, latest.note), before=before, size=latest.size)
    return True


def witnessed_checkpoints(witness: Witness) -> tuple[str, ...]:
    """The signed notes that a witness holds, oldest first: what ``verify`` takes as ``known``.

    Raises:
        Unavailable: the witness can't be read.
        Damaged: its lines don't follow each other.
    """
    return tuple(line.body for line in witness.lines() if line.kind is Kind.CHECKPOINT)


def check_witness(db: Database, *, witness: Witness, verifier: Verifier, remembered: str | None = None) -> Report:
    """Compare the store with the witness, before anything is served.

    Args:
        db: the main database, with a writer attached.
        witness: where the lines are.
        verifier: the log's public key.
        remembered: the checkpoint that the keyring keeps, as a signed note: the third voice.

    Raises:
        Unavailable: the witness can't be read, or no writer's key is attached.
    """
    key = _sealing_key(db)
    try:
        lines = list(witness.lines())
        told = {event.entry_id: event for event in _narrowing(key, lines)}
        notes = [line.body for line in lines if line.kind is Kind.CHECKPOINT]
        checkpoint = open_checkpoint(notes[-1], verifier=verifier) if notes else None
        began = open_checkpoint(notes[0], verifier=verifier).size if notes else 0
        voices = [checkpoint, open_checkpoint(remembered, verifier=verifier) if remembered else None]
    except Damaged:
        return Report(Standing.WITNESS_DAMAGED)
    with db.read() as session:
        mark = session.get(AuditWitnessMarkRow, witness.name)
        if mark is not None and (len(lines) < mark.number or lines[mark.number - 1].hash != mark.hash.hex()):
            return Report(Standing.WITNESS_BEHIND, checkpoint)
        there = _there(session, told)
        forgotten = tuple(event for entry_id, event in told.items() if entry_id not in there)
        history = [compare(session, voice) for voice in voices if voice is not None]
        if Standing.FORKED in history:
            return Report(Standing.FORKED, checkpoint, forgotten)
        if forgotten or Standing.STORE_BEHIND in history:
            return Report(Standing.STORE_BEHIND, checkpoint, forgotten)
        untold, waiting = _untold(session, told, began=began) if lines else ((), False)  # or it was just set up
        latest = latest_checkpoint(session)
    if untold:  # another process may have told it since we read the lines
        since = {event.entry_id for event in _narrowing(key, witness.lines())}
        untold = tuple(entry_id for entry_id in untold if entry_id not in since)
    if untold:
        return Report(Standing.UNEXPLAINED, checkpoint, untold=untold)
    ahead = waiting or (latest is not None and (checkpoint is None or latest.size > checkpoint.size))
    return Report(Standing.AHEAD if ahead else Standing.LEVEL, checkpoint)


def check_mark(db: Database, *, witness: Witness) -> None:
    """See in a moment whether the witness still ends where it had acknowledged; ``check_witness`` looks at all of it.

    Raises:
        Unavailable: the witness can't be reached.
        Damaged: ``witness_rolled_back``: it lost or changed what it had acknowledged.
    """
    with db.read() as session:
        mark = session.get(AuditWitnessMarkRow, witness.name)
    last = witness.last()
    number = last.number if last else 0
    if mark is None or number > mark.number or (last and number == mark.number and last.hash == mark.hash.hex()):
        return
    raise Damaged("witness_rolled_back", "The witness has lost lines that it had acknowledged.")


def _acknowledge(db: Database, witness: Witness, line: Line, *, before: AuditWitnessMarkRow | None, size: int) -> None:
    """Remember how far the witness is; never less than before."""
    if before is not None and line.number <= before.number:
        raise Damaged("witness_rolled_back", "The witness has lost lines that it had acknowledged.")
    with db.begin() as session:
        mark = session.get(AuditWitnessMarkRow, witness.name, with_for_update=True)
        if mark is None:
            session.add(
                AuditWitnessMarkRow(witness=witness.name, number=line.number, hash=bytes.fromhex(line.hash), size=size)
            )
            return
        if line.number > mark.number:
            mark.number, mark.hash = line.number, bytes.fromhex(line.hash)
        mark.size = max(mark.size, size)


def compare(session: Session, voice: Checkpoint) -> Standing:
    """Whether the store's tree begins with the one of a checkpoint kept elsewhere."""
    latest = latest_checkpoint(session)
    if latest is None or latest.size < voice.size:
        return Standing.STORE_BEHIND
    try:
        same = root(voice.size, stored_hashes(session)) == voice.root
    except Damaged:
        same = False
    return Standing.LEVEL if same else Standing.FORKED


def _there(session: Session, ids: Iterable[EntryId]) -> set[str]:
    """Which entries the store has, as a body or as the leaf of a disposed one."""
    wanted, found = list(ids), set[str]()
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        found |= set(session.scalars(select(ENTRY.c.id).where(ENTRY.c.id.in_(part))))
        found |= set(session.scalars(select(LEAF.c.entry_id).where(LEAF.c.entry_id.in_(part))))
    return found


def _untold(session: Session, told: Iterable[EntryId], *, began: int) -> tuple[tuple[EntryId, ...], bool]:
    """Narrowing entries that the witness lacks and that don't wait for delivery; and whether any wait.

    What was sealed before the witness's first checkpoint was there before it was set up.
    """
    rows = session.execute(select(OutboxRow.payload).where(OutboxRow.kind == WITNESS, OutboxRow.delivered_at.is_(None)))
    waiting = {payload["entry_id"] for (payload,) in rows}
    known = waiting | set(told)
    narrowing = (
        select(ENTRY.c.id)
        .outerjoin(LEAF, LEAF.c.entry_id == ENTRY.c.id)
        .where(ENTRY.c.event.in_([event.value for event in NARROWING]))
        .where(LEAF.c.position.is_(None) | (LEAF.c.position >= began))
    )
    return tuple(EntryId(entry) for entry in session.scalars(narrowing) if entry not in known), bool(waiting)


def _sealing_key(db: Database) -> Secret[bytes]:
    writer = db.info.get("audit_writer")
    if not isinstance(writer, AuditWriter):
        raise Unavailable("audit_unavailable", "The witness can't be told or read: the audit key isn't attached.")
    return Secret(HKDF(algorithm=SHA256(), length=32, salt=None, info=_LABEL).derive(writer.key.reveal()))


def _narrowing(key: Secret[bytes], lines: Iterable[Line]) -> Iterator[Witnessed]:
    for line in lines:
        if line.kind is not Kind.NARROWING:
            continue
        try:
            raw = base64.b64decode(line.body, validate=True)
            plain = json.loads(AESGCM(key.reveal()).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _LABEL))
            event = Witnessed(json.loads(plain["entry"]), plain["details"])
        except (ValueError, LookupError, InvalidTag) as error:
            raise Damaged("witness_damaged", "A line of the witness can't be opened with this store's key.") from error
        yield event
