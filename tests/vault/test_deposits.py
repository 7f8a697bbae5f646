from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import identity
import vault
from audit.models import AuditEntryRow
from core.db import Database
from core.errors import Conflict, Gone, Invalid, NotFound, NotSignedIn, OutOfRoom, Refused, TooLarge
from core.ids import CaseId, UploadId, VisitId, new_id
from core.jobs import JobRow
from keys import JobCapability, KeyStore
from tests.fakes import HandClock
from tests.families import Family, again
from tests.vault.sending import LineCut, Sender, film
from vault import DiskStore, UploadState
from vault.disk import Calls
from vault.models import FootageRow, PartRow, UploadRow
from vault.objects import Bytes
from vault.receiving import PART_SIZE


@pytest.fixture
def sender(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> Sender:
    return Sender(db, keystore, store, family, visit)


def offset_of(sender: Sender, upload: UploadId) -> int:
    return vault.upload(sender.db, keystore=sender.keystore, actor=sender.guider.actor, upload_id=upload).offset


def parts_of(db: Database, upload: UploadId) -> list[PartRow]:
    with db.read() as session:
        return list(session.scalars(select(PartRow).where(PartRow.upload_id == upload).order_by(PartRow.offset)))


def events(db: Database) -> list[tuple[str, str]]:
    with db.read() as session:
        rows = session.scalars(select(AuditEntryRow).order_by(AuditEntryRow.at, AuditEntryRow.number)).all()
        return [(row.event, row.outcome) for row in rows]


def test_a_film_that_arrives_in_pieces_is_complete_with_its_last_byte(sender: Sender, db: Database) -> None:
    content = film(3 * 100_000 + 17)
    upload = sender.begin(len(content))
    assert sender.send(upload, content[:150_000], offset=0) == 150_000
    with pytest.raises(Conflict, match="upload_unfinished"):
        vault.complete_deposit(db, actor=sender.guider.actor, upload_id=upload)
    assert sender.send(upload, content[150_000:], offset=150_000) == len(content)
    footage_id = vault.complete_deposit(db, actor=sender.guider.actor, upload_id=upload)
    with db.read() as session:
        footage = session.get_one(FootageRow, footage_id)
        job = session.get_one(JobRow, footage.job_id)
    assert (job.kind, job.subject) == ("deposit.finish", footage_id)
    assert ("deposit.received", "done") in events(db)


def test_a_part_is_never_longer_than_its_bound(sender: Sender, db: Database) -> None:
    content = film(PART_SIZE + 5)
    upload = sender.begin(len(content))
    sender.send(upload, content, offset=0)
    assert [(part.offset, part.length) for part in parts_of(db, upload)] == [(0, PART_SIZE), (PART_SIZE, 5)]


def test_what_arrived_before_the_line_was_cut_is_kept_and_the_rest_goes_on_from_there(sender: Sender) -> None:
    content = film(500_000)
    upload = sender.begin(len(content))
    with pytest.raises(LineCut):
        sender.send(upload, content[:123_456], offset=0, cut=True)
    assert offset_of(sender, upload) == 123_456
    assert sender.send(upload, content[123_456:], offset=123_456) == len(content)


def test_a_piece_that_is_sent_twice_is_told_the_true_offset(sender: Sender, db: Database) -> None:
    content = film(300_000)
    upload = sender.begin(len(content))
    sender.send(upload, content[:100_000], offset=0)
    for offset in (0, 99_999, 100_001):
        with pytest.raises(Conflict, match="wrong_offset"):
            sender.send(upload, content[:100_000], offset=offset)
    assert offset_of(sender, upload) == 100_000
    assert len(parts_of(db, upload)) == 1


def test_of_two_senders_at_once_one_counts_and_nothing_of_the_other_stays(sender: Sender, db: Database) -> None:
    content = film(300_000)
    upload = sender.begin(len(content))
    slow = vault.receiving.PartReceiver(
        db,
        keystore=sender.keystore,
        store=sender.store,
        actor=sender.guider.actor,
        upload_id=upload,
        offset=0,
        bounds=vault.Bounds(),
    )
    list(slow.runs(content[:200_000]))
    sender.send(upload, content[:100_000], offset=0)
    with pytest.raises(Conflict, match="wrong_offset"):
        slow.end()
    assert offset_of(sender, upload) == 100_000
    assert [stored.name for stored in sender.store.names()] == [part.name for part in parts_of(db, upload)]


def test_a_piece_with_a_wrong_checksum_does_not_count(sender: Sender, db: Database) -> None:
    content = film(300_000)
    upload = sender.begin(len(content))
    piece = content[:200_000]
    with pytest.raises(Invalid, match="checksum_mismatch"):
        sender.send(upload, piece, offset=0, checksum=hashlib.sha256(b"other").digest())
    with pytest.raises(LineCut):
        sender.send(upload, piece, offset=0, checksum=hashlib.sha256(piece).digest(), cut=True)
    assert offset_of(sender, upload) == 0
    assert list(sender.store.names()) == []
    assert sender.send(upload, piece, offset=0, checksum=hashlib.sha256(piece).digest()) == 200_000


def test_more_than_was_announced_is_not_taken(sender: Sender) -> None:
    upload = sender.begin(100)
    with pytest.raises(TooLarge, match="too_many_bytes"):
        sender.send(upload, film(101), offset=0)
    assert offset_of(sender, upload) == 0


def test_what_is_no_film_is_refused_at_once_and_nothing_of_it_is_kept(
    sender: Sender, db: Database, keystore: KeyStore
) -> None:
    heads = [b"%PDF-1.7 ...", b"PK\x03\x04 a zip", b"#EXTM3U\n#EXT-X-VERSION", b"ffconcat version 1.0\n", bytes(9)]
    for head in heads:
        upload = sender.begin(1_000_000)
        with pytest.raises(Invalid, match="not_a_film"):
            sender.send(upload, head + bytes(5000), offset=0)
        assert (
            vault.upload(db, keystore=keystore, actor=sender.guider.actor, upload_id=upload).state
            is UploadState.REJECTED
        )
        assert list(sender.store.names()) == []
        assert key_is_gone(keystore, sender.family.case_id, upload)
        with pytest.raises(Gone, match="upload_ended"):
            sender.send(upload, film(100), offset=0)


def test_nothing_that_arrives_touches_the_disk_in_clear(sender: Sender, tmp_path: Path) -> None:
    canary = b"the canary sings in the bath" * 10
    content = film(50_000) + canary
    upload = sender.begin(len(content) + 1)
    sender.send(upload, content, offset=0)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            stored = path.read_bytes()
            assert canary[:28] not in stored
            assert b"Kit in the bath" not in stored


def test_a_full_disk_keeps_what_was_safe_and_the_upload_goes_on_later(
    db: Database, keystore: KeyStore, family: Family, visit: VisitId, tmp_path: Path
) -> None:
    room = 150_000

    def write(handle: int, data: Bytes) -> int:
        nonlocal room
        if len(data) > room:
            raise OSError(errno.ENOSPC, "full")
        room -= len(data)
        return os.write(handle, data)

    sender = Sender(db, keystore, DiskStore(tmp_path / "small", calls=Calls(write=write)), family, visit)
    content = film(300_000)
    upload = sender.begin(len(content))
    sender.send(upload, content[:100_000], offset=0)
    with pytest.raises(OutOfRoom):
        sender.send(upload, content[100_000:], offset=100_000)
    assert offset_of(sender, upload) == 100_000
    room = 10**9
    assert sender.send(upload, content[100_000:], offset=100_000) == len(content)


def test_only_the_guider_of_the_case_deposits_and_the_refusal_is_recorded(sender: Sender, db: Database) -> None:
    staff = sender.family.staff
    sender.guider = staff.social_worker
    with pytest.raises(Refused, match="not_the_guider"):
        sender.begin(1000)
    for stranger in (staff.colleague, staff.chair, sender.family.mother):
        sender.guider = stranger
        with pytest.raises(NotFound):
            sender.begin(1000)
    assert events(db).count(("deposit.refused", "refused")) == 4


def test_half_a_sign_in_is_none(sender: Sender) -> None:
    actor = sender.guider.actor
    half = identity.Actor(actor.person, actor.kind, actor.session, actor.roles, frozenset({identity.Factor.PASSWORD}))
    sender.guider = type(sender.guider)(sender.guider.id, half, sender.guider.token)
    with pytest.raises(NotSignedIn):
        sender.begin(1000)


def test_somebody_elses_upload_is_not_there(sender: Sender, db: Database, keystore: KeyStore) -> None:
    upload = sender.begin(1000)
    for other in (sender.family.staff.social_worker, sender.family.staff.colleague, sender.family.mother):
        with pytest.raises(NotFound):
            sender.send(upload, film(10), offset=0, by=other)
        with pytest.raises(NotFound):
            vault.upload(db, keystore=keystore, actor=other.actor, upload_id=upload)
    for foreign in (new_id(), "", "../x", "x" * 32):
        with pytest.raises(NotFound):
            sender.send(UploadId(foreign), film(10), offset=0)


def test_a_guider_who_is_replaced_in_the_middle_sends_no_more(sender: Sender, db: Database) -> None:
    content = film(1000)
    upload = sender.begin(len(content))
    sender.send(upload, content[:500], offset=0)
    identity.change_guider(
        db,
        keystore=sender.keystore,
        actor=sender.family.staff.manager.actor,
        case_id=sender.family.case_id,
        staff=sender.family.staff.colleague.id,
        reason="Left the team",
    )
    with pytest.raises(NotFound):
        sender.send(upload, content[500:], offset=500)


def test_a_session_that_is_revoked_in_the_middle_sends_no_more(sender: Sender, db: Database) -> None:
    content = film(1000)
    upload = sender.begin(len(content))
    sender.send(upload, content[:500], offset=0)
    identity.revoke_all_of(db, actor=sender.family.staff.administrator.actor, person=sender.guider.id)
    with pytest.raises(NotSignedIn, match="session_ended"):
        sender.send(upload, content[500:], offset=500)
    assert len(parts_of(db, upload)) == len(list(sender.store.names())) == 1


def test_a_session_does_not_lie_idle_while_a_film_comes_in_and_does_when_nothing_comes(
    sender: Sender, clock: HandClock
) -> None:
    content = film(4 * PART_SIZE)
    upload = sender.begin(len(content))

    async def slowly(*waits: timedelta) -> AsyncIterator[bytes]:
        for number, wait in enumerate(waits):
            yield content[number * PART_SIZE : (number + 1) * PART_SIZE]
            clock.move(wait)

    minute = timedelta(minutes=1)
    with pytest.raises(NotSignedIn, match="session_ended"):
        sender.stream(upload, slowly(10 * minute, 10 * minute, 16 * minute, minute))
    assert offset_of(sender, upload) == 3 * PART_SIZE


def test_on_a_slow_line_what_came_is_safe_after_a_minute_whatever_becomes_of_the_server(
    sender: Sender, clock: HandClock
) -> None:
    content = film(300_000)
    upload = sender.begin(len(content))
    seen: list[int] = []

    async def crawling() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 50_000):
            yield content[start : start + 50_000]
            seen.append(offset_of(sender, upload))
            clock.move(timedelta(seconds=31))

    assert sender.stream(upload, crawling()) == len(content)
    assert seen == [0, 0, 150_000, 150_000, 250_000, 250_000]


