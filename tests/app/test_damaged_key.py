"""A damaged key as an administrator and an officer meet it: named by every command that looks, and in nobody's way."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app import keeping
from app.doctor import State, examine
from audit import Event, Outcome
from audit.models import AuditEntryRow
from core.ids import CaseId, ObjectId, new_id
from keys import JobCapability
from tests.app.keyshop import make_shop
from tests.keys.rolling import break_case_key

CASE = CaseId(new_id())


def test_a_damaged_case_key_is_told_by_status_doctor_roll_and_log_until_its_film_is_deleted(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    film = ObjectId(new_id())
    with shop.opened() as service:
        service.keystore.new_object_key(case_id=CASE, object_id=film, capability=JobCapability("test", CASE))
        broken = break_case_key(service.keystore, CASE)
        service.keystore.back_up()
        service.keystore.leave()
    status, said = shop.ask("key", "status")
    assert (status, [one["code"] for one in said["troubles"]]) == (1, ["key_damaged"])
    assert f"case {CASE} doesn't open" in said["troubles"][0]["sentence"]
    found = {one.name: one.state for one in examine(shop.settings, environment={}, is_online=False)}
    assert found["wrapped_keys"] is State.FAULT
    status, said = shop.ask("key", "roll-epoch", "--wait")
    assert (status, said["done"], [(one["id"], one["owner_id"]) for one in said["left_behind"]]) == (
        1,
        True,
        [(broken, CASE)],
    )
    with shop.opened() as service:
        with service.db.read() as session:
            query = select(AuditEntryRow).where(AuditEntryRow.event == Event.KEY_DAMAGED)
            (entry,) = session.scalars(query)
        assert (entry.outcome, entry.case_id, entry.object_id) == (Outcome.FAILED, CASE, broken)
        keeping.finishing(service)()
        with service.db.read() as session:
            assert len(session.scalars(query).all()) == 1
        service.keystore.destroy_object_key(film)
        service.keystore.leave()
    assert shop.ask("key", "roll-epoch", "--wait")[0] == 0
    assert shop.ask("key", "status")[1]["troubles"] == []
