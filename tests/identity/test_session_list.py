"""Where somebody is signed in, ending that from elsewhere, and what ends with another password or passcode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

import audit
import identity
from audit.models import AuditEntryRow
from core.db import Database
from core.errors import Invalid, NotFound, NotSignedIn, RateLimited, Refused
from core.ids import SessionId, new_id
from core.secret import Secret
from identity import Actor, Role, Whence, passwords
from identity.access_models import DeviceRow, SessionRow
from keys import KeyStore
from tests.fakes import HandClock
from tests.families import Family, Staff, again

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
EMAIL, PASSWORD, NEXT = (
    "new.person@example.gov.uk",
    Secret("tyre swing under the oak"),
    Secret("kettle on a red bicycle"),
)
PASSCODE, NEXT_PASSCODE = Secret("271828"), Secret("314159")
AT_WORK = Whence("192.0.2.7", agent="Mozilla/5.0 (Windows NT 10.0) Firefox/140.0")
AT_HOME = Whence("198.51.100.23", agent="Mozilla/5.0 (iPhone) Safari/604.1")


def signed_in(db: Database, keystore: KeyStore, staff: Staff, clock: HandClock) -> tuple[identity.SignedIn, pyotp.TOTP]:
    """A guider who has just enrolled at work."""
    made = identity.add_staff(
        db, keystore=keystore, actor=staff.administrator.actor, name="New Person", email=EMAIL, roles=[Role.GUIDER]
    )
    setup = identity.enrol(db, keystore=keystore, token=made.token, password=PASSWORD, whence=AT_WORK)
    totp = pyotp.TOTP(setup.secret.reveal())
    code = totp.at(clock.now())
    return identity.confirm_enrolment(db, keystore=keystore, token=made.token, code=code, whence=AT_WORK), totp


def events(db: Database, *kinds: audit.Event) -> list[str]:
    with db.read() as session:
        rows = session.scalars(
            select(AuditEntryRow.event).where(AuditEntryRow.event.in_(kinds)).order_by(AuditEntryRow.number)
        )
        return list(rows)


def phone_of(db: Database, keystore: KeyStore, family: Family) -> identity.Activated:
    made = identity.invite(db, actor=family.staff.guider.actor, case_id=family.case_id, person=family.mother.id)
    code = identity.issue_code(db, keystore=keystore, invitation_id=made.id)[1].reveal()
    return identity.activate(db, keystore=keystore, token=made.token, code=code, passcode=PASSCODE, whence=AT_HOME)


def dead(db: Database, token: Secret[str]) -> bool:
    try:
        identity.actor_for(db, token)
    except NotSignedIn:
        return True
    return False


def test_ones_own_sessions_are_told_by_browser_place_and_time_and_this_one_comes_first(
    db: Database, keystore: KeyStore, staff: Staff, clock: HandClock
) -> None:
    first, totp = signed_in(db, keystore, staff, clock)
    actor = identity.actor_for(db, first.token)
    clock.move(timedelta(minutes=10))
    half = identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=PASSWORD, whence=AT_HOME)
    begun = clock.now()
    identity.sign_in_totp(db, keystore=keystore, token=half.token, code=totp.at(begun), whence=AT_HOME)
    lines = identity.sessions_of(db, keystore=keystore, actor=actor)
    assert [(one.browser, one.address, one.is_this, one.last_used_at) for one in lines] == [
        ("Firefox on Windows", "192.0.2.7", True, begun - timedelta(minutes=10)),
        ("Safari on an iPhone", "198.51.100.23", False, begun),
    ]
    theirs = identity.staff_sessions(db, actor=staff.administrator.actor, person=actor.person)
    assert {(one.browser, one.address) for one in theirs} == {("Firefox on Windows", ""), ("Safari on an iPhone", "")}
    with db.read() as session:
        kept = b"".join(session.scalars(select(SessionRow.address).where(SessionRow.address.is_not(None))).all())
    assert kept
    assert b"192.0.2.7" not in kept


@ON_SQLITE
def test_where_in_the_network_a_family_is_is_kept_nowhere(db: Database, keystore: KeyStore, family: Family) -> None:
    phone = phone_of(db, keystore, family)
    identity.sign_in_device(db, keystore=keystore, device=phone.device, passcode=PASSCODE, whence=AT_HOME)
    actor = identity.actor_for(db, phone.signed_in.token)
    lines = identity.sessions_of(db, keystore=keystore, actor=actor)
    assert {(one.browser, one.address) for one in lines} >= {("Safari on an iPhone", "")}
    assert {one.address for one in lines} == {""}
    device = identity.own_device(db, actor=actor)
    assert device
    assert device.browser == "Safari on an iPhone"
    with db.read() as session:
        assert set(session.scalars(select(SessionRow.address).where(SessionRow.person_id == actor.person))) == {None}


@ON_SQLITE
def test_one_ends_ones_own_sessions_and_administrators_and_managers_a_colleagues(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    lost, worn, third = (again(db, staff.guider) for _ in range(3))
    for stranger in (staff.social_worker.actor, staff.officer.actor, family.mother.actor):
        with pytest.raises(NotFound):
            identity.revoke_session(db, actor=stranger, session_id=lost.actor.session)
    for keeper in (staff.administrator.actor, staff.manager.actor):
        for family_member in (family.mother, family.father):
            with pytest.raises(NotFound):
                identity.revoke_session(db, actor=keeper, session_id=family_member.actor.session)
            with pytest.raises(NotFound):
                identity.revoke_all_of(db, actor=keeper, person=family_member.id)
            with pytest.raises(NotFound):
                identity.staff_sessions(db, actor=keeper, person=family_member.id)
    for stranger in (staff.guider.actor, staff.officer.actor, family.mother.actor):
        with pytest.raises(Refused, match="not_your_role"):
            identity.staff_sessions(db, actor=stranger, person=staff.manager.id)
        with pytest.raises(Refused, match="not_your_role"):
            identity.revoke_all_of(db, actor=stranger, person=staff.manager.id)
    with pytest.raises(NotFound):
        identity.revoke_session(db, actor=staff.administrator.actor, session_id=SessionId(new_id()))
    identity.revoke_session(db, actor=staff.guider.actor, session_id=lost.actor.session)
    identity.revoke_session(db, actor=staff.manager.actor, session_id=worn.actor.session)
    assert [dead(db, one.token) for one in (lost, worn, third, staff.guider)] == [True, True, False, False]
    identity.end_other_sessions(db, actor=third.actor)
    assert [dead(db, one.token) for one in (third, staff.guider)] == [False, True]
    identity.revoke_all_of(db, actor=staff.manager.actor, person=staff.guider.id)
    assert dead(db, third.token)
    assert not dead(db, family.mother.token)
    assert events(db, audit.Event.SESSION_REVOKED) == ["session.revoked"] * 4


def test_another_password_ends_every_other_session_and_the_old_token_of_this_one(
    db: Database, keystore: KeyStore, staff: Staff, clock: HandClock
) -> None:
    first, totp = signed_in(db, keystore, staff, clock)
    clock.move(timedelta(seconds=30))
    half = identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=PASSWORD, whence=AT_HOME)
    other = identity.sign_in_totp(db, keystore=keystore, token=half.token, code=totp.at(clock.now()), whence=AT_HOME)
    pending = identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=PASSWORD, whence=AT_HOME)
    actor = identity.actor_for(db, first.token)

    def change(current: Secret[str], new: Secret[str]) -> Secret[str]:
        return identity.change_password(db, keystore=keystore, actor=actor, current=current, new=new)

    with pytest.raises(Invalid, match="password_too_common"):
        change(PASSWORD, Secret("New.Person-2026"))
    with pytest.raises(Refused, match="wrong_password"):
        change(NEXT, Secret("short"))
    token = change(PASSWORD, NEXT)
    assert [dead(db, one) for one in (first.token, other.token, pending.token)] == [True] * 3
    clock.move(timedelta(seconds=30))
    with pytest.raises(NotSignedIn):
        identity.sign_in_totp(db, keystore=keystore, token=pending.token, code=totp.at(clock.now()), whence=AT_HOME)
    now = identity.actor_for(db, token)
    assert (now.session, now.expires_at) == (actor.session, actor.expires_at)
    with pytest.raises(Refused, match="sign_in_failed"):
        identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=PASSWORD, whence=AT_WORK)
    identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=NEXT, whence=AT_WORK)
    assert events(db, audit.Event.PASSWORD_CHANGED) == ["password.changed"]


@ON_SQLITE
def test_whoever_sits_at_an_open_session_cannot_guess_the_password_there(
    db: Database, keystore: KeyStore, staff: Staff, clock: HandClock
) -> None:
    actor = identity.actor_for(db, signed_in(db, keystore, staff, clock)[0].token)
    for _ in range(10):
        with pytest.raises(Refused, match="wrong_password"):
            identity.change_password(db, keystore=keystore, actor=actor, current=Secret("a guess"), new=NEXT)
    with pytest.raises(RateLimited):
        identity.change_password(db, keystore=keystore, actor=actor, current=PASSWORD, new=NEXT)


@ON_SQLITE
def test_another_passcode_ends_every_other_session_and_wrong_ones_lock_the_phone(
    db: Database, keystore: KeyStore, family: Family, clock: HandClock
) -> None:
    phone = phone_of(db, keystore, family)

    def enter(passcode: Secret[str]) -> identity.SignedIn:
        return identity.sign_in_device(db, keystore=keystore, device=phone.device, passcode=passcode, whence=AT_HOME)

    copied, actor = enter(PASSCODE), identity.actor_for(db, phone.signed_in.token)
    with pytest.raises(Invalid, match="passcode_too_easy"):
        identity.change_passcode(db, actor=actor, current=PASSCODE, new=Secret("123456"))
    token = identity.change_passcode(db, actor=actor, current=PASSCODE, new=NEXT_PASSCODE)
    assert [dead(db, one) for one in (phone.signed_in.token, copied.token, token)] == [True, True, False]
    with pytest.raises(Refused, match="wrong_passcode"):
        enter(PASSCODE)
    enter(NEXT_PASSCODE)
    for _ in range(5):
        with pytest.raises(Refused, match="wrong_passcode"):
            identity.change_passcode(db, actor=actor, current=PASSCODE, new=NEXT_PASSCODE)
    with pytest.raises(RateLimited, match="device_locked"):
        identity.change_passcode(db, actor=actor, current=NEXT_PASSCODE, new=PASSCODE)
    with pytest.raises(RateLimited, match="device_locked"):
        enter(NEXT_PASSCODE)
    clock.move(timedelta(minutes=15))
    enter(NEXT_PASSCODE)


@contextmanager
def while_it_is_compared(do: Callable[[], object]) -> Iterator[None]:
    """Have something done at the moment at which the next password or passcode has been found right."""
    compare, waiting = passwords.matches, [do]

    def compared(secret: Secret[str], kept: str | None) -> bool:
        right = compare(secret, kept)
        while waiting:
            waiting.pop()()
        return right

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "matches", compared)
        yield


@ON_SQLITE
def test_an_old_password_that_is_being_compared_while_it_is_changed_begins_nothing(
    db: Database, keystore: KeyStore, staff: Staff, clock: HandClock
) -> None:
    actor = identity.actor_for(db, signed_in(db, keystore, staff, clock)[0].token)

    def change() -> None:
        identity.change_password(db, keystore=keystore, actor=actor, current=PASSWORD, new=NEXT)

    with while_it_is_compared(change), pytest.raises(Refused, match="sign_in_failed"):
        identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=PASSWORD, whence=AT_WORK)
    identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=NEXT, whence=AT_WORK)


@ON_SQLITE
def test_an_old_passcode_that_is_being_compared_while_it_is_changed_begins_nothing(
    db: Database, keystore: KeyStore, family: Family
) -> None:
    phone = phone_of(db, keystore, family)
    actor = identity.actor_for(db, phone.signed_in.token)

    def change() -> None:
        identity.change_passcode(db, actor=actor, current=PASSCODE, new=NEXT_PASSCODE)

    with while_it_is_compared(change), pytest.raises(Refused, match="wrong_passcode"):
        identity.sign_in_device(db, keystore=keystore, device=phone.device, passcode=PASSCODE, whence=AT_HOME)
    identity.sign_in_device(db, keystore=keystore, device=phone.device, passcode=NEXT_PASSCODE, whence=AT_HOME)


@ON_SQLITE
def test_a_family_member_makes_their_phone_forget_them_and_staff_of_the_case_end_a_lost_one(
    db: Database, keystore: KeyStore, family: Family, staff: Staff
) -> None:
    phone = phone_of(db, keystore, family)
    actor = identity.actor_for(db, phone.signed_in.token)
    told = identity.device_of(db, actor=staff.guider.actor, case_id=family.case_id, person=family.mother.id)
    assert told
    assert told.browser == "Safari on an iPhone"
    none = identity.device_of(db, actor=staff.guider.actor, case_id=family.case_id, person=family.father.id)
    assert none is None
    for stranger in (staff.colleague.actor, staff.administrator.actor, family.father.actor):
        with pytest.raises(NotFound):
            identity.device_of(db, actor=stranger, case_id=family.case_id, person=family.mother.id)
    for wrong in (staff.guider.actor, staff.administrator.actor):
        not_theirs(db, wrong)
    identity.forget_own_device(db, actor=actor)
    assert dead(db, phone.signed_in.token)
    with pytest.raises(NotSignedIn, match="device_unknown"):
        identity.sign_in_device(db, keystore=keystore, device=phone.device, passcode=PASSCODE, whence=AT_HOME)
    with db.read() as session:
        assert session.scalars(select(DeviceRow.revoked_at)).all() == [db.clock.now()]


def not_theirs(db: Database, actor: Actor) -> None:
    """Staff have no bound device and no passcode."""
    with pytest.raises(NotFound):
        identity.own_device(db, actor=actor)
    with pytest.raises(NotFound):
        identity.forget_own_device(db, actor=actor)
    with pytest.raises(NotFound):
        identity.change_passcode(db, actor=actor, current=PASSCODE, new=NEXT_PASSCODE)
