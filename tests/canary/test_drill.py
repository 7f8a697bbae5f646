"""The canary drill: play everything, look everywhere. What is found is a hole; what a thief opens is one as well.

The film, its name and metadata, everybody's names and contacts, births, words, passwords, authenticators, cookies, the
addresses that open something, and every key, raw and encoded.
"""

from __future__ import annotations

import base64
import os
import re
import resource
import secrets
import signal
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from app.service import open_service
from app.settings import Settings
from core.errors import Damaged, Refused, Unavailable
from core.secret import Secret
from core.segments import SegmentReader
from keys import KeyStore, LocalRoot
from tests.canary.conftest import CAST, Drill
from tests.canary.insider import Insider
from tests.canary.search import Allowed, Search
from vault import DiskStore, sealed
from vault.models import ObjectKind, ObjectRow

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


def test_nothing_is_found_after_any_step_of_the_story(drill: Drill) -> None:
    assert {step: found for step, found in drill.found.items() if found} == {}
    assert len(drill.found) == len(drill.story.steps) + 2
    assert len(drill.needles) > 5000
    assert drill.search.bytes_read > 10**7


def test_what_the_kernel_shows_of_the_processes_betrays_nothing(drill: Drill) -> None:
    assert len(drill.onlooker.programs) > 3, "the children that parse film weren't seen"
    assert [drill.needles.find(shown) for shown in drill.onlooker.shown if drill.needles.find(shown)] == []


def test_no_process_may_write_its_memory_to_a_disk(drill: Drill) -> None:
    assert drill.onlooker.dumping == set()


def test_messages_hold_an_address_and_a_code_and_no_name(drill: Drill) -> None:
    """The one place where a contact may be: what stands for the mail server."""
    mails = list(drill.served.messages.glob("*.eml"))
    assert mails
    found = {name for path in mails for name in drill.needles.find(path.read_bytes())}
    assert found == {"the mother's contact", "the father's contact"}


