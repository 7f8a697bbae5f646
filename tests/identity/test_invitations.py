from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

import identity
from core import outbox
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, NotSignedIn, RateLimited, Refused, VaultError
from core.ids import InvitationId
from core.secret import Secret
from identity import CODE_MESSAGE, Effect, Factor, PersonKind, SecondThing, Whence
from identity.access_models import InvitationRow
from keys import KeyStore
from tests.fakes import HandClock
from tests.families import CONTACTS, Family, Staff

PASSCODE = Secret("271828")
HERE = Whence("192.0.2.7")


def invite(db: Database, family: Family) -> identity.Invited:
    return identity.invite(db, actor=family.staff.guider.actor, case_id=family.case_id, person=family.mother.id)


def code_of(db: Database, keystore: KeyStore, invited: identity.Invited) -> str:
    return identity.issue_code(db, keystore=keystore, invitation_id=invited.id)[1].reveal()


def activate(
    db: Database, keystore: KeyStore, invited: identity.Invited, code: str, passcode: Secret[str] = PASSCODE
) -> identity.Activated:
    return identity.activate(db, keystore=keystore, token=invited.token, code=code, passcode=passcode, whence=HERE)


def test_link_and_code_bind_the_mothers_phone_and_sign_her_in(db: Database, keystore: KeyStore, family: Family) -> None:
    invited = invite(db, family)
    with db.begin() as session:
        (message,) = [row for row in outbox.waiting(session, at=db.clock.now()) if row.kind == CODE_MESSAGE]
        assert message.payload == {"invitation_id": invited.id}
    contact, code = identity.issue_code(db, keystore=keystore, invitation_id=invited.id)
    assert contact.reveal() == CONTACTS["mother"]
    activated = activate(db, keystore, invited, code.reveal())
    actor = identity.actor_for(db, activated.signed_in.token)
    assert (actor.person, actor.kind) == (family.mother.id, PersonKind.FAMILY)
    assert actor.factors == {Factor.DEVICE, Factor.PASSCODE}
    assert actor.has_two_factors
    later = identity.sign_in_device(db, keystore=keystore, whence=HERE, device=activated.device, passcode=PASSCODE)
    assert identity.actor_for(db, later.token).person == family.mother.id


def test_looking_at_a_link_consumes_nothing_and_tells_nothing_about_anybody(
    db: Database, keystore: KeyStore, family: Family
) -> None:
    invited = invite(db, family)
    for _ in range(5):
        seen = identity.look(db, keystore=keystore, whence=HERE, token=invited.token)
    assert seen == identity.Invitation(invited.id, SecondThing.MESSAGE, invited.expires_at)
    activate(db, keystore, invited, code_of(db, keystore, invited))


def test_an_invitation_is_used_once_even_by_two_at_once(db: Database, keystore: KeyStore, family: Family) -> None:
    invited = invite(db, family)
    code = code_of(db, keystore, invited)

    def one(_: int) -> str:
        try:
            activate(db, keystore, invited, code)
        except VaultError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == ["done", "invitation_used"]
    with pytest.raises(Conflict, match="invitation_used"):
        identity.look(db, keystore=keystore, whence=HERE, token=invited.token)


def test_the_link_alone_opens_nothing_and_wrong_codes_end_it(db: Database, keystore: KeyStore, family: Family) -> None:
    invited = invite(db, family)
    with pytest.raises(Conflict, match="code_not_sent"):
        activate(db, keystore, invited, "000000")
    right = code_of(db, keystore, invited)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for code in (f" {right}", f"{right}\n", f"{right[:3]} {right[3:]}", right[:5], "", "\uff11" * 6):
        with pytest.raises(Invalid, match="code_form"):
            activate(db, keystore, invited, code)
    for _ in range(5):
        with pytest.raises(Refused, match="wrong_code"):
            activate(db, keystore, invited, wrong)
    with pytest.raises(Refused, match="invitation_ended"):
        activate(db, keystore, invited, right)