def test_a_length_out_of_bounds_is_refused(sender: Sender) -> None:
    for length in (0, -1):
        with pytest.raises(Invalid, match="empty_film"):
            sender.begin(length)
    with pytest.raises(TooLarge, match="film_too_large"):
        sender.begin(40 * 2**30 + 1)


def test_a_film_belongs_to_a_visit_of_its_own_case(sender: Sender, db: Database) -> None:
    for foreign in (new_id(), "", "x"):
        sender.visit = VisitId(foreign)
        with pytest.raises(Invalid, match="unknown_visit"):
            sender.begin(1000)


def test_a_foreign_case_is_not_there(sender: Sender, db: Database) -> None:
    sender.family = type(sender.family)(
        CaseId(new_id()),
        sender.family.mother,
        sender.family.father,
        sender.family.child,
        sender.family.sibling,
        sender.family.staff,
    )
    with pytest.raises(NotFound):
        sender.begin(1000)


def test_an_upload_that_is_given_up_can_no_longer_be_opened(
    sender: Sender, db: Database, keystore: KeyStore, clock: HandClock
) -> None:
    content = film(100_000)
    cancelled, expired = sender.begin(200_000), sender.begin(200_000)
    for upload in (cancelled, expired):
        sender.send(upload, content, offset=0)
    vault.cancel_deposit(db, keystore=keystore, store=sender.store, actor=sender.guider.actor, upload_id=cancelled)
    clock.move(timedelta(hours=25))
    late = clock.now() - timedelta(hours=24)
    with db.read() as session:
        assert vault.stale_uploads(session, before=late) == [expired]
    vault.expire_upload(db, keystore=keystore, store=sender.store, upload_id=expired, before=late)
    vault.expire_upload(db, keystore=keystore, store=sender.store, upload_id=expired, before=late)
    assert list(sender.store.names()) == []
    sender.guider = again(db, sender.guider)
    for upload, said in ((cancelled, "upload_ended"), (expired, "upload_expired")):
        assert key_is_gone(keystore, sender.family.case_id, upload)
        with pytest.raises(Gone, match=said):
            sender.send(upload, content, offset=len(content))
    assert ("upload.cancelled", "done") in events(db)
    assert ("upload.expired", "done") in events(db)


