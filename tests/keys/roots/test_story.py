"""One story on every kind of root: made, opened, refused, away, rolled, changed, rotated, destroyed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from core.db import Database
from core.errors import Conflict, Invalid, Refused, Unavailable
from core.ids import CaseId, new_id
from core.secret import Secret
from keys import Destruction, KeyStore, LocalRoot, Root, SurvivorKind, add_recovery, lose
from keys.capsule import open_capsule, open_root
from keys.keyring import FILE_NAME, Keyring
from tests.fakes import HandClock
from tests.keys.conftest import PASSPHRASE, QUICK, an_object, may
from tests.keys.roots.peers import Bao, Kms, Peer, Tokens

CASE = CaseId(new_id())
LOCAL = LocalRoot(PASSPHRASE, cost=QUICK)


@dataclass
class Story:
    """A store under a root that can be changed."""

    db: Database
    places: tuple[Path, Path]

    def create(self, root: Root) -> KeyStore:
        return KeyStore.create(db=self.db, root=root, places=self.places)

    def open(self, root: Root) -> KeyStore:
        return KeyStore.open(db=self.db, root=root, places=self.places)

    def bytes(self) -> list[bytes]:
        return [(place / FILE_NAME).read_bytes() for place in self.places]


@pytest.fixture
def story(keys_db: Database, tmp_path: Path) -> Story:
    return Story(keys_db, (tmp_path / "live", tmp_path / "recovery"))


def opens(file: Path, root: Root) -> bool:
    """Whether somebody's copy of a keyring file opens with this root."""
    (file.parent / "other").mkdir(exist_ok=True)
    copy = Keyring((file.parent, file.parent / "other")).file_at(file.parent)
    return bool(open_capsule(copy, root=open_root(root, file=copy)).epochs)


def test_a_store_is_made_opened_and_rolled_under_it(story: Story, peer: Peer) -> None:
    store = story.create(peer.root())
    object_id, key = an_object(store, case_id=CASE)
    gone, _ = an_object(store, case_id=CASE)
    assert story.open(peer.root()).object_key(object_id, capability=may(CASE)) == key
    store.destroy_object_key(gone)
    assert store.roll_epoch().is_done is False, "the process that was opened beside it must forget the old key first"
    story.db.clock.move(timedelta(minutes=2))  # type: ignore[attr-defined]  # the tests' own clock
    assert store.roll_epoch().is_done
    assert story.open(peer.root()).object_key(object_id, capability=may(CASE)) == key
    assert [one.is_live for one in store.roots()] == [True]


def test_another_root_is_refused_and_nothing_is_made_in_its_place(story: Story, peer: Peer) -> None:
    story.create(peer.root())
    before, count = story.bytes(), peer.count()
    with pytest.raises(Refused, match="wrong_root"):
        story.open(peer.other())
    with pytest.raises(Refused, match="wrong_root"):
        story.open(LOCAL)
    assert (story.bytes(), peer.count()) == (before, count)


@pytest.mark.parametrize("peer", ["hsm", "transit"], indirect=True)
def test_a_place_that_has_lost_the_key_is_refused_and_makes_no_new_one(story: Story, peer: Peer) -> None:
    """Somebody put another token, or another server with a key of that name, in its place."""
    peer.other().make()
    story.create(peer.root())
    count = peer.count()
    for place in story.places:
        text = (place / FILE_NAME).read_text(encoding="ascii")
        (place / FILE_NAME).write_text(text.replace(peer.root().uri, peer.other().uri), encoding="ascii")
    with pytest.raises(Refused, match="wrong_root"):
        story.open(peer.other())
    assert peer.count() == count


def test_while_it_is_away_the_vault_stays_sealed_and_afterwards_it_opens(story: Story, hsm: Tokens) -> None:
    _away(story, hsm)


def test_while_the_key_service_is_sealed_the_vault_stays_sealed_too(story: Story, transit: Bao) -> None:
    _away(story, transit)


def _away(story: Story, peer: Peer) -> None:
    store = story.create(peer.root())
    object_id, key = an_object(store, case_id=CASE)
    before = story.bytes()
    with peer.away():
        with pytest.raises(Unavailable, match="root_unreachable") as caught:
            story.open(peer.root())
        assert "Nothing was lost" in caught.value.sentence
        with pytest.raises(Unavailable, match="root_unreachable"):
            store.roll_epoch()
        assert store.object_key(object_id, capability=may(CASE)) == key, "what is open goes on"
        assert story.bytes() == before
    story.db.clock.move(timedelta(minutes=2))  # type: ignore[attr-defined]  # the tests' own clock
    assert store.roll_epoch().is_done
    assert story.open(peer.root()).object_key(object_id, capability=may(CASE)) == key


