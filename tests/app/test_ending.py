"""SIGTERM with a film playing, a page listening and an upload under way: over soon, status 0, and nothing is lost."""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import select as query

import vault
from app.tus import OFFSET_TYPE
from consent import Purpose
from core.ids import UploadId
from core.jobs import JobRow, JobState
from tests.app.stage import PATIENCE_SECONDS, Stage, cookie_of, staged
from tests.families import Family
from tests.vault.agreeing import agree_to_filming
from tests.vault.films import small_film
from tests.vault.scene import add_clip, add_footage, noise
from tests.vault.sending import film
from vault import FootageState
from vault.models import FootageRow

pytestmark = pytest.mark.journey

TUS = {"Tus-Resumable": "1.0.0"}
SENT, ANNOUNCED = 300_000, 5_000_000
FILM_BYTES = 4 * 2**20


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("served"), "--no-worker") as made:
        yield made


@dataclass(frozen=True, slots=True)
class Upload:
    """A phone in the middle of sending."""

    stage: Stage
    family: Family
    id: UploadId
    line: socket.socket

    def offset(self) -> int:
        service, actor = self.stage.service, self.family.staff.guider.actor
        return vault.upload(service.db, keystore=service.keystore, actor=actor, upload_id=self.id).offset


def ask(stage: Stage, path: str, family: Family, *lines: str, method: str = "GET") -> socket.socket:
    """Send a head with the guider's cookie."""
    line = stage.connect(receive_buffer=64 * 1024)
    host = stage.served.origin.removeprefix("http://")
    cookie = cookie_of(family.staff.guider)["Cookie"]
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Cookie: {cookie}", *lines]
    line.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
    return line


def begin_upload(stage: Stage, family: Family) -> Upload:
    """Send the first bytes once the server has said that it takes them: a signal comes after that for certain."""
    place = f"/cases/{family.case_id}/visits/{stage.visit(family)}/uploads"
    with stage.client(family.staff.guider) as client:
        made = client.post(place, headers=TUS | {"Upload-Length": str(ANNOUNCED)})
    body = (f"Content-Type: {OFFSET_TYPE}", f"Content-Length: {ANNOUNCED}", "Expect: 100-continue")
    line = ask(
        stage, made.headers["location"], family, "Tus-Resumable: 1.0.0", "Upload-Offset: 0", *body, method="PATCH"
    )
    line.settimeout(PATIENCE_SECONDS)
    assert line.recv(1000).startswith(b"HTTP/1.1 100 ")
    line.sendall(film(ANNOUNCED)[:SENT])
    return Upload(stage, family, UploadId(made.headers["location"].rpartition("/")[2]), line)


