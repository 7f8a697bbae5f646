"""A guider who deposits, as a client that has only read tus 1.0 does, and a look at what the server made of it."""

from __future__ import annotations

import base64
import hashlib
import struct
import time
from collections.abc import Callable
from typing import TypeVar

import httpx
import pytest
from sqlalchemy import select

import vault
from app.tus import OFFSET_TYPE
from core.ids import CaseId, FootageId, ObjectId, VisitId
from keys import JobCapability
from tests.app.stage import PATIENCE_SECONDS, Stage
from tests.families import Family
from tests.vault.films import small_film
from tests.vault.sending import film
from vault import FootageState, sealed
from vault.models import FootageRow, ObjectRow

TUS = {"Tus-Resumable": "1.0.0"}
MOST_BYTES = 20_000_000

Found = TypeVar("Found")


class Depositor:
    """A guider with a visit to add film to."""

    def __init__(self, stage: Stage) -> None:
        self.family: Family = stage.family()
        self.visit: VisitId = stage.visit(self.family)
        self.client = stage.client(self.family.staff.guider)
        self.place = f"/cases/{self.family.case_id}/visits/{self.visit}"
        self.page = f"/families/{self.family.case_id}/visits/{self.visit}/upload"

    def announce(self, length: int, **headers: str) -> httpx.Response:
        given = TUS | {"Upload-Length": str(length)} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.client.post(f"{self.place}/uploads", headers=given)

    def create(self, length: int, **headers: str) -> str:
        response = self.announce(length, **headers)
        assert response.status_code == 201, response.text
        assert response.headers["tus-resumable"] == "1.0.0"
        return str(response.headers["location"])

    def patch(self, address: str, content: bytes, *, offset: int, **headers: str) -> httpx.Response:
        given = TUS | {"Upload-Offset": str(offset), "Content-Type": OFFSET_TYPE}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.patch(address, content=content, headers=given)

    def head(self, address: str) -> httpx.Response:
        return self.client.head(address, headers=TUS)

    def offset(self, address: str) -> int:
        response = self.head(address)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        return int(response.headers["upload-offset"])


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def checksum_of(content: bytes) -> str:
    return f"sha256 {base64.b64encode(hashlib.sha256(content).digest()).decode()}"


def long_film(size: int) -> bytes:
    """A real film that is longer than its pictures and sound: what follows them stands in a ``free`` box."""
    whole = small_film()
    return whole + struct.pack(">I4s", size - len(whole), b"free") + film(size - len(whole) - 8)


def check_sealed(stage: Stage, depositor: Depositor, content: bytes, *, upload_id: str = "") -> None:
    """The one footage of this case is sealed, is exactly this film, and nothing of it lies in clear anywhere."""
    service, guider = stage.service, depositor.family.staff.guider.actor
    case_id = CaseId(depositor.family.case_id)
    listed = vault.footage_of(service.db, keystore=service.keystore, actor=guider, case_id=case_id)
    assert len(listed) == 1
    row = wait_until(lambda: _original_of(stage, listed[0].id))
    if upload_id:
        with service.db.read() as session:
            assert session.get_one(FootageRow, listed[0].id).upload_id == upload_id
    use = JobCapability(job="test", case_id=case_id, objects=frozenset({ObjectId(row.id)}))
    reader = sealed.opened(row, key=service.keystore.object_key(ObjectId(row.id), capability=use), store=stage.store)
    assert row.plain_sha256 == hashlib.sha256(content).hexdigest()
    assert reader.read(0, reader.plain_size) == content
    assert _nothing_in_clear(stage, content)


def wait_until(found: Callable[[], Found | None]) -> Found:
    """What is found, as soon as it is."""
    end = time.monotonic() + 4 * PATIENCE_SECONDS
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    pytest.fail("it never came")


def _original_of(stage: Stage, footage_id: FootageId) -> ObjectRow | None:
    with stage.service.db.read() as session:
        row = session.get_one(FootageRow, footage_id)
        assert row.state in {FootageState.PREPARING, FootageState.READY}
        if row.state is not FootageState.READY:
            return None
        return session.scalars(select(ObjectRow).where(ObjectRow.id == row.original_id)).one()


def _nothing_in_clear(stage: Stage, content: bytes) -> bool:
    needles = [content[at : at + 64] for at in range(0, len(content) - 64, len(content) // 20)]
    files = [one.read_bytes() for one in stage.served.folder.rglob("*") if one.is_file()]
    return len(files) > 5 and not any(needle in data for data in files for needle in needles)
