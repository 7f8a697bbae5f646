"""The door of the media room: films are parsed in sandboxed children, and nowhere else.

Three children share one job. The *decoder* opens the sealed film and emits raw frames and samples; the *encoder*
compresses them and sees nothing else; the *finisher* looks at the result, lays it out and seals it. The parent serves
ciphertext and kills. Without Landlock and seccomp nothing starts.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media import spawn
from media.jobs import (
    JPEG,
    MP4,
    Bounds,
    Cut,
    Grid,
    Job,
    Normalise,
    Poster,
    Result,
    Sink,
    Source,
    Strip,
)
from media.refusals import SANDBOX_MISSING, refuse
from media.sandbox import Role, landlock_abi
from media.supervise import Supervisor
from media.wire import BrokenLine, Kind

__all__ = [
    "JPEG",
    "MP4",
    "Bounds",
    "Cut",
    "Grid",
    "Job",
    "Layers",
    "Normalise",
    "Poster",
    "Result",
    "Sink",
    "Source",
    "Strip",
    "layers",
    "run",
    "self_test",
]

_proved = threading.Event()


@dataclass(frozen=True, slots=True)
class Layers:
    """What stands between a film and this machine.

    Attributes:
        landlock_abi: version of the kernel's Landlock, 0 where there is none.
        child_started: whether a child could put every layer on.
        allowed: names of forbidden things that a child managed to do, sorted; empty when all was refused.
    """

    landlock_abi: int
    child_started: bool
    allowed: tuple[str, ...]

    @property
    def hold(self) -> bool:
        """Whether media jobs may start."""
        return self.child_started and not self.allowed


def layers() -> Layers:
    """Start a child, let it try what is forbidden, and tell what it managed."""
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder, "canary")
        canary.write_text(secrets.token_hex(8))
        child = spawn.start(Role.TEST, fds={})
        try:
            if child.line is None:
                return Layers(landlock_abi(), child_started=False, allowed=())
            child.line.tell(Kind.ORDER, canary=str(canary), folder=folder)
            words = child.line.expect(Kind.DONE).words()
        except BrokenLine:
            return Layers(landlock_abi(), child_started=False, allowed=())
        finally:
            child.kill()
        refused: dict[str, bool] = words["refused"]
        allowed = tuple(sorted(name for name, was in refused.items() if not was))
        return Layers(landlock_abi(), child_started=True, allowed=allowed)


def self_test() -> Layers:
    """Prove that the layers hold, once for this process if they do.

    Raises:
        Unavailable: ``media_sandbox_missing``: they don't, so no film may be opened here.
    """
    found = layers()
    if not found.hold:
        refuse(SANDBOX_MISSING)
    _proved.set()
    return found


def run(
    job: Job,
    *,
    source: Source,
    sink: Sink,
    on_progress: Callable[[int], object] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    bounds: Bounds | None = None,
    spool: Path | None = None,
) -> Result:
    """Carry out one media job and wait for it. Call it from a thread that lives until it returns.

    Args:
        job: what to do.
        source: the sealed film; for ``Cut`` the working copy.
        sink: where the sealed output goes, once it is whole and was looked at.
        on_progress: told parts of a thousand, at most five times a second.
        cancelled: asked four times a second whether to stop.
        bounds: other bounds than the usual ones.
        spool: folder for a nameless temporary file of ciphertext as large as the output (else the system's).

    Returns:
        Facts about the output.

    Raises:
        Invalid, TooLarge: the film or the span can't be used; trying again won't help.
        Damaged: the sealed source fails its authentication.
        Conflict: ``media_cancelled``.
        Unavailable: a child failed or hung, or the sandbox is missing (``media_sandbox_missing``).
    """
    if not _proved.is_set():
        self_test()
    supervisor = Supervisor(
        job,
        source=source,
        sink=sink,
        bounds=bounds or Bounds(),
        on_progress=on_progress,
        cancelled=cancelled,
        spool=spool,
    )
    made = supervisor.carry_out()
    shape, film = made.shape, isinstance(job, Normalise | Cut)
    return Result(
        media_type=MP4 if film else JPEG,
        width=shape.width * max(1, shape.columns),
        height=shape.height * max(1, shape.rows),
        fps=shape.rate,
        frames=made.frames,
        duration_ms=round(made.frames / shape.rate * 1000) if film else 0,
        has_audio=shape.channels > 0,
        plain_sha256=made.output.sha256,
        sealed=made.output.sealed,
        grid=shape.grid,
    )