def until_closing(stage: Stage) -> httpx.Response:
    """Wait until the server says that it ends."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        answer = httpx.get(f"{stage.served.origin}/readyz")
        if answer.status_code == 503:
            return answer
        time.sleep(0.02)
    pytest.fail("it never said so")


def send_signal(stage: Stage) -> None:
    assert stage.served._process
    stage.served._process.send_signal(signal.SIGTERM)


def exit_status(stage: Stage) -> int:
    assert stage.served._process
    return stage.served._process.wait(PATIENCE_SECONDS)


def read_to_end(line: socket.socket) -> str:
    """Read whatever comes, and say how it ended."""
    try:
        while line.recv(65_536):
            pass
    except ConnectionResetError:
        return "reset"
    return "closed"


def test_a_signal_ends_streams_keeps_the_upload_and_refuses_new_requests(stage: Stage) -> None:
    family, service = stage.family(), stage.service
    agree_to_filming(service.db, service.keystore, family)
    footage = add_footage(service.db, service.keystore, stage.store, family, stage.visit(family))
    clip = add_clip(service.db, service.keystore, stage.store, family, footage, content=noise(FILM_BYTES))
    viewing = vault.begin_viewing(
        service.db, actor=family.staff.guider.actor, rendition_id=clip.rendition_id, purpose=Purpose.PREPARE
    ).id
    player, page = ask(stage, f"/media/{viewing}", family), ask(stage, f"/events/{viewing}", family)
    assert b"200 OK" in player.recv(1000)
    assert b"200 OK" in page.recv(100)
    upload = begin_upload(stage, family)

    send_signal(stage)
    closing = until_closing(stage)
    assert closing.json() == {"ready": False, "failing": {"process": "closing"}}
    assert closing.headers["retry-after"]
    assert httpx.get(f"{stage.served.origin}/healthz").status_code == 200
    refused = httpx.get(f"{stage.served.origin}/sign-in")
    assert (refused.status_code, refused.text.partition(":")[0]) == (503, "closing")
    assert refused.headers["retry-after"]
    assert "content-security-policy" in refused.headers

    assert (read_to_end(player), read_to_end(page)) == ("reset", "reset")
    assert exit_status(stage) == 0
    assert upload.offset() == SENT
    said = stage.served.log.read_text(encoding="utf-8")
    assert '"ended"' in said
    assert '"error"' not in said
    for line in (player, page, upload.line):
        line.close()

    stage.served.start("--no-worker")
    with stage.client(family.staff.guider) as client:
        headers = TUS | {"Upload-Offset": str(SENT), "Content-Type": OFFSET_TYPE}
        rest = client.patch(f"/uploads/{upload.id}", content=film(ANNOUNCED)[SENT:], headers=headers)
    assert (rest.status_code, rest.headers["upload-offset"]) == (204, str(ANNOUNCED))


def test_a_second_signal_hurries_it(stage: Stage) -> None:
    upload = begin_upload(stage, stage.family())
    send_signal(stage)
    until_closing(stage)
    send_signal(stage)
    assert exit_status(stage) == 0
    assert upload.offset() in {0, SENT}
    upload.line.close()
    stage.served.start("--no-worker")


@contextmanager
def worker(stage: Stage, name: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "app", "worker", "--name", name]
    with (stage.served.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=stage.served.environment, stdout=log, stderr=log)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def job_when(stage: Stage, upload_id: str, *states: JobState) -> JobRow:
    """Wait until the job that works on a deposit is in one of these states."""
    end = time.monotonic() + 3 * PATIENCE_SECONDS
    while time.monotonic() < end:
        with stage.service.db.read() as session:
            footage = session.scalars(query(FootageRow.id).where(FootageRow.upload_id == upload_id)).one()
            row = session.scalars(query(JobRow).where(JobRow.subject == footage)).one()
            if row.state in states and row.state is not JobState.PARKED:
                return row
        assert row.state is not JobState.PARKED, row.error_code
        time.sleep(0.02)
    pytest.fail(f"the job stayed {row.state}")


def test_a_worker_hands_a_film_back_and_another_worker_finishes_it(stage: Stage) -> None:
    family, content = stage.family(), small_film(seconds=40)
    agree_to_filming(stage.service.db, stage.service.keystore, family)
    with stage.client(family.staff.guider) as client:
        place = f"/cases/{family.case_id}/visits/{stage.visit(family)}/uploads"
        made = client.post(place, headers=TUS | {"Upload-Length": str(len(content))})
        headers = TUS | {"Upload-Offset": "0", "Content-Type": OFFSET_TYPE}
        assert client.patch(made.headers["location"], content=content, headers=headers).status_code == 204
    upload_id = made.headers["location"].rpartition("/")[2]
    with worker(stage, "one") as first:
        job_when(stage, upload_id, JobState.RUNNING)
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE_SECONDS) == 0
    row = job_when(stage, upload_id, JobState.WAITING)
    assert (row.attempts, row.fence) == (0, 2)
    said = (stage.served.folder / "one.log").read_text(encoding="utf-8")
    assert '"job handed back"' in said
    assert '"error"' not in said
    with worker(stage, "two") as second:
        row = job_when(stage, upload_id, JobState.DONE)
        second.send_signal(signal.SIGTERM)
        assert second.wait(PATIENCE_SECONDS) == 0
    assert row.attempts == 1
    with stage.service.db.read() as session:
        footage = session.scalars(query(FootageRow).where(FootageRow.upload_id == upload_id)).one()
        assert footage.state is FootageState.READY


def test_a_process_that_is_asked_to_end_while_nothing_goes_on_ends_at_once(stage: Stage) -> None:
    """Last in this file: nobody starts it again."""
    with stage.connect() as idle, stage.connect() as half:
        half.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        send_signal(stage)
        assert exit_status(stage) == 0
        assert select.select([idle], [], [], PATIENCE_SECONDS)[0]
