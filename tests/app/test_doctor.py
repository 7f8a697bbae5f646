"""The doctor on real stores with real faults: each is found, named, and comes with what to do; nothing is changed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

import vault
from app import doctor, tables
from app.doctor import Finding, State, around, data, machine
from app.settings import Settings
from app.setup import make_store
from core.clock import SystemClock
from core.db import connect
from core.secret import Secret
from keys import LocalRoot
from tests.docs.repository import ROOT
from tests.fakes import HandClock

PASSPHRASE = "six random words are better"
AT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store just made."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "passphrase").touch(mode=0o600)
    (folder / "passphrase").write_text(PASSPHRASE, encoding="ascii")
    settings = Settings(
        store=folder / "store",
        passphrase_file=folder / "passphrase",
        recovery_place=(folder / "recovery",),
        witness=folder / "witness",
        origin="https://vault.example.org",
    )
    make_store(
        settings,
        root=LocalRoot(Secret(PASSPHRASE)),
        log_name="test/log",
        admin_name="Ada Min",
        admin_email="a@example.gov.uk",
    )
    return settings


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    """The same on a copy, to be broken."""
    shutil.copytree(made.store.parent, tmp_path / "copy", copy_function=shutil.copy2)
    copy = tmp_path / "copy"
    return replace(
        made,
        store=copy / "store",
        passphrase_file=copy / "passphrase",
        recovery_place=(copy / "recovery",),
        witness=copy / "witness",
    )


def examined(settings: Settings, **environment: str) -> dict[str, Finding]:
    """The gravest finding of each name."""
    found: dict[str, Finding] = {}
    for one in doctor.examine(settings, environment=environment, is_online=False):
        assert one.advice or one.state in {State.FINE, State.LEFT_OUT}
        if found.get(one.name, one).state in {one.state, State.FINE} or one.state is State.FAULT:
            found[one.name] = one
    return found


def faults(settings: Settings, **environment: str) -> set[str]:
    return {name for name, one in examined(settings, **environment).items() if one.state is State.FAULT}


def everything_in(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def test_a_new_store_has_no_faults_and_looking_at_it_changes_nothing(made: Settings) -> None:
    before = everything_in(made.store.parent)
    found = examined(made)
    assert everything_in(made.store.parent) == before
    assert {name for name, one in found.items() if one.state is State.FAULT} == set()
    fine = {"settings", "store", "sync", "database", "database_version", "keyring", "recovery_place", "root", "witness"}
    assert {name: found[name].state for name in fine} == dict.fromkeys(fine, State.FINE)
    warned = {name for name, one in found.items() if one.state is State.WARNING}
    assert warned - {"file_system", "room", "recovery_apart", "witness_apart"} == {"messages", "scrub", "sweep"}


def test_objects_that_are_not_where_they_were_are_a_fault(settings: Settings) -> None:
    objects = settings.store / "objects"
    store = vault.open_store(vault.Address.parsed(str(objects)), spool=objects)
    writing = connect(settings.address_of("database"), clock=SystemClock())
    vault.recognise(writing, store=store, address="here")
    assert examined(settings)["objects"].state is State.FINE
    objects.rename(objects.with_name("away"))
    assert faults(settings) == {"objects"}
    assert not objects.exists()
    writing.engine.dispose()


def test_a_store_in_use_can_be_looked_at(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.store / "database.db")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE in_use (x)")
        assert faults(settings) == set()


def test_before_init_it_says_what_is_missing(tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "store")
    assert faults(settings) == {"store", "database", "keys_database"}
    assert not settings.store.exists()


def away(path: str) -> Callable[[Settings], Settings]:
    def breaks(settings: Settings) -> Settings:
        target = settings.store.parent / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        return settings

    return breaks


def open_to_all(path: str) -> Callable[[Settings], Settings]:
    def breaks(settings: Settings) -> Settings:
        (settings.store.parent / path).chmod(0o755)
        return settings

    return breaks


def written(path: str, content: str) -> Callable[[Settings], Settings]:
    def breaks(settings: Settings) -> Settings:
        (settings.store.parent / path).write_text(content, encoding="utf-8")
        return settings

    return breaks


def older(settings: Settings) -> Settings:
    with closing(sqlite3.connect(settings.store / "database.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'older'")
        connection.commit()
    return settings


def moved_in(settings: Settings) -> Settings:
    inside = settings.store / "passphrase"
    shutil.copy2(settings.store.parent / "passphrase", inside)
    return replace(settings, passphrase_file=inside)


def ahead(settings: Settings) -> Settings:
    """A machine whose clock was a month ahead once, and is right now."""
    with closing(sqlite3.connect(settings.store / "database.db")) as connection:
        connection.execute("UPDATE core_clock_mark SET highest = datetime('now', '+30 days') || '.000000'")
        connection.commit()
    return settings


FAULTS: dict[str, tuple[Callable[[Settings], Settings], set[str]]] = {
    "the folder open to others": (open_to_all("store"), {"store"}),
    "the passphrase open to others": (open_to_all("passphrase"), {"passphrase_file"}),
    "no passphrase file": (away("passphrase"), {"passphrase_file"}),
    "the passphrase in the store": (moved_in, {"passphrase_place"}),
    "another passphrase": (written("passphrase", "something quite different"), {"root"}),
    "the live keyring gone": (away("store/keyring/keyring.json"), {"keyring"}),
    "the recovery place gone": (away("recovery"), {"recovery_place"}),
    "a keyring that can't be read": (written("store/keyring/keyring.json", "{}"), {"keyring"}),
    "no key database": (away("store/keys.db"), {"keys_database"}),
    "a database that is none": (written("store/keys.db", "not a database" * 500), {"keys_database_version"}),
    "an older database": (older, {"database_version"}),
    "a clock that went back": (ahead, {"clock"}),
    "the log's name gone": (away("store/log-origin"), {"witness"}),
}


@pytest.mark.parametrize(("breaks", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_is_found(settings: Settings, breaks: Callable[[Settings], Settings], expected: set[str]) -> None:
    broken = breaks(settings)
    before = everything_in(broken.store.parent)
    found = faults(broken)
    assert found == expected
    assert everything_in(broken.store.parent) == before


def test_one_database_for_two(settings: Settings) -> None:
    assert "separate" in faults(replace(settings, keys_url=f"sqlite:///{settings.store / 'database.db'}"))


def test_two_places_with_different_keyrings(settings: Settings) -> None:
    file = settings.store / "keyring" / "keyring.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["sequence"] += 1
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    assert {"keyring_places"} <= faults(settings) <= {"keyring_places", "root"}


SETTINGS: dict[str, tuple[dict[str, object], dict[str, str], State]] = {
    "clear text": ({"origin": "http://vault.example.org"}, {}, State.FAULT),
    "the demonstration's clock": ({"demo_clock": Path("clock")}, {}, State.FAULT),
    "no TLS on a network": ({"listen": "0.0.0.0:8443"}, {}, State.FAULT),
    "half a certificate": ({"tls_key": Path("key.pem")}, {}, State.FAULT),
    "a mode that is none": ({"pr_mode": "some"}, {}, State.FAULT),
    "messages to nowhere": ({"messages": "pigeon:"}, {}, State.FAULT),
    "a proxy, and no origin": ({"behind_proxy": True, "origin": ""}, {}, State.FAULT),
    "any proxy is believed": ({"behind_proxy": True}, {"FORWARDED_ALLOW_IPS": "*"}, State.FAULT),
    "no proxy is believed": ({"behind_proxy": True, "listen": "0.0.0.0:8443"}, {}, State.WARNING),
    "a password in an address": ({"workflows_url": "postgresql+psycopg://u:hunter2@h/x"}, {}, State.WARNING),
    "a proxy on this host": ({"behind_proxy": True}, {"FORWARDED_ALLOW_IPS": "127.0.0.1"}, State.FINE),
}


@pytest.mark.parametrize(("given", "environment", "state"), SETTINGS.values(), ids=SETTINGS.keys())
def test_settings_that_do_not_fit_together(
    made: Settings, given: dict[str, object], environment: dict[str, str], state: State
) -> None:
    changed = replace(made, **given)  # type: ignore[arg-type]  # a table of settings
    found = list(doctor.findings.run("settings", lambda: around.settings(changed, environment=environment)))
    assert {one.state for one in found if one.name == "settings"} == {state}
    assert "hunter2" not in str(found)


def certificate(folder: Path, *, days: int, key: ec.EllipticCurvePrivateKey | None = None) -> Settings:
    """Settings with a certificate that ends so many days from ``AT``."""
    mine = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vault.example.org")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(mine.public_key())
        .serial_number(1)
        .not_valid_before(AT - timedelta(days=100))
        .not_valid_after(AT + timedelta(days=days))
        .sign(mine, SHA256())
    )
    (folder / "chain.pem").write_bytes(made.public_bytes(Encoding.PEM))
    told = (key or mine).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(told)
    return Settings(store=folder, tls_certificate=folder / "chain.pem", tls_key=folder / "key.pem")


@pytest.mark.parametrize(
    ("days", "state"), [(90, State.FINE), (20, State.WARNING), (-1, State.FAULT)], ids=["long", "soon", "over"]
)
def test_a_certificate_is_told_before_it_ends(tmp_path: Path, days: int, state: State) -> None:
    (found,) = around.certificate(certificate(tmp_path, days=days), at=AT)
    assert found.state is state


def test_a_certificate_and_a_key_of_two_pairs(tmp_path: Path) -> None:
    other = certificate(tmp_path, days=90, key=ec.generate_private_key(ec.SECP256R1()))
    (found,) = around.certificate(other, at=AT)
    assert (found.state, "belong" in found.sentence) == (State.FAULT, True)


@pytest.fixture
def mail_server() -> Iterator[tuple[str, list[bytes]]]:
    """One that speaks no STARTTLS; its address, and what it was told."""
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            with listener.accept()[0] as line, line.makefile("rb") as words:
                line.sendall(b"220 here\r\n")
                for word in words:
                    told.append(word)
                    line.sendall(b"221 bye\r\n" if word.startswith(b"QUIT") else b"250 here\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}", told
        thread.join(10)


def test_a_mail_server_is_asked_without_sending_anything(made: Settings, mail_server: tuple[str, list[bytes]]) -> None:
    address, told = mail_server
    asked = replace(made, messages=address)
    assert [one.state for one in around.messages(asked, is_online=False)] == [State.LEFT_OUT]
    assert not told
    (found,) = around.messages(asked, is_online=True)
    assert (found.state, "STARTTLS" in found.sentence) == (State.FAULT, True)
    assert not [word for word in told if word.upper().startswith((b"MAIL", b"RCPT", b"DATA"))]


def test_a_mail_server_that_is_not_there(made: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (found,) = around.messages(replace(made, messages=f"smtp://127.0.0.1:{port}"), is_online=True)
    assert found.state is State.FAULT


def test_messages_in_a_folder_that_others_read(made: Settings, tmp_path: Path) -> None:
    spool = replace(made, messages=f"spool:{tmp_path}")
    tmp_path.chmod(0o755)
    assert [one.state for one in around.messages(spool, is_online=False)] == [State.FAULT]
    tmp_path.chmod(0o700)
    assert [one.state for one in around.messages(spool, is_online=False)] == [State.WARNING]


def test_a_postgresql_that_may_forget_and_a_role_that_may_change_the_log(
    empty_database_url: str, clock: HandClock
) -> None:
    if empty_database_url.startswith("sqlite"):
        return  # the tests above are on it
    db = data.looking(empty_database_url, clock=clock)
    found = {one.name: one for one in data.database("database", db)}
    assert found["database"].state is State.FAULT  # the tests' server doesn't wait for its disk, to be quick
    assert "fsync" in found["database"].sentence
    assert found["database_version"].state is State.FAULT
    db.engine.dispose()


def test_what_looks_at_postgresql_can_not_write(empty_database_url: str, clock: HandClock) -> None:
    db = data.looking(empty_database_url, clock=clock)
    if not db.is_sqlite:
        with db.engine.connect() as connection, pytest.raises(Exception, match="read-only"):
            tables.METADATA.create_all(connection)
    db.engine.dispose()


def run_doctor(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}
    return subprocess.run(
        [sys.executable, "-m", "app", "doctor", *words],
        env=plain | {"PYTHONPATH": str(ROOT)} | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("swaps", "state"),
    [
        ("", State.FINE),
        ("/dev/zram0 partition 1 0 -2", State.FINE),
        ("/dev/dm-1 partition 1 0 -2", State.FINE),
        ("/dev/dm-1 partition 1 0 -2\n/dev/dm-2 partition 1 0 -2", State.WARNING),
        ("/dev/sda2 partition 1 0 -2", State.FAULT),
        ("/swapfile file 1 0 -2", State.FAULT),
        ("/dev/dm-1 partition 1 0 -2\n/swapfile file 1 0 -2", State.FAULT),
    ],
)
def test_swap_in_clear_is_refused(tmp_path: Path, swaps: str, state: State) -> None:
    for name, uuid in (("dm-1", "CRYPT-PLAIN-swap"), ("dm-2", "LVM-abc")):
        (tmp_path / name / "dm").mkdir(parents=True)
        (tmp_path / name / "dm" / "uuid").write_text(uuid)
    (tmp_path / "swaps").write_text(f"Filename Type Size Used Priority\n{swaps}")
    (found,) = machine.swap(swaps=tmp_path / "swaps", devices=tmp_path)
    assert found.state is state


def test_the_command_without_any_setting_looks_at_the_machine_and_names_what_is_missing(tmp_path: Path) -> None:
    done = run_doctor(tmp_path, "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, done.stderr, said["sound"]) == (1, "", False)
    states = {one["name"]: one["state"] for one in said["findings"]}
    assert states["settings"] == "fault"
    assert states["sandbox"] == states["sandbox_seccomp"] == states["schedule"] == states["python"] == "fine"
    assert states["libraries"] == "fine"


def test_the_command_on_a_sound_store_ends_with_0_in_words(made: Settings, tmp_path: Path) -> None:
    done = run_doctor(
        tmp_path,
        "--no-network",
        "--store",
        str(made.store),
        "--passphrase-file",
        str(made.passphrase_file),
        VAULT_RECOVERY_PLACE=str(made.recovery_place[0]),
        VAULT_WITNESS=str(made.witness),
        VAULT_ORIGIN=made.origin,
        PYTHONIOENCODING="utf-8",
    )
    wrong = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("✗")}
    assert wrong <= {"swap"}, "whoever runs this on a machine that swaps in clear is told so, too"
    assert (done.returncode, done.stderr) == (int(bool(wrong)), "")
    assert "✓ root" in done.stdout
    assert PASSPHRASE not in done.stdout
