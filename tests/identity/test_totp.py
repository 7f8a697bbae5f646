from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from core.db import Database
from core.secret import Secret
from identity import totp
from identity.access_models import TotpRow
from tests.families import Staff

SECRET = Secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")  # RFC 6238, appendix B
AT = datetime(2026, 3, 2, 9, 0, 10, tzinfo=UTC)
STEP = int(AT.timestamp()) // 30
CODE = pyotp.TOTP(SECRET.reveal()).at(AT)


def test_the_code_of_the_standards_own_vector_is_known() -> None:
    assert totp.step_of("287082", secret=SECRET, at=datetime.fromtimestamp(59, UTC)) == 1


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_phone_may_be_one_step_off(steps: int) -> None:
    code = pyotp.TOTP(SECRET.reveal()).at(AT, counter_offset=steps)
    assert totp.step_of(code, secret=SECRET, at=AT) == STEP + steps


@pytest.mark.parametrize("steps", [-2, 2])
def test_two_steps_off_is_no_code(steps: int) -> None:
    code = pyotp.TOTP(SECRET.reveal()).at(AT, counter_offset=steps)
    assert totp.step_of(code, secret=SECRET, at=AT) is None


@pytest.mark.parametrize(
    "disguise",
    {
        "space before": f" {CODE}",
        "space after": f"{CODE} ",
        "line end": f"{CODE}\n",
        "space within": f"{CODE[:3]} {CODE[3:]}",
        "full-width digits": "".join(chr(ord(digit) - ord("0") + 0xFF10) for digit in CODE),
        "arabic digits": "".join(chr(ord(digit) - ord("0") + 0x0660) for digit in CODE),
        "sign": f"+{CODE}",
        "one digit more": f"0{CODE}",
        "one digit less": CODE[1:],
        "empty": "",
    }.items(),
    ids=lambda item: item[0],
)
def test_a_right_code_in_disguise_is_no_code(disguise: tuple[str, str]) -> None:
    assert totp.step_of(disguise[1], secret=SECRET, at=AT) is None


def test_a_step_and_all_before_it_are_used_up(db: Database, staff: Staff) -> None:
    person = staff.guider.id
    with db.begin() as session:
        session.add(TotpRow(person_id=person, secret=b"", last_step=0, confirmed_at=AT))
    outcomes = []
    for step in (5, 7, 5, 6, 7, 8):
        with db.begin() as session:
            outcomes.append(totp.spend(session, person, step=step))
    assert outcomes == [True, True, False, False, False, True]


def test_of_many_sign_ins_at_once_with_one_code_only_one_passes(db: Database, staff: Staff) -> None:
    person = staff.guider.id
    with db.begin() as session:
        session.add(TotpRow(person_id=person, secret=b"", last_step=0, confirmed_at=AT + timedelta(0)))

    def one(_: int) -> bool:
        with db.begin() as session:
            return totp.spend(session, person, step=STEP)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(8))) == 1
