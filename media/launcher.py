"""The door of the media room: films are parsed in sandboxed children, and nowhere else.

Three children share one job. The *decoder* opens the sealed film and emits raw frames and samples; the *encoder*
compresses them and sees nothing else; the *finisher* looks at the result, lays it out and seals it. The parent serves
ciphertext and kills. Each child stands behind every layer that this machine has (``media.layers``); without seccomp, or
without both bubblewrap and Landlock, nothing starts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from media import detector
from media.jobs import (
    JPEG,
    MP4,
    Bounds,
    Crop,
    Cut,
    Detect,
    Grid,
    Job,
    Normalise,
    Poster,
    Redact,
    Result,
    Sheet,
    Sink,
    Source,
    Strip,
)
from media.layers import Finding, Layer, Layers, State, prove
from media.orders import media_type_of
from media.refusals import MODEL_MISSING, SANDBOX_MISSING, refuse
from media.supervise import Supervisor

__all__ = [
    "JPEG",
    "MP4",
    "Bounds",
    "Crop",
    "Cut",
    "Detect",
    "Finding",
    "Grid",
    "Job",
    "Layer",
    "Layers",
    "Normalise",
    "Poster",
    "Redact",
    "Result",
    "Sheet",
    "Sink",
    "Source",
    "State",
    "Strip",
    "can_detect",
    "layers",
    "run",
    "self_test",
]

_turn = threading.Lock()
_proved: Layers | None = None


def layers() -> Layers:
    """Have children try what each layer must refuse, and tell what they managed; takes about half a second."""
    global _proved  # noqa: PLW0603 - the machine is one, and so is what was found out about it
    found = prove()
    _proved = found if found.hold else None
    return found


def self_test() -> Layers:
    """Prove that enough layers hold, once for this process if they do.

    Raises:
        Unavailable: ``media_sandbox_missing``: they don't, so no film may be opened here.
    """
    with _turn:
        found = _proved or layers()
    if not found.hold:
        refuse(SANDBOX_MISSING)
    return found


def can_detect() -> bool:
    """Whether ``Detect`` can be carried out: the build puts the detector's model into the package."""
    return detector.is_there()


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
        source: the sealed film; for ``Cut`` and ``Redact`` the working copy.
        sink: where the sealed output goes, once it is whole and was looked at.
        on_progress: told parts of a thousand, at most five times a second.
        cancelled: asked four times a second whether to stop.
        bounds: other bounds than the usual ones.
        spool: folder for a nameless temporary file of ciphertext as large as the output (else the system's).

    Returns:
        Facts about the output.

    Raises:
        Invalid, TooLarge: the film, the span or the covers can't be used; trying again won't help.
        Damaged: the sealed source fails its authentication.
        Conflict: ``media_cancelled``.
        Unavailable: a child failed or hung, or the sandbox is missing (``media_sandbox_missing``), or for
            ``Detect`` the model (``media_model_missing``).
    """
    if isinstance(job, Detect) and not can_detect():
        refuse(MODEL_MISSING)
    supervisor = Supervisor(
        job,
        walls=self_test().walls,
        source=source,
        sink=sink,
        bounds=bounds or Bounds(),
        on_progress=on_progress,
        cancelled=cancelled,
        spool=spool,
    )
    made = supervisor.carry_out()
    shape, media_type = made.shape, media_type_of(job)
    film = media_type == MP4
    return Result(
        media_type=media_type,
        width=shape.film_width or shape.width * max(1, shape.columns),
        height=shape.film_height or shape.height * max(1, shape.rows),
        fps=shape.rate,
        frames=made.frames,
        duration_ms=round(made.frames / shape.rate * 1000) if film else 0,
        has_audio=shape.channels > 0,
        plain_sha256=made.output.sha256,
        sealed=made.output.sealed,
        grid=shape.grid,
    )
