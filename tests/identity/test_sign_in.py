from __future__ import annotations

from datetime import datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select

import audit
import identity
from audit.models import AuditEntryRow
from core.db import Database
from core.errors import Conflict, Invalid, NotFound, NotSignedIn, RateLimited, Refused
from core.ids import SessionId, new_id
from core.secret import Secret
from identity import Factor, Role, SessionStep, Whence
from identity.access_models import SessionRow, TriesRow
from keys import KeyStore
from tests.fakes import HandClock
from tests.families import Family, Staff, again

EMAIL = "new.person@example.gov.uk"
PASSWORD = Secret("tyre swing under the oak")
HERE = Whence("192.0.2.7")


def code_at(secret: Secret[str], at: datetime) -> str:
    return pyotp.TOTP(secret.reveal()).at(at)


@pytest.fixture
def enrolled(db: Database, keystore: KeyStore, staff: Staff, clock: HandClock) -> Secret[str]:
    """A guider who has enrolled half a minute ago: the authenticator's secret."""
    made = identity.add_staff(
        db,
        keystore=keystore,
        actor=staff.administrator.actor,
        name="New Person",
        email=f" {EMAIL.title()} ",
        roles=[Role.GUIDER],
    )
    setup = identity.enrol(db, keystore=keystore, whence=HERE, token=made.token, password=PASSWORD)
    identity.confirm_enrolment(
        db, keystore=keystore, whence=HERE, token=made.token, code=code_at(setup.secret, clock.now())
    )
    clock.move(timedelta(seconds=30))
    return setup.secret


def pending(db: Database, keystore: KeyStore, whence: Whence = HERE) -> identity.SignedIn:
    return identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=PASSWORD, whence=whence)


def test_password_and_code_make_a_session_with_two_factors(
    db: Database, keystore: KeyStore, enrolled: Secret[str], clock: HandClock
) -> None:
    first = pending(db, keystore)
    assert first.step is SessionStep.SECOND_FACTOR
    with pytest.raises(NotSignedIn, match="second_factor_needed"):
        identity.actor_for(db, first.token)
    full = identity.sign_in_totp(
        db, keystore=keystore, whence=HERE, token=first.token, code=code_at(enrolled, clock.now())
    )
    actor = identity.actor_for(db, full.token)
    assert actor.roles == {Role.GUIDER}
    assert actor.factors == {Factor.PASSWORD, Factor.TOTP}
    assert actor.has_two_factors
    assert actor.expires_at == clock.now() + timedelta(hours=12)
    with pytest.raises(NotSignedIn):
        identity.actor_for(db, first.token)


def test_a_code_counts_once_also_for_another_session_and_never_an_older_one_after_it(
    db: Database, keystore: KeyStore, enrolled: Secret[str], clock: HandClock
) -> None:
    older, newer = (code_at(enrolled, clock.now() + timedelta(seconds=30 * step)) for step in (0, 1))
    identity.sign_in_totp(db, keystore=keystore, whence=HERE, token=pending(db, keystore).token, code=newer)
    for code in (newer, older):
        with pytest.raises(Refused, match="wrong_code"):
            identity.sign_in_totp(db, keystore=keystore, whence=HERE, token=pending(db, keystore).token, code=code)


def test_a_clock_that_steps_back_revives_no_code(
    db: Database, keystore: KeyStore, enrolled: Secret[str], clock: HandClock
) -> None:
    code = code_at(enrolled, clock.now())
    identity.sign_in_totp(db, keystore=keystore, whence=HERE, token=pending(db, keystore).token, code=code)
    clock.move(-timedelta(hours=1))
    past = code_at(enrolled, clock.now())
    with pytest.raises(Refused, match="wrong_code"):
        identity.sign_in_totp(db, keystore=keystore, whence=HERE, token=pending(db, keystore).token, code=past)


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    db: Database, keystore: KeyStore, enrolled: Secret[str]
) -> None:
    answers = set()
    for email, password in (
        (EMAIL, "not the password"),
        ("nobody@example.gov.uk", PASSWORD.reveal()),
        ("not an address", PASSWORD.reveal()),
        ("ada@example.gov.uk", "never enrolled"),
    ):
        with pytest.raises(Refused) as error:
            identity.sign_in_password(db, keystore=keystore, email=email, password=Secret(password), whence=HERE)
        answers.add(str(error.value))
    assert len(answers) == 1


