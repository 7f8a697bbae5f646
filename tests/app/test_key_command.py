"""`vig-vault key …` as an administrator runs it: rolls, copies and roots, what is said of them and left in the log."""

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
from app import keeping
from audit.models import AuditEntryRow
from core.errors import Unavailable
from core.secret import Secret
from keys import LocalRoot, PlaceKind
from keys.keyring import FILE_NAME
from keys.models import ObjectKeyRow, PlaceRow, ProcessRow
from tests.app.keyshop import MAY, PASSPHRASE, QUICK, Shop, an_object, logged, make_without_staff, settings_in
from tests.families import filming_visit, make_family
from tests.vault.agreeing import agree_to_filming, share_with_social_worker
from tests.vault.scene import add_clip, add_footage


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


def test_a_process_that_ends_is_waited_for_by_nobody(shop: Shop) -> None:
    with shop.opened() as service:
        keys_db = service.keystore.db
        with keys_db.read() as session:
            assert session.get(ProcessRow, service.keystore.process.id)
            assert session.scalars(select(ObjectKeyRow)).first() is None
    with shop.opened() as other, other.keystore.db.read() as session:
        assert session.scalars(select(ProcessRow.id)).all() == [other.keystore.process.id]
