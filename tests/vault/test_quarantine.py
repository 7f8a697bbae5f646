"""What isn't what was sealed, met by the work in the background: quarantined, told of, and never read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

import vault
from audit.models import AuditEntryRow
from consent import RenditionState
from core.db import Database, get
from core.errors import Damaged
from core.ids import FootageId, ObjectId, RenditionId, VisitId
from keys import KeyStore
from media.jobs import Poster
from tests.families import Family
from tests.vault.films import small_film
from tests.vault.scene import add_clip, add_footage
from tests.vault.sending import Sender, film
from tests.vault.test_finishing import deposit, finish, lease_of
from vault import DiskStore, FootageState, ObjectState, quarantine
from vault.making import Span, Work
from vault.models import FootageRow, ObjectKind, ObjectRow, PartRow, RenditionRow
from vault.workshop import give_up


@pytest.fixture
def sender(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> Sender:
    return Sender(db, keystore, store, family, visit)


def told_of(db: Database, subject: str) -> list[str | None]:
    query = select(AuditEntryRow.reason).where(
        AuditEntryRow.event == "object.quarantined", AuditEntryRow.object_id == subject
    )
    with db.read() as session:
        return list(session.scalars(query))


def alarms(db: Database) -> int:
    with db.read() as session:
        return vault.attention(session, deposited_before=db.clock.now()).quarantined


def turn_a_bit(path: Path, *, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_part_with_a_bit_turned_over_ends_the_deposit_and_alarms(
    sender: Sender, db: Database, tmp_path: Path
) -> None:
    footage_id = deposit(sender, film(300_000))
    with db.read() as session:
        (part,) = session.scalars(select(PartRow.name)).all()
    turn_a_bit(next(tmp_path.rglob(part)), at=280_000)
    lease = lease_of(db, footage_id)
    with pytest.raises(Damaged, match="object_damaged") as damage:
        finish(sender, lease)
    give_up(db, lease=lease, error=damage.value)  # as the worker does
    with db.read() as session:
        footage = get(session, FootageRow, footage_id)
    assert (footage.state, footage.error_code) == (FootageState.REJECTED, "object_damaged")
    assert told_of(db, footage_id) == ["part_damaged"]
    assert alarms(db) == 1


def test_a_part_that_is_missing_is_no_damage(sender: Sender, db: Database, tmp_path: Path) -> None:
    footage_id = deposit(sender, film(300_000))
    with db.read() as session:
        (part,) = session.scalars(select(PartRow.name)).all()
    path = next(tmp_path.rglob(part))
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(Damaged, match="object_missing"):
        finish(sender, lease_of(db, footage_id))
    path.write_bytes(kept)
    finish(sender, lease_of(db, footage_id))
    assert alarms(db) == 0


def test_an_original_with_a_bit_turned_over_is_met_by_the_sandbox_and_quarantined(
    sender: Sender, db: Database, tmp_path: Path
) -> None:
    content = small_film()
    footage_id = deposit(sender, content)
    lease = lease_of(db, footage_id)
    begun = Work(db, keystore=sender.keystore, store=sender.store, lease=lease, case_id=sender.family.case_id)
    vault.finishing._assemble(begun, footage_id)
    with db.read() as session:
        original = get(session, FootageRow, footage_id).original_id
    assert original is not None
    path = next(tmp_path.rglob(original))
    turn_a_bit(path, at=100)
    with pytest.raises(Damaged, match="object_damaged"):
        finish(sender, lease)
    assert told_of(db, original) == [None]
    path.unlink()  # whoever looked for its bytes would say that they are missing
    with pytest.raises(Damaged, match="object_damaged"):
        finish(sender, lease)
    with db.read() as session:
        assert get(session, ObjectRow, original).state is ObjectState.QUARANTINED
    assert told_of(db, original) == [None]
    assert alarms(db) == 1


def test_the_word_of_a_sandbox_alone_puts_no_film_in_quarantine(
    db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId, sender: Sender
) -> None:
    clip = add_clip(db, keystore, store, family, add_footage(db, keystore, store, family, visit))
    work = Work(
        db,
        keystore=keystore,
        store=store,
        lease=lease_of(db, deposit(sender, film(1000))),
        case_id=family.case_id,
    )
    with db.read() as session:
        row = get(session, ObjectRow, clip.object_id)
    work.look_again(row)
    with db.read() as session:
        assert get(session, ObjectRow, clip.object_id).state is ObjectState.SEALED
    assert alarms(db) == 0


def test_what_plays_a_quarantined_film_is_quarantined_with_it_and_work_on_it_is_refused_unread(
    db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId, sender: Sender, tmp_path: Path
) -> None:
    clip = add_clip(db, keystore, store, family, add_footage(db, keystore, store, family, visit))
    with pytest.raises(Damaged), quarantine.quarantining(db, clip.object_id):
        raise quarantine.damaged()
    with db.read() as session:
        assert get(session, RenditionRow, RenditionId(clip.rendition_id)).state is RenditionState.QUARANTINED
        row = get(session, ObjectRow, clip.object_id)
    next(tmp_path.rglob(clip.object_id)).unlink()
    lease = lease_of(db, FootageId(deposit(sender, film(1000))))
    work = Work(db, keystore=keystore, store=store, lease=lease, case_id=family.case_id)
    for act in (
        lambda: work.make(
            Poster(frame=0), of=row, kind=ObjectKind.POSTER, media_type="image/jpeg", span=Span("pictures", 0, 1)
        ),
        lambda: work.read(row),
    ):
        with pytest.raises(Damaged, match="object_damaged"):
            act()


def test_only_bytes_that_are_there_and_wrong_are_certain(
    db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId
) -> None:
    clip = add_clip(db, keystore, store, family, add_footage(db, keystore, store, family, visit))
    with pytest.raises(Damaged), quarantine.quarantining(db, ObjectId(clip.object_id)):
        raise vault.errors.object_missing()
    with db.read() as session:
        assert get(session, ObjectRow, clip.object_id).state is ObjectState.SEALED
