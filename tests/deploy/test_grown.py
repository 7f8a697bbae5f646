"""The four processes of docker-compose.yml, each with its own environment and command from that file, on PostgreSQL.

In place of a container each runs behind bubblewrap as a container would: nothing can be written but the volumes and a
small /tmp, no capability, no home, another user's number. Only where the databases are and the ports differ.
"""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import make_url, select

import identity
from app import cookies
from app.service import Service, open_service
from app.settings import from_environment
from app.tus import OFFSET_TYPE
from core.ids import PersonId, VisitId
from core.secret import Secret
from identity import PersonKind
from identity.models import StaffRoleRow
from keys import LocalRoot
from tests.databases import administration
from tests.deploy.compose import GIVEN, OURS, compose, environment_of, mounts_of
from tests.docs.repository import ROOT
from tests.families import Family, make_family, make_staff, sign_in
from tests.vault.agreeing import agree_to_filming
from tests.vault.films import small_film
from vault import FootageState
from vault.models import FootageRow

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs Debian's bubblewrap"),
]

PASSPHRASE = "six random words are better"
SMALL = "/tmp"  # noqa: S108 - as a container has it
PATIENCE_SECONDS = 120
TUS = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that runs the containers.

    Attributes:
        folder: where volumes, secrets and logs lie.
        databases: address of each database by the name that the file gives it.
        sockets: folder of the database server's socket.
    """

    folder: Path
    databases: dict[str, str]
    sockets: Path

    def environment(self, name: str) -> dict[str, str]:
        """A service's environment, with the test's databases in place of the file's."""
        given = environment_of(compose()["services"][name])
        for setting in ("VAULT_DATABASE_URL", "VAULT_WORKFLOWS_URL", "VAULT_KEYS_URL"):
            wanted = make_url(given[setting])
            there = make_url(self.databases[wanted.database or ""]).update_query_dict(dict(wanted.query))
            given[setting] = there.render_as_string(hide_password=False)
        return given

    def command(self, name: str, words: list[str], **more: str) -> list[str]:
        """What a container does, done by bubblewrap."""
        service = compose()["services"][name]
        made = ["bwrap", "--unshare-user", "--uid", "10001", "--gid", "10001", "--cap-drop", "ALL", "--die-with-parent"]
        made += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", SMALL, "--tmpfs", "/run"]
        made += ["--tmpfs", "/var/lib", "--tmpfs", "/home"]
        for seen in {str(ROOT), sys.prefix, sys.base_prefix, str(self.sockets)}:
            made += ["--ro-bind", seen, seen]
        for target, volume in mounts_of(service).items():
            made += ["--bind", str(self.folder / volume), target]
        made += ["--ro-bind", str(self.folder / "secrets"), "/run/secrets", "--remount-ro", "/var/lib", "--chdir", "/"]
        given = self.environment(name) | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | more
        made += ["--clearenv", *(word for pair in given.items() for word in ("--setenv", *pair))]
        return [*made, sys.executable, "-m", "app", *words]

    def run(self, name: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """As ``docker compose run --rm NAME WORDS`` does."""
        return subprocess.run(self.command(name, list(words), **more), capture_output=True, text=True, check=False)

    @contextmanager
    def up(self, name: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
        """As ``docker compose up NAME`` does."""
        words = compose()["services"][name]["command"]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(self.command(name, words, **more), stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def service(self) -> Service:
        """The same store, opened by the test beside the containers."""
        given = self.environment("web-1")
        places = {
            "VAULT_STORE": self.folder / "store",
            "VAULT_RECOVERY_PLACE": self.folder / "recovery",
            "VAULT_WITNESS": self.folder / "witness" / "log",
            "VAULT_PASSPHRASE_FILE": self.folder / "secrets" / "passphrase",
        }
        settings = from_environment(given | {name: str(path) for name, path in places.items()})
        return open_service(settings, root=LocalRoot(Secret(PASSPHRASE)))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, postgres_address: str) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    for name in ("store", "recovery", "witness", "secrets"):
        (folder / name).mkdir(mode=0o700)
    for name, content in {"passphrase": PASSPHRASE, "data_login": "*:*:*:*:x", "keys_login": "*:*:*:*:x"}.items():
        (folder / "secrets" / name).touch(mode=0o600)
        (folder / "secrets" / name).write_text(content, encoding="ascii")
    suffix = secrets.token_hex(4)
    address = make_url(postgres_address)
    with administration(postgres_address) as run_sql:
        databases = {}
        for name in ("vault", "workflows", "keys"):
            run_sql(f"CREATE DATABASE {name}_{suffix}")
            databases[name] = address.set(database=f"{name}_{suffix}").render_as_string(hide_password=False)
        sockets = Path(str(address.query["host"]))
        sockets.chmod(0o711)  # its server may run as another user, whose folder a container's couldn't pass through
        yield Host(folder, databases, sockets=sockets)
        sockets.chmod(0o700)
        for name in databases:
            run_sql(f"DROP DATABASE {name}_{suffix} WITH (FORCE)")


def inside(process: subprocess.Popen[bytes]) -> psutil.Process:
    """The service's own process, which bubblewrap started."""
    found = [one for one in psutil.Process(process.pid).children(recursive=True) if one.name() != "bwrap"]
    return found[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], bool], *, running: list[subprocess.Popen[bytes]]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, "it took too long"
        assert all(one.poll() is None for one in running), "a process ended"
        time.sleep(0.1)


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", headers={"Host": GIVEN["VAULT_HOST"]}).status_code == 200
    except httpx.TransportError:
        return False


def guided(service: Service) -> tuple[Family, VisitId]:
    """A family that agreed to be filmed, and a visit to add film to."""
    with service.db.read() as session:
        first = session.scalars(select(StaffRoleRow.person_id)).one()
    administrator = sign_in(service.db, PersonId(first), kind=PersonKind.STAFF)
    team = make_staff(service.db, service.keystore, administrator=administrator)
    family = make_family(service.db, service.keystore, staff=team)
    agree_to_filming(service.db, service.keystore, family)
    visit = identity.record_visit(
        service.db,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        kind=identity.VisitKind.FILMING,
        visited_on=service.db.clock.now().date(),
        present=[family.mother.id, family.father.id, family.child],
    )
    return family, visit


def test_the_four_processes_of_the_file_carry_a_film_from_one_to_another(host: Host) -> None:
    before = host.run("web-1", "doctor", "--json", "--no-network")
    assert {one["name"] for one in json.loads(before.stdout)["findings"] if one["state"] == "fault"} >= {"keyring"}
    made = host.run("web-1", "init", "--admin-name", "Ada Min", "--admin-email", "a@example.gov.uk", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["enrolment"].startswith(f"https://{GIVEN['VAULT_HOST']}/enrol/")

    ports = {name: free_port() for name in ("web-1", "web-2")}
    with ExitStack() as stack:
        running = [
            stack.enter_context(host.up(name, **({"VAULT_LISTEN": f"0.0.0.0:{ports[name]}"} if name in ports else {})))
            for name in OURS
        ]
        addresses = [f"http://127.0.0.1:{port}" for port in ports.values()]
        wait_for(lambda: all(map(is_ready, addresses)), running=running)
        asked = host.command("web-1", [], VAULT_LISTEN=f"0.0.0.0:{ports['web-1']}")[:-1]
        assert subprocess.run([*asked, "app.ask"], check=False).returncode == 0

        service = host.service()
        family, visit = guided(service)
        film = small_film()
        cookie = {"Cookie": f"{cookies.SESSION}={family.staff.guider.token.reveal()}", "Host": GIVEN["VAULT_HOST"]}
        forwarded = cookie | TUS | {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        place = f"{addresses[0]}/cases/{family.case_id}/visits/{visit}/uploads"
        begun = httpx.post(place, headers=forwarded | {"Upload-Length": str(len(film))})
        assert begun.status_code == 201
        patched = httpx.patch(
            addresses[1] + begun.headers["location"],
            content=film,
            headers=forwarded | {"Upload-Offset": "0", "Content-Type": OFFSET_TYPE},
        )
        assert patched.status_code == 204
        assert "max-age" in patched.headers["strict-transport-security"]

        def is_finished() -> bool:
            with service.db.read() as session:
                states = session.scalars(select(FootageRow.state)).all()
            assert FootageState.REJECTED not in states
            return states == [FootageState.READY]

        wait_for(is_finished, running=running)
        service.close()
        found = host.run("worker-1", "doctor", "--json", "--no-network")
        states = {one["name"]: one["state"] for one in json.loads(found.stdout)["findings"]}
        assert states["settings"] == states["root"] == states["sandbox"] == states["keyring_places"] == "fine", states
        for process in running:
            inside(process).send_signal(signal.SIGTERM)
        assert [process.wait(PATIENCE_SECONDS) for process in running] == [0, 0, 0, 0]
    for name in OURS:
        assert '"error"' not in host.said(name), name
        assert '"ended"' in host.said(name), name