def test_what_a_crash_left_of_an_upload_that_is_over_is_cleared_later(
    sender: Sender, db: Database, keystore: KeyStore
) -> None:
    upload = sender.begin(200_000)
    sender.send(upload, film(100_000), offset=0)
    with db.begin() as session:  # as if the service had died between the commit and the clearing
        session.get_one(UploadRow, upload).state = UploadState.CANCELLED
    vault.tidy(db, keystore=keystore, store=sender.store)
    assert list(sender.store.names()) == []
    assert key_is_gone(keystore, sender.family.case_id, upload)


def test_bytes_that_no_row_knows_are_swept_up_after_a_day_and_not_before(
    sender: Sender, db: Database, keystore: KeyStore
) -> None:
    upload = sender.begin(200_000)
    sender.send(upload, film(100_000), offset=0)
    known = {stored.name for stored in sender.store.names()}
    with sender.store.writer(new_id()) as writer:
        writer.write(b"sealed by a process that died before it could say so")
        writer.commit()
    vault.tidy(db, keystore=keystore, store=sender.store)
    assert len(list(sender.store.names())) == 2
    vault.tidy(db, keystore=keystore, store=sender.store, older_than=timedelta(days=-1))
    assert {stored.name for stored in sender.store.names()} == known


def key_is_gone(keystore: KeyStore, case_id: CaseId, upload: UploadId) -> bool:
    use = JobCapability(job="test", case_id=case_id)
    try:
        keystore.object_key(vault.uploads.key_name(upload), capability=use)
    except NotFound:
        return True
    return False
