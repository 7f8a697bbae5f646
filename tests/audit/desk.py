"""What the audit tests share: a signer, acts to record, and an intruder who holds the database."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

import audit
from core.db import Database
from core.ids import CaseId, EntryId, PersonId, new_id

SIGNER = audit.Signer("vault.example/audit", Ed25519PrivateKey.from_private_bytes(b"7" * 32))
VERIFIER = SIGNER.verifier
ACTOR = PersonId(new_id())
CASE = CaseId(new_id())


def act(db: Database, *, times: int = 1, event: audit.Event = audit.Event.SIGNED_IN) -> list[EntryId]:
    """Record, one transaction each."""
    made = []
    for turn in range(times):
        with db.begin() as session:
            made.append(audit.record(session, event, actor=ACTOR, case_id=CASE, details={"turn": turn}))
    return made


def sealed(db: Database, *, times: int) -> list[EntryId]:
    """Record in one transaction and seal, under one checkpoint."""
    with db.begin() as session:
        made = [
            audit.record(session, audit.Event.SIGNED_IN, actor=ACTOR, case_id=CASE, details={"turn": turn})
            for turn in range(times)
        ]
    assert audit.seal(db, signer=SIGNER) >= times
    return made


def intrude(db: Database, *statements: str) -> None:
    """Change what is stored as someone would who owns the database: the guards are switched off first."""
    with db.begin() as session:
        if db.is_sqlite:
            names = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
            for name in names:
                session.execute(text(f"DROP TRIGGER {name}"))
        else:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            session.execute(text(statement))