def test_a_passcode_that_wont_do_consumes_nothing(db: Database, keystore: KeyStore, family: Family) -> None:
    invited = invite(db, family)
    code = code_of(db, keystore, invited)
    for passcode in ("12345", "111111"):
        with pytest.raises(Invalid):
            activate(db, keystore, invited, code, Secret(passcode))
    activate(db, keystore, invited, code)


def test_an_invitation_ends_after_a_week_and_when_a_newer_one_is_made(
    db: Database, keystore: KeyStore, family: Family, clock: HandClock
) -> None:
    older, newer = invite(db, family), invite(db, family)
    with pytest.raises(Refused, match="invitation_ended"):
        identity.look(db, keystore=keystore, whence=HERE, token=older.token)
    with pytest.raises(NotFound):
        identity.issue_code(db, keystore=keystore, invitation_id=older.id)
    code = code_of(db, keystore, newer)
    clock.move(timedelta(days=7))
    with pytest.raises(Refused, match="invitation_ended"):
        activate(db, keystore, newer, code)


def test_a_code_that_is_sent_again_voids_the_one_before(db: Database, keystore: KeyStore, family: Family) -> None:
    invited = invite(db, family)
    first = code_of(db, keystore, invited)
    second = code_of(db, keystore, invited)
    if first != second:
        with pytest.raises(Refused, match="wrong_code"):
            activate(db, keystore, invited, first)
    activate(db, keystore, invited, second)


def test_only_hashes_of_link_and_code_are_kept(db: Database, keystore: KeyStore, family: Family) -> None:
    invited = invite(db, family)
    code = code_of(db, keystore, invited)
    with db.read() as session:
        row = session.scalars(select(InvitationRow)).one()
        kept = repr({column.name: getattr(row, column.name) for column in InvitationRow.__table__.columns})
    assert invited.token.reveal() not in kept
    assert f"'{code}'" not in kept
    assert len(row.code_hash or b"") == 32


