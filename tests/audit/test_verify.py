from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

import audit
from audit import Fault
from audit.leaf import encode
from audit.merkle import leaf_hash
from audit.models import AuditEntryRow, AuditLeafRow
from audit.rows import ENTRY, LEAF, entry_of
from core.db import Database
from core.errors import Conflict, Damaged
from core.ids import CertificateId, new_id
from core.secret import Secret
from tests.audit.desk import SIGNER, VERIFIER, act, intrude, sealed


def key_of(db: Database) -> Secret[bytes]:
    writer = db.info["audit_writer"]
    assert isinstance(writer, audit.AuditWriter)
    return writer.key


def look(db: Database, *, known: tuple[str, ...] = ()) -> audit.Verdict:
    """Verify as the service can."""
    return audit.verify(db, verifier=VERIFIER, writer_key=key_of(db), known=known)


def look_from_outside(db: Database) -> audit.Verdict:
    """Verify as someone who has the database and the public key only."""
    return audit.verify(db, verifier=VERIFIER)


def checkpoint(db: Database) -> str:
    with db.read() as session:
        return session.execute(text("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")).scalar_one()


def found(verdict: audit.Verdict) -> tuple[int, Fault] | None:
    return (verdict.finding.index, verdict.finding.fault) if verdict.finding else None


@pytest.fixture
def filled(db: Database) -> Database:
    """Twelve entries under checkpoints at 5, 6 and 10; two wait."""
    for times in (5, 1, 4):
        sealed(db, times=times)
    act(db, times=2)
    return db


def test_an_untouched_log_is_as_it_was_signed(filled: Database) -> None:
    verdict = look(filled, known=(checkpoint(filled),))
    assert verdict.finding is None
    assert (verdict.size, verdict.waiting, verdict.disposed) == (10, 2, 0)
    assert verdict.checkpoint is not None
    assert verdict.checkpoint.size == 10
    assert look_from_outside(filled).finding is None
    assert "All 10 entries" in verdict.sentence


def test_an_empty_log_is_as_it_was_signed(db: Database) -> None:
    assert look(db).finding is None