PLANTED = {
    "a name in the write-ahead log of a database": CAST.child.encode(),
    "a contact in base64": base64.b64encode(b"To: " + CAST.contacts[CAST.mother].encode()),
    "a title in UTF-16": CAST.title.encode("utf-16-le"),
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED.keys())
def test_what_is_planted_in_a_database_is_found(drill: Drill, tmp_path: Path, planted: bytes) -> None:
    search = Search(drill.needles, [tmp_path], [])
    with closing(sqlite3.connect(tmp_path / "planted.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE planted (value BLOB)")
        assert search.look() == []
        connection.execute("INSERT INTO planted VALUES (?)", (secrets.token_bytes(1000) + planted,))
        connection.commit()
        found = search.look()
    assert found
    assert all(sentence.endswith("planted.db-wal") for sentence in found)


def test_a_piece_of_the_film_and_a_key_are_found_where_they_are_planted(drill: Drill, tmp_path: Path) -> None:
    search = Search(drill.needles, [tmp_path], [Allowed(tmp_path / "phone", frozenset(), "as the guider's phone")])
    film = drill.story.film.read_bytes()
    root = next(value for name, value in drill.insider.of_the_capsule() if name == "the root key")
    (tmp_path / "phone").mkdir()
    for name, content in (("frame.tmp", film[70_000:71_500]), ("log", root.hex().encode()), ("phone/one", film)):
        (tmp_path / name).write_bytes(secrets.token_bytes(77) + content)
    assert sorted(search.look()) == [f"the film in {tmp_path / 'frame.tmp'}", f"the root key in {tmp_path / 'log'}"]


@pytest.fixture(scope="module")
def films(drill: Drill) -> list[ObjectRow]:
    """The stolen objects, each of which the root does open: so what follows isn't proven on an empty copy."""
    insider = Insider(drill.stolen_settings, passphrase=drill.insider.passphrase)
    opened = list(insider.opened())
    assert {row.kind for row, _ in opened} >= {
        ObjectKind.ORIGINAL,
        ObjectKind.WORKING_COPY,
        ObjectKind.CUT,
        ObjectKind.DETECTIONS,
        ObjectKind.REDACTED,
    }
    assert drill.story.film.read_bytes() in [content for _, content in opened]
    return [row for row, _ in opened]


def test_without_the_root_a_stolen_copy_opens_nothing_and_stays_as_it_is(drill: Drill) -> None:
    settings = drill.stolen_settings
    before = keyrings(settings)
    assert len(before) == 2
    with pytest.raises(Refused, match="wrong_root"):
        open_service(settings, root=LocalRoot(Secret("six random words that are others")))
    assert keyrings(settings) == before
    done = subprocess.run(
        [sys.executable, "-m", "app", "audit", "verify"],
        env=drill.served.environment | {"VAULT_STORE": str(settings.store), "VAULT_PASSPHRASE_FILE": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.partition(":")[0]) == (4, "passphrase_missing")
    assert keyrings(settings) == before


def test_without_its_keyring_a_stolen_copy_is_not_given_a_new_one(drill: Drill, tmp_path: Path) -> None:
    places = (tmp_path / "keyring", tmp_path / "recovery")
    root = LocalRoot(Secret(drill.insider.passphrase))
    with drill.insider.reading("keys") as key_db, pytest.raises(Unavailable, match="keyring_missing"):
        KeyStore.open(db=key_db, root=root, places=places)
    assert [path for place in places for path in place.rglob("*")] == []


def test_no_stolen_value_is_the_key_of_a_stolen_film(drill: Drill, films: list[ObjectRow]) -> None:
    store = DiskStore(drill.stolen_settings.store / "objects")
    candidates = wrapped_values(drill)
    assert len(candidates) > 20
    for row in films:
        for candidate in candidates:
            reader = SegmentReader(
                Secret(candidate),
                associated_data=sealed.binding(row),
                size=row.sealed_length or 0,
                header=row.header,
                read_at=lambda start, length, name=row.id: store.read(name, start=start, length=length),
            )
            with pytest.raises(Damaged):
                reader.segment(0)


def test_stolen_objects_look_like_chance(drill: Drill) -> None:
    for path in (drill.stolen_settings.store / "objects").rglob("*"):
        if path.is_file() and path.stat().st_size > 1000:
            data = path.read_bytes()
            assert len(zlib.compress(data, 1)) >= len(data), path


@pytest.mark.parametrize("crash", [signal.SIGSEGV, signal.SIGABRT], ids=lambda one: one.name)
def test_a_crash_of_the_server_writes_no_memory_to_a_disk(drill: Drill, crash: signal.Signals) -> None:
    """Last here: the server is ended by it. The limit is lifted for the server, so that only its own doing counts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if drill.served._process and drill.served._process.poll() is None:
        assert drill.served.stop() == 0
    before = cores()
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        drill.served.start()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    process = drill.served._process
    assert process
    assert core_limits(process.pid) == ["0", "0"]
    os.kill(process.pid, crash)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert os.WTERMSIG(status) == crash
    assert not os.WCOREDUMP(status)
    assert cores() == before
    assert drill.search.look() == []


def core_limits(pid: int) -> list[str]:
    """What a process may write when it crashes: now, and if it asked for more."""
    lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
    return next(line.split()[4:6] for line in lines if line.startswith("Max core file size"))


def cores() -> set[Path]:
    """Core files that the kernel may have written where the server runs."""
    return set(Path.cwd().glob("core*.[0-9]*")) | {path for path in [Path.cwd() / "core"] if path.is_file()}


def keyrings(settings: Settings) -> dict[Path, bytes]:
    """What lies at the registered places."""
    return {path: path.read_bytes() for place in settings.places for path in place.rglob("*") if path.suffix == ".json"}


def wrapped_values(drill: Drill) -> set[bytes]:
    """Everything in the stolen key database and keyring that has the length of a key."""
    with closing(sqlite3.connect(drill.stolen / "store" / "keys.db")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for table in tables for row in connection.execute(f'SELECT * FROM "{table}"')]
    found = {value for row in rows for value in row if isinstance(value, bytes)}
    for content in keyrings(drill.stolen_settings).values():
        found |= {base64.b64decode(word) for word in re.findall(rb'"([A-Za-z0-9+/]{43,}={0,2})"', content)}
    return {value[at : at + 32] for value in found for at in (0, 12, len(value) - 32) if len(value) >= 32}