def test_whoever_entered_the_contact_cant_also_hand_over_the_link(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    with pytest.raises(Refused, match="second_person_needed"):
        identity.invite(db, actor=staff.manager.actor, case_id=family.case_id, person=family.mother.id)
    identity.set_safe_contact(
        db,
        keystore=keystore,
        actor=staff.guider.actor,
        case_id=family.case_id,
        person=family.mother.id,
        contact="07700 900003",
    )
    with pytest.raises(Refused, match="second_person_needed"):
        invite(db, family)
    with pytest.raises(Invalid, match="no_safe_contact"):
        identity.invite(db, actor=staff.guider.actor, case_id=family.case_id, person=family.child)


def test_a_sealed_letter_is_made_by_a_second_member_of_staff(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    invited = identity.invite(
        db,
        actor=staff.guider.actor,
        case_id=family.case_id,
        person=family.father.id,
        second_thing=SecondThing.LETTER,
    )
    with pytest.raises(NotFound):
        identity.issue_code(db, keystore=keystore, invitation_id=invited.id)
    with pytest.raises(Refused, match="second_person_needed"):
        identity.letter_code(db, keystore=keystore, actor=staff.guider.actor, invitation_id=invited.id)
    for stranger in (staff.colleague.actor, family.mother.actor):
        with pytest.raises(NotFound):
            identity.letter_code(db, keystore=keystore, actor=stranger, invitation_id=invited.id)
    code = identity.letter_code(db, keystore=keystore, actor=staff.social_worker.actor, invitation_id=invited.id)
    assert activate(db, keystore, invited, code.reveal()).signed_in.person == family.father.id


def test_someone_who_isnt_to_be_contacted_isnt_invited(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    identity.place_restriction(
        db,
        keystore=keystore,
        actor=staff.social_worker.actor,
        case_id=family.case_id,
        person=family.mother.id,
        effects=frozenset({Effect.NOT_ASKED}),
        reason="Not safe to contact",
    )
    with pytest.raises(Refused, match="not_to_be_contacted"):
        invite(db, family)


def test_only_the_cases_guider_or_a_manager_invites(db: Database, family: Family, staff: Staff) -> None:
    with pytest.raises(Refused, match="not_your_role"):
        identity.invite(db, actor=staff.social_worker.actor, case_id=family.case_id, person=family.mother.id)
    for stranger in (staff.colleague.actor, family.father.actor):
        with pytest.raises(NotFound):
            identity.invite(db, actor=stranger, case_id=family.case_id, person=family.mother.id)
    with pytest.raises(NotFound):
        identity.invite(db, actor=staff.guider.actor, case_id=family.case_id, person=staff.guider.id)


def test_a_new_phone_unbinds_the_old_one_and_ends_its_sessions(
    db: Database, keystore: KeyStore, family: Family
) -> None:
    first, second = [], []
    for phone in (first, second):
        invited = invite(db, family)
        phone.append(activate(db, keystore, invited, code_of(db, keystore, invited)))
    with pytest.raises(NotSignedIn):
        identity.actor_for(db, first[0].signed_in.token)
    with pytest.raises(NotSignedIn, match="device_unknown"):
        identity.sign_in_device(db, keystore=keystore, whence=HERE, device=first[0].device, passcode=PASSCODE)
    identity.sign_in_device(db, keystore=keystore, whence=HERE, device=second[0].device, passcode=PASSCODE)


def test_a_lost_phone_is_unbound_by_staff_of_the_case(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    invited = invite(db, family)
    phone = activate(db, keystore, invited, code_of(db, keystore, invited))
    with pytest.raises(NotFound):
        identity.unbind_devices(db, actor=staff.colleague.actor, case_id=family.case_id, person=family.mother.id)
    identity.unbind_devices(db, actor=staff.social_worker.actor, case_id=family.case_id, person=family.mother.id)
    with pytest.raises(NotSignedIn):
        identity.actor_for(db, phone.signed_in.token)
    with pytest.raises(NotSignedIn, match="device_unknown"):
        identity.sign_in_device(db, keystore=keystore, whence=HERE, device=phone.device, passcode=PASSCODE)


def test_guessing_a_passcode_locks_the_phone_and_going_on_unbinds_it(
    db: Database, keystore: KeyStore, family: Family, clock: HandClock
) -> None:
    invited = invite(db, family)
    phone = activate(db, keystore, invited, code_of(db, keystore, invited))

    def guess() -> str:
        with pytest.raises(VaultError) as error:
            identity.sign_in_device(db, keystore=keystore, whence=HERE, device=phone.device, passcode=Secret("314159"))
        return error.value.code

    assert [guess() for _ in range(6)] == ["wrong_passcode"] * 5 + ["device_locked"]
    with pytest.raises(RateLimited):
        identity.sign_in_device(db, keystore=keystore, whence=HERE, device=phone.device, passcode=PASSCODE)
    clock.move(timedelta(minutes=15))
    assert [guess() for _ in range(4)] == ["wrong_passcode"] * 4
    identity.sign_in_device(db, keystore=keystore, whence=HERE, device=phone.device, passcode=PASSCODE)
    assert [guess() for _ in range(5)] == ["wrong_passcode"] * 5
    clock.move(timedelta(minutes=15))
    assert [guess() for _ in range(6)] == ["wrong_passcode"] * 5 + ["device_unknown"]


def test_a_link_that_is_none_is_not_found(db: Database, keystore: KeyStore, staff: Staff) -> None:
    for text in ("", "\ud800", "../..", "9" * 1_000_000):
        with pytest.raises(NotFound):
            identity.look(db, keystore=keystore, whence=HERE, token=Secret(text))
    with pytest.raises(NotFound):
        identity.issue_code(db, keystore=keystore, invitation_id=InvitationId("x"))
