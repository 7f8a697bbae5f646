"""Streaming a range of a film that is being played, one segment at a time, each one allowed at its moment.

Before each segment (at most 256 KiB) is opened, and again before it is handed on, the viewing's ``Leave`` must hold;
where it doesn't, the stream is cut in the middle.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from consent import Purpose, Watch
from core.db import Database
from core.errors import Damaged, Refused, VaultError
from core.ids import ViewingId
from core.segments import PLAIN_SIZE, SEGMENT_SIZE, Bytes, SegmentReader, plain_offset_of
from core.spare import Spare
from identity import Actor
from keys import KeyStore
from vault import errors
from vault.batches import Ahead, Batch
from vault.desk import Desk
from vault.leave import Leave
from vault.objects import ObjectStore
from vault.tally import SMALL_BYTES, tally_on
from vault.watched import Span

_ETAG_DIGITS = 32
_ASKED_AT_ONCE = 2
"""Segments of a range that is no longer than these are read in one go: as many as 64 KiB can touch."""
_MOST_SPARE = 4
"""Segments in clear whose memory is used again: one that is being sent, one in hand, and what was read ahead."""


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

    def open_film() -> tuple[Leave, SegmentReader]:
        leave = Leave.taken(desk, watch=watch, actor=actor, viewing_id=viewing_id, monotonic=monotonic)
        with desk.quarantining(leave.ticket.film):
            return leave, desk.open(leave.ticket.film, permit=leave.permit)

    leave, film = await asyncio.to_thread(open_film)
    return Reading(leave, film, start=start, end=film.plain_size if end is None else min(end, film.plain_size))


class Reading:
    """A range that may be read; iterate it once, with ``async for``, for pieces of at most 256 KiB.

    A piece stays as it is for as long as anybody has a view of it; then its memory is used again. Iterating
    raises ``ViewingCut`` when it may not go on, and ``Damaged`` at a segment that fails its authentication: nothing of
    that segment, and nothing after it, is given out.

    Attributes:
        start: first byte.
        end: first byte that isn't in it any more.
        total: length of the whole film in bytes.
        etag: strong, as HTTP writes it: the same bytes, the same tag, for as long as anybody looks.
        duration: of the whole film.
        media_type: of the film.
    """

    def __init__(self, leave: Leave, film: SegmentReader, *, start: int, end: int) -> None:
        if not 0 <= start < end:
            raise errors.bad_range()
        self.start, self.end, self.total, self.media_type = start, end, film.plain_size, leave.ticket.film.media_type
        self.duration = leave.ticket.duration
        self.etag = f'"{leave.ticket.content_hash[:_ETAG_DIGITS]}"'
        self._leave, self._film = leave, film
        indexes = film.indexes(start, end)
        self._first = indexes if len(indexes) <= _ASKED_AT_ONCE else indexes[:1]
        self._begun: Batch | None = None
        self._sealed = Spare(SEGMENT_SIZE, most=1)
        self._clear = Spare(PLAIN_SIZE, most=_MOST_SPARE)

    def narrowed(self, *, start: int, end: int) -> Reading:
        """A part of it, under the same leave.

        Raises:
            Invalid: ``bad_range``.
        """
        return Reading(self._leave, self._film, start=start, end=min(end, self.total))

    def fresh(self) -> bool:
        """``Leave.fresh``."""
        return self._leave.fresh()

    def holds(self) -> bool:
        """``Leave.holds``: for whoever waits with a piece in hand."""
        return self._leave.holds()

    async def begin(self) -> None:
        """Open what comes first of a film far away, before anybody is promised a byte; nothing, if it is near.

        Iterating does that as well, but then it is too late for an answer that says what was in the way.

        Raises:
            Refused: it may not go on already.
            Damaged: the object isn't what was sealed; it is quarantined now.
            Unavailable: the store can't be read just now.
        """
        if not self._leave.desk.store.stride:
            return
        batch = await asyncio.to_thread(self._opened, self._first)
        if batch.error is not None and not batch.pieces:
            await asyncio.to_thread(self._leave.settle)
            raise batch.error
        self._begun = batch

    async def __aiter__(self) -> AsyncGenerator[Bytes, None]:
        served, was_cut = 0, False
        with self._leave.watched():
            indexes = self._film.indexes(self.start, self.end)
            begun, self._begun = self._begun, None
            ahead = Ahead(indexes, at_hand=self._at_hand, opened=self._opened, first=len(self._first), begun=begun)
            try:
                async for piece in ahead:
                    if not (self._leave.fresh() or await asyncio.to_thread(self._leave.holds)):
                        raise _cut()
                    served += len(piece)
                    yield piece
                    if self._leave.is_use_due:  # a long film is one request, and a request is all that is seen as use
                        await asyncio.to_thread(self._leave.note_use)
            except ViewingCut:
                was_cut = True
                raise
            finally:
                ahead.forget()
                tally = tally_on(self._leave.desk.db)
                tally.add(self._leave.ticket.id, count=served, watched=self._watched(served))
                if served < SMALL_BYTES and self.end < self.total and not self._leave.is_over:
                    tally.write_soon()
                else:
                    noting = asyncio.get_running_loop().run_in_executor(None, self._note)
                    if not was_cut:  # else whoever sends must hear of it at once, not when a disk has written
                        await asyncio.shield(noting)

    def _at_hand(self, index: int) -> memoryview | None:
        """What this range has of one segment, where nothing need be waited for: no disk, no database."""
        if not self._leave.fresh():
            return None
        start, length = self._film.place(index)
        store, name = self._leave.desk.store, self._leave.ticket.film.id
        with self._sealed.view() as whole, whole[:length] as sealed:
            if not store.read_at_once(name, start=start, into=sealed):
                return None
            clear = self._clear.view()
            try:
                count = self._film.opened_into(index, sealed, clear)
            except Damaged:
                return None  # read once more where a quarantine may be written
        return clear[self._bounds(index, count)]

    def _opened(self, indexes: range) -> Batch:
        """What this range has of some segments, if it may still be shown."""
        if len(indexes) > 1 and indexes == self._first:
            return self._together(indexes)
        pieces: list[bytes] = []
        for index in indexes:
            try:
                if not self._leave.holds():
                    raise _cut()
                with self._leave.desk.quarantining(self._leave.ticket.film):
                    segment = self._film.segment(index)
                    pieces.append(segment[self._bounds(index, len(segment))])
            except VaultError as error:
                return Batch(pieces, error)
        return Batch(pieces)

    def _together(self, indexes: range) -> Batch:
        """All that this range has, asked for at once."""
        try:
            if not self._leave.holds():
                raise _cut()
            with self._leave.desk.quarantining(self._leave.ticket.film):
                found = zip(indexes, self._film.together(indexes), strict=True)
            return Batch([segment[self._bounds(index, len(segment))] for index, segment in found])
        except VaultError as error:
            return Batch([], error)

    def _bounds(self, index: int, count: int) -> slice:
        """Where this range begins and ends in a segment of so many bytes."""
        base = plain_offset_of(index)
        return slice(max(0, self.start - base), min(count, self.end - base))

    def _watched(self, served: int) -> Span | None:
        """What must be known of a checker's viewing: which part they were sent, not only how much."""
        if not served or self._leave.ticket.inquiry.purpose is not Purpose.CHECK:
            return None
        return self.start, self.start + served

    def _note(self) -> None:
        self._leave.settle()
        with suppress(VaultError):  # only a number; the entry stands already
            tally_on(self._leave.desk.db).write()


def _cut() -> ViewingCut:
    return ViewingCut("viewing_cut", errors.not_available().sentence)
