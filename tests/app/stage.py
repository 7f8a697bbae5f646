"""The real server in a process of its own, and beside it, in the test's process, the same store opened a second time.

So a test can make families and clips by the use cases, and look at what the server did, without any door of its own.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from sqlalchemy import select

import identity
from app import cookies
from app.demo.serving import Served
from app.service import Service, open_service
from app.settings import from_environment
from app.setup import make_store
from core.ids import PersonId, VisitId
from core.secret import Secret
from identity import PersonKind, Role
from identity.models import StaffRoleRow
from keys import LocalRoot
from tests.families import Family, Someone, Staff, make_family, make_staff, sign_in
from vault import DiskStore, KnownStore

PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Stage:
    """A served store, and who is in it."""

    served: Served
    service: Service
    staff: Staff

    @property
    def store(self) -> DiskStore:
        """The one behind the mark."""
        known = self.service.store
        assert isinstance(known, KnownStore)
        assert isinstance(known.behind, DiskStore)
        return known.behind

    def family(self) -> Family:
        """A family of its own for each test, with its own guider and social worker."""
        people = {role: self.colleague(role) for role in (Role.GUIDER, Role.SOCIAL_WORKER)}
        team = replace(self.staff, guider=people[Role.GUIDER], social_worker=people[Role.SOCIAL_WORKER])
        return make_family(self.service.db, self.service.keystore, staff=team)

    def visit(self, family: Family) -> VisitId:
        return identity.record_visit(
            self.service.db,
            actor=family.staff.guider.actor,
            case_id=family.case_id,
            kind=identity.VisitKind.FILMING,
            visited_on=self.service.db.clock.now().date(),
            present=[family.mother.id, family.father.id, family.child],
        )

    def colleague(self, role: Role) -> Someone:
        """One more member of staff, signed in."""
        db = self.service.db
        made = identity.add_staff(
            db,
            keystore=self.service.keystore,
            actor=self.staff.administrator.actor,
            name="One More",
            email=f"{secrets.token_hex(4)}@example.gov.uk",
            roles=[role],
        )
        return sign_in(db, made.person, kind=PersonKind.STAFF)

    def client(self, someone: Someone | None, *, origin: str = "") -> httpx.Client:
        """A program that has somebody's cookie."""
        origin = origin or self.served.origin
        headers = {"Accept": "application/json", "Origin": origin}
        return httpx.Client(base_url=origin, headers=headers | cookie_of(someone), timeout=PATIENCE_SECONDS)

    def connect(self, *, receive_buffer: int | None = None, origin: str = "") -> socket.socket:
        """A bare connection."""
        host, _, port = (origin or self.served.origin).removeprefix("http://").rpartition(":")
        made = socket.socket()
        if receive_buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        made.settimeout(PATIENCE_SECONDS)
        made.connect((host, int(port)))
        return made


def cookie_of(someone: Someone | None) -> dict[str, str]:
    return {"Cookie": f"{cookies.SESSION}={someone.token.reveal()}"} if someone else {}


@contextmanager
def staged(folder: Path, *words: str, **settings: str) -> Iterator[Stage]:
    """Make a store, serve it, and stop in the end.

    Args:
        folder: an empty one.
        words: further words of the command that serves.
        settings: further settings.
    """
    served = Served(folder, **settings)
    read = from_environment(served.environment)
    assert read.passphrase_file
    root = LocalRoot(Secret(read.passphrase_file.read_text(encoding="ascii")))
    make_store(read, root=root, log_name="test/log", admin_name="Ada Min", admin_email="a@example.gov.uk")
    service = open_service(read, root=root)
    try:
        served.start(*words)
        with service.db.read() as session:
            first = session.scalars(select(StaffRoleRow.person_id)).one()
        administrator = sign_in(service.db, PersonId(first), kind=PersonKind.STAFF)
        yield Stage(served, service, make_staff(service.db, service.keystore, administrator=administrator))
    finally:
        served.stop()
        service.close()
