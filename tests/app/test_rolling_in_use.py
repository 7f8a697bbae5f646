"""Epochs and cases roll in another process while people watch, send, cut and blur film: nobody notices."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy import select

import redaction
import vault
from app.tus import OFFSET_TYPE
from consent import Purpose
from core.errors import Unavailable
from core.ids import ClipId, FootageId
from core.jobs import JobRow, JobState
from tests.app.stage import PATIENCE_SECONDS, Stage, cookie_of, staged
from tests.families import Family
from tests.vault.agreeing import agree_to_filming
from tests.vault.films import small_film
from tests.vault.scene import Clip, add_clip, add_footage, noise
from vault.models import FootageRow

pytestmark = pytest.mark.journey
TUS = {"Tus-Resumable": "1.0.0"}
FILM = noise(2 * 2**20)
PIECE = 100_000
VIEWERS = 2


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("served")) as made:
        yield made


@dataclass
class Watching:
    """A player that asks for piece after piece, and compares each."""

    address: str
    headers: dict[str, str]
    pieces: int = 0
    faults: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        start = 0
        with httpx.Client(headers=self.headers, timeout=PATIENCE_SECONDS) as client:
            while not self.stop.wait(0.05):
                end = min(start + PIECE, len(FILM))
                answer = client.get(self.address, headers={"Range": f"bytes={start}-{end - 1}"})
                if (answer.status_code, answer.content) != (206, FILM[start:end]):
                    self.faults.append(f"{answer.status_code} {answer.text[:200]!r}")
                    return
                self.pieces += 1
                start = end % len(FILM)


def watching(stage: Stage, family: Family, clip: Clip) -> Watching:
    guider = family.staff.guider
    viewing = vault.begin_viewing(
        stage.service.db, actor=guider.actor, rendition_id=clip.rendition_id, purpose=Purpose.PREPARE
    )
    return Watching(f"{stage.served.origin}/media/{viewing.id}", cookie_of(guider))


def rolled(stage: Stage) -> None:
    """Roll as the command does, beside the server and its worker; this process beats meanwhile."""
    keystore, end = stage.service.keystore, time.monotonic() + 3 * PATIENCE_SECONDS
    report = keystore.roll_epoch()
    while not report.is_done:
        assert time.monotonic() < end, report
        time.sleep(0.1)
        keystore.beat()
        try:
            report = keystore.go_on_rolling(report.id) or keystore.roll_report(report.id)
        except Unavailable as error:
            assert error.code == "keyring_busy"  # noqa: PT017 - the server's worker goes on with the same roll


def test_nobody_notices_a_roll(stage: Stage) -> None:
    service, family = stage.service, stage.family()
    keystore, content = service.keystore, small_film(seconds=3)
    agree_to_filming(service.db, keystore, family)
    footage = add_footage(service.db, keystore, stage.store, family, stage.visit(family))
    clip = add_clip(service.db, keystore, stage.store, family, footage, content=FILM)
    other = add_clip(service.db, keystore, stage.store, family, footage, content=b"a clip that goes")
    players = [watching(stage, family, clip) for _ in range(VIEWERS)]
    threads = [threading.Thread(target=player.run) for player in players]
    for thread in threads:
        thread.start()
    try:
        with stage.client(family.staff.guider) as client:
            place = f"/cases/{family.case_id}/visits/{stage.visit(family)}/uploads"
            made = client.post(place, headers=TUS | {"Upload-Length": str(len(content))})
            address, half = made.headers["location"], len(content) // 2

            def send(start: int, end: int) -> None:
                headers = TUS | {"Upload-Offset": str(start), "Content-Type": OFFSET_TYPE}
                answer = client.patch(address, content=content[start:end], headers=headers)
                assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(end)), answer.text

            send(0, half // 2)
            rolling = threading.Thread(target=rolled, args=(stage,))
            rolling.start()
            for start in range(half // 2, half, half // 8):
                send(start, min(start + half // 8, half))
            keystore.roll_case(family.case_id)
            send(half, len(content))  # and the film is worked on from here
            keystore.destroy_object_key(other.object_id)
            rolling.join()
            rolled(stage)
        sent = wait_until_ready(stage, address.rpartition("/")[2])
        rolling = threading.Thread(target=rolled, args=(stage,))
        rolling.start()
        blurred = blur(stage, family, sent)
        rolling.join()
    finally:
        for player in players:
            player.stop.set()
        for thread in threads:
            thread.join()
    assert [player.faults for player in players] == [[]] * VIEWERS
    assert all(player.pieces > 10 for player in players)
    standing = keystore.status()
    assert standing.epoch >= 4
    with service.db.read() as session:
        versions = {one.treatment for one in vault.renditions.of_clip(session, blurred)}
    assert vault.Treatment.REDACTED in versions
    assert (standing.roll, standing.pending) == (None, 0)
    assert {place.epochs for place in standing.places} == {(standing.epoch,)}
    said = stage.served.log.read_text(encoding="utf-8")
    assert '"error"' not in said
    assert "Traceback" not in said


def blur(stage: Stage, family: Family, footage_id: FootageId) -> ClipId:
    """A clip is cut, people are looked for, a corner is covered, and the covered version is made."""
    db, keystore, guider = stage.service.db, stage.service.keystore, family.staff.guider.actor
    clip_id = vault.cut_clip(
        db, keystore=keystore, actor=guider, footage_id=footage_id, first_frame=5, last_frame=30, title="A bath"
    )
    wait_until_done(stage, vault.CUT, clip_id)
    vault.look_for_people(db, actor=guider, footage_id=footage_id)
    wait_until_done(stage, vault.DETECT, footage_id)
    step = redaction.Place(region=0, frame=10, box=redaction.Box(10, 10, 40, 40))
    version = redaction.choose(
        db, keystore=keystore, store=stage.store, actor=guider, clip_id=clip_id, looked_at=0, step=step
    )
    redaction.render(db, keystore=keystore, actor=guider, clip_id=clip_id, looked_at=version, reason="A house number")
    wait_until_done(stage, vault.REDACT, clip_id)
    return clip_id


def wait_until_done(stage: Stage, kind: str, subject: str) -> None:
    """By the worker, at its first try."""
    end = time.monotonic() + 3 * PATIENCE_SECONDS
    while time.monotonic() < end:
        with stage.service.db.read() as session:
            job = session.scalars(select(JobRow).where(JobRow.subject == subject, JobRow.kind == kind)).one()
        assert job.state is not JobState.PARKED, job.error_code
        if job.state is JobState.DONE:
            assert job.attempts == 1, "done at the first try"
            return
        time.sleep(0.1)
    pytest.fail(f"{kind} wasn't done")


def wait_until_ready(stage: Stage, upload_id: str) -> FootageId:
    """The film that was sent."""
    with stage.service.db.read() as session:
        footage = session.scalars(select(FootageRow).where(FootageRow.upload_id == upload_id)).one()
    wait_until_done(stage, vault.FINISH, footage.id)
    return FootageId(footage.id)
