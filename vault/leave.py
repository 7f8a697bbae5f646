"""Leave to go on: what a playing film and its page's events ask again and again.

A permit must be *fresh*: its own time isn't over, and the case's version and the session are what they were, as seen at
most a quarter of a second ago, by the watch or because it was just decided. Where it isn't, it is decided again from
the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Self

from consent import Permit, Watch
from core.db import Database
from core.ids import ViewingId
from identity import Actor
from keys import KeyStore
from vault.desk import Desk
from vault.objects import ObjectStore
from vault.viewings import Ticket

JUST_DECIDED_SECONDS = 0.25
"""How long a decision stands by itself before the watch must confirm it."""


class Leave:
    """The leave of one viewing; ``holds`` blocks, so call it in a thread, from one thread at a time.

    Attributes:
        desk: where it is decided.
        ticket: the viewing.
        permit: the latest one.
    """

    def __init__(
        self, desk: Desk, watch: Watch, ticket: Ticket, *, decided: float, monotonic: Callable[[], float]
    ) -> None:
        self.desk, self.ticket = desk, ticket
        self.permit: Permit = desk.decide(ticket)
        self._watch, self._decided, self._monotonic = watch, decided, monotonic

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
        ticket = desk.ticket(viewing_id, actor=actor)
        return cls(desk, watch, ticket, decided=monotonic(), monotonic=monotonic)

    def watched(self) -> AbstractContextManager[None]:
        """Have the watch look at this case and session for as long as the block runs."""
        return self._watch.watching(self.ticket.case_id, session=self.ticket.inquiry.session)

    def holds(self) -> bool:
        """Whether the next piece may be shown; decides again where that isn't certain."""
        at = self.desk.db.clock.now()
        if self._monotonic() - self._decided < JUST_DECIDED_SECONDS and at < self.permit.valid_until:
            return True
        if self._watch.fresh(self.permit, at=at):
            return True
        decided = self._monotonic()
        permit = self.desk.renew(self.permit, ticket=self.ticket)
        if permit is None:
            return False
        self.permit, self._decided = permit, decided
        return True


def follow(
    db: Database, *, keystore: KeyStore, store: ObjectStore, watch: Watch, actor: Actor, viewing_id: ViewingId
) -> Leave:
    """The leave of a viewing, for the page that must turn dark when it holds no longer.

    Raises:
        NotFound: no such ticket, or not of this session, or it has ended.
        Refused: no longer available (``not_available``); the ticket has ended with that.
    """
    return Leave.taken(Desk(db, keystore, store), watch=watch, actor=actor, viewing_id=viewing_id)
