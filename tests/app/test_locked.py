"""SQLite held by somebody else: the answer is 503 and when to come back; nothing was done, and then it works."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import event

from app.service import Service
from tests.app.browser import PROGRAM
from tests.app.conftest import ClientFor
from tests.app.walk import ON_SQLITE
from tests.families import Family


@ON_SQLITE
def test_a_locked_database_is_503_and_says_when_to_come_back(
    service: Service, family: Family, client_for: ClientFor, tmp_path: Path
) -> None:
    @event.listens_for(service.db.engine, "connect")
    def impatient(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout = 50")

    service.db.engine.dispose()
    browser = client_for(family.staff.guider.token)
    with closing(sqlite3.connect(tmp_path / "vault.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = browser.post("/sign-out", headers=PROGRAM)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_busy")
        assert int(answer.headers["retry-after"]) > 0
        assert browser.get("/families").status_code == 200  # who only reads doesn't wait
        other.execute("ROLLBACK")
    assert browser.post("/sign-out").status_code == 303
