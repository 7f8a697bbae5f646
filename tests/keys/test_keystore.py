from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from sqlalchemy import select, text

from core.errors import Conflict, Damaged, Invalid, NotFound, Refused, Unavailable, VaultError
from core.ids import CaseId, ObjectId, PersonId, UploadId, new_id
from core.secret import Secret
from keys import JobCapability, KeyStore, LocalRoot, RecordOwner, open_field, seal_field
from keys.keyring import FILE_NAME
from keys.models import CaseKeyRow, ObjectKeyRow
from tests.keys.conftest import QUICK, Keys, an_object, may

CASE = CaseId(new_id())


def code_of(act: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(VaultError) as caught:
        act(*args, **kwargs)
    return caught.value.code


def test_an_objects_key_comes_back_in_this_process_and_in_another(store: KeyStore, keys: Keys) -> None:
    object_id, key = an_object(store, case_id=CASE)
    assert store.object_key(object_id, capability=may(CASE)) == key
    assert keys.open().object_key(object_id, capability=may(CASE)) == key


def test_no_two_objects_share_a_key(store: KeyStore) -> None:
    secrets = {an_object(store, case_id=CASE)[1].reveal() for _ in range(5)}
    assert len(secrets) == 5


@pytest.mark.parametrize(
    ("story", "capability"),
    [
        ("of another case", may(CaseId(new_id()))),
        ("for another object", JobCapability("test", CASE, frozenset({ObjectId(new_id())}))),
        ("for no object", JobCapability("test", CASE, frozenset())),
    ],
)
def test_a_key_is_refused_to_a_capability(store: KeyStore, story: str, capability: JobCapability) -> None:
    object_id, _ = an_object(store, case_id=CASE)
    with pytest.raises(Refused, match="key_refused"):
        store.object_key(object_id, capability=capability)
    with pytest.raises(Refused, match="key_refused"):
        store.new_object_key(case_id=CASE, object_id=ObjectId(new_id()), capability=capability)


def test_an_answer_that_is_merely_truthy_is_no_leave(store: KeyStore) -> None:
    class Sloppy:
        def allows(self, *, case_id: CaseId, object_id: ObjectId) -> bool:
            return cast("bool", f"{case_id}{object_id}")

    object_id, _ = an_object(store, case_id=CASE)
    with pytest.raises(Refused):
        store.object_key(object_id, capability=Sloppy())


def test_one_object_never_gets_a_second_key_not_even_after_the_first_was_destroyed(store: KeyStore) -> None:
    object_id, _ = an_object(store, case_id=CASE)
    for _ in range(2):
        with pytest.raises(Conflict, match="key_exists"):
            store.new_object_key(case_id=CASE, object_id=object_id, capability=may(CASE))
        store.destroy_object_key(object_id)


def test_a_destroyed_key_is_gone_in_every_process_at_once_and_its_siblings_are_not(store: KeyStore, keys: Keys) -> None:
    (object_id, _), (sibling, sibling_key) = an_object(store, case_id=CASE), an_object(store, case_id=CASE)
    other = keys.open()
    assert other.object_key(object_id, capability=may(CASE))
    store.destroy_object_key(object_id)
    for each in (store, other):
        with pytest.raises(NotFound, match="key_gone"):
            each.object_key(object_id, capability=may(CASE))
        assert each.object_key(sibling, capability=may(CASE)) == sibling_key


def test_destroying_twice_is_destroying_once(store: KeyStore) -> None:
    object_id, _ = an_object(store, case_id=CASE)
    store.destroy_object_key(object_id)
    first = store.erasure_of(object_id)
    store.destroy_object_key(object_id)
    assert store.erasure_of(object_id) == first
    assert code_of(store.destroy_object_key, ObjectId(new_id())) == "key_gone"


def test_destroying_an_object_rolls_its_cases_key_and_no_other_cases(store: KeyStore) -> None:
    elsewhere = CaseId(new_id())
    object_id, _ = an_object(store, case_id=CASE)
    an_object(store, case_id=CASE)
    an_object(store, case_id=elsewhere)
    before = wrapped_rows(store)
    store.destroy_object_key(object_id)
    after = wrapped_rows(store)
    assert before[elsewhere] == after[elsewhere]
    assert before[CASE].isdisjoint(after[CASE])
    assert len(after[CASE]) == 1


def test_an_uploads_key_dies_without_rolling_the_case_which_the_next_epoch_roll_does(store: KeyStore) -> None:
    upload, (object_id, key) = UploadId(new_id()), an_object(store, case_id=CASE)
    store.new_object_key(case_id=CASE, object_id=ObjectId(upload), capability=may(CASE))
    before = case_key_ids(store)
    store.destroy_upload_key(upload)
    assert case_key_ids(store) == before
    assert code_of(store.object_key, ObjectId(upload), capability=may(CASE)) == "key_gone"
    store.roll_epoch()
    assert case_key_ids(store).isdisjoint(before)
    assert store.object_key(object_id, capability=may(CASE)) == key


def test_rolling_a_case_keeps_every_key_that_lives(store: KeyStore) -> None:
    made = [an_object(store, case_id=CASE) for _ in range(4)]
    assert store.roll_case(CASE) == 4
    assert [store.object_key(object_id, capability=may(CASE)) for object_id, _ in made] == [key for _, key in made]
    assert store.roll_case(CaseId(new_id())) == 0


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE keys_object_key SET wrapped = (SELECT o.wrapped FROM keys_object_key o WHERE o.object_id = :other) "
        "WHERE object_id = :one",
        "UPDATE keys_object_key SET case_key_id = (SELECT o.case_key_id FROM keys_object_key o "
        "WHERE o.object_id = :elsewhere) WHERE object_id = :one",
    ],
    ids=["another object's wrapped key in its row", "hung under another case's key"],
)
def test_a_wrapped_key_opens_only_where_it_was_put(store: KeyStore, tampering: str) -> None:
    ids = {name: an_object(store, case_id=CASE)[0] for name in ("one", "other")}
    ids["elsewhere"] = an_object(store, case_id=CaseId(new_id()))[0]
    with store.db.begin() as session:
        session.execute(text(tampering), {name: ids[name] for name in ids if f":{name}" in tampering})
    with pytest.raises(Damaged, match="key_damaged"):
        store.object_key(ids["one"], capability=may(CASE))