def test_tries_at_an_account_run_out_and_come_back(
    db: Database, keystore: KeyStore, enrolled: Secret[str], clock: HandClock
) -> None:
    def guess(address: str) -> None:
        identity.sign_in_password(
            db, keystore=keystore, email=EMAIL, password=Secret("a guess"), whence=Whence(address)
        )

    for number in range(10):
        with pytest.raises(Refused):
            guess(f"192.0.2.{number}")
    with pytest.raises(RateLimited) as error:
        guess("192.0.2.99")
    assert timedelta(0) < error.value.retry_after <= timedelta(minutes=15)
    with pytest.raises(RateLimited):
        pending(db, keystore)
    clock.move(timedelta(minutes=15))
    assert pending(db, keystore).step is SessionStep.SECOND_FACTOR


def test_guesses_at_the_code_run_out(db: Database, keystore: KeyStore, enrolled: Secret[str], clock: HandClock) -> None:
    token = pending(db, keystore).token
    right = code_at(enrolled, clock.now())
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for _ in range(5):
        with pytest.raises(Refused):
            identity.sign_in_totp(db, keystore=keystore, whence=HERE, token=token, code=wrong)
    with pytest.raises(RateLimited):
        identity.sign_in_totp(db, keystore=keystore, whence=HERE, token=token, code=right)


def test_the_second_step_is_open_for_five_minutes(
    db: Database, keystore: KeyStore, enrolled: Secret[str], clock: HandClock
) -> None:
    token = pending(db, keystore).token
    clock.move(timedelta(minutes=5))
    with pytest.raises(NotSignedIn):
        identity.sign_in_totp(db, keystore=keystore, whence=HERE, token=token, code=code_at(enrolled, clock.now()))


def test_an_enrolment_link_works_once_and_not_without_a_code(
    db: Database, keystore: KeyStore, staff: Staff, clock: HandClock
) -> None:
    made = identity.add_staff(
        db, keystore=keystore, actor=staff.administrator.actor, name="N", email=EMAIL, roles=[Role.GUIDER]
    )
    with pytest.raises(Conflict, match="password_first"):
        identity.confirm_enrolment(db, keystore=keystore, whence=HERE, token=made.token, code="123456")
    with pytest.raises(Invalid, match="password_too_short"):
        identity.enrol(db, keystore=keystore, whence=HERE, token=made.token, password=Secret("short"))
    setup = identity.enrol(db, keystore=keystore, whence=HERE, token=made.token, password=PASSWORD)
    assert setup.address.reveal().startswith("otpauth://totp/VIG%20Vault:new.person%40example.gov.uk?")
    with pytest.raises(Refused, match="sign_in_failed"):
        pending(db, keystore)
    with pytest.raises(Invalid, match="code_form"):
        identity.confirm_enrolment(db, keystore=keystore, whence=HERE, token=made.token, code="12345a")
    code = code_at(setup.secret, clock.now())
    full = identity.confirm_enrolment(db, keystore=keystore, whence=HERE, token=made.token, code=code)
    assert identity.actor_for(db, full.token).has_two_factors
    with pytest.raises(Conflict, match="link_used"):
        identity.enrol(db, keystore=keystore, whence=HERE, token=made.token, password=PASSWORD)
    with pytest.raises(NotFound):
        identity.enrol(db, keystore=keystore, whence=HERE, token=Secret("no such token"), password=PASSWORD)


