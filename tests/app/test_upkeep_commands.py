"""`vig-vault scrub` and `move-store` as an administrator runs them: statuses, words, JSON, Ctrl-C, and going on."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import app.cli.move
import app.cli.scrub  # noqa: F401 - these register commands
from app.cli.progress import Progress
from app.service import Service
from core.ids import CaseId, JobId, new_id
from core.jobs import Lease
from core.segments import SegmentWriter
from identity.models import CaseRow, ReferrerKind, Status
from tests.app.keyshop import Shop
from tests.docs.repository import ROOT
from vault import ObjectKind, sealed
from vault.sealed import Pin, Plain

SIZE = 3 * 2**20
PATIENCE_SECONDS = 60


def fill(service: Service, count: int) -> list[str]:
    """Objects of a case, really sealed."""
    keystore, case, names = service.keystore, CaseId(new_id()), []
    with service.db.begin() as session:
        at, kind = service.db.clock.now(), ReferrerKind.OTHER
        row = CaseRow(id=case, referrer_kind=kind, status=Status.OTHER, opened_at=at, opened_by=new_id())
        session.add(row)
    for _ in range(count):
        content, at = os.urandom(SIZE), service.db.clock.now()
        draft = sealed.new_draft(keystore, case_id=case, job="test")
        with service.store.writer(draft.id) as writer:
            pin = Pin(writer)
            sealer = SegmentWriter(draft.key, associated_data=draft.associated_data, write=pin.write)
            sealer.write(content)
            sealer.close()
            writer.commit()
        with service.db.begin() as session:
            lease = Lease(JobId(new_id()), 1)
            session.add(sealed.draft_row(draft, kind=ObjectKind.CUT, media_type="video/mp4", lease=lease, at=at))
            session.flush()
            plain = Plain(len(content), hashlib.sha256(content).hexdigest())
            sealed.keep(session, draft, pin=pin, plain=plain, at=at)
        names.append(draft.id)
    return names


@pytest.fixture
def names(shop: Shop) -> list[str]:
    with shop.opened() as service:
        return fill(service, 2)


def place_of(shop: Shop, name: str) -> Path:
    return shop.settings.store / "objects" / "objects" / name[:2] / name


def environment(shop: Shop) -> Mapping[str, str]:
    ours = {
        "VAULT_STORE": str(shop.settings.store),
        "VAULT_PASSPHRASE_FILE": str(shop.settings.passphrase_file),
        "VAULT_RECOVERY_PLACE": str(shop.settings.recovery_place[0]),
        "VAULT_WITNESS": str(shop.settings.witness),
        "PYTHONPATH": str(ROOT),
    }
    return {name: text for name, text in os.environ.items() if not name.startswith("VAULT_")} | ours


def interrupted(shop: Shop, *words: str) -> tuple[int, dict[str, Any], str]:
    """Run the real command on a terminal, press Ctrl-C once its bar has moved twice: its status, JSON and bar."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "app", *words, "--json"]
    with subprocess.Popen(command, env=environment(shop), stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        assert process.stdout is not None
        bar, end = "", time.monotonic() + PATIENCE_SECONDS
        for piece in _pieces(ours):
            bar += piece
            assert time.monotonic() < end, bar
            if len(set(re.findall(r"\d+%", bar)) - {"0%"}) > 1:
                process.send_signal(signal.SIGINT)
                break
        for piece in _pieces(ours):
            bar += piece
        told = process.stdout.read()
    os.close(ours)
    return process.returncode, json.loads(told), bar


def _pieces(handle: int) -> Iterator[str]:
    while True:
        try:
            piece = os.read(handle, 4096)
        except OSError:  # its other end is closed
            return
        if not piece:
            return
        yield piece.decode(errors="replace")


def test_a_scrub_that_is_interrupted_says_what_is_left_ends_with_4_and_goes_on(shop: Shop, names: list[str]) -> None:
    status, told, bar = interrupted(shop, "scrub", "--rate", "2")
    assert (status, told["finished"], told["damaged"], told["missing"]) == (4, False, 0, 0)
    assert 0 < told["left_bytes"] < len(names) * SIZE + 2**16
    assert told["seconds_left"] > 0
    assert "Reading" in bar
    assert "Traceback" not in bar
    status, told = shop.ask("scrub")
    assert (status, told["finished"], told["left_bytes"], told["seconds_left"]) == (0, True, 0, 0)
    assert told["objects"] == len(names)
    assert shop.run("scrub")[1].endswith("0 damaged, 0 missing.\n")


def test_a_scrub_ends_with_1_and_names_what_is_damaged_or_missing(shop: Shop, names: list[str]) -> None:
    damaged, missing = names
    path = place_of(shop, damaged)
    right = path.read_bytes()
    path.write_bytes(right[:-1] + b"?")
    place_of(shop, missing).unlink()
    status, told = shop.ask("scrub")
    assert (status, told["damaged"], told["missing"]) == (1, 1, 1)
    found = {(one["code"], one["subject"]) for one in told["findings"]}
    assert found == {("object_damaged", damaged), ("object_missing", missing)}
    status, words = shop.run("scrub")  # what is damaged is quarantined now, and not looked at again
    assert status == 1
    assert f"object_missing  {missing}" in words

    status, told = shop.ask("scrub", "--quarantined")
    assert (status, told["lifted"], told["finished"]) == (1, [], True)
    assert [(one["code"], one["subject"]) for one in told["findings"]] == [("object_quarantined", damaged)]
    path.write_bytes(right)
    status, words = shop.run("scrub", "--quarantined")
    assert (status, words.splitlines()[0], words.splitlines()[-1]) == (0, f"lifted  {damaged}", "1 lifted, 0 not.")
    assert shop.run("scrub", "--quarantined") == (0, "0 lifted, 0 not.\n")
    assert shop.ask("scrub")[1]["damaged"] == 0


def test_a_move_that_is_interrupted_goes_on_and_says_what_comes_next_at_each_step(
    shop: Shop, names: list[str], tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere"
    status, told, bar = interrupted(shop, "move-store", str(target), "--rate", "2")
    assert (status, told["next"]) == (4, "copy")
    assert told["left_bytes"] > 0
    assert told["seconds_left"] > 0
    assert "Copying" in bar
    status, told = shop.ask("move-store", str(target))
    assert (status, told["next"], told["damaged"], told["missing"], told["left_bytes"]) == (0, "switch", [], [], 0)
    status, words = shop.run("move-store", str(target))
    assert (status, words.splitlines()[0]) == (0, "0 objects were copied and compared, 0 MiB.")
    assert "set VAULT_OBJECTS to the target and VAULT_OBJECTS_ALSO" in words
    for name in names:
        assert (target / "objects" / name[:2] / name).read_bytes() == place_of(shop, name).read_bytes()

    both = replace(shop.settings, objects=str(target), objects_also=str(shop.settings.store / "objects"))
    moved = Shop(both)
    assert moved.run("scrub")[0] == 0  # the first process after the switch
    status, told = moved.ask("move-store", str(target))
    assert (status, told["next"]) == (0, "drop")
    assert shop.run("scrub")[1] == "store_moved"
    assert Shop(replace(both, objects_also="")).run("scrub")[0] == 0


def test_a_move_ends_with_1_and_names_what_is_damaged_or_missing(shop: Shop, names: list[str], tmp_path: Path) -> None:
    damaged, missing = names
    path = place_of(shop, damaged)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    place_of(shop, missing).unlink()
    status, told = shop.ask("move-store", str(tmp_path / "elsewhere"))
    assert (status, told["damaged"], told["missing"]) == (1, [damaged], [missing])


def test_targets_that_cannot_be_one_are_refused_by_code_and_nothing_is_written(
    shop: Shop, names: list[str], tmp_path: Path
) -> None:
    del names
    full = tmp_path / "full"
    for word in ("elsewhere", "ftp://films", "s3://key:secret@films"):
        assert shop.run("move-store", word)[1] == "store_address"
    assert shop.run("move-store", str(shop.settings.store / "objects"))[1] == "nothing_to_move"
    assert shop.run("move-store", "s3://films", "--credentials", str(tmp_path / "none"))[1] != ""
    name = new_id()
    (full / "objects" / name[:2]).mkdir(parents=True)
    (full / "objects" / name[:2] / name).write_bytes(b"somebody's")
    assert shop.run("move-store", str(full))[1] == "target_not_empty"
    assert shop.run("move-store", "--rate", "-1", str(full))[0] == 2
    assert shop.run("move-store")[0] == 2


def test_the_real_command_says_a_refusal_in_one_line_with_its_code_and_status(shop: Shop) -> None:
    command = [sys.executable, "-m", "app", "move-store", str(shop.settings.store / "objects")]
    done = subprocess.run(command, env=environment(shop), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("nothing_to_move: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["scrub", "move-store"])
def test_help_says_what_the_statuses_mean(shop: Shop, command: str) -> None:
    status, words = shop.run(command, "--help")
    assert status == 0
    for word in ("--rate", "--json", "4", "1"):
        assert word in words


def test_the_time_left_is_by_the_pace_since_it_began_or_went_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = Progress()
    assert (progress.left, progress.seconds_left) == (0, 0)
    progress(500, 1000)  # it goes on where it was
    assert progress.seconds_left is None
    now = 110.0
    progress(600, 1000)
    assert (progress.left, progress.seconds_left) == (400, 40)
    progress(0, 100)
    assert progress.seconds_left is None
    now = 111.0
    progress(100, 100)
    assert progress.seconds_left == 0
