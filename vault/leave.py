"""Leave to go on: what a playing film and its page's events ask again and again.

A permit must be *fresh*: its own time isn't over, and the case's version and the session are what they were, as seen at
most a quarter of a second ago, by the watch or because it was just decided. Where it isn't, it is decided again from
the database.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Self

import identity
from consent import Permit, Refusal, Watch
from core.db import Database
from core.errors import VaultError
from core.ids import ViewingId
from identity import Actor
from keys import KeyStore
from vault.desk import Desk
from vault.objects import ObjectStore
from vault.viewings import Ticket

JUST_DECIDED_SECONDS = 0.25
"""How long a decision stands by itself before the watch must confirm it."""

USE_NOTED_SECONDS = 60.0
"""How often it is written down that a film is being watched, at most."""

_SETTLING = threading.BoundedSemaphore(2)
"""Ends of viewings that are written at once: they wait for each other in the database anyway, and stopping others is
more urgent."""


class Leave:
    """The leave of one viewing. ``holds``, ``note_use`` and ``settle`` block, so call them in a thread.

    Attributes:
        desk: where it is decided.
        ticket: the viewing.
        permit: the latest one.
    """

    def __init__(
        self,
        desk: Desk,
        watch: Watch,
        ticket: Ticket,
        *,
        permit: Permit,
        decided: float,
        monotonic: Callable[[], float],
    ) -> None:
        self.desk, self.ticket = desk, ticket
        self.permit = permit
        self._watch, self._decided, self._monotonic = watch, decided, monotonic
        self._use_noted = decided  # by the request that is being answered
        self._refusal: Refusal | None = None
        self._renewing = threading.Lock()

    @classmethod
    def taken(
        cls,
        desk: Desk,
        *,
        watch: Watch,
        actor: Actor,
        viewing_id: ViewingId,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Look at a ticket and decide on it, now, from the database.

        Raises:
            NotFound: no such ticket, or not of this session, or it has ended.
            Refused: no longer available (``not_available``); the ticket has ended with that.
        """
        decided = monotonic()
        ticket, permit = desk.admit(viewing_id, actor=actor)
        return cls(desk, watch, ticket, permit=permit, decided=decided, monotonic=monotonic)

    def watched(self) -> AbstractContextManager[None]:
        """Have the watch look at this case and session for as long as the block runs."""
        return self._watch.watching(self.ticket.case_id, session=self.ticket.inquiry.session)

    def fresh(self) -> bool:
        """Whether the next piece may be shown by what is known already; a no only means: ask ``holds``."""
        at = self.desk.db.clock.now()
        if self._refusal is not None:
            return False
        if self._monotonic() - self._decided < JUST_DECIDED_SECONDS and at < self.permit.valid_until:
            return True
        return self._watch.fresh(self.permit, at=at)

    def holds(self) -> bool:
        """Whether the next piece may be shown; decides again where that isn't certain. A no is final.

        After a no: stop at once, then ``settle``.
        """
        if self.fresh():
            return True
        with self._renewing:
            if self._refusal is not None or self.fresh():
                return self._refusal is None
            decided = self._monotonic()
            answer = self.desk.renew(self.permit, ticket=self.ticket)
            if isinstance(answer, Refusal):
                self._refusal = answer
                return False
            self.permit, self._decided = answer, decided
            return True

    @property
    def is_over(self) -> bool:
        """Whether ``holds`` has said no, so that ``settle`` has something to do."""
        return self._refusal is not None

    @property
    def is_use_due(self) -> bool:
        """Whether the last use was written down so long ago that ``note_use`` should be called."""
        return self._monotonic() - self._use_noted >= USE_NOTED_SECONDS

    def note_use(self) -> None:
        """Film that is taken is use: a session doesn't lie idle meanwhile. Its absolute end stays where it is."""
        self._use_noted = self._monotonic()
        db = self.desk.db
        with suppress(VaultError), db.begin() as session:  # what isn't written down only ends the session sooner
            identity.note_use(session, self.ticket.inquiry.session, at=db.clock.now())

    def settle(self) -> None:
        """End the viewing, with its entry, where ``holds`` said no: after the film has stopped."""
        if self._refusal is not None:
            with _SETTLING:
                self.desk.cut(self.ticket, reason=self._refusal.reason)


def follow(
    db: Database, *, keystore: KeyStore, store: ObjectStore, watch: Watch, actor: Actor, viewing_id: ViewingId
) -> Leave:
    """The leave of a viewing, for the page that must turn dark when it holds no longer.

    Raises:
        NotFound: no such ticket, or not of this session, or it has ended.
        Refused: no longer available (``not_available``); the ticket has ended with that.
    """
    return Leave.taken(Desk(db, keystore, store), watch=watch, actor=actor, viewing_id=viewing_id)
