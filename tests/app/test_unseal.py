"""A start without the passphrase, with real processes: nothing is opened until `unseal`, and then all of it works."""

from __future__ import annotations

import os
import resource
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest

from app import unsealing
from app.demo.serving import Served
from app.settings import from_environment
from app.setup import make_store
from core.errors import Refused, Unavailable
from core.secret import Secret
from keys import Cost, LocalRoot

pytestmark = pytest.mark.journey
PATIENCE_SECONDS = 60
QUICK = Cost(passes=1, memory_kib=64, lanes=1)
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A store that nobody serves yet. No process is told where the passphrase is."""
    served = Served(tmp_path_factory.mktemp("served"))
    read = from_environment(served.environment)
    make_store(
        read,
        root=LocalRoot(passphrase(served), cost=QUICK),
        log_name="test/log",
        admin_name="Ada Min",
        admin_email="ada@example.gov.uk",
    )
    return served


def passphrase(served: Served) -> Secret[str]:
    return Secret((served.folder / "passphrase").read_text(encoding="ascii"))


@contextmanager
def started(served: Served, *words: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the service; its log is named after its first words."""
    environment = {name: value for name, value in served.environment.items() if name != "VAULT_PASSPHRASE_FILE"}
    with log_of(served, *words).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", *words], env=environment | settings, stdin=subprocess.DEVNULL, stderr=log
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE_SECONDS)


def log_of(served: Served, *words: str) -> Path:
    return served.folder / f"{'-'.join(words[:3]).replace('/', '_')}.log"


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def is_alive(served: Served) -> bool:
    try:
        return httpx.get(f"{served.origin}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def unseal(served: Served, *words: str, passphrase_file: Path | None = None) -> tuple[int, str]:
    file = passphrase_file or served.folder / "passphrase"
    done = served.command("unseal", "--passphrase-file", str(file), *words)
    return done.returncode, done.stdout + done.stderr


def look(served: Served) -> list[unsealing.Told]:
    return unsealing.ask_all(served.folder / "store" / "run")


def sockets(served: Served) -> list[Path]:
    return sorted((served.folder / "store" / "run").glob("*.sock"))


def test_a_sealed_service_opens_nothing_until_it_is_unsealed(served: Served) -> None:
    database = served.folder / "store" / "database.db"
    with ExitStack() as stack:
        server = stack.enter_context(started(served, "serve", "--sealed"))
        worker = stack.enter_context(started(served, "worker", "--name", "second", "--sealed"))
        until(lambda: is_alive(served) and len(sockets(served)) == 2)
        for process in (server, worker):  # no crash writes what passes through them to a disk
            assert resource.prlimit(process.pid, resource.RLIMIT_CORE) == (0, 0)
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()  # only works while nobody has it open
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")  # whoever read it now would hang or fail
            for path in ("/", "/sign-in", "/your-clips", "/media/x", "/nowhere"):
                for method in ("GET", "POST", "PUT", "DELETE"):
                    answer = httpx.request(method, served.origin + path)
                    assert (answer.status_code, answer.json()["code"]) == (503, "sealed"), (method, path)
                    assert answer.headers["retry-after"]
                    assert "content-security-policy" in answer.headers
            page = httpx.get(f"{served.origin}/families/{'0' * 32}", headers=PAGE)
            assert page.status_code == 503
            assert "The service is locked just now" in page.text
            at_home = httpx.get(f"{served.origin}/your-clips", headers=PAGE)
            assert "This is not your fault." in at_home.text
            assert "keys" not in at_home.text
            ready = httpx.get(f"{served.origin}/readyz")
            assert (ready.status_code, ready.json()) == (503, {"ready": False, "failing": {"keys": "sealed"}})
            assert httpx.get(f"{served.origin}/static/vault.css").status_code == 200
            connection.rollback()
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)
        assert not (served.folder / "store" / "workflows.db").exists(), "no durable work began"

        assert [one.is_sealed for one in look(served)] == [True, True]
        wrong = served.folder / "wrong"
        wrong.touch(mode=0o600)
        wrong.write_text("incorrect horse battery")
        status, said = unseal(served, passphrase_file=wrong)
        assert (status, said.count("wrong_root")) == (1, 2)
        assert httpx.get(f"{served.origin}/sign-in").status_code == 503
        time.sleep(1.0)  # that long the next try is put off
        status, said = unseal(served, "--process", "serve")
        assert (status, said.split()[1:]) == (0, ["open"])
        works = ({}, {"sandbox": "media_sandbox_missing"})
        until(lambda: httpx.get(f"{served.origin}/readyz").json()["failing"] in works)
        assert httpx.get(f"{served.origin}/sign-in", headers=PAGE).status_code == 200
        assert (served.folder / "store" / "workflows.db").exists(), "work began"
        assert {one.name.partition(".")[0]: one.is_sealed for one in look(served)} == {"serve": False, "second": True}
        told = unsealing.ask_all(served.folder / "store" / "run", secret=passphrase(served))
        assert [(one.is_sealed, one.code) for one in told] == [(False, "")] * 2
        until(lambda: '"working"' in log_of(served, "worker", "--name", "second").read_text())
        worker.terminate()
        assert worker.wait(PATIENCE_SECONDS) == 0
        assert len(sockets(served)) == 1

        new = served.folder / "new"
        new.touch(mode=0o600)
        new.write_text("another battery altogether")
        done = served.command("key", "rotate-root", "--new-passphrase-file", str(new))
        assert "1 of 1 processes on this machine have the new one already" in done.stdout
        new.replace(served.folder / "passphrase")
        assert httpx.get(f"{served.origin}/readyz").json()["failing"] in works
        with closing(sqlite3.connect(database)) as connection:
            count = "SELECT count(*) FROM audit_entry WHERE event = 'store.unsealed'"
            assert connection.execute(count).fetchone() == (3,)
    assert sockets(served) == []
    for words in (("serve", "--sealed"), ("worker", "--name", "second")):
        text = log_of(served, *words).read_text()
        assert passphrase(served).reveal() not in text
        assert "incorrect horse" not in text
        assert '"error"' not in text


