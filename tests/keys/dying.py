"""A process that rolls the epoch and kills itself at a given write of the capsule: ``python -m … folder writes``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core.db import connect
from keys import Assurance, Destruction, KeyStore, LocalRoot
from keys.heartbeat import LAPSES_AFTER
from keys.roots import OpenRoot
from tests.fakes import HandClock
from tests.keys.conftest import PASSPHRASE, QUICK


@dataclass
class Dying:
    """A root that lets its process live for so many sealings."""

    inner: OpenRoot
    left: int

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner.encrypt(plaintext, associated_data=associated_data)

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        return self.inner.decrypt(ciphertext, associated_data=associated_data)


class DyingRoot:
    uri = "local:"
    destruction = Destruction.IMMEDIATE
    assurance = Assurance.FILE

    def __init__(self, left: int) -> None:
        self._left = left
        self._local = LocalRoot(PASSPHRASE, cost=QUICK)

    def make(self) -> tuple[Mapping[str, str | int], OpenRoot]:
        return self._local.make()

    def rotate(self, record: Mapping[str, str | int]) -> tuple[Mapping[str, str | int], OpenRoot]:
        return self._local.rotate(record)

    def destroy(self, record: Mapping[str, str | int], *, at: datetime) -> datetime | None:
        return self._local.destroy(record, at=at)

    def reference(self, record: Mapping[str, str | int]) -> Mapping[str, str | int]:
        return self._local.reference(record)

    def open(self, record: Mapping[str, str | int]) -> OpenRoot:
        return Dying(self._local.open(record), self._left)


def main(folder: Path, writes: int) -> None:
    clock = HandClock()
    clock.move(LAPSES_AFTER + timedelta(seconds=1))
    db = connect(f"sqlite:///{folder / 'keys.db'}", clock=clock)
    root = DyingRoot(writes - 1)
    KeyStore.open(db=db, root=root, places=[folder / "live", folder / "recovery"]).roll_epoch()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
