from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

import audit
from audit import Event, FileWitness, Standing
from audit.witness import Kind
from core import outbox
from core.db import Database
from core.errors import Damaged, NotFound, Unavailable
from core.ids import EntryId, new_id
from core.secret import Secret
from tests.audit.desk import SIGNER, VERIFIER, act, intrude, sealed

TABLES = [
    "core_outbox",
    *(f"audit_{name}" for name in ("writer", "entry", "pending", "leaf", "hash", "checkpoint", "witness_mark")),
]


@pytest.fixture
def witness(tmp_path: Path) -> FileWitness:
    return FileWitness(tmp_path / "witness")


def check(db: Database, witness: FileWitness, *, remembered: str | None = None) -> audit.Report:
    return audit.check_witness(db, witness=witness, verifier=VERIFIER, remembered=remembered)


def deliver(db: Database, witness: FileWitness) -> None:
    """What the worker does: what waits in the outbox, then a checkpoint."""
    with db.begin() as session:
        due = [(row.id, row.payload["entry_id"]) for row in outbox.waiting(session, at=db.clock.now())]
    for row_id, entry_id in due:
        audit.tell_narrowing(db, witness=witness, entry_id=EntryId(entry_id))
        with db.begin() as session:
            outbox.delivered(session.get_one(outbox.OutboxRow, row_id), at=db.clock.now())
    audit.tell_checkpoint(db, witness=witness)


def withdraw(db: Database) -> EntryId:
    return act(db, event=Event.CONSENT_WITHDRAWN)[0]


def back_up(db: Database) -> None:
    intrude(db, *(f"CREATE TABLE old_{name} AS SELECT * FROM {name}" for name in TABLES))


def restore(db: Database) -> None:
    intrude(
        db,
        *(f"DELETE FROM {name}" for name in TABLES),
        *(f"INSERT INTO {name} SELECT * FROM old_{name}" for name in TABLES),
    )


@pytest.fixture
def told(db: Database, witness: FileWitness) -> Database:
    """A store that its witness knows all about: one withdrawal, one checkpoint."""
    withdraw(db)
    sealed(db, times=2)
    deliver(db, witness)
    return db


def test_a_new_store_and_a_new_witness_are_level(db: Database, witness: FileWitness) -> None:
    assert check(db, witness).standing is Standing.LEVEL


def test_a_store_that_told_everything_is_level(told: Database, witness: FileWitness) -> None:
    report = check(told, witness)
    assert report.standing is Standing.LEVEL
    assert report.checkpoint is not None
    assert report.checkpoint.size == 3


def test_an_ordinary_crash_leaves_the_store_ahead_and_it_may_serve(told: Database, witness: FileWitness) -> None:
    withdraw(told)
    sealed(told, times=1)
    report = check(told, witness)
    assert report.standing is Standing.AHEAD
    assert report.standing in audit.MAY_SERVE
    deliver(told, witness)
    assert check(told, witness).standing is Standing.LEVEL


def test_an_old_backup_is_behind_and_the_witness_has_what_it_forgot(told: Database, witness: FileWitness) -> None:
    back_up(told)
    forgotten = withdraw(told)
    deliver(told, witness)
    restore(told)
    report = check(told, witness)
    assert report.standing is Standing.STORE_BEHIND
    assert report.standing not in audit.MAY_SERVE
    (event,) = report.forgotten
    assert event.entry_id == forgotten
    assert event.entry["event"] == Event.CONSENT_WITHDRAWN
    assert event.details == {"turn": 0}


def test_an_old_backup_is_behind_even_where_only_the_checkpoint_tells(told: Database, witness: FileWitness) -> None:
    back_up(told)
    sealed(told, times=1)
    deliver(told, witness)
    restore(told)
    assert check(told, witness).standing is Standing.STORE_BEHIND


def test_the_verifier_catches_a_roll_back_by_what_the_witness_holds(told: Database, witness: FileWitness) -> None:
    back_up(told)
    sealed(told, times=2)
    deliver(told, witness)
    restore(told)
    assert audit.verify(told, verifier=VERIFIER).finding is None
    verdict = audit.verify(told, verifier=VERIFIER, known=audit.witnessed_checkpoints(witness))
    assert verdict.finding is not None
    assert (verdict.finding.index, verdict.finding.fault) == (3, audit.Fault.TAIL_CUT)


def test_an_old_backup_that_went_on_living_is_a_fork(told: Database, witness: FileWitness) -> None:
    back_up(told)
    sealed(told, times=1)
    deliver(told, witness)
    restore(told)
    sealed(told, times=3)
    assert check(told, witness).standing is Standing.FORKED


def test_a_witness_rolled_back_is_refused(told: Database, witness: FileWitness, tmp_path: Path) -> None:
    file = tmp_path / "witness"
    before = file.read_bytes()
    withdraw(told)
    deliver(told, witness)
    file.write_bytes(before)
    assert check(told, witness).standing is Standing.WITNESS_BEHIND
    latest = withdraw(told)
    with pytest.raises(Damaged, match="witness_rolled_back"):
        audit.tell_narrowing(told, witness=witness, entry_id=latest)


def test_a_missing_witness_is_refused(told: Database, witness: FileWitness, tmp_path: Path) -> None:
    (tmp_path / "witness").unlink()
    assert check(told, witness).standing is Standing.WITNESS_BEHIND