def test_a_killed_process_leaves_no_trap(served: Served) -> None:
    with started(served, "serve", "--sealed") as process:
        until(lambda: is_alive(served))
        process.kill()
        process.wait()
    assert len(sockets(served)) == 1
    status, said = unseal(served)
    assert (status, said.partition(":")[0]) == (4, "no_process")
    assert sockets(served) == [], "what a dead process left is cleared away"


def test_a_wrong_root_refuses_to_start_and_makes_none(served: Served) -> None:
    keyring = served.folder / "store" / "keyring" / "keyring.json"
    before = keyring.read_bytes()
    wrong = served.folder / "wrong one"
    wrong.touch(mode=0o600)
    wrong.write_text("incorrect horse battery")
    with ExitStack() as stack:
        processes = [
            stack.enter_context(started(served, words, VAULT_PASSPHRASE_FILE=str(wrong)))
            for words in ("serve", "worker")
        ]
        assert [process.wait(PATIENCE_SECONDS) for process in processes] == [3, 3]
    for words in ("serve", "worker"):
        said = log_of(served, words).read_text().splitlines()[-1]
        assert said.startswith("wrong_root: That does not open this vault")
    assert sockets(served) == []
    assert keyring.read_bytes() == before


# the socket itself


class Bell:
    """What is behind a door: opens with one word."""

    def __init__(self) -> None:
        self.sealed = True
        self.rung = 0
        self.seconds = 0.0

    def give(self, secret: Secret[str]) -> None:
        self.rung += 1
        if secret.reveal() == "broken":
            message = "not to be told"
            raise RuntimeError(message)
        if secret.reveal() != "right":
            raise Refused("wrong_root", "That does not open it.")
        self.sealed = False


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def door(bell: Bell, tmp_path: Path) -> Iterator[unsealing.Door]:
    deep = tmp_path / ("a folder with a long name " * 5)
    deep.mkdir()
    door = unsealing.Door(
        deep / "run", name="serve", give=bell.give, is_sealed=lambda: bell.sealed, monotonic=lambda: bell.seconds
    )
    door.open()
    yield door
    door.close()


