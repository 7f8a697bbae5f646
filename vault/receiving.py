"""Receiving the bytes of a deposit over a bad line, without any of them touching a disk in clear.

Each run of bytes (at most ``PART_SIZE``, ended early by a disconnect) is sealed as an object of its own: fresh salt,
the upload's key, bound to upload, offset and length. So no nonce is used twice, whatever a crash or a lying sender
does. It is durable before it counts; it counts by compare-and-swap on the upload's offset, so of two senders one is
told the true offset. No transaction is open while bytes are on their way, and no more than one run is in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta

import identity
from audit import Event
from core.db import Database, lock
from core.errors import Conflict, NotFound, NotSignedIn, Refused, VaultError
from core.ids import CaseId, UploadId, new_id
from core.segments import SegmentWriter
from identity import Actor
from keys import KeyStore, part_binding
from vault import access, deposits, errors, magic, uploads
from vault.models import PartRow, UploadRow, UploadState
from vault.objects import ObjectStore
from vault.uploads import Bounds

PART_SIZE = 8 * 2**20
"""Bytes of film in one part at most."""
PART_AGE = timedelta(minutes=1)
PART_LEAST = 64 * 2**10
"""A run this old and this long is a part too: on a slow line no more than that hangs on one server staying up."""

_NOT_COUNTED = (Conflict, NotFound, NotSignedIn, Refused)
"""Answers after which the database certainly doesn't know the part; after others a commit may have succeeded."""


async def receive_part(
    db: Database,
    *,
    keystore: KeyStore,
    store: ObjectStore,
    actor: Actor,
    upload_id: UploadId,
    offset: int,
    chunks: AsyncIterator[bytes],
    checksum: bytes | None = None,
    size: int | None = None,
    bounds: Bounds | None = None,
) -> int:
    """Take the next bytes of an upload, as they come; the last byte completes the deposit.

    Args:
        db: the main database.
        keystore: holds the upload's key.
        store: where parts lie.
        actor: who began the upload.
        upload_id: which upload.
        offset: where the sender believes that it goes on.
        chunks: the bytes, in pieces of any size; what had arrived when it raises is kept, and the error passed on.
        checksum: SHA-256 of all of ``chunks``; with it nothing counts until everything has come and agrees.
        size: of all of ``chunks``, if the sender says so beforehand.
        bounds: the authority's settings.

    Returns:
        The new offset: everything before it is safe.

    Raises:
        NotSignedIn: the session has ended meanwhile.
        NotFound: no such upload, or not this actor's.
        Refused: the actor is no longer the case's guider.
        Gone: the upload was given up, or has run out.
        Conflict: another offset is the true one, or the film is whole.
        Invalid: the checksum doesn't agree, or the first bytes are no film's (then the upload is over).
        TooLarge: more came than was announced.
        OutOfRoom: the disk is full.
    """
    receiver = await asyncio.to_thread(
        PartReceiver,
        db,
        keystore=keystore,
        store=store,
        actor=actor,
        upload_id=upload_id,
        offset=offset,
        bounds=bounds or Bounds(),
    )
    receiver.expect(checksum, size=size)
    try:
        async for chunk in chunks:
            for run in receiver.runs(chunk):
                await asyncio.to_thread(receiver.keep, run)
        return await asyncio.to_thread(receiver.end)
    except VaultError:
        await asyncio.to_thread(receiver.abandon)
        raise
    except (Exception, asyncio.CancelledError):
        await asyncio.to_thread(receiver.end_early)
        raise


