"""Where keys are kept, as an administrator sees to it: places added and lost, keyrings and rows brought back."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import restoring
from app.unsealing import FOLDER, Door
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.secret import Secret
from keys import LocalRoot
from keys.keyring import FILE_NAME
from keys.models import PlaceRow, ProcessRow, RootRow
from tests.app.keyshop import CASE, MAY, PASSPHRASE, Shop, an_object, logged
from vault.models import ObjectKind, ObjectRow, ObjectState


def test_a_new_place_that_a_killed_process_never_wrote_to_is_known_and_can_be_given_up(shop: Shop) -> None:
    """The other way round there would be a keyring of which no certificate knew."""
    folder = shop.folder / "full"
    folder.touch()
    assert shop.run("key", "places", "add", str(folder)) == (1, "file_unreachable")
    places = shop.ask("key", "places", "list")[1]["places"]
    (left,) = (place for place in places if place["folder"] is None)
    assert shop.run("key", "roll-epoch") == (1, "place_unknown")
    assert shop.run("key", "places", "lost", left["id"])[0] == 0
    assert shop.run("key", "places", "gone", left["id"], "--yes")[0] == 0
    assert shop.run("key", "roll-epoch")[0] == 0


def test_a_place_is_added_lost_and_attested_gone(shop: Shop) -> None:
    first, second = shop.folder / "recovery", shop.folder / "second"
    ids = {place["kind"]: place["id"] for place in shop.ask("key", "places", "list")[1]["places"]}
    assert shop.run("key", "places", "lost", ids["recovery"]) == (1, "place_state"), "it is the only one"
    assert shop.run("key", "places", "lost", ids["live"]) == (1, "place_state")
    assert shop.run("key", "places", "gone", ids["recovery"], "--yes") == (1, "place_state")
    assert shop.run("key", "places", "lost", new_id()) == (1, "place_not_registered")
    added = shop.ask("key", "places", "add", str(second))[1]["place"]
    assert shop.run("key", "places", "add", str(second)) == (1, "keyring_exists")
    assert shop.run("key", "roll-epoch") == (1, "place_unknown"), "not before every process knows it"
    assert [one["code"] for one in shop.ask("key", "status")[1]["troubles"]] == ["place_unset"]
    both = shop.with_places(first, second)
    assert both.run("key", "backup")[0] == 0
    assert both.run("key", "roll-epoch")[0] == 0
    assert both.run("key", "places", "lost", ids["recovery"])[0] == 0
    only = shop.with_places(second)
    status, said = only.ask("key", "status")
    assert (status, [one["code"] for one in said["troubles"]]) == (1, ["place_lost"])
    assert only.run("key", "roll-epoch")[0] == 0
    assert only.run("key", "places", "gone", ids["recovery"], "--yes")[0] == 0
    status, said = only.ask("key", "status")
    assert (status, said["epoch"]) == (0, 3)
    assert {place["id"]: place["lost_at"] is not None for place in said["places"]} == {
        ids["live"]: False,
        ids["recovery"]: True,
        added: False,
    }
    assert [event for event in logged(only) if event.startswith("key_place")] == [
        "key_place.added",
        "key_place.lost",
        "key_place.gone",
    ]


def test_a_lost_keyring_comes_back_and_the_old_place_stays_on_record(shop: Shop) -> None:
    with shop.opened() as service:
        kept, key = an_object(service.keystore)
    shutil.rmtree(shop.folder / "store" / "keyring")
    assert shop.run("key", "status") == (1, "keyring_missing")
    status, said = shop.ask("key", "restore", "--yes")
    assert (status, said["keyring"], said["rows"]) == (0, True, False)
    with shop.opened() as service:
        assert service.keystore.object_key(kept, capability=MAY) == key
    assert [one["code"] for one in shop.ask("key", "status")[1]["troubles"]] == ["place_lost"]
    assert "keys.restored" in logged(shop)


def test_lost_key_rows_come_back_as_they_were_at_the_copy(shop: Shop) -> None:
    with shop.opened() as service:
        kept, key = an_object(service.keystore)
        gone, _ = an_object(service.keystore)
        service.keystore.back_up()
        late, _ = an_object(service.keystore)
        service.keystore.destroy_object_key(gone)
    for path in (shop.folder / "store").glob("keys.db*"):
        path.unlink()
    status, said = shop.ask("key", "restore", "--yes")
    assert (status, said["keyring"], said["rows"], said["place"]) == (0, False, True, str(shop.folder / "recovery"))
    assert said["rows_of"]
    with shop.opened() as service:
        assert service.keystore.object_key(kept, capability=MAY) == key
        assert service.keystore.object_key(gone, capability=MAY), "no row of the database says that it was destroyed"
        with pytest.raises(NotFound):
            service.keystore.object_key(late, capability=MAY)
    assert shop.run("key", "roll-epoch")[0] == 0
    assert shop.ask("key", "status")[0] == 0


def test_what_was_destroyed_since_the_copy_does_not_come_back_with_the_rows(shop: Shop) -> None:
    with shop.opened() as service:
        gone, _ = an_object(service.keystore)
        kept, key = an_object(service.keystore)
        service.keystore.back_up()
        service.keystore.destroy_object_key(gone)
        at = service.db.clock.now()
        with service.db.begin() as session:
            session.add(
                ObjectRow(
                    id=gone,
                    case_id=CASE,
                    generation=1,
                    kind=ObjectKind.ORIGINAL,
                    state=ObjectState.DESTROYED,
                    job_id=new_id(),
                    fence=1,
                    media_type="",
                    created_at=at,
                )
            )
    for path in (shop.folder / "store").glob("keys.db*"):
        path.unlink()
    status, said = shop.ask("key", "restore", "--yes")
    assert (status, said["destroyed_again"]) == (0, 1)
    with shop.opened() as service:
        with pytest.raises(NotFound, match="key_gone"):
            service.keystore.object_key(gone, capability=MAY)
        promised = service.keystore.erasure_of(gone)
        assert promised
        assert promised.irrecoverable_since is None, "the copy that it came from is there until the next roll"
        assert service.keystore.object_key(kept, capability=MAY) == key
    assert "key.destroyed" in logged(shop)


def test_a_restore_sees_a_process_whose_key_database_was_taken_away(shop: Shop) -> None:
    """It stands in no row of a new database, and would go on writing keys to one that has no name any more."""
    door = Door(shop.settings.store / FOLDER, name="serve", give=lambda _: None, is_sealed=lambda: False)
    door.open()
    for path in (shop.folder / "store").glob("keys.db*"):
        path.unlink()
    assert shop.run("key", "restore", "--yes") == (1, "keys_in_use")
    assert not (shop.folder / "store" / "keys.db").exists()
    door.close()
    assert shop.run("key", "restore", "--yes")[0] == 0


def test_what_a_lost_place_may_be_sealed_under_is_known_although_the_rows_are_older(shop: Shop) -> None:
    """Else a certificate would call its capsule dead as soon as every root key that the older rows know is."""
    new = shop.write_passphrase("incorrect horse battery", name="new")
    assert shop.run("key", "rotate-root", "--new-passphrase-file", str(new))[0] == 0
    shop.write_passphrase("incorrect horse battery")
    with shop.opened("incorrect horse battery") as service:
        under = {one.id for one in service.keystore.roots() if one.is_live}
    shutil.rmtree(shop.folder / "store" / "keyring")
    (shop.folder / "store" / "keys.db").unlink()
    assert shop.run("key", "restore", "--yes")[0] == 0
    with shop.opened("incorrect horse battery") as service, service.keystore.db.read() as session:
        lost = session.scalars(select(PlaceRow.lost_at).where(PlaceRow.lost_at.is_not(None))).one()
        assert {row.id for row in session.scalars(select(RootRow)) if row.made_at <= lost} >= under


def test_both_lost_come_back_together(shop: Shop) -> None:
    with shop.opened() as service:
        kept, key = an_object(service.keystore)
        service.keystore.back_up()
    shutil.rmtree(shop.folder / "store" / "keyring")
    (shop.folder / "store" / "keys.db").unlink()
    status, said = shop.ask("key", "restore", "--yes")
    assert (status, said["keyring"], said["rows"]) == (0, True, True)
    with shop.opened() as service:
        assert service.keystore.object_key(kept, capability=MAY) == key


def test_a_restore_overwrites_nothing_that_is_there(shop: Shop) -> None:
    before = (shop.folder / "store" / "keyring" / FILE_NAME).read_bytes()
    assert shop.run("key", "restore", "--yes") == (1, "keyring_exists")
    (shop.folder / "store" / "keyring" / FILE_NAME).write_bytes(b"{}")
    assert shop.run("key", "restore", "--yes") == (1, "keyring_damaged"), "it is moved away by hand, or not at all"
    (shop.folder / "store" / "keyring" / FILE_NAME).write_bytes(before)
    assert shop.ask("key", "status")[0] == 0


def test_a_restore_refuses_while_a_process_is_alive_and_with_a_wrong_passphrase(shop: Shop) -> None:
    with shop.opened() as service:
        shutil.rmtree(shop.folder / "store" / "keyring")
        assert shop.run("key", "restore", "--yes") == (1, "keys_in_use")
        assert service.keystore.process.beaten_at
    shop.write_passphrase("incorrect horse battery")
    assert shop.run("key", "restore", "--yes") == (1, "wrong_root")
    assert not (shop.folder / "store" / "keyring" / FILE_NAME).exists()
    shop.write_passphrase(PASSPHRASE)
    assert shop.run("key", "restore", "--yes")[0] == 0


def test_a_killed_processes_name_lapses_within_a_minute(shop: Shop) -> None:
    with shop.opened() as service, service.keystore.db.begin() as session:
        at = service.db.clock.now()
        session.add(ProcessRow(id=new_id(), started_at=at, seen_at=at - timedelta(seconds=61), evicted_through=0))
    shutil.rmtree(shop.folder / "store" / "keyring")
    assert shop.run("key", "restore", "--yes")[0] == 0


def test_older_key_rows_under_todays_keyring_are_not_taken_for_today(shop: Shop) -> None:
    rows = shop.folder / "store" / "keys.db"
    shutil.copy(rows, shop.folder / "older.db")
    assert shop.run("key", "roll-epoch")[0] == 0
    for path in rows.parent.glob("keys.db*"):
        path.unlink()
    shutil.copy(shop.folder / "older.db", rows)
    with shop.opened() as service:
        assert not service.keystore.agrees()
    shutil.rmtree(shop.folder / "store" / "keyring")
    with pytest.raises(Conflict, match="keys_behind"):
        restoring.restore(shop.settings, root=LocalRoot(Secret(PASSPHRASE)))
    assert not (shop.folder / "store" / "keyring" / FILE_NAME).exists()
