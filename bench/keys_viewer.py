"""A viewer of a real server, who asks for piece after piece of a film and notes when each came."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx

import vault
from consent import Purpose
from keys import KeyStore
from tests.app.stage import Stage, cookie_of, staged
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import add_clip, add_footage, noise

FILM_BYTES = 8 * 2**20
PIECE = 128 * 1024
_PATIENCE_SECONDS = 60


@dataclass(slots=True)
class Gaps:
    """The longest gap of each round, in milliseconds."""

    without: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Viewer:
    """Asks for ranges of a film, one after another, until told to stop."""

    address: str
    headers: dict[str, str]
    came: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Note when each piece of film came."""
        start = 0
        with httpx.Client(headers=self.headers, timeout=_PATIENCE_SECONDS) as client:
            while not self.stop.is_set():
                span = {"Range": f"bytes={start}-{start + PIECE - 1}"}
                with client.stream("GET", self.address, headers=span) as answer:
                    if answer.status_code != 206:  # noqa: PLR2004 - partial content
                        self.faults.append(str(answer.status_code))
                        return
                    for _ in answer.iter_raw():
                        self.came.append(time.perf_counter())
                start = (start + PIECE) % FILM_BYTES

    def longest_ms(self) -> float:
        """The longest gap."""
        return max(after - before for before, after in zip(self.came, self.came[1:], strict=False)) * 1000


def viewer_pauses(
    folder: Path,
    *,
    settings: Callable[[Path], AbstractContextManager[dict[str, str]] | None],
    prepare: Callable[[KeyStore], object],
    rounds: int,
) -> Gaps:
    """Watch while the epoch rolls in another process, and for as long without, in turns.

    Args:
        folder: an empty one.
        settings: gives the settings of a database of its own, in a folder.
        prepare: fills the key store.
        rounds: of each.
    """
    gaps = Gaps()
    with ExitStack() as stack:
        own = settings(folder.with_name(f"{folder.name}-db"))
        given = stack.enter_context(own) if own is not None else {}
        stage = stack.enter_context(staged(folder, **given))
        prepare(stage.service.keystore)
        address, headers = _film(stage)
        for _ in range(rounds):
            lasted, longest = watched(address, headers, lambda: _roll(stage))
            gaps.during.append(longest)
            _, longest = watched(address, headers, lambda lasted=lasted: time.sleep(lasted))  # type: ignore[misc]  # as above
            gaps.without.append(longest)
            sys.stderr.write(f"a roll of {lasted:.1f} s: {gaps.during[-1]:.0f} ms, without {gaps.without[-1]:.0f} ms\n")
    return gaps


def watched(address: str, headers: dict[str, str], meanwhile: Callable[[], object]) -> tuple[float, float]:
    """How long something took, and the longest gap that a viewer met meanwhile, in milliseconds."""
    viewer = Viewer(address, headers)
    thread = threading.Thread(target=viewer.watch)
    thread.start()
    time.sleep(0.5)
    begun = time.perf_counter()
    meanwhile()
    lasted = time.perf_counter() - begun
    viewer.stop.set()
    thread.join()
    assert viewer.faults == []
    return lasted, viewer.longest_ms()


def _film(stage: Stage) -> tuple[str, dict[str, str]]:
    service, family = stage.service, stage.family()
    agree_to_filming(service.db, service.keystore, family)
    footage = add_footage(service.db, service.keystore, stage.store, family, stage.visit(family))
    clip = add_clip(service.db, service.keystore, stage.store, family, footage, content=noise(FILM_BYTES))
    guider = family.staff.guider
    viewing = vault.begin_viewing(
        service.db, actor=guider.actor, rendition_id=clip.rendition_id, purpose=Purpose.PREPARE
    ).id
    return f"{stage.served.origin}/media/{viewing}", cookie_of(guider)


def _roll(stage: Stage) -> None:
    beating = threading.Event()

    def beat() -> None:  # this process holds the keys as well, so the roll waits for it
        while not beating.wait(0.2):
            stage.service.keystore.beat()

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "app", "key", "roll-epoch", "--wait", "--json"],
            env=stage.served.environment,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        beating.set()
        thread.join()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["done"]
