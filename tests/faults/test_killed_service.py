"""The real server is killed while its job engine has work: the next life takes it up, and makes one of each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.jobs import JobRow, JobState
from tests.app.stage import PATIENCE_SECONDS, Stage, staged
from tests.app.uploads.depositor import Depositor
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


def deposit(stage: Stage) -> str:
    """Deposit a film; the footage's id."""
    depositor, content = Depositor(stage), small_film()
    address = depositor.create(len(content))
    assert depositor.patch(address, content, offset=0).status_code == 204
    depositor.client.close()
    with stage.service.db.read() as session:
        film = session.scalars(select(FootageRow.id).where(FootageRow.case_id == depositor.family.case_id)).one()
    return str(film)


def test_a_server_that_is_killed_in_the_middle_of_its_work_goes_on_with_it(stage: Stage) -> None:
    films = [deposit(stage), deposit(stage)]  # on a busy machine the first may be ready before the second is here
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
    looked = stage.served.command("fsck", "--read", "--json")
    assert (looked.returncode, json.loads(looked.stdout)["findings"]) == (0, []), looked.stdout