def test_the_root_moves_there_and_back_and_every_key_stays(story: Story, peer: Peer) -> None:
    store = story.create(LOCAL)
    object_id, key = an_object(store, case_id=CASE)
    other = story.open(LOCAL)
    story.db.clock.move(timedelta(seconds=1))  # type: ignore[attr-defined]  # the tests' own clock
    there = store.change_root(peer.root())
    assert there.is_live
    with pytest.raises(Refused, match="wrong_root"):
        story.open(LOCAL)
    with pytest.raises(Unavailable, match="sealed"):
        other.roll_epoch()
    with pytest.raises(Conflict, match="root_in_use"):
        store.destroy_root(there.id, root=peer.root())
    assert story.open(peer.root()).object_key(object_id, capability=may(CASE)) == key
    again = LocalRoot(Secret("another horse battery"), cost=QUICK)
    story.db.clock.move(timedelta(seconds=1))  # type: ignore[attr-defined]  # the tests' own clock
    store.change_root(again)
    with pytest.raises(Refused, match="wrong_root"):
        story.open(peer.root())
    assert story.open(again).object_key(object_id, capability=may(CASE)) == key
    first, second, third = store.roots()
    assert [one.uri for one in (first, second, third)] == ["local:", peer.root().uri, "local:"]
    assert [one.is_live for one in (first, second, third)] == [False, False, True]
    with pytest.raises(Invalid, match="root_in_keyring"):
        store.destroy_root(first.id, root=LOCAL)
    gone = store.destroy_root(second.id, root=peer.root())
    assert store.destroy_root(second.id, root=peer.root()) == gone, "a second time is no error"
    assert gone.gone_at is not None


def test_rotated_and_the_old_key_destroyed_an_old_copy_of_the_keyring_opens_nothing(
    story: Story, peer: Peer, tmp_path: Path
) -> None:
    root = peer.root()
    store = story.create(root)
    object_id, key = an_object(store, case_id=CASE)
    kept = tmp_path / "somebody kept it" / FILE_NAME
    kept.parent.mkdir()
    shutil.copy2(story.places[0] / FILE_NAME, kept)
    story.db.clock.move(timedelta(seconds=1))  # type: ignore[attr-defined]  # the tests' own clock
    store.rotate_root(root)
    assert opens(kept, peer.root()), "until the old root key is destroyed"
    old, new = store.roots()
    assert (old.is_live, new.is_live) == (False, True)
    gone = store.destroy_root(old.id, root=root)
    if root.destruction is Destruction.IMMEDIATE:
        assert gone.gone_at == story.db.clock.now()
        with pytest.raises(Refused, match="wrong_root"):
            opens(kept, peer.root())
    else:
        assert gone.gone_at is not None
        assert gone.gone_at >= story.db.clock.now() + timedelta(days=7)
    assert story.open(peer.root()).object_key(object_id, capability=may(CASE)) == key


def test_a_place_that_was_lost_opens_nothing_once_the_root_key_of_its_time_is_destroyed(
    story: Story, hsm: Tokens, clock: HandClock
) -> None:
    store = story.create(hsm.root())
    gone, _ = an_object(store, case_id=CASE)
    store.destroy_object_key(gone)
    _lose_the_recovery_place(store, story, clock)
    promise = store.erasure_of(gone)
    assert promise is not None
    assert promise.rolled_at == clock.now()
    assert promise.irrecoverable_since is None, "the lost place may hold an old capsule"
    store.rotate_root(hsm.root())
    clock.move(timedelta(days=1))
    store.destroy_root(store.roots()[0].id, root=hsm.root())
    promise = store.erasure_of(gone)
    assert promise is not None
    assert (promise.irrecoverable_since, promise.survivors) == (clock.now(), ())


def test_while_the_deletion_of_a_root_key_waits_nothing_is_called_irrecoverable(
    story: Story, aws: Kms, clock: HandClock
) -> None:
    store = story.create(aws.root())
    gone, _ = an_object(store, case_id=CASE)
    clock.move(timedelta(seconds=1))
    store.rotate_root(aws.root())
    old = store.destroy_root(store.roots()[0].id, root=aws.root())
    assert old.gone_at is not None
    store.destroy_object_key(gone)
    clock.move(timedelta(minutes=2))
    assert store.roll_epoch().is_done
    promise = store.erasure_of(gone)
    assert promise is not None
    assert promise.irrecoverable_since is None
    assert [(one.kind, one.id, one.until) for one in promise.survivors] == [(SurvivorKind.ROOT, old.id, old.gone_at)]
    clock.at = old.gone_at
    promise = store.erasure_of(gone)
    assert promise is not None
    assert (promise.irrecoverable_since, promise.survivors) == (old.gone_at, ())


def _lose_the_recovery_place(store: KeyStore, story: Story, clock: HandClock) -> None:
    """It goes, with an old capsule on it; another is registered instead, and the epoch is rolled."""
    lost = next(place.id for place in store.status().places if place.kind == "recovery")
    lose(story.db, place_id=lost)
    second = story.places[1].with_name("second")
    add_recovery(story.db, keyring=store.keyring, folder=second)
    store.keyring.places = (story.places[0], second)
    clock.move(timedelta(minutes=2))
    assert store.roll_epoch().is_done