def test_an_object_moved_to_another_case_in_the_database_opens_for_neither(store: KeyStore) -> None:
    mine = CaseId(new_id())
    object_id, _ = an_object(store, case_id=CASE)
    an_object(store, case_id=mine)
    with store.db.begin() as session:
        session.execute(text("UPDATE keys_object_key SET case_id = :case"), {"case": mine})
    assert code_of(store.object_key, object_id, capability=may(mine)) == "key_damaged"
    assert code_of(store.object_key, object_id, capability=may(CASE)) == "key_refused"


def test_many_threads_make_open_and_destroy_keys_at_once(store: KeyStore) -> None:
    cases, start = [CaseId(new_id()) for _ in range(2)], threading.Barrier(6)

    def work(number: int) -> None:
        start.wait()
        case_id = cases[number % 2]
        for _ in range(3):
            kept, key = an_object(store, case_id=case_id)
            gone, _ = an_object(store, case_id=case_id)
            store.destroy_object_key(gone)
            assert store.object_key(kept, capability=may(case_id)) == key

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    with store.db.read() as session:
        active = session.scalars(select(CaseKeyRow.case_id).where(CaseKeyRow.state == "active")).all()
    assert sorted(active) == sorted(cases)


def test_first_uses_at_once_make_one_record_key(store: KeyStore) -> None:
    owner, start = RecordOwner.person(PersonId(new_id())), threading.Barrier(4)

    def use(_: int) -> bytes:
        start.wait()
        return store.record_key(owner).key.reveal()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(use, range(4)))) == 1


def test_a_records_fields_open_until_its_key_is_destroyed(store: KeyStore, keys: Keys) -> None:
    owner = RecordOwner.person(PersonId(new_id()))
    sealed = seal_field(store.record_key(owner), table="t", column="c", row="r", value="Šárka")
    again = keys.open().record_key(owner)
    assert open_field(again, table="t", column="c", row="r", sealed=sealed) == "Šárka"
    store.destroy_record_key(owner)
    store.destroy_record_key(owner)
    assert code_of(store.record_key, owner) == "key_gone"
    assert code_of(store.destroy_record_key, RecordOwner.case(CASE)) == "key_gone"


def test_many_record_keys_come_in_one_look(store: KeyStore) -> None:
    owners = [RecordOwner.person(PersonId(new_id())) for _ in range(3)]
    made = {owner: store.record_key(owner) for owner in owners}
    assert store.record_keys([*owners, RecordOwner.organisation()]) == made
    assert store.record_keys([]) == {}


def test_the_services_own_secrets_differ_and_survive_restart_and_roll(store: KeyStore, keys: Keys) -> None:
    def secrets(of: KeyStore) -> list[bytes]:
        return [
            of.audit_mac_key().reveal(),
            of.token_key().reveal(),
            of.audit_signing_key().private_bytes_raw(),
        ]

    before = secrets(store)
    assert len(set(before)) == 3
    assert store.roll_epoch().is_done
    assert secrets(store) == before == secrets(keys.open())


