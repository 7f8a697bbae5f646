"""How far a media job is, written as it goes; and whether there is any use in going on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from core import jobs
from core.db import Database
from core.jobs import Lease
from vault.sealed import Fenced

_STEP = 10
"""Progress is written when it has moved by so many parts of a thousand."""
_LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stage and which parts of a thousand of the whole job it is."""

    stage: str
    start: int
    end: int


@dataclass(slots=True)
class Progress:
    """How far one stage is; notices when the lease is lost."""

    db: Database
    lease: Lease
    span: Span
    _shown: int = field(default=-_STEP)
    _lost: bool = field(default=False)
    _looked: float = field(default_factory=time.monotonic)

    def reach(self, share: float) -> None:
        """Note a share of the stage, from 0 to 1; written only when it moved."""
        at = self.span.start + int((self.span.end - self.span.start) * max(0.0, min(1.0, share)))
        if at - self._shown < _STEP:
            return
        self._shown = at
        with self.db.begin() as session:
            self._lost = not jobs.report(session, self.lease, stage=self.span.stage, progress=at)
        self._looked = time.monotonic()

    def is_lost(self) -> bool:
        """Whether there is no use in going on; looked up once a second at most."""
        if not self._lost and time.monotonic() - self._looked > _LOOK_EVERY:
            self._looked = time.monotonic()
            with self.db.read() as session:
                self._lost = jobs.is_lost(session, self.lease)
        return self._lost

    def check(self) -> None:
        """Stop where the lease is lost.

        Raises:
            Fenced: it is.
        """
        if self.is_lost():
            raise Fenced