def test_store_and_witness_rolled_back_together_are_caught_by_what_the_keyring_remembers(
    told: Database, witness: FileWitness, tmp_path: Path
) -> None:
    file = tmp_path / "witness"
    before = file.read_bytes()
    back_up(told)
    sealed(told, times=2)
    deliver(told, witness)
    with told.read() as session:
        remembered = session.execute(text("SELECT note FROM audit_checkpoint ORDER BY size DESC")).scalars().first()
    restore(told)
    file.write_bytes(before)
    assert check(told, witness).standing is Standing.LEVEL
    assert check(told, witness, remembered=remembered).standing is Standing.STORE_BEHIND


def test_a_witness_set_up_later_is_not_missing_what_came_before_it(db: Database, witness: FileWitness) -> None:
    withdraw(db)
    sealed(db, times=1)
    intrude(db, "DELETE FROM core_outbox")
    assert check(db, witness).standing in audit.MAY_SERVE
    audit.tell_checkpoint(db, witness=witness)
    assert check(db, witness).standing is Standing.LEVEL


def test_a_withdrawal_hidden_from_the_witness_is_noticed(told: Database, witness: FileWitness) -> None:
    hidden = withdraw(told)
    intrude(told, "DELETE FROM core_outbox")
    report = check(told, witness)
    assert report.standing is Standing.UNEXPLAINED
    assert report.untold == (hidden,)


@pytest.mark.parametrize("change", ["a line dropped", "a line edited", "lines swapped", "lines of another store"])
def test_a_witness_that_was_tampered_with_says_so(
    told: Database, witness: FileWitness, tmp_path: Path, change: str
) -> None:
    withdraw(told)
    deliver(told, witness)
    file = tmp_path / "witness"
    first, second, third = file.read_bytes().splitlines(keepends=True)
    if change == "a line dropped":
        file.write_bytes(first + third)
    elif change == "a line edited":
        file.write_bytes(first.replace(b'"body":"', b'"body":"AAAA') + second + third)
    elif change == "lines swapped":
        file.write_bytes(second + first + third)
    else:
        told.info["audit_writer"] = audit.AuditWriter(Secret(b"another store's key, 32 bytes...."))
    assert check(told, witness).standing is Standing.WITNESS_DAMAGED


def test_a_forged_checkpoint_in_the_witness_is_damage(told: Database, witness: FileWitness) -> None:
    witness.append(Kind.CHECKPOINT, "vault.example/audit\n99\nAAAA\n\n— vault.example/audit AAAA\n")
    assert check(told, witness).standing is Standing.WITNESS_DAMAGED


def test_a_checkpoint_is_told_once(told: Database, witness: FileWitness) -> None:
    assert not audit.tell_checkpoint(told, witness=witness)
    assert len(list(witness.lines())) == 2


def test_telling_twice_is_harmless(told: Database, witness: FileWitness) -> None:
    entry = withdraw(told)
    deliver(told, witness)
    audit.tell_narrowing(told, witness=witness, entry_id=entry)
    assert len(list(witness.lines())) == 4
    assert check(told, witness).standing is Standing.LEVEL


def test_what_is_not_an_entry_is_not_told(db: Database, witness: FileWitness) -> None:
    with pytest.raises(NotFound):
        audit.tell_narrowing(db, witness=witness, entry_id=EntryId(new_id()))


def test_the_witness_s_keeper_reads_no_ids(told: Database, tmp_path: Path) -> None:
    stored = (tmp_path / "witness").read_bytes()
    assert b"consent.withdrawn" not in stored
    with told.read() as session:
        for actor in session.execute(text("SELECT actor FROM audit_entry")).scalars():
            assert actor.encode() not in stored


def test_a_line_torn_by_a_crash_is_skipped_and_the_next_follows_the_last_whole_one(
    witness: FileWitness, tmp_path: Path
) -> None:
    witness.append(Kind.CHECKPOINT, "one")
    with (tmp_path / "witness").open("ab") as file:
        file.write(b'{"body":"tw')
    witness.append(Kind.CHECKPOINT, "two")
    assert [(line.number, line.body) for line in witness.lines()] == [(1, "one"), (2, "two")]


def test_lines_longer_than_one_look_from_the_end_are_found(witness: FileWitness) -> None:
    for length in (10, 200_000, 300_000, 5):
        witness.append(Kind.NARROWING, "x" * length)
    assert [line.number for line in witness.lines()] == [1, 2, 3, 4]


def test_many_writers_make_one_chain(witness: FileWitness) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda turn: witness.append(Kind.CHECKPOINT, str(turn)), range(40)))
    assert sorted(int(line.body) for line in witness.lines()) == list(range(40))


def test_a_witness_whose_end_is_not_ours_takes_nothing_more(witness: FileWitness, tmp_path: Path) -> None:
    (tmp_path / "witness").write_bytes(b"something else\n")
    with pytest.raises(Damaged, match="witness_damaged"):
        witness.append(Kind.CHECKPOINT, "one")


def test_a_witness_that_can_t_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="witness_unavailable"):
        FileWitness(tmp_path / "nowhere" / "witness").append(Kind.CHECKPOINT, "one")


def test_without_the_audit_key_the_witness_can_t_be_checked(db: Database, witness: FileWitness) -> None:
    db.info.pop("audit_writer")
    with pytest.raises(Unavailable, match="audit_unavailable"):
        check(db, witness)


def test_the_signer_of_the_tests_is_the_log_s(told: Database, witness: FileWitness) -> None:
    (_, line) = witness.lines()
    assert audit.open_checkpoint(line.body, verifier=SIGNER.verifier).size == 3