class PartReceiver:
    """One sender's turn at an upload. Not for two threads at once.

    Args:
        db: the main database.
        keystore: holds the upload's key.
        store: where parts lie.
        actor: who began the upload.
        upload_id: which upload.
        offset: where the sender believes that it goes on.
        bounds: the authority's settings.
    """

    def __init__(
        self,
        db: Database,
        *,
        keystore: KeyStore,
        store: ObjectStore,
        actor: Actor,
        upload_id: UploadId,
        offset: int,
        bounds: Bounds,
    ) -> None:
        self._db, self._keystore, self._store, self._actor = db, keystore, store, actor
        self._life = bounds.life
        with db.read() as session:
            row = uploads.own_upload(session, actor=actor, upload_id=upload_id)
            case_id = CaseId(row.case_id)
            access.require_guider(session, actor=actor, case_id=case_id, at=db.clock.now())
        uploads.require_receiving(row, life=self._life, at=db.clock.now())
        if row.offset != offset:
            raise errors.wrong_offset()
        self._upload_id, self._case_id, self._length = upload_id, case_id, row.length
        self._key = keystore.object_key(
            uploads.key_name(upload_id), capability=uploads.key_use(case_id=case_id, upload_id=upload_id)
        )
        self._offset = offset  # of what is counted
        self._next = offset  # of what is sealed
        self._buffer = bytearray()
        self._begun = db.clock.now()  # since when the buffer fills
        self._waiting: list[PartRow] = []
        self._checksum: bytes | None = None
        self._hash = hashlib.sha256()

    def expect(self, checksum: bytes | None, *, size: int | None = None) -> None:
        """Count nothing until the whole has this SHA-256; take nothing at all if it is said to be too long.

        Raises:
            TooLarge: more is about to come than was announced.
        """
        if size is not None and self._offset + size > self._length:
            raise errors.too_many_bytes()
        self._checksum = checksum

    def runs(self, chunk: bytes) -> Iterator[bytearray]:
        """Take a chunk; give each run that is full or old, to be kept before the next one is asked for.

        Raises:
            TooLarge: more came than was announced.
        """
        if self._next + len(self._buffer) + len(chunk) > self._length:
            raise errors.too_many_bytes()
        with memoryview(chunk) as view:
            taken = 0
            while taken < len(view):
                size = min(PART_SIZE - len(self._buffer), len(view) - taken)
                self._buffer += view[taken : taken + size]
                taken += size
                if len(self._buffer) == PART_SIZE:
                    yield self._taken()
        if len(self._buffer) >= PART_LEAST and self._db.clock.now() - self._begun >= PART_AGE:
            yield self._taken()

    def keep(self, run: bytearray) -> None:
        """Seal a run, durably; count it unless a checksum is still to be compared."""
        if not run:
            return
        if self._next == 0 and not magic.may_be_film(bytes(run[: magic.HEAD_SIZE])):
            self._reject()
            raise errors.not_a_film()
        if self._checksum is not None:
            self._hash.update(run)
        part = self._seal(run)
        self._waiting.append(part)
        self._next += part.length
        if self._checksum is None:
            self._count()

    def end(self) -> int:
        """Everything has come: keep the rest and compare the checksum.

        Returns:
            The new offset.
        """
        self._keep_rest()
        if self._checksum is not None and not hmac.compare_digest(self._hash.digest(), self._checksum):
            raise errors.checksum_mismatch()
        self._count()
        return self._offset

    def end_early(self) -> None:
        """The line went dead: keep what came, unless a checksum was to vouch for it."""
        try:
            if self._checksum is None:
                self._keep_rest()
        except VaultError:
            pass  # nobody listens any more; the offset tells the sender later
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Drop what was sealed and not counted."""
        for part in self._waiting:
            self._drop(part)
        self._waiting.clear()

    def _keep_rest(self) -> None:
        self.keep(self._taken())

    def _taken(self) -> bytearray:
        run, self._buffer, self._begun = self._buffer, bytearray(), self._db.clock.now()
        return run

    def _seal(self, run: bytearray) -> PartRow:
        name = new_id()
        with self._store.writer(name) as writer:
            sealer = SegmentWriter(
                self._key,
                associated_data=part_binding(upload_id=self._upload_id, offset=self._next, length=len(run)),
                write=writer.write,
            )
            sealer.write(run)
            sealed = sealer.close()
            writer.commit()
        return PartRow(
            upload_id=self._upload_id,
            offset=self._next,
            length=len(run),
            name=name,
            header=sealed.header,
            sealed_length=sealed.ciphertext_size,
        )

    def _count(self) -> None:
        """Compare-and-swap: these parts are the next ones, or nothing happened."""
        if not self._waiting:
            return
        parts, self._waiting = self._waiting, []
        at = self._db.clock.now()
        try:
            with self._db.begin() as session:
                access.require_live_session(session, actor=self._actor, at=at)
                identity.note_use(session, self._actor.session, at=at)
                access.require_guider_at_work(session, actor=self._actor, case_id=self._case_id, at=at)
                row = lock(session, UploadRow, self._upload_id)
                if row.state is not UploadState.RECEIVING:  # bytes that came in time count, however long they took
                    uploads.require_receiving(row, life=self._life, at=at)
                if row.offset != parts[0].offset:
                    raise errors.wrong_offset()
                session.add_all(parts)
                row.offset, row.last_byte_at = self._next, at
                if row.offset == row.length:
                    deposits.complete(session, row, at=at)
        except _NOT_COUNTED:
            for part in parts:
                self._drop(part)
            raise
        self._offset = self._next

    def _reject(self) -> None:
        with self._db.begin() as session:
            row = lock(session, UploadRow, self._upload_id)
            if row.state is not UploadState.RECEIVING or row.offset:
                return
            uploads.end(session, row, state=UploadState.REJECTED, event=Event.DEPOSIT_REFUSED, at=self._db.clock.now())
        uploads.clear(self._db, keystore=self._keystore, store=self._store, upload_id=self._upload_id)

    def _drop(self, part: PartRow) -> None:
        with suppress(VaultError):  # it is sealed, unknown, and swept up later
            self._store.delete(part.name)
