"""A key whose row isn't what was written: it is named, it opens nothing, and it holds up nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import Damaged, NotFound
from core.ids import CaseId, ObjectId, PersonId, new_id
from core.secret import Secret
from keys import KeyStore, RecordOwner, WrapKind
from keys import roll as rolling
from keys.models import KeyState, ObjectKeyRow
from tests.fakes import HandClock
from tests.keys.conftest import Keys, an_object, may
from tests.keys.rolling import break_case_key, break_object_key, break_record_key, case_key, epochs_at

BAD, GOOD = CaseId(new_id()), CaseId(new_id())


def opens(store: KeyStore, object_id: ObjectId, case_id: CaseId) -> Secret[bytes]:
    return store.object_key(object_id, capability=may(case_id))


def refusal(store: KeyStore, object_id: ObjectId, case_id: CaseId) -> str:
    with pytest.raises((Damaged, NotFound)) as refused:
        opens(store, object_id, case_id)
    return refused.value.code


def test_a_damaged_case_key_is_named_and_everybody_else_rolls(store: KeyStore, keys: Keys, clock: HandClock) -> None:
    film, _ = an_object(store, case_id=BAD)
    other, key = an_object(store, case_id=GOOD)
    broken = break_case_key(store, BAD)
    (named,) = store.damaged_keys()
    assert (named.id, named.kind, named.case_id, named.left_at) == (broken, WrapKind.CASE_MEDIA, BAD, None)
    report = store.roll_epoch()
    assert (report.is_done, epochs_at(keys)) == (True, [[2], [2]])
    assert [(one.id, one.case_id, one.left_at) for one in report.left_behind] == [(broken, BAD, clock.now())]
    assert opens(keys.open(), other, GOOD) == key
    assert refusal(store, film, BAD) == "key_damaged"
    clock.move(timedelta(days=1))
    assert store.roll_epoch().left_behind == ()  # it was left behind once
    assert store.damaged_keys() == store.left_behind() == report.left_behind  # and is named until its film is gone


def test_what_a_damaged_key_locks_can_be_destroyed_and_is_gone_with_the_next_roll(store: KeyStore) -> None:
    first, second = (an_object(store, case_id=BAD)[0] for _ in range(2))
    break_case_key(store, BAD)
    store.destroy_object_key(first)
    assert (refusal(store, first, BAD), refusal(store, second, BAD)) == ("key_gone", "key_damaged")
    assert store.roll_epoch().is_done
    store.destroy_object_key(second)
    assert store.damaged_keys() == ()
    assert [promised(store, one) for one in (first, second)] == [True, False]
    assert store.roll_epoch().is_done
    assert promised(store, second)


def test_a_damaged_case_key_that_locks_nothing_any_more_goes_without_a_word(store: KeyStore) -> None:
    film, _ = an_object(store, case_id=BAD)
    break_case_key(store, BAD)
    store.destroy_object_key(film)
    assert store.roll_epoch().left_behind == store.damaged_keys() == ()
    assert promised(store, film)


def test_a_case_goes_on_under_a_key_of_its_own_and_what_was_lost_stays_lost(store: KeyStore) -> None:
    lost, _ = an_object(store, case_id=BAD)
    break_case_key(store, BAD)
    with pytest.raises(Damaged, match="key_damaged"):  # until the roll it may still be mended: no second key
        an_object(store, case_id=BAD)
    store.roll_epoch()
    later, key = an_object(store, case_id=BAD)
    assert opens(store, later, BAD) == key
    store.destroy_object_key(later)
    assert store.roll_epoch().is_done
    assert (refusal(store, lost, BAD), promised(store, later)) == ("key_damaged", True)


def test_a_damaged_record_key_is_left_behind_and_never_made_anew(store: KeyStore) -> None:
    bad, good = (RecordOwner.person(PersonId(new_id())) for _ in range(2))
    store.record_key(bad)
    kept = store.record_key(good)
    break_record_key(store, bad)
    (left,) = store.roll_epoch().left_behind
    assert (left.kind, left.owner_id, left.case_id) == (WrapKind.RECORD, bad.id, None)
    assert store.record_key(good) == kept
    with pytest.raises(Damaged, match="key_damaged"):
        store.record_key(bad)
    store.destroy_record_key(bad)
    assert store.damaged_keys() == ()
    assert store.roll_epoch().is_done
    erasure = store.erasure_of_record(bad)
    assert erasure is not None
    assert erasure.irrecoverable_since is not None


def test_a_damaged_object_key_keeps_no_other_of_its_case_alive(store: KeyStore) -> None:
    gone, _ = an_object(store, case_id=BAD)
    kept, key = an_object(store, case_id=BAD)
    damaged, _ = an_object(store, case_id=BAD)
    break_object_key(store, damaged)
    store.destroy_object_key(gone)
    assert (refusal(store, gone, BAD), opens(store, kept, BAD)) == ("key_gone", key)
    (left,) = store.roll_epoch().left_behind
    assert (left.id, left.kind, left.case_id) == (damaged, WrapKind.OBJECT, BAD)
    assert promised(store, gone)
    assert (refusal(store, damaged, BAD), opens(store, kept, BAD)) == ("key_damaged", key)
    store.destroy_object_key(damaged)
    assert store.roll_epoch().is_done
    assert (promised(store, damaged), opens(store, kept, BAD), store.left_behind()) == (True, key, ())


def test_a_row_that_is_put_back_before_the_roll_rolls_like_any_other(store: KeyStore) -> None:
    film, key = an_object(store, case_id=BAD)
    with store.db.read() as session:
        right = case_key(session, BAD).wrapped
    break_case_key(store, BAD)
    with store.db.begin() as session:
        case_key(session, BAD).wrapped = right
    assert store.roll_epoch().left_behind == store.damaged_keys() == ()
    assert opens(store, film, BAD) == key


def test_of_too_many_none_is_left_behind_until_somebody_says_so(store: KeyStore, keys: Keys) -> None:
    bad = [CaseId(new_id()) for _ in range(2)]
    for case_id in bad:
        an_object(store, case_id=case_id)
        break_case_key(store, case_id)
    other, key = an_object(store, case_id=GOOD)
    with pytest.raises(Damaged, match="keys_damaged"):
        store.roll_epoch(most_damaged=1)
    assert epochs_at(keys) == [[1, 2], [1, 2]]
    assert store.left_behind() == ()
    assert opens(store, other, GOOD) == key
    assert len(store.roll_epoch(most_damaged=2).left_behind) == 2
    assert epochs_at(keys) == [[2], [2]]


def test_a_missing_epoch_is_not_taken_for_damaged_rows(store: KeyStore) -> None:
    """As when the keyring is older than the rows: then none of them opens, and none may be given up."""
    film, _ = an_object(store, case_id=BAD)
    roller = rolling.Roller(store.db, store.keyring, store.process)
    rolling.begin(roller)
    rolling.step(roller)
    with store.keyring.writer():
        store.keyring.change(lambda capsule: capsule.without(through=1))
    with pytest.raises(Damaged, match="epoch_key_missing"):
        store.roll_epoch()
    with store.db.read() as session:
        assert (case_key(session, BAD).state, session.get_one(ObjectKeyRow, film).state) == (KeyState.ACTIVE,) * 2


def promised(store: KeyStore, object_id: ObjectId) -> bool:
    erasure = store.erasure_of(object_id)
    return erasure is not None and erasure.irrecoverable_since is not None
