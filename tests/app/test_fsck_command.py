"""`vig-vault fsck` as an administrator runs it: its status, its words, its JSON, and what --repair does."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

import app.cli.fsck
import app.cli.scrub
import app.cli.store  # noqa: F401 - these register commands; where there is only one, typer takes no name for it
import vault
from app.cli import application
from app.duties import make_worker
from app.service import Service, open_service
from app.settings import Settings
from app.setup import make_store
from audit.models import AuditEntryRow
from core import jobs, outbox
from core.ids import new_id
from core.secret import Secret
from keys import LocalRoot


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("correct horse battery")
    settings = Settings(store=tmp_path / "store", passphrase_file=passphrase)
    make_store(
        settings,
        root=LocalRoot(Secret("correct horse battery")),
        log_name="vig-vault",
        admin_name="Ada Min",
        admin_email="ada@example.gov.uk",
    )
    return settings


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    service = open_service(settings, root=LocalRoot(Secret("correct horse battery")))
    yield service
    service.close()


def fsck(settings: Settings, *words: str) -> tuple[int, str]:
    environment = {"VAULT_STORE": str(settings.store), "VAULT_PASSPHRASE_FILE": str(settings.passphrase_file)}
    done = CliRunner().invoke(application, ["fsck", *words], env=environment)
    return done.exit_code, done.stdout


def as_json(settings: Settings, *words: str) -> tuple[int, dict[str, Any]]:
    status, text = fsck(settings, "--json", *words)
    answer: dict[str, Any] = json.loads(text)
    return status, answer


def test_fsck_ends_with_1_where_somebody_must_look_and_repairs_only_what_is_safe(
    settings: Settings, service: Service
) -> None:
    assert fsck(settings) == (
        0,
        "0 objects and 0 parts of unfinished deposits were looked at.\nClean: rows, sealed bytes and keys agree.\n",
    )
    with service.store.writer(new_id()) as writer:  # as a killed writer leaves it
        writer.write(b"sealed")
        writer.commit()
    with service.db.begin() as session:
        job_id = jobs.enqueue(session, "clip.cut", subject=new_id(), case_id=None, at=service.db.clock.now())
    assert as_json(settings)[0] == 0  # its start waits in the outbox
    with service.db.begin() as session:
        outbox.delivered(session.scalars(select(outbox.OutboxRow)).one(), at=service.db.clock.now())
    status, answer = as_json(settings)
    assert (status, answer["clean"], answer["leftovers"]) == (1, False, {"bytes_unknown": 1})
    assert [(one["code"], one["subject"]) for one in answer["findings"]] == [("work_unresumed", job_id)]
    assert not (settings.store / "workflows.db").exists()  # looking makes nothing
    status, answer = as_json(settings, "--repair")
    assert (status, answer["restarted"], answer["tidied"]["objects"]) == (0, [job_id], 0)  # too young to be nobody's
    assert as_json(settings, "--read")[0] == 0
    with service.db.read() as session:
        query = select(AuditEntryRow.details).where(AuditEntryRow.event == "store.tidied")
        assert session.scalars(query).all() == [{"restarted": 1}]


def test_a_worker_starts_lost_work_again_by_itself(settings: Settings, service: Service) -> None:
    with service.db.begin() as session:
        job_id = jobs.enqueue(session, "clip.cut", subject=new_id(), case_id=None, at=service.db.clock.now())
        outbox.delivered(session.scalars(select(outbox.OutboxRow)).one(), at=service.db.clock.now())
    (duty,) = (one for one in make_worker(service, name="worker-1")._duties if one.name == "lost-work")
    for _ in range(2):  # what waits to be started isn't lost, so the second time finds nothing
        duty.do()
        with service.db.read() as session:
            (start,) = outbox.undelivered(session, jobs.START)
        assert start["job_id"] == job_id
    assert not (settings.store / "workflows.db").exists()


def test_fsck_names_a_place_of_the_keyring_that_holds_another(settings: Settings, service: Service) -> None:
    (settings.places[1] / "keyring.json").unlink()
    status, text = fsck(settings)
    assert status == 1
    assert "keyring_place" in text


def test_scrub_ends_with_0_where_all_is_sound_and_with_4_where_it_was_broken_off(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        "VAULT_STORE": str(settings.store),
        "VAULT_PASSPHRASE_FILE": str(settings.passphrase_file),
    }
    whole = CliRunner().invoke(application, ["scrub", "--json", "--rate", "5"], env=environment)
    assert (whole.exit_code, json.loads(whole.stdout)["finished"]) == (0, True)
    really = vault.scrub

    def interrupted(*given: object, **named: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return really(*given, **named)  # type: ignore[arg-type]  # whatever the command gives

    monkeypatch.setattr(vault, "scrub", interrupted)
    broken_off = CliRunner().invoke(application, ["scrub"], env=environment)
    assert broken_off.exit_code == 4
    assert "Broken off. It goes on here the next time." in broken_off.stdout