def test_a_renewed_link_voids_password_code_sessions_and_the_older_link(
    db: Database, keystore: KeyStore, enrolled: Secret[str], staff: Staff, clock: HandClock
) -> None:
    token = pending(db, keystore).token
    full = identity.sign_in_totp(db, keystore=keystore, whence=HERE, token=token, code=code_at(enrolled, clock.now()))
    first, second = (
        identity.renew_enrolment(db, actor=staff.administrator.actor, person=full.person) for _ in range(2)
    )
    with pytest.raises(NotSignedIn):
        identity.actor_for(db, full.token)
    with pytest.raises(Refused, match="sign_in_failed"):
        pending(db, keystore)
    with pytest.raises(Refused, match="link_ended"):
        identity.enrol(db, keystore=keystore, whence=HERE, token=first.token, password=PASSWORD)
    clock.move(timedelta(days=7))
    with pytest.raises(Refused, match="link_ended"):
        identity.enrol(db, keystore=keystore, whence=HERE, token=second.token, password=PASSWORD)


def test_who_left_and_comes_back_enrols_anew(
    db: Database, keystore: KeyStore, enrolled: Secret[str], staff: Staff, clock: HandClock
) -> None:
    full = identity.sign_in_totp(
        db, keystore=keystore, whence=HERE, token=pending(db, keystore).token, code=code_at(enrolled, clock.now())
    )
    admin = staff.administrator.actor
    with pytest.raises(Conflict, match="not_suspended"):
        identity.reinstate_staff(db, actor=admin, person=full.person)
    identity.suspend_staff(db, actor=admin, person=full.person)
    with pytest.raises(Refused, match="sign_in_failed"):
        pending(db, keystore)
    link = identity.reinstate_staff(db, actor=admin, person=full.person)
    with pytest.raises(Refused, match="sign_in_failed"):
        pending(db, keystore)
    setup = identity.enrol(db, keystore=keystore, whence=HERE, token=link.token, password=PASSWORD)
    identity.confirm_enrolment(
        db, keystore=keystore, whence=HERE, token=link.token, code=code_at(setup.secret, clock.now())
    )


def test_every_try_to_sign_in_is_on_record(
    db: Database, keystore: KeyStore, enrolled: Secret[str], clock: HandClock
) -> None:
    token = pending(db, keystore).token
    right = code_at(enrolled, clock.now())
    with pytest.raises(Refused):
        identity.sign_in_totp(db, keystore=keystore, whence=HERE, token=token, code=f"{(int(right) + 1) % 10**6:06d}")
    with pytest.raises(Refused):
        identity.sign_in_password(db, keystore=keystore, email="nobody@example.gov.uk", password=PASSWORD, whence=HERE)
    person = identity.sign_in_totp(
        db, keystore=keystore, whence=HERE, token=token, code=code_at(enrolled, clock.now())
    ).person
    with db.read() as session:
        entries = session.scalars(
            select(AuditEntryRow)
            .where(AuditEntryRow.event.in_([audit.Event.SIGN_IN_REFUSED.value, audit.Event.SIGNED_IN.value]))
            .order_by(AuditEntryRow.number)
        )
        found = [(entry.event, entry.actor, entry.reason) for entry in entries]
    assert found[1:] == [
        ("sign_in.refused", person, "wrong_code"),
        ("sign_in.refused", None, "wrong_password"),
        ("sign_in.done", person, None),
    ]


def test_what_is_over_is_swept_away(db: Database, staff: Staff, keystore: KeyStore, clock: HandClock) -> None:
    with pytest.raises(Refused):
        pending(db, keystore)
    clock.move(timedelta(days=31))
    kept = again(db, staff.guider)
    identity.tidy(db)
    with db.read() as session:
        assert session.scalars(select(SessionRow.id)).all() == [kept.actor.session]
        assert session.scalars(select(TriesRow)).all() == []


