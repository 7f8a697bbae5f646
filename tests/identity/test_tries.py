"""How often something may be tried, and who isn't kept out by what others try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import event

import identity
from core.db import Database, connect
from core.errors import NotFound, NotSignedIn, RateLimited, Refused, VaultError
from core.secret import Secret
from identity import Role, Whence
from identity.tries import CODES_PER_ADDRESS, LINKS_PER_ADDRESS, PER_ADDRESS, PER_CODE, PER_DAY_OF_CODES, Limit, spend
from keys import KeyStore, LocalRoot
from tests.fakes import HandClock
from tests.families import Family, Staff

EMAIL = "new.person@example.gov.uk"
PASSWORD, WRONG = Secret("tyre swing under the oak"), Secret("not the password")
PASSCODE = Secret("271828")
OFFICE = "192.0.2.7"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Home = tuple[Whence, pyotp.TOTP]


def use_up(db: Database, keystore: KeyStore, limit: Limit, *, what: str = OFFICE, but: int = 0) -> None:
    with db.begin() as session:
        for _ in range(limit.most - but):
            assert spend(session, keystore, limit, what=what, at=db.clock.now()) is None


@pytest.fixture
def home(db: Database, keystore: KeyStore, staff: Staff, clock: HandClock) -> Home:
    """The browser that somebody enrolled on, and their authenticator, half a minute later."""
    made = identity.add_staff(
        db, keystore=keystore, actor=staff.administrator.actor, name="New Person", email=EMAIL, roles=[Role.GUIDER]
    )
    here = Whence(OFFICE)
    setup = identity.enrol(db, keystore=keystore, token=made.token, password=PASSWORD, whence=here)
    totp = pyotp.TOTP(setup.secret.reveal())
    done = identity.confirm_enrolment(db, keystore=keystore, token=made.token, code=totp.at(clock.now()), whence=here)
    clock.move(timedelta(seconds=30))
    assert done.mark
    return Whence(OFFICE, mark=done.mark), totp


def tell(db: Database, keystore: KeyStore, password: Secret[str], whence: Whence, email: str = EMAIL) -> str:
    try:
        identity.sign_in_password(db, keystore=keystore, email=email, password=password, whence=whence)
    except VaultError as error:
        return error.code
    return "on to the code"


def test_tries_count_over_processes_and_a_restart(
    database_url: str, db: Database, keystore: KeyStore, clock: HandClock, tmp_path: Path
) -> None:
    other_db, keys_db = connect(database_url, clock=clock), connect(f"sqlite:///{tmp_path / 'keys.db'}", clock=clock)
    root = LocalRoot(Secret("correct horse battery"))
    other_keys = KeyStore.open(db=keys_db, root=root, places=[tmp_path / "keyring", tmp_path / "recovery"])
    limited = []
    for number in range(PER_CODE.most + 2):
        one_db, one_keys = ((db, keystore), (other_db, other_keys))[number % 2]
        with one_db.begin() as session:
            limited.append(spend(session, one_keys, PER_CODE, what="somebody", at=clock.now()) is not None)
    assert limited == [False] * PER_CODE.most + [True] * 2
    for database in (other_db, keys_db):
        database.engine.dispose()


@ON_SQLITE
def test_who_signed_in_on_this_browser_before_is_not_kept_out_by_whoever_guesses_elsewhere(
    db: Database, keystore: KeyStore, home: Home, clock: HandClock
) -> None:
    here, totp = home
    guesser = Whence("198.51.100.9")
    assert [tell(db, keystore, WRONG, guesser) for _ in range(11)] == ["sign_in_failed"] * 10 + ["too_many_tries"]
    use_up(db, keystore, PER_ADDRESS)
    use_up(db, keystore, CODES_PER_ADDRESS)
    assert tell(db, keystore, PASSWORD, Whence("203.0.113.1")) == "too_many_tries"
    first = identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=PASSWORD, whence=here)
    whole = identity.sign_in_totp(db, keystore=keystore, token=first.token, code=totp.at(clock.now()), whence=here)
    assert whole.mark == here.mark


@ON_SQLITE
def test_a_mark_opens_nothing_counts_for_one_account_and_runs_out_too(
    db: Database, keystore: KeyStore, home: Home
) -> None:
    here, _ = home
    mark = here.mark.reveal()
    assert [tell(db, keystore, WRONG, here) for _ in range(11)] == ["sign_in_failed"] * 10 + ["too_many_tries"]
    use_up(db, keystore, PER_ADDRESS)
    assert tell(db, keystore, PASSWORD, here, "gwen@example.gov.uk") == "too_many_tries"
    for forged in (mark[:-1] + ("0" if mark[-1] != "0" else "1"), f" {mark}", "", "\ud800", "x" * 100_000):
        assert tell(db, keystore, PASSWORD, Whence(OFFICE, mark=Secret(forged))) == "too_many_tries"


@ON_SQLITE
def test_right_tries_from_one_address_are_not_counted_against_it(db: Database, keystore: KeyStore, home: Home) -> None:
    use_up(db, keystore, PER_ADDRESS, but=1)
    assert [tell(db, keystore, PASSWORD, Whence(OFFICE)) for _ in range(3)] == ["on to the code"] * 3
    assert [tell(db, keystore, WRONG, Whence(OFFICE)) for _ in range(2)] == ["sign_in_failed", "too_many_tries"]


@ON_SQLITE
def test_a_bound_phone_and_a_real_link_are_not_closed_by_what_others_guess_from_the_same_address(
    db: Database, keystore: KeyStore, family: Family
) -> None:
    here = Whence(OFFICE)
    made = identity.invite(db, actor=family.staff.guider.actor, case_id=family.case_id, person=family.mother.id)
    code = identity.issue_code(db, keystore=keystore, invitation_id=made.id)[1].reveal()
    use_up(db, keystore, LINKS_PER_ADDRESS)
    for guess in (Secret("no such thing"), Secret("")):
        with pytest.raises(RateLimited):
            identity.look(db, keystore=keystore, token=guess, whence=here)
        with pytest.raises(RateLimited):
            identity.look_enrolment(db, keystore=keystore, token=guess, whence=here)
        with pytest.raises(RateLimited):
            identity.sign_in_device(db, keystore=keystore, device=guess, passcode=PASSCODE, whence=here)
    with pytest.raises(NotFound):
        identity.look(db, keystore=keystore, token=Secret("no such thing"), whence=Whence("203.0.113.1"))
    phone = identity.activate(db, keystore=keystore, token=made.token, code=code, passcode=PASSCODE, whence=here)
    identity.sign_in_device(db, keystore=keystore, device=phone.device, passcode=PASSCODE, whence=here)


NETWORKS = {
    "192.0.2.7": "192.0.2.7",
    "::ffff:192.0.2.7": "192.0.2.7",
    "2001:db8:1:2::1": "2001:db8:1:2::/64",
    "2001:db8:1:2:ffff:ffff:ffff:ffff": "2001:db8:1:2::/64",
    "2001:db8:1:3::1": "2001:db8:1:3::/64",
    "fe80::1%eth0": "fe80::/64",
    "": "",
    "testclient": "testclient",
}


@pytest.mark.parametrize("address", NETWORKS)
def test_of_ipv6_a_whole_network_is_counted_since_one_guesser_has_all_of_its_addresses(address: str) -> None:
    assert Whence(address).network == NETWORKS[address]


@ON_SQLITE
def test_another_address_of_the_same_ipv6_network_gives_no_more_tries(
    db: Database, keystore: KeyStore, home: Home
) -> None:
    assert home
    use_up(db, keystore, PER_ADDRESS, what="2001:db8:1:2::/64")
    use_up(db, keystore, LINKS_PER_ADDRESS, what="2001:db8:1:2::/64")
    fresh, neighbour = Whence("2001:db8:1:2:3:4:5:6"), Whence("2001:db8:1:3::1")
    assert tell(db, keystore, WRONG, fresh) == "too_many_tries"
    assert tell(db, keystore, WRONG, neighbour) == "sign_in_failed"
    with pytest.raises(RateLimited):
        identity.look(db, keystore=keystore, token=Secret("no such thing"), whence=fresh)


@ON_SQLITE
def test_codes_run_out_for_the_day_where_only_the_password_is_known(
    db: Database, keystore: KeyStore, home: Home, clock: HandClock
) -> None:
    here, totp = home
    guesser = Whence("198.51.100.9")

    def code(whence: Whence, *, off: int = 0) -> identity.SignedIn:
        first = identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=PASSWORD, whence=whence)
        typed = f"{(int(totp.at(clock.now())) + off) % 10**6:06d}"
        return identity.sign_in_totp(db, keystore=keystore, token=first.token, code=typed, whence=whence)

    for _ in range(PER_CODE.most):
        with pytest.raises(Refused, match="wrong_code"):
            code(guesser, off=1)
    with pytest.raises(RateLimited, match="Please wait 5 minutes"):
        code(guesser)
    with db.begin() as session:
        person = code(here).person
        for _ in range(PER_DAY_OF_CODES.most):
            spend(session, keystore, PER_DAY_OF_CODES, what=f"{person} ", at=clock.now())
    clock.move(timedelta(minutes=5))
    with pytest.raises(RateLimited, match="Please wait 24 hours"):
        code(guesser)
    assert code(here).person == person


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def note(*given: object) -> None:
        asked.append(str(given[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    yield asked
    event.remove(db.engine, "before_cursor_execute", note)


@ON_SQLITE
def test_an_address_without_an_account_is_as_much_work_as_a_wrong_password(
    db: Database, keystore: KeyStore, home: Home
) -> None:
    assert home
    found = []
    for email in (EMAIL, "nobody@example.gov.uk", "gwen@example.gov.uk", "no address at all"):
        with statements(db) as asked, pytest.raises(Refused):
            identity.sign_in_password(db, keystore=keystore, email=email, password=WRONG, whence=Whence(OFFICE))
        found.append(asked)
    assert found[1:] == [found[0]] * 3


@ON_SQLITE
def test_what_can_never_be_right_is_not_counted(db: Database, keystore: KeyStore, home: Home, clock: HandClock) -> None:
    here, totp = home
    first = identity.sign_in_password(db, keystore=keystore, email=EMAIL, password=PASSWORD, whence=here)
    for code in ("", "12345", "1234567", " 123456", "12 34 56", "\uff11" * 6, "\u0661" * 6, "12345\n"):
        for _ in range(2):
            with pytest.raises(VaultError, match="code_form"):
                identity.sign_in_totp(db, keystore=keystore, token=first.token, code=code, whence=here)
    identity.sign_in_totp(db, keystore=keystore, token=first.token, code=totp.at(clock.now()), whence=here)
    with pytest.raises(NotSignedIn):
        identity.sign_in_totp(db, keystore=keystore, token=first.token, code="12345", whence=here)


AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Windows",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36": "Chrome on Linux",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0": "Edge on Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1": "Safari on an iPhone",
    "Mozilla/5.0 (Linux; Android 15) SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36": (
        "Samsung Internet on an Android phone or tablet"
    ),
    "curl/8.14 <script>": "A browser",
    "": "A browser",
}


@pytest.mark.parametrize("agent", AGENTS)
def test_a_browser_is_told_in_words_of_ours(agent: str) -> None:
    assert Whence(OFFICE, agent=agent).browser == AGENTS[agent]
