"""Streaming a range of a film that is being played, one segment at a time, each one allowed at its moment.

Before each segment (at most 256 KiB) the permit must be *fresh*: its own time isn't over, and the case's version and
the session are what they were, as seen at most a quarter of a second ago, by the watch or because it was just decided.
Where it isn't, it is decided again from the database; where the answer is no, the stream is cut in the middle.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass

from consent import Permit, Watch
from core.db import Database
from core.errors import Refused, VaultError
from core.ids import ViewingId
from core.segments import SegmentReader, plain_offset_of
from identity import Actor
from keys import KeyStore
from vault import errors, viewings
from vault.desk import Desk
from vault.objects import ObjectStore
from vault.viewings import Ticket

JUST_DECIDED_SECONDS = 0.25
"""How long a decision stands by itself before the watch must confirm it."""


class ViewingCut(Refused):
    """A stream that was allowed is no longer. Abort the connection: it must not look like the film's end."""


async def read_range(
    db: Database,
    *,
    keystore: KeyStore,
    store: ObjectStore,
    watch: Watch,
    actor: Actor,
    viewing_id: ViewingId,
    start: int = 0,
    end: int | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Reading:
    """Open a range of what a ticket plays: decided now, from the database, before a header is sent.

    Args:
        db: the main database.
        keystore: opens the object's key, under the permit.
        store: where the object lies.
        watch: this process's.
        actor: who asks; must be whose ticket it is, in its session.
        viewing_id: the ticket.
        start: first byte of the film in clear.
        end: first byte that isn't wanted any more; the film's end where nothing is given, or where it comes sooner.
        monotonic: counts how old a decision is, in seconds.

    Returns:
        The range; iterate it for its bytes.

    Raises:
        NotFound: no such ticket, or not of this session, or it has ended.
        Refused: no longer available (``not_available``); the ticket has ended with that.
        Invalid: ``bad_range``: it begins after the film's end, or ends before it begins.
        Damaged: the object isn't what was sealed; it is quarantined now.
    """
    desk = Desk(db, keystore, store)

    def open_film() -> tuple[Ticket, _Leave, SegmentReader]:
        ticket = desk.ticket(viewing_id, actor=actor)
        leave = _Leave(decided=monotonic(), permit=desk.decide(ticket))
        with desk.quarantining(ticket.film):
            return ticket, leave, desk.open(ticket.film, permit=leave.permit)

    ticket, leave, film = await asyncio.to_thread(open_film)
    end = film.plain_size if end is None else min(end, film.plain_size)
    if not 0 <= start < end:
        raise errors.bad_range()
    return Reading(desk, watch, ticket, film, leave=leave, start=start, end=end, monotonic=monotonic)


@dataclass(frozen=True, slots=True)
class _Leave:
    """A permit, and the second of the monotonic clock at which deciding on it began."""

    decided: float
    permit: Permit


class Reading:
    """A range that may be read; iterate it once, with ``async for``, for pieces of at most 256 KiB.

    Iterating raises ``ViewingCut`` when it may not go on, and ``Damaged`` at a segment that fails its authentication:
    nothing of that segment, and nothing after it, is given out.

    Attributes:
        start: first byte.
        end: first byte that isn't in it any more.
        total: length of the whole film in bytes.
        media_type: of the film.
    """

    def __init__(
        self,
        desk: Desk,
        watch: Watch,
        ticket: Ticket,
        film: SegmentReader,
        *,
        leave: _Leave,
        start: int,
        end: int,
        monotonic: Callable[[], float],
    ) -> None:
        self.start, self.end, self.total, self.media_type = start, end, film.plain_size, ticket.film.media_type
        self._desk, self._watch, self._ticket, self._film = desk, watch, ticket, film
        self._leave, self._monotonic = leave, monotonic

    async def __aiter__(self) -> AsyncIterator[bytes]:
        ticket, served = self._ticket, 0
        with self._watch.watching(ticket.case_id, session=ticket.inquiry.session):
            try:
                for index in self._film.indexes(self.start, self.end):
                    piece = await asyncio.to_thread(self._segment, index)
                    served += len(piece)
                    yield piece
            finally:
                await asyncio.shield(asyncio.to_thread(self._note, served))

    def _segment(self, index: int) -> bytes:
        """What this range has of one segment, if it may still be shown."""
        if not self._is_fresh():
            decided = self._monotonic()
            permit = self._desk.renew(self._leave.permit, ticket=self._ticket)
            if permit is None:
                raise ViewingCut("viewing_cut", errors.not_available().sentence)
            self._leave = _Leave(decided, permit)
        base = plain_offset_of(index)
        with self._desk.quarantining(self._ticket.film):
            return self._film.segment(index)[max(0, self.start - base) : self.end - base]

    def _is_fresh(self) -> bool:
        at, permit = self._desk.db.clock.now(), self._leave.permit
        if self._monotonic() - self._leave.decided < JUST_DECIDED_SECONDS and at < permit.valid_until:
            return True
        return self._watch.fresh(permit, at=at)

    def _note(self, count: int) -> None:
        with suppress(VaultError), self._desk.db.begin() as session:  # only a number; the entry stands already
            viewings.served(session, self._ticket.id, count=count, at=self._desk.db.clock.now())