def test_a_socket_is_its_owners_alone_however_long_its_path(door: unsealing.Door) -> None:
    assert len(str(door.path)) > 108
    assert stat.S_IMODE(door.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(door.path.parent.stat().st_mode) == 0o700


def test_after_a_wrong_word_the_next_may_only_be_tried_later(door: unsealing.Door, bell: Bell) -> None:
    folder = door.path.parent
    (told,) = unsealing.ask_all(folder, secret=Secret("wrong"))
    assert (told.is_sealed, told.code) == (True, "wrong_root")
    (told,) = unsealing.ask_all(folder, secret=Secret("right"))
    assert (told.is_sealed, told.code, bell.rung) == (True, "too_many_tries", 1), "not even looked at"
    bell.seconds = 0.9
    assert unsealing.ask_all(folder, secret=Secret("wrong"))[0].code == "too_many_tries"
    bell.seconds = 1.0
    assert unsealing.ask_all(folder, secret=Secret("wrong"))[0].code == "wrong_root"
    bell.seconds = 2.9
    assert unsealing.ask_all(folder, secret=Secret("right"))[0].code == "too_many_tries", "twice as long"
    bell.seconds = 3.0
    assert not unsealing.ask_all(folder, secret=Secret("right"))[0].is_sealed
    assert bell.rung == 3


def test_a_fault_is_told_without_its_words_and_the_door_stays(door: unsealing.Door) -> None:
    (told,) = unsealing.ask_all(door.path.parent, secret=Secret("broken"))
    assert (told.code, "not to be told" in told.sentence) == ("failed", False)
    (told,) = unsealing.ask_all(door.path.parent, secret=Secret("right"))
    assert (told.is_sealed, told.code) == (False, "")


@pytest.mark.parametrize("line", [b"", b"\n", b"[]\n", b'{"secret": 5}\n', b"x" * 20_000, b"\xff\xfe\n"])
def test_whatever_is_said_at_the_door_it_stays_open_and_sealed(door: unsealing.Door, bell: Bell, line: bytes) -> None:
    folder = os.open(door.path.parent, os.O_PATH)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as client:
        client.connect(f"/proc/self/fd/{folder}/{door.path.name}")
        client.sendall(line)
        client.shutdown(socket.SHUT_WR)
        client.settimeout(PATIENCE_SECONDS)
        try:
            assert b'"sealed": true' in client.recv(1000)
        except ConnectionResetError:
            assert len(line) > 16 * 1024
    os.close(folder)
    assert (unsealing.ask_all(door.path.parent)[0].is_sealed, bell.rung) == (True, 0)


def test_another_user_is_not_let_in(door: unsealing.Door, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel says who is there; whom we are is what this test changes, since it has one user only."""
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    if os.getuid() == 0:
        monkeypatch.setattr(unsealing, "ROOT", 54322)
    (told,) = unsealing.ask_all(door.path.parent, secret=Secret("right"))
    assert (told.code, bell.rung) == ("not_yours", 0)


def test_a_folder_that_others_may_enter_takes_no_socket(tmp_path: Path, bell: Bell) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o770)
    door = unsealing.Door(tmp_path / "run", name="serve", give=bell.give, is_sealed=lambda: True)
    with pytest.raises(Unavailable, match="socket_unavailable"):
        door.open()
    assert list((tmp_path / "run").iterdir()) == []


def test_a_door_that_is_being_made_is_not_taken_for_a_dead_ones(tmp_path: Path) -> None:
    """Between its name and its listening a socket refuses like that of a process that died, which is cleared away."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as coming:
        coming.bind(str(tmp_path / f"serve.sock{unsealing._COMING}"))
        assert unsealing.ask_all(tmp_path) == []
        assert len(list(tmp_path.iterdir())) == 1


def test_a_door_outlives_a_moment_without_room_for_another_file(door: unsealing.Door) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as client:
        folder = os.open(door.path.parent, os.O_PATH)
        client.settimeout(PATIENCE_SECONDS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(client.fileno(), folder) + 1, hard))
        try:
            client.connect(f"/proc/self/fd/{folder}/{door.path.name}")
            client.sendall(b"{}\n")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            os.close(folder)
        assert b'"sealed": true' in client.recv(1000)


def test_root_tells_the_vaults_own_user_and_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, other = socket.socketpair()
    with closing(ours), closing(other):
        monkeypatch.setattr(os, "geteuid", lambda: 54321)
        monkeypatch.setattr(unsealing, "ROOT", 54321)
        assert unsealing.is_trusted(ours, owner=os.getuid())
        assert not unsealing.is_trusted(ours, owner=54322)
        monkeypatch.setattr(unsealing, "ROOT", 54322)
        assert not unsealing.is_trusted(ours, owner=os.getuid())


def test_a_folder_that_takes_no_socket_is_said(tmp_path: Path, bell: Bell) -> None:
    door = unsealing.Door(tmp_path / "no" / "run", name="serve", give=bell.give, is_sealed=lambda: True)
    with pytest.raises(Unavailable, match="socket_unavailable"):
        door.open()