def test_accounts_are_an_administrators_business_and_the_first_is_made_once(
    db: Database, keystore: KeyStore, staff: Staff
) -> None:
    with pytest.raises(Refused, match="store_has_staff"):
        identity.bootstrap_administrator(db, keystore=keystore, name="Eve", email="eve@example.gov.uk")
    with pytest.raises(Refused, match="not_your_role"):
        identity.add_staff(
            db, keystore=keystore, actor=staff.manager.actor, name="Eve", email=EMAIL, roles=[Role.GUIDER]
        )
    admin = staff.administrator.actor
    with pytest.raises(Invalid, match="roles_apart"):
        identity.add_staff(
            db, keystore=keystore, actor=admin, name="Eve", email=EMAIL, roles=[Role.ADMINISTRATOR, Role.GUIDER]
        )
    with pytest.raises(Conflict, match="email_taken"):
        identity.add_staff(
            db, keystore=keystore, actor=admin, name="Eve", email="GWEN@example.gov.uk", roles=[Role.GUIDER]
        )
    with pytest.raises(Refused, match="not_yourself"):
        identity.set_roles(db, actor=admin, person=admin.person, roles=[Role.MANAGER])


def test_a_session_ends_when_it_lies_idle_and_lives_on_while_it_is_used(
    db: Database, staff: Staff, clock: HandClock
) -> None:
    used, idle = again(db, staff.guider), again(db, staff.guider)
    for _ in range(3):
        clock.move(timedelta(minutes=14))
        identity.actor_for(db, used.token)
    with pytest.raises(NotSignedIn):
        identity.actor_for(db, idle.token)
    clock.move(timedelta(minutes=15))
    with pytest.raises(NotSignedIn):
        identity.actor_for(db, used.token)


def test_a_session_ends_after_twelve_hours_however_busy(db: Database, staff: Staff, clock: HandClock) -> None:
    token = again(db, staff.guider).token
    for _ in range(71):
        clock.move(timedelta(minutes=10))
        identity.actor_for(db, token)
    clock.move(timedelta(minutes=10))
    with pytest.raises(NotSignedIn):
        identity.actor_for(db, token)


def test_a_family_session_may_lie_longer(db: Database, family: Family, clock: HandClock) -> None:
    clock.move(timedelta(minutes=29))
    assert identity.actor_for(db, family.mother.token).roles == frozenset()
    clock.move(timedelta(minutes=30))
    with pytest.raises(NotSignedIn):
        identity.actor_for(db, family.mother.token)


def test_what_the_watch_asks_is_answered_for_all_sessions_at_once(
    db: Database, family: Family, staff: Staff, clock: HandClock
) -> None:
    ids = [one.actor.session for one in (family.mother, family.father, staff.guider, staff.manager)]
    identity.sign_out(db, token=family.father.token)
    identity.revoke_all_of(db, actor=staff.administrator.actor, person=staff.guider.id)
    with db.read() as session:
        assert identity.sessions_live(session, [*ids, SessionId(new_id())], at=clock.now()) == {ids[0], ids[3]}
        assert identity.sessions_live(session, [], at=clock.now()) == set()
        later = clock.now() + timedelta(minutes=15)
        assert identity.sessions_live(session, ids, at=later) == {ids[0]}


def test_changed_roles_and_a_suspension_end_sessions_at_once(db: Database, staff: Staff) -> None:
    identity.set_roles(db, actor=staff.administrator.actor, person=staff.guider.id, roles=[Role.SUPERVISOR])
    identity.suspend_staff(db, actor=staff.administrator.actor, person=staff.manager.id)
    for token in (staff.guider.token, staff.manager.token):
        with pytest.raises(NotSignedIn):
            identity.actor_for(db, token)


def test_a_token_that_is_none_signs_nobody_in(db: Database, staff: Staff) -> None:
    for text in ("", "x", "\ud800", "9" * 10_000_000, staff.guider.actor.session):
        with pytest.raises(NotSignedIn):
            identity.actor_for(db, Secret(text))
