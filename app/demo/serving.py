"""A served store in a process of its own: started, waited for, killed, started again."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

from app.settings import PREFIX

READY_WITHIN_SECONDS = 60
_ASK_EVERY_SECONDS = 0.1
_PAGES_WORK: tuple[dict[str, str], ...] = ({}, {"sandbox": "media_sandbox_missing"})
"""What ``/readyz`` may find failing: without the sandbox films wait, and their pages say why."""


class NotReady(Exception):
    """The server didn't come up."""


class Served:
    """A throwaway store and its server.

    Args:
        folder: empty; the store, the passphrase, messages and logs go there.
        settings: further settings, without their prefix.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.messages = folder / "messages"
        self.clock = folder / "clock"
        self.log = folder / "server.log"
        self.origin = f"http://127.0.0.1:{_free_port()}"
        self.messages.mkdir(mode=0o700, parents=True)
        passphrase = folder / "passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text(secrets.token_urlsafe(24), encoding="ascii")
        given = {
            "store": str(folder / "store"),
            "passphrase_file": str(passphrase),
            "recovery_place": str(folder / "recovery"),
            "witness": str(folder / "witness"),
            "messages": f"spool:{self.messages}",
            "listen": self.origin.removeprefix("http://"),
            "demo_clock": str(self.clock),
        } | settings
        plain = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self.environment = plain | {PREFIX + name.upper(): value for name, value in given.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `vig-vault` on this store; whatever its exit status says is the caller's to look at."""
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "app", *words], env=self.environment, capture_output=True, text=True, check=False
        )

    def init(self, *, admin_name: str, admin_email: str) -> dict[str, str]:
        """Make the store.

        Returns:
            What `vig-vault init --json` printed.
        """
        done = self.command("init", "--admin-name", admin_name, "--admin-email", admin_email, "--json")
        if done.returncode:
            raise NotReady(done.stderr)
        answer: dict[str, str] = json.loads(done.stdout)
        return answer

    def start(self, *words: str) -> None:
        """Start the server, with further words for `vig-vault serve`, and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "app", "serve", *words], env=self.environment, stdout=log, stderr=log
            )
        end = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                failing = httpx.get(f"{self.origin}/readyz").json()["failing"]
                if failing in _PAGES_WORK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(_ASK_EVERY_SECONDS)
        raise NotReady(self.tail())

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def stop(self) -> int:
        """End it cleanly.

        Returns:
            Its exit status.
        """
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    @property
    def on_sqlite(self) -> bool:
        """Whether its databases are files in the store."""
        return PREFIX + "DATABASE_URL" not in self.environment

    def copy(self) -> Self:
        """A copy of the stopped-or-not store, for somebody with the database and no scruples; serves nothing."""
        other = copy.copy(self)
        other.folder = self.folder / "copy"
        sockets = shutil.ignore_patterns("run")  # of the processes that run
        shutil.copytree(self.folder / "store", other.folder, dirs_exist_ok=True, ignore=sockets)
        other.environment = self.environment | {PREFIX + "STORE": str(other.folder)}
        return other

    def edit_entry(self, event: str) -> int:
        """Change one row of the log as somebody would who owns the database.

        Returns:
            The index that the entry has in the log.
        """
        with contextlib.closing(sqlite3.connect(self.folder / "database.db")) as connection:
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            query = (
                "SELECT e.id, l.position FROM audit_entry e JOIN audit_leaf l ON l.entry_id = e.id WHERE e.event = ?"
            )
            entry, position = connection.execute(query, (event,)).fetchone()
            connection.execute("UPDATE audit_entry SET actor = ? WHERE id = ?", ("0" * 32, entry))
            connection.commit()
        return int(position)

    def tail(self) -> str:
        """The last lines of the server's log."""
        return self.log.read_text(encoding="utf-8")[-3000:] if self.log.exists() else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
