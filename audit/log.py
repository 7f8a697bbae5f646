"""Recording: an entry joins the caller's transaction, so there is no change without its entry, and no entry without it.

Each entry belongs to a *writer*: a chain numbered without gaps. A chain's head is a row that is locked from ``record``
until the transaction ends; a rollback takes back number and entry together. Whoever records takes any chain that is
free (``SKIP LOCKED``) and starts a new one where none is, so that concurrent transactions, in any number of
processes, never wait for each other here, can't deadlock here, and there are only as many chains as there ever were
transactions at once. On SQLite there is one writer at a time anyway.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from sqlalchemy import case, insert, select, update
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from audit.entry import NARROWING, Event, Outcome
from audit.leaf import NO_MAC, SALT_BYTES, Detail, Entry, chain, check_words, commit, encode
from audit.merkle import leaf_hash
from audit.rows import ENTRY, PENDING, WRITER
from core import outbox
from core.clock import Clock
from core.db import Database
from core.errors import Invalid, Unavailable
from core.ids import CaseId, EntryId, PersonId, new_id
from core.secret import Secret

MIN_KEY_BYTES = 32
WITNESS = "witness"
"""The kind of outbox row that a narrowing event posts; its payload is ``{"entry_id": …}``."""


@dataclass(frozen=True, slots=True)
class AuditWriter:
    """What lets a process write entries.

    Attributes:
        key: the key of the chains' MACs, at least 32 bytes, the same in every process; never in the database.
    """

    key: Secret[bytes]


def attach(db: Database, *, writer_key: Secret[bytes]) -> None:
    """Let the transactions of a database write audit entries, by its own clock.

    Args:
        db: the main database, as this process holds it.
        writer_key: the key of the chains' MACs, at least 32 bytes.

    Raises:
        Invalid: the key is too short.
    """
    if len(writer_key.reveal()) < MIN_KEY_BYTES:
        raise Invalid("audit_key_too_short", f"The audit key must have at least {MIN_KEY_BYTES} bytes.")
    db.info["clock"] = db.clock
    db.info["audit_writer"] = AuditWriter(writer_key)


def record(
    session: Session,
    event: Event,
    *,
    actor: PersonId | None,
    outcome: Outcome = Outcome.DONE,
    case_id: CaseId | None = None,
    object_id: str | None = None,
    reason: str | None = None,
    purpose: str | None = None,
    request_id: str | None = None,
    details: Mapping[str, Detail] | None = None,
) -> EntryId:
    """Write one entry in the caller's transaction; a narrowing event is also sent to the witness.

    Args:
        session: the transaction of the act itself.
        event: what was done.
        actor: who did it; nothing where the service did, or nobody was signed in.
        outcome: how it ended.
        case_id: in which case.
        object_id: id of what it was done to.
        reason: a code word.
        purpose: a code word of the consent decision.
        request_id: the request, to find it in the server's own log; ``session.info["request_id"]`` where not given.
        details: ids, numbers and code words; never a name or free text.

    Returns:
        The entry's id, to be proved once it is sealed.

    Raises:
        Invalid: something given is neither id nor number nor code word.
        Unavailable: it can't be written. After either, this transaction can't be committed: the act doesn't happen.
    """
    words = {
        "actor": actor,
        "case_id": case_id,
        "object_id": object_id,
        "reason": reason,
        "purpose": purpose,
        "request_id": request_id or session.info.get("request_id"),
    }
    notes = dict(details) if details else None
    try:
        check_words(words)
        check_words(notes or {})
    except Invalid:
        _doom(session)
        raise
    writer, clock = session.info.get("audit_writer"), cast("Clock | None", session.info.get("clock"))
    if not isinstance(writer, AuditWriter) or clock is None:
        _doom(session)
        raise _unavailable()
    details_salt = secrets.token_bytes(SALT_BYTES) if notes else None
    at = clock.now()
    try:
        with session.no_autoflush:
            chain_id, number, previous = _next(session)
            entry = Entry(
                id=new_id(),
                at=at,
                writer=chain_id,
                number=number,
                event=event.value,
                outcome=outcome.value,
                **words,
                details=commit(notes, salt=details_salt) if notes and details_salt else None,
                salt=secrets.token_bytes(SALT_BYTES),
            )
            mac = chain(
                writer.key, writer=chain_id, number=number, previous=previous, leaf_hash=leaf_hash(encode(entry))
            )
            _write(session, entry, mac=mac, notes=notes, details_salt=details_salt)
    except SQLAlchemyError as error:
        _doom(session)
        raise _unavailable() from error
    if event in NARROWING:
        outbox.post(session, WITNESS, at=at, payload={"entry_id": entry.id})
    return EntryId(entry.id)


def _next(session: Session) -> tuple[str, int, bytes]:
    """Take a free chain, this transaction's own first; give its id, the next number and the MAC to chain to."""
    own = session.info.get("audit_chain", "")
    row = session.execute(
        select(WRITER.c.id, WRITER.c.number, WRITER.c.mac)
        .order_by(case((WRITER.c.id == own, 0), else_=1), WRITER.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        row_id, number, mac = new_id(), 0, NO_MAC
        session.execute(insert(WRITER).values(id=row_id, number=number, mac=mac))
    else:
        row_id, number, mac = row.id, row.number, bytes(row.mac)
    session.info["audit_chain"] = row_id
    return row_id, number + 1, mac


def _write(
    session: Session, entry: Entry, *, mac: bytes, notes: dict[str, Any] | None, details_salt: bytes | None
) -> None:
    session.execute(update(WRITER).where(WRITER.c.id == entry.writer).values(number=entry.number, mac=mac))
    session.execute(
        insert(ENTRY).values(
            id=entry.id,
            at=entry.at,
            writer_id=entry.writer,
            number=entry.number,
            event=entry.event,
            outcome=entry.outcome,
            actor=entry.actor,
            case_id=entry.case_id,
            object_id=entry.object_id,
            reason=entry.reason,
            purpose=entry.purpose,
            request_id=entry.request_id,
            commitment=entry.details,
            details=notes,
            details_salt=details_salt,
            salt=entry.salt,
            mac=mac,
        )
    )
    session.execute(insert(PENDING).values(entry_id=entry.id))


def _doom(session: Session) -> None:
    """Make sure that nobody who swallows the error commits the act without its entry."""
    sqlalchemy_event.listen(session, "before_commit", _refuse_commit)


def _refuse_commit(session: Session) -> NoReturn:
    del session
    raise _unavailable()


def _unavailable() -> Unavailable:
    return Unavailable("audit_unavailable", "The service can't write its log just now, so nothing was done. Try again.")
