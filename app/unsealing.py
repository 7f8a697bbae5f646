"""Giving the root to a process that runs: each listens on a Unix socket of its own, for its own user and root alone.

The sockets lie in ``run/`` in the store, a folder of mode 0700, each of mode 0600; who connects is looked at as well
(``SO_PEERCRED``). One line of JSON goes each way. A wrong passphrase changes nothing, and after each the next may only
be tried after a while that doubles. Sockets are reached through their folder's descriptor, since an address of one may
be no longer than 107 bytes.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import secrets
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import Refused, Unavailable, VaultError
from core.secret import Secret

FOLDER = Path("run")
_LONGEST_LINE = 16 * 1024
_PATIENCE_SECONDS = 5.0
_ANSWER_SECONDS = 120.0
_LONGEST_WAIT_SECONDS = 60.0
_ENDING = ".sock"
_COMING = ".new"
_AGAIN_SECONDS = 1.0
ROOT = 0
_LOG = logging.getLogger("vault.unseal")

Give = Callable[[Secret[str]], None]
"""Opens the keys with a passphrase or PIN; does nothing where they are open."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a process answered.

    Attributes:
        name: of its socket.
        is_sealed: whether its keys are closed still.
        code: of what kept them closed; empty where nothing did.
        sentence: the same in words.
    """

    name: str
    is_sealed: bool
    code: str = ""
    sentence: str = ""


class Door:
    """One process's socket.

    Args:
        folder: of the sockets.
        name: what the process is called; what makes it unique is added.
        give: opens the keys.
        is_sealed: whether they are closed.
        monotonic: counts how long ago a wrong one was given, in seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        give: Give,
        is_sealed: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = folder / f"{name}.{secrets.token_hex(3)}{_ENDING}"
        self._give = give
        self._is_sealed = is_sealed
        self._stop = threading.Event()
        self._monotonic = monotonic
        self._failures = 0
        self._not_before = -math.inf
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Begin to listen.

        Raises:
            Unavailable: ``socket_unavailable``: the folder isn't ours alone, or takes no socket.
        """
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            _require_ours_alone(self.path.parent)
            with _beside(self.path) as address:
                coming = Path(f"{address}{_COMING}")
                listening.bind(str(coming))
                coming.chmod(0o600)
                listening.listen(8)
                coming.rename(address)  # only now: whoever asks takes one that doesn't answer for a dead one's
            listening.settimeout(1.0)
        except OSError as error:
            listening.close()
            raise _no_socket() from error
        self._socket = listening
        threading.Thread(target=self._answer_all, args=(listening,), name="unseal", daemon=True).start()

    def close(self) -> None:
        """End; the socket disappears."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self.path.unlink()
        if self._socket is not None:
            self._socket.close()

    def _answer_all(self, listening: socket.socket) -> None:
        while not self._stop.is_set():
            try:
                line, _ = listening.accept()
            except TimeoutError:
                continue
            except OSError:  # too many open files, say: that passes, and nobody else answers here
                self._stop.wait(_AGAIN_SECONDS)
                continue
            with line:
                line.settimeout(_PATIENCE_SECONDS)
                with contextlib.suppress(OSError):  # who asked went away, or never asked
                    if is_trusted(line):
                        line.sendall(json.dumps(self._answer(_read(line))).encode() + b"\n")
                    else:
                        _LOG.warning("a stranger at the socket", extra={"code": "not_yours"})

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        said = {"code": "", "sentence": ""}
        if isinstance(asked.get("secret"), str):
            try:
                self._try(Secret(asked["secret"]))
            except VaultError as error:
                said = {"code": error.code, "sentence": error.sentence}
                _LOG.warning("not unsealed", extra={"code": error.code})
            except Exception as error:  # noqa: BLE001 - this thread must go on; what it was stands in the log
                said = {"code": "failed", "sentence": "Something went wrong. The process's log says what."}
                _LOG.error("not unsealed", exc_info=error)
        return {"sealed": self._is_sealed(), **said}

    def _try(self, secret: Secret[str]) -> None:
        wait = self._not_before - self._monotonic()
        if wait > 0:
            raise Unavailable("too_many_tries", f"Wrong too often. Try again in {math.ceil(wait)} seconds.")
        try:
            self._give(secret)
        except Refused:
            self._failures += 1
            self._not_before = self._monotonic() + min(2.0 ** (self._failures - 1), _LONGEST_WAIT_SECONDS)
            raise
        self._failures = 0


def is_trusted(line: socket.socket, *, owner: int = ROOT) -> bool:
    """Whether this process's own user, or root, is at the other end.

    Args:
        line: the connection.
        owner: of the sockets' folder; to root, a process of that user is the vault's own.
    """
    found = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, user, _group = struct.unpack("3i", found)
    return user in {ROOT, os.geteuid()} or (os.geteuid() == ROOT and user == owner)


def ask_all(folder: Path, *, name: str = "", secret: Secret[str] | None = None) -> list[Told]:
    """Ask every process that listens; clear away the sockets of those that died.

    Args:
        folder: of the sockets.
        name: only processes whose socket's name begins so.
        secret: what opens the keys; without it they are only looked at.
    """
    asked: dict[str, str] = {} if secret is None else {"secret": secret.reveal()}
    found = sorted(folder.glob(f"*{_ENDING}")) if folder.is_dir() else []
    told = (_ask(path, asked) for path in found if path.name.startswith(name) and _is_socket(path))
    return [one for one in told if one is not None]


def _ask(path: Path, asked: dict[str, str]) -> Told | None:
    name = path.name.removesuffix(_ENDING)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_ANSWER_SECONDS)
        try:
            with _beside(path) as address:
                line.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):  # it died without saying so
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        except OSError:
            return Told(name, is_sealed=True, code="not_reached", sentence="This user may not speak to that process.")
        if not is_trusted(line, owner=path.parent.stat().st_uid):  # a passphrase is told to nobody else either
            return Told(name, is_sealed=True, code="not_yours", sentence="Another user's process listens there.")
        try:
            line.sendall(json.dumps(asked).encode() + b"\n")
            answer = _read(line)
        except OSError:
            answer = {}
    if not answer:
        return Told(name, is_sealed=True, code="no_answer", sentence="That process gave no answer.")
    return Told(name, bool(answer.get("sealed")), str(answer.get("code", "")), str(answer.get("sentence", "")))


def _read(line: socket.socket) -> dict[str, Any]:
    data = b""
    while not data.endswith(b"\n") and len(data) < _LONGEST_LINE:
        piece = line.recv(4096)
        if not piece:
            break
        data += piece
    try:
        read = json.loads(data)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:  # its process has just ended
        return False


def _require_ours_alone(folder: Path) -> None:
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid() or stat.S_IMODE(seen.st_mode) & 0o077:
        raise PermissionError


@contextmanager
def _beside(path: Path) -> Iterator[str]:
    """A short address of a socket."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _no_socket() -> Unavailable:
    return Unavailable("socket_unavailable", "The socket for unsealing can't be made in the store's folder `run`.")