def test_a_sealed_vault_says_so_and_opens_when_the_root_is_given(store: KeyStore, keys: Keys) -> None:
    object_id, key = an_object(store, case_id=CASE)
    sealed = KeyStore(db=keys.db, places=keys.places)
    assert sealed.is_sealed
    assert sealed.status().sealed
    for act in (sealed.audit_mac_key, sealed.token_key, sealed.roll_epoch, sealed.copy_rows):
        with pytest.raises(Unavailable, match="sealed"):
            act()
    with pytest.raises(Unavailable, match="sealed"):
        sealed.object_key(object_id, capability=may(CASE))
    sealed.unseal(keys.root)
    assert sealed.object_key(object_id, capability=may(CASE)) == key
    sealed.seal()
    with pytest.raises(Unavailable, match="sealed"):
        sealed.object_key(object_id, capability=may(CASE))


def test_a_wrong_passphrase_is_refused_and_makes_nothing(store: KeyStore, keys: Keys) -> None:
    before = everything(keys)
    wrong = LocalRoot(Secret("incorrect horse battery"), cost=QUICK)
    with pytest.raises(Refused, match="wrong_root"):
        KeyStore.open(db=keys.db, root=wrong, places=keys.places)
    assert everything(keys) == before


def test_a_missing_keyring_is_told_apart_from_a_wrong_passphrase_and_not_made_anew(store: KeyStore, keys: Keys) -> None:
    (keys.places[0] / FILE_NAME).unlink()
    with pytest.raises(Unavailable, match="keyring_missing"):
        keys.open()
    assert not (keys.places[0] / FILE_NAME).exists()


def test_another_stores_keyring_is_refused(store: KeyStore, keys: Keys, keystore: KeyStore) -> None:
    with pytest.raises(Refused, match="wrong_root"):
        KeyStore.open(db=keys.db, root=keys.root, places=keystore.keyring.places)


def test_a_store_is_made_once(store: KeyStore, keys: Keys) -> None:
    before = everything(keys)
    with pytest.raises(Conflict, match="keyring_exists"):
        keys.create()
    fresh = [keys.places[0].with_name("new"), keys.places[1].with_name("new recovery")]
    with pytest.raises(Conflict, match="keyring_exists"):
        KeyStore.create(db=keys.db, root=keys.root, places=fresh)
    assert everything(keys) == before


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_store_needs_a_recovery_place_apart(keys: Keys, count: int) -> None:
    places = [keys.places[0]] * count
    with pytest.raises(Invalid, match="no_recovery_place"):
        KeyStore.create(db=keys.db, root=keys.root, places=places)


def test_a_short_passphrase_makes_no_store(keys: Keys) -> None:
    with pytest.raises(Invalid, match="passphrase_too_short"):
        KeyStore.create(db=keys.db, root=LocalRoot(Secret("too short"), cost=QUICK), places=keys.places)
    assert keys.create()


def test_a_new_passphrase_opens_the_keyring_and_the_old_one_no_longer(store: KeyStore, keys: Keys) -> None:
    object_id, key = an_object(store, case_id=CASE)
    new = LocalRoot(Secret("another horse battery"), cost=QUICK)
    other = keys.open()
    store.change_root(new)
    with pytest.raises(Refused, match="wrong_root"):
        keys.open()
    with pytest.raises(Unavailable, match="sealed"):
        other.roll_epoch()
    assert other.is_sealed
    keys.root = new
    for each in (keys.open(), store):
        assert each.object_key(object_id, capability=may(CASE)) == key


def test_no_key_shows_in_a_repr(store: KeyStore) -> None:
    _, key = an_object(store, case_id=CASE)
    record = store.record_key(RecordOwner.case(CASE))
    shown = repr([key, record, store, store.keyring, JobCapability("test", CASE), store.audit_mac_key()])
    for secret in (key, record.key, store.audit_mac_key()):
        assert secret.reveal().hex() not in shown
        assert repr(secret.reveal()) not in shown


def wrapped_rows(store: KeyStore) -> dict[str, set[bytes | None]]:
    found: dict[str, set[bytes | None]] = {}
    with store.db.read() as session:
        for row in session.scalars(select(ObjectKeyRow).where(ObjectKeyRow.state == "active")):
            found.setdefault(row.case_id, set()).add(row.wrapped)
    return found


def case_key_ids(store: KeyStore) -> set[str]:
    with store.db.read() as session:
        return set(session.scalars(select(CaseKeyRow.id).where(CaseKeyRow.state == "active")))


def everything(keys: Keys) -> list[bytes]:
    return [(place / FILE_NAME).read_bytes() for place in keys.places]
