"""The real server is killed while its job engine has work: the next life takes it up, and makes one of each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

import redaction
import vault
from core.ids import FootageId
from core.jobs import JobRow, JobState
from tests.app.stage import PATIENCE_SECONDS, Stage, staged
from tests.app.uploads.depositor import Depositor
from tests.vault.agreeing import agree_to_filming
from tests.vault.films import small_film
from vault import FootageState
from vault.models import FootageRow, ObjectKind, ObjectRow


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as made:
        yield made


def job_of(stage: Stage, film: str) -> JobRow:
    with stage.service.db.read() as session:
        return session.scalars(select(JobRow).where(JobRow.subject == film)).one()


def is_under_way(stage: Stage, film: str) -> bool:
    job = job_of(stage, film)
    return job.state is JobState.RUNNING and job.stage == "prepare"


def wait_until(look: Callable[[], bool]) -> None:
    end = time.monotonic() + 3 * PATIENCE_SECONDS
    while not look():
        if time.monotonic() > end:
            pytest.fail("it never came")
        time.sleep(0.02)


def latest(stage: Stage, kind: str) -> JobRow:
    with stage.service.db.read() as session:
        query = select(JobRow).where(JobRow.kind == kind).order_by(JobRow.created_at.desc())
        return session.scalars(query.limit(1)).one()


def kill_while_it_works(stage: Stage, kind: str) -> None:
    """Kill the server in a job's first second or, where this process is slow, a little after; its next life ends it."""
    wait_until(lambda: latest(stage, kind).state in {JobState.RUNNING, JobState.DONE})
    stage.served.kill()
    stage.served.start()
    wait_until(lambda: latest(stage, kind).state is JobState.DONE)


def deposit(stage: Stage, depositor: Depositor) -> str:
    """Deposit a film; the footage's id."""
    content = small_film()
    address = depositor.create(len(content))
    assert depositor.patch(address, content, offset=0).status_code == 204
    depositor.client.close()
    with stage.service.db.read() as session:
        film = session.scalars(select(FootageRow.id).where(FootageRow.case_id == depositor.family.case_id)).one()
    return str(film)


def test_a_server_that_is_killed_in_the_middle_of_its_work_goes_on_with_it(stage: Stage) -> None:
    one = Depositor(stage)
    # two: on a busy machine the first may be ready before the second is here
    films = [deposit(stage, one), deposit(stage, Depositor(stage))]
    wait_until(lambda: any(is_under_way(stage, film) for film in films))
    stage.served.kill()
    assert JobState.RUNNING in {job_of(stage, film).state for film in films}
    stage.served.start()
    for film in films:
        wait_until(lambda film=film: job_of(stage, film).state is JobState.DONE)
    with stage.service.db.read() as session:
        assert session.scalars(select(FootageRow.state)).all() == [FootageState.READY] * 2
        kinds = list(session.scalars(select(ObjectRow.kind)))
    each = (ObjectKind.ORIGINAL, ObjectKind.WORKING_COPY, ObjectKind.POSTER, ObjectKind.STRIP)
    assert {kind: kinds.count(kind) for kind in set(kinds)} == dict.fromkeys(each, 2)
    search_and_blur(stage, one, FootageId(films[0]))
    looked = stage.served.command("fsck", "--read", "--json")
    assert (looked.returncode, json.loads(looked.stdout)["findings"]) == (0, []), looked.stdout


def search_and_blur(stage: Stage, depositor: Depositor, footage_id: FootageId) -> None:
    """Stop a search, ask again and kill the server in it; have a clip blurred and kill the server in that."""
    db, keystore, guider = stage.service.db, stage.service.keystore, depositor.family.staff.guider.actor
    agree_to_filming(db, keystore, depositor.family)
    vault.look_for_people(db, actor=guider, footage_id=footage_id)
    wait_until(lambda: latest(stage, vault.DETECT).state is not JobState.WAITING)
    vault.stop_looking(db, actor=guider, footage_id=footage_id)
    wait_until(lambda: latest(stage, vault.DETECT).state in {JobState.CANCELLED, JobState.DONE})
    vault.look_for_people(db, actor=guider, footage_id=footage_id)
    kill_while_it_works(stage, vault.DETECT)
    clip_id = vault.cut_clip(
        db, keystore=keystore, actor=guider, footage_id=footage_id, first_frame=0, last_frame=40, title="Hello"
    )
    wait_until(lambda: latest(stage, vault.CUT).state is JobState.DONE)
    redaction.render(db, keystore=keystore, actor=guider, clip_id=clip_id, looked_at=0, reason="A neighbour")
    kill_while_it_works(stage, vault.REDACT)
    with db.read() as session:
        (cut, blurred) = vault.renditions.of_clip(session, clip_id)
    assert (cut.frames, blurred.frames, blurred.strip_id is None) == (40, 40, False)