ENTRY_7 = "(SELECT entry_id FROM audit_leaf WHERE position = 7)"
LEAF_0 = "(SELECT leaf_hash FROM audit_leaf WHERE position = 0)"
TAMPERINGS: dict[str, tuple[list[str], tuple[int, Fault]]] = {
    "an actor changed": ([f"UPDATE audit_entry SET actor = NULL WHERE id = {ENTRY_7}"], (7, Fault.ENTRY_EDITED)),
    "an outcome changed": ([f"UPDATE audit_entry SET outcome = 'x' WHERE id = {ENTRY_7}"], (7, Fault.ENTRY_EDITED)),
    "a detail changed": ([f"UPDATE audit_entry SET details = '{{}}' WHERE id = {ENTRY_7}"], (7, Fault.ENTRY_EDITED)),
    "details removed": ([f"UPDATE audit_entry SET details = NULL WHERE id = {ENTRY_7}"], (7, Fault.ENTRY_EDITED)),
    "a MAC changed": ([f"UPDATE audit_entry SET mac = salt WHERE id = {ENTRY_7}"], (7, Fault.ENTRY_EDITED)),
    "a leaf changed": (
        [f"UPDATE audit_leaf SET leaf_hash = {LEAF_0} WHERE position = 7"],
        (7, Fault.ENTRY_EDITED),
    ),
    "a body dropped": ([f"DELETE FROM audit_entry WHERE id = {ENTRY_7}"], (7, Fault.ENTRY_DROPPED)),
    "a leaf dropped": (["DELETE FROM audit_leaf WHERE position = 7"], (7, Fault.ENTRY_DROPPED)),
    "the first entry dropped": (["DELETE FROM audit_leaf WHERE position = 0"], (0, Fault.ENTRY_DROPPED)),
    "an entry cut out and the gap closed": (
        [
            "DELETE FROM audit_pending",
            f"DELETE FROM audit_entry WHERE id = {ENTRY_7}",
            "DELETE FROM audit_leaf WHERE position = 7",
            "UPDATE audit_leaf SET position = 7 WHERE position = 8",
            "UPDATE audit_leaf SET position = 8 WHERE position = 9",
        ],
        (7, Fault.ENTRY_DROPPED),
    ),
    "two entries swapped": (
        [
            "UPDATE audit_leaf SET position = 99 WHERE position = 7",
            "UPDATE audit_leaf SET position = 7 WHERE position = 8",
            "UPDATE audit_leaf SET position = 8 WHERE position = 99",
        ],
        (7, Fault.ENTRY_DROPPED),
    ),
    "the tail cut": (["DELETE FROM audit_leaf WHERE position >= 8"], (8, Fault.TAIL_CUT)),
    "the tail cut with its checkpoint": (
        [
            "DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_leaf WHERE position >= 6)",
            "DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_pending)",
            "DELETE FROM audit_pending",
            "DELETE FROM audit_leaf WHERE position >= 6",
            "DELETE FROM audit_hash WHERE (position + 1) * 2 > 6",
            "DELETE FROM audit_hash WHERE level = 2 AND position = 1",
            "DELETE FROM audit_hash WHERE level = 3",
            "DELETE FROM audit_checkpoint WHERE size > 6",
        ],
        (6, Fault.TAIL_CUT),
    ),
    "everything gone but the chains' heads": (
        [f"DELETE FROM audit_{name}" for name in ("pending", "entry", "leaf", "hash", "checkpoint")],
        (0, Fault.TAIL_CUT),
    ),
    "a checkpoint's root changed": (
        [f"UPDATE audit_checkpoint SET root = {LEAF_0} WHERE size = 6"],
        (5, Fault.CHECKPOINT_FORGED),
    ),
    "a checkpoint's note changed": (
        ["UPDATE audit_checkpoint SET note = 'x' WHERE size = 10"],
        (6, Fault.CHECKPOINT_FORGED),
    ),
    "a checkpoint moved to another size": (
        ["UPDATE audit_checkpoint SET size = 8 WHERE size = 10"],
        (6, Fault.CHECKPOINT_FORGED),
    ),
    "the last checkpoint dropped": (["DELETE FROM audit_checkpoint WHERE size = 10"], (6, Fault.NOT_SIGNED)),
    "a hash of the tree changed": (
        [f"UPDATE audit_hash SET hash = {LEAF_0} WHERE level = 1 AND position = 3"],
        (6, Fault.HASH_EDITED),
    ),
    "a hash of the tree dropped": (["DELETE FROM audit_hash WHERE level = 2"], (0, Fault.HASH_EDITED)),
    "a hash of what isn't there": (
        [f"INSERT INTO audit_hash (level, position, hash) VALUES (2, 2, {LEAF_0})"],
        (10, Fault.HASH_EDITED),
    ),
    "an entry that waits changed": (
        ["UPDATE audit_entry SET actor = NULL WHERE number = 12"],
        (11, Fault.ENTRY_EDITED),
    ),
    "an entry that waits dropped": (["DELETE FROM audit_entry WHERE number = 11"], (10, Fault.ENTRY_DROPPED)),
    "an entry taken from the queue": (
        ["DELETE FROM audit_pending WHERE entry_id = (SELECT id FROM audit_entry WHERE number = 11)"],
        (10, Fault.ENTRY_DROPPED),
    ),
    "the newest taken from the queue": (
        ["DELETE FROM audit_pending WHERE entry_id = (SELECT id FROM audit_entry WHERE number = 12)"],
        (11, Fault.TAIL_CUT),
    ),
    "a chain's head set back": (["UPDATE audit_writer SET number = number - 1"], (12, Fault.ENTRY_EDITED)),
    "a chain's head dropped": (["DELETE FROM audit_writer"], (12, Fault.ENTRY_EDITED)),
    "an entry put in from outside": (
        [
            "CREATE TABLE copied AS SELECT * FROM audit_entry WHERE number = 3",
            f"UPDATE copied SET id = '{'0' * 32}', number = 99",
            "INSERT INTO audit_entry SELECT * FROM copied",
        ],
        (12, Fault.SMUGGLED),
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_the_verifier_names_the_first_bad_index_and_why(filled: Database, name: str) -> None:
    statements, expected = TAMPERINGS[name]
    intrude(filled, *statements)
    assert found(look(filled)) == expected


@pytest.mark.parametrize(
    "change", ["at = 'yesterday'", "details = '{'", "salt = 'text'", "number = 'many'", "commitment = 7", "mac = 0"]
)
def test_a_row_full_of_nonsense_is_named_not_a_traceback(filled: Database, change: str) -> None:
    if not filled.is_sqlite:
        return  # PostgreSQL keeps to its types
    intrude(filled, f"UPDATE audit_entry SET {change} WHERE id = {ENTRY_7}")
    assert found(look(filled)) == (7, Fault.ENTRY_EDITED)


def rewrite(db: Database, *, position: int, change: Callable[[AuditEntryRow], None]) -> None:
    """Change an entry and recompute its leaf, as an intruder would who knows how this works but has no key."""
    intrude(db, "SELECT 1")
    with db.read() as session:
        leaf = session.get_one(AuditLeafRow, position)
        body = session.get_one(AuditEntryRow, leaf.entry_id)
    change(body)
    hashed = leaf_hash(encode(entry_of(body)))
    with db.begin() as session:
        if not db.is_sqlite:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(update(ENTRY).where(ENTRY.c.id == body.id).values(actor=body.actor))
        session.execute(update(LEAF).where(LEAF.c.position == position).values(leaf_hash=hashed))


def forget_actor(body: AuditEntryRow) -> None:
    body.actor = None


def test_an_entry_rewritten_with_its_leaf_is_named_by_its_mac(filled: Database) -> None:
    rewrite(filled, position=7, change=forget_actor)
    assert found(look(filled)) == (7, Fault.ENTRY_EDITED)


def test_an_entry_rewritten_with_its_leaf_is_caught_between_two_checkpoints_without_the_key(filled: Database) -> None:
    rewrite(filled, position=7, change=forget_actor)
    verdict = look_from_outside(filled)
    assert verdict.finding == audit.Finding(6, Fault.REWRITTEN, until=10)
    assert verdict.sentence == "Entry 6 is the first that may have been rewritten (somewhere before entry 10)."


def test_a_checkpoint_signed_by_another_key_is_forged(filled: Database) -> None:
    with filled.read() as session:
        root = session.execute(text("SELECT root FROM audit_checkpoint WHERE size = 10")).scalar_one()
    note = audit.Signer(SIGNER.name, Ed25519PrivateKey.generate()).sign(size=10, root=bytes(root))
    intrude(filled, f"UPDATE audit_checkpoint SET note = '{note}' WHERE size = 10")
    assert found(look(filled)) == (6, Fault.CHECKPOINT_FORGED)


def test_a_perfect_roll_back_is_caught_only_by_a_checkpoint_kept_elsewhere(db: Database) -> None:
    sealed(db, times=3)
    before = checkpoint(db)
    kept_tables = [f"audit_{name}" for name in ("writer", "entry", "leaf", "hash", "checkpoint")]
    intrude(db, *(f"CREATE TABLE old_{name} AS SELECT * FROM {name}" for name in kept_tables))
    sealed(db, times=2)
    witnessed = checkpoint(db)
    intrude(
        db,
        *(f"DELETE FROM {name}" for name in kept_tables),
        *(f"INSERT INTO {name} SELECT * FROM old_{name}" for name in kept_tables),
    )
    assert look(db).finding is None
    assert found(look(db, known=(witnessed,))) == (3, Fault.TAIL_CUT)
    sealed(db, times=2)
    assert found(look(db, known=(before, witnessed))) == (3, Fault.REWRITTEN)


def test_a_checkpoint_from_elsewhere_that_is_not_ours_is_refused(filled: Database) -> None:
    with pytest.raises(Damaged, match="checkpoint_forged"):
        look(filled, known=(checkpoint(filled).replace("\n10\n", "\n11\n"),))


def test_two_signed_checkpoints_of_one_size_show_a_fork(filled: Database) -> None:
    fork = SIGNER.sign(size=10, root=hashlib.sha256(b"another history").digest())
    with pytest.raises(Damaged, match="checkpoints_contradict"):
        look(filled, known=(checkpoint(filled), fork))


def test_the_wrong_writer_s_key_doesn_t_pass(filled: Database) -> None:
    verdict = audit.verify(filled, verifier=VERIFIER, writer_key=Secret(b"0" * 32))
    assert found(verdict) == (0, Fault.ENTRY_EDITED)


def test_a_disposed_entry_leaves_the_tree_standing(filled: Database) -> None:
    with filled.read() as session:
        gone = session.get_one(AuditLeafRow, 7).entry_id
    with filled.begin() as session:
        audit.dispose(session, [gone], certificate_id=CertificateId(new_id()), clock=filled.clock)
    verdict = look(filled)
    assert verdict.finding is None
    assert verdict.disposed == 1
    proof = audit.prove(filled, gone)
    assert proof.entry is None
    assert proof.index == 7


def test_only_a_sealed_entry_is_disposed_of_and_only_with_a_certificate(filled: Database) -> None:
    (fresh,) = act(filled)

    def dispose() -> None:
        with filled.begin() as session:
            audit.dispose(session, [fresh], certificate_id=CertificateId(new_id()), clock=filled.clock)

    def drop() -> None:
        with filled.begin() as session:
            session.execute(text(f"DELETE FROM audit_entry WHERE id = {ENTRY_7}"))

    with pytest.raises(Conflict, match="audit_not_sealed_yet"):
        dispose()
    with pytest.raises(DBAPIError, match="only with a certificate"):
        drop()


def test_a_long_log_is_verified_in_batches(db: Database) -> None:
    for _ in range(4):
        sealed(db, times=5)
    assert audit.verify(db, verifier=VERIFIER, batch=3).finding is None
    intrude(db, "UPDATE audit_entry SET actor = NULL WHERE number = 17")
    assert found(audit.verify(db, verifier=VERIFIER, batch=3)) == (16, Fault.ENTRY_EDITED)
