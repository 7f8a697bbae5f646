"""`vig-vault key …` as an administrator runs it: what it says, its JSON, its status, and what it leaves in the log."""

from __future__ import annotations

import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

import consent
import keys
from app import keeping, restoring
from app.unsealing import FOLDER, Door
from audit.models import AuditEntryRow
from core.errors import Conflict, NotFound, Unavailable
from core.ids import CaseId, ObjectId, new_id
from core.secret import Secret
from keys import JobCapability, KeyStore, LocalRoot, PlaceKind
from keys.keyring import FILE_NAME
from keys.models import ObjectKeyRow, PlaceRow, ProcessRow, RootRow
from tests.app.keyshop import PASSPHRASE, QUICK, Shop, make_shop, make_without_staff, settings_in
from tests.families import filming_visit, make_family
from tests.vault.agreeing import agree_to_filming, share_with_social_worker
from tests.vault.scene import add_clip, add_footage
from vault.models import ObjectKind, ObjectRow, ObjectState

CASE = CaseId(new_id())
MAY = JobCapability("test", CASE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(made: Shop, tmp_path: Path) -> Shop:
    return made.copied(tmp_path / "copy")


def logged(shop: Shop) -> list[str]:
    with shop.opened() as service, service.db.read() as session:
        return list(session.scalars(select(AuditEntryRow.event).order_by(AuditEntryRow.at)))


def an_object(keystore: KeyStore) -> tuple[ObjectId, Secret[bytes]]:
    object_id = ObjectId(new_id())
    return object_id, keystore.new_object_key(case_id=CASE, object_id=object_id, capability=MAY)


def test_a_new_store_is_in_order_and_its_status_says_how_it_stands(shop: Shop) -> None:
    status, said = shop.ask("key", "status")
    assert (status, said["sound"], said["troubles"]) == (0, True, [])
    assert (said["epoch"], said["roll"], said["pending"], said["processes"]) == (1, None, 0, 0)
    assert said["root"] == {"uri": "local:", "assurance": "file", "destruction": "immediate"}
    assert [(place["kind"], place["epochs"], place["problem"]) for place in said["places"]] == [
        ("live", [1], None),
        ("recovery", [1], None),
    ]
    assert len({place["sequence"] for place in said["places"]}) == 1
    status, words = shop.run("key", "status")
    assert status == 0
    assert "never rolled" in words
    assert PASSPHRASE not in words


def test_the_loss_window_is_what_no_copy_has_and_backup_closes_it(shop: Shop) -> None:
    assert shop.ask("key", "status")[1]["loss_window_seconds"] is None
    with shop.opened() as service:
        an_object(service.keystore)
        with service.keystore.db.begin() as session:
            before = service.db.clock.now() - timedelta(minutes=40)
            session.execute(update(PlaceRow).where(PlaceRow.kind == PlaceKind.RECOVERY).values(copied_at=before))
    status, said = shop.ask("key", "status")
    assert (status, [one["code"] for one in said["troubles"]]) == (1, ["key_copy_overdue"])
    assert 2400 <= said["loss_window_seconds"] < 2500
    status, said = shop.ask("key", "backup")
    assert (status, said["written"], len(said["places"])) == (0, 1, 1)
    assert shop.ask("key", "status")[0] == 0
    assert shop.ask("key", "backup")[1]["written"] == 0
    assert logged(shop).count("keys.backed_up") == 2


def test_backup_makes_places_level_again(shop: Shop) -> None:
    recovery = shop.folder / "recovery" / FILE_NAME
    older = recovery.read_bytes()
    with shop.opened() as service:
        service.keystore.change_root(LocalRoot(Secret(PASSPHRASE), cost=QUICK))
    recovery.write_bytes(older)
    assert [one["code"] for one in shop.ask("key", "status")[1]["troubles"]] == ["place_unreadable"]
    assert shop.run("key", "backup")[0] == 0
    assert shop.ask("key", "status")[0] == 0


def test_a_roll_leaves_one_epoch_everywhere_and_stands_in_the_log(shop: Shop) -> None:
    with shop.opened() as service:
        gone, _ = an_object(service.keystore)
        kept, key = an_object(service.keystore)
        service.keystore.destroy_object_key(gone)
    status, said = shop.ask("key", "roll-epoch", "--wait")
    assert (status, said["done"], said["from"], said["to"], said["waiting_for"]) == (0, True, 1, 2, [])
    assert logged(shop).count("epoch.rolled") == 1
    status, said = shop.ask("key", "status")
    assert (status, said["epoch"], said["pending"]) == (0, 2, 0)
    assert [place["epochs"] for place in said["places"]] == [[2], [2]]
    with shop.opened() as service:
        assert service.keystore.object_key(kept, capability=MAY) == key
        assert service.keystore.remembered, "a roll notes how far the log has come"


def test_a_roll_says_whom_it_waits_for_and_the_worker_or_the_next_call_goes_on(shop: Shop) -> None:
    with shop.opened() as service:
        status, said = shop.ask("key", "roll-epoch")
        assert (status, said["state"], said["waiting_for"]) == (1, "evicting", [service.keystore.process.id])
        assert shop.ask("key", "status")[1]["roll"]["waiting_for"] == [service.keystore.process.id]
        service.keystore.beat()
        keeping.finishing(service)()
        assert service.keystore.roll_under_way() is None
        keeping.finishing(service)()
        assert service.keystore.status().epoch == 2, "a duty begins none"
    assert logged(shop).count("epoch.rolled") == 1


def test_a_rotated_root_opens_at_every_place_and_the_old_one_opens_only_old_copies(shop: Shop) -> None:
    old = shop.folder / "old"
    shutil.copytree(shop.folder / "recovery", old)
    new = shop.write_passphrase("another battery altogether", name="new")
    status, said = shop.run("key", "rotate-root", "--new-passphrase-file", str(new))
    assert status == 0
    assert "OLD" in said
    assert shop.run("key", "status") == (1, "wrong_root")
    new.rename(shop.folder / "passphrase")
    assert shop.ask("key", "status")[0] == 0
    assert logged_with(shop, "another battery altogether").count("root.rotated") == 1


def logged_with(shop: Shop, passphrase: str) -> list[str]:
    with shop.opened(passphrase) as service, service.db.read() as session:
        return list(session.scalars(select(AuditEntryRow.event)))


def test_too_short_a_new_passphrase_changes_nothing(shop: Shop) -> None:
    new = shop.write_passphrase("short", name="new")
    assert shop.run("key", "rotate-root", "--new-passphrase-file", str(new)) == (1, "passphrase_too_short")
    assert shop.run("key", "rotate-root") == (1, "passphrase_missing")
    assert shop.ask("key", "status")[0] == 0
    assert "root.rotated" not in logged(shop)


def test_a_running_process_is_sealed_by_a_new_root_and_opens_with_it(shop: Shop) -> None:
    with shop.opened() as running:
        new = shop.write_passphrase("another battery altogether", name="new")
        assert shop.run("key", "rotate-root", "--new-passphrase-file", str(new))[0] == 0
        with pytest.raises(Unavailable, match="sealed"):
            running.keystore.remember("")
        running.keystore.unseal_again(LocalRoot(Secret("another battery altogether")))
        running.keystore.unseal_again(LocalRoot(Secret("not looked at while it is open")))
        assert not running.keystore.is_sealed


def test_what_a_killed_process_did_to_the_keys_and_did_not_tell_is_told_once(shop: Shop) -> None:
    with shop.opened() as service:
        service.keystore.roll_epoch()
        lost = keys.add_recovery(service.keystore.db, keyring=service.keystore.keyring, folder=shop.folder / "second")
        keys.lose(service.keystore.db, place_id=lost)
        service.keystore.change_root(LocalRoot(Secret(PASSPHRASE), cost=QUICK))
        told = ("epoch.rolled", "key_place.added", "key_place.lost", "root.rotated")
        assert not set(told) & set(logged(shop))
        for _ in range(2):
            keeping.finishing(service)()
        assert sorted(event for event in logged(shop) if event in told) == sorted(told)


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


def test_a_withdrawal_does_not_wait_for_a_root_that_does_not_answer(tmp_path: Path) -> None:
    """The key service takes the connection and says nothing, as one does that has stopped."""
    shop = Shop(settings_in(tmp_path))
    shop.write_passphrase(PASSPHRASE)
    make_without_staff(shop.settings)
    with shop.opened() as service, socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as beside:
        family = make_family(service.db, service.keystore)
        agree_to_filming(service.db, service.keystore, family)
        footage = add_footage(service.db, service.keystore, service.store, family, filming_visit(service.db, family))  # type: ignore[arg-type]  # any store
        clip = add_clip(service.db, service.keystore, service.store, family, footage, content=b"film")  # type: ignore[arg-type]  # any store
        share_with_social_worker(service.db, family, clip.rendition_id)
        name = f"hcvault://127.0.0.1:{silent.getsockname()[1]}/transit/keys/vig-vault?tls=no"
        words = ("--new-root", name, "--new-passphrase-file", str(shop.write_passphrase("a token", name="token")))
        command = beside.submit(shop.run, "key", "rotate-root", *words)
        line, _ = silent.accept()
        with line:
            assert line.recv(1), "it asks"
            begun = time.monotonic()
            assert consent.stop_all(service.db, actor=family.mother.actor)
            assert time.monotonic() - begun < 5
            assert not command.done()
        silent.close()
        assert command.result() == (1, "root_unreachable")
    events = logged(shop)
    assert "root.change_begun" in events
    assert "root.rotated" not in events


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


def test_a_process_that_ends_is_waited_for_by_nobody(shop: Shop) -> None:
    with shop.opened() as service:
        keys_db = service.keystore.db
        with keys_db.read() as session:
            assert session.get(ProcessRow, service.keystore.process.id)
            assert session.scalars(select(ObjectKeyRow)).first() is None
    with shop.opened() as other, other.keystore.db.read() as session:
        assert session.scalars(select(ProcessRow.id)).all() == [other.keystore.process.id]
