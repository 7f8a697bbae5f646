from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

import audit
from audit.checkpoint import open_checkpoint
from audit.merkle import consistency_proof, verify_consistency
from audit.models import AuditCheckpointRow, AuditLeafRow, AuditPendingRow
from audit.rows import stored_hashes
from core.db import Database
from core.errors import Damaged, NotFound, Unavailable
from core.ids import EntryId, new_id
from tests.audit.desk import SIGNER, VERIFIER, act, intrude, sealed


def positions(db: Database) -> list[int]:
    with db.read() as session:
        return list(session.scalars(select(AuditLeafRow.position).order_by(AuditLeafRow.position)))


def test_entries_are_sealed_in_order_without_gaps_and_signed(db: Database) -> None:
    made = act(db, times=5)
    assert audit.seal(db, signer=SIGNER, most=3) == 3
    assert audit.seal(db, signer=SIGNER, most=3) == 2
    assert audit.seal(db, signer=SIGNER, most=3) == 0
    with db.read() as session:
        leaves = list(session.scalars(select(AuditLeafRow.entry_id).order_by(AuditLeafRow.position)))
        notes = list(session.scalars(select(AuditCheckpointRow.note).order_by(AuditCheckpointRow.size)))
    assert leaves == made
    assert [open_checkpoint(note, verifier=VERIFIER).size for note in notes] == [3, 5]


def test_an_entry_that_commits_late_is_sealed_too(db: Database) -> None:
    if db.is_sqlite:
        return
    with db.begin() as late:
        first = audit.record(late, audit.Event.SIGNED_IN, actor=None)
        (second,) = act(db)
        assert audit.seal(db, signer=SIGNER) == 1
    assert audit.seal(db, signer=SIGNER) == 1
    with db.read() as session:
        assert list(session.scalars(select(AuditLeafRow.entry_id).order_by(AuditLeafRow.position))) == [second, first]


def test_sealing_while_many_record_loses_nothing(db: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(act, db, times=8) for _ in range(4)]
        sealing = [pool.submit(audit.seal, db, signer=SIGNER, most=7) for _ in range(10)]
        assert all(len(done.result()) == 8 for done in waiting)
        sealed_meanwhile = sum(done.result() for done in sealing)
    assert sealed_meanwhile + audit.seal(db, signer=SIGNER) == 32
    assert positions(db) == list(range(32))


def test_each_checkpoint_is_the_beginning_of_the_next(db: Database) -> None:
    for times in (1, 2, 5, 1, 3):
        sealed(db, times=times)
    with db.read() as session:
        rows = list(session.scalars(select(AuditCheckpointRow).order_by(AuditCheckpointRow.size)))
        for old, new in pairwise(rows):
            proof = consistency_proof(old.size, new.size, stored_hashes(session))
            verify_consistency(old=old.size, old_root=old.root, size=new.size, root=new.root, proof=proof)
    assert rows[-1].size == 12


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = NULL",
        "UPDATE audit_leaf SET mac = NULL",
        "UPDATE audit_hash SET hash = NULL",
        "UPDATE audit_checkpoint SET note = ''",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_leaf",
        "DELETE FROM audit_hash",
        "DELETE FROM audit_checkpoint",
    ],
)
def test_the_database_itself_refuses_to_change_what_was_written(db: Database, statement: str) -> None:
    sealed(db, times=2)

    def change() -> None:
        with db.begin() as session:
            session.execute(text(statement))

    with pytest.raises(DBAPIError, match=r"insert-only|only with a certificate"):
        change()


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE audit_entry SET actor = NULL WHERE number = 2", "entry 2 was edited"),
        ("UPDATE audit_entry SET number = 9 WHERE number = 2", "entry 2 is missing"),
        ("DELETE FROM audit_entry WHERE number = 2", "waits to be sealed is gone"),
        ("DELETE FROM audit_pending WHERE entry_id = (SELECT id FROM audit_entry WHERE number = 2)", "2 is missing"),
        ("DELETE FROM audit_pending WHERE entry_id = (SELECT id FROM audit_entry WHERE number = 3)", "up to 3"),
        ("DELETE FROM audit_pending", "up to 3"),
    ],
)
def test_an_entry_tampered_with_before_it_is_sealed_stops_sealing(db: Database, statement: str, what: str) -> None:
    act(db, times=3)
    intrude(db, statement)
    for _ in range(2):
        with pytest.raises(Damaged, match=what):
            audit.seal(db, signer=SIGNER)
    assert positions(db) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_leaf WHERE position = 3",
        "DELETE FROM audit_checkpoint",
        "UPDATE audit_hash SET hash = (SELECT leaf_hash FROM audit_leaf WHERE position = 0) WHERE level = 2",
        "DELETE FROM audit_hash WHERE level = 2",
    ],
)
def test_a_tree_tampered_with_is_not_signed_again(db: Database, statement: str) -> None:
    sealed(db, times=4)
    intrude(db, statement)
    act(db)
    with pytest.raises(Damaged, match="audit_log_damaged"):
        audit.seal(db, signer=SIGNER)


def test_a_log_is_not_carried_on_with_another_key(db: Database) -> None:
    sealed(db, times=1)
    act(db)
    with pytest.raises(Damaged, match="checkpoint_forged"):
        audit.seal(db, signer=audit.Signer(SIGNER.name, Ed25519PrivateKey.generate()))


def test_without_the_writer_s_key_nothing_is_sealed(db: Database) -> None:
    act(db)
    db.info.pop("audit_writer")
    with pytest.raises(Unavailable, match="audit_unavailable"):
        audit.seal(db, signer=SIGNER)


def test_a_sealed_entry_is_proved_to_anyone_with_the_public_key(db: Database) -> None:
    made = sealed(db, times=7)
    for index, entry_id in enumerate(made):
        proof = audit.prove(db, entry_id)
        assert proof.index == index
        assert proof.entry is not None
        assert audit.check_proof(proof.text(), entry=proof.entry, verifier=VERIFIER).size == 7
        with pytest.raises(Damaged, match="inclusion_proof_wrong"):
            audit.check_proof(proof.text(), entry=proof.entry + b" ", verifier=VERIFIER)


def test_what_is_not_sealed_yet_says_so_and_what_never_was_is_not_found(db: Database) -> None:
    sealed(db, times=1)
    (fresh,) = act(db)
    with pytest.raises(Unavailable, match="audit_not_sealed_yet"):
        audit.prove(db, fresh)
    with pytest.raises(NotFound):
        audit.prove(db, EntryId(new_id()))


@pytest.mark.parametrize("bad", ["", "c2sp.org/tlog-proof@v1\n\n", "c2sp.org/tlog-proof@v1\nindex 00\n\nx", "%%%\n\n"])
def test_what_is_not_a_proof_is_refused(bad: str) -> None:
    with pytest.raises(Damaged, match="proof_malformed"):
        audit.check_proof(bad, entry=b"", verifier=VERIFIER)


def test_the_queue_is_empty_after_sealing(db: Database) -> None:
    sealed(db, times=3)
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(AuditPendingRow)) == 0
