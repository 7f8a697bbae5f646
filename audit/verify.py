"""Verification: everything is recomputed from the entries up, in one snapshot, and the first bad index is named.

What is compared, entry by entry: the body with its leaf hash; the details with their commitment; the leaf with its
chain's MAC (where the writer's key is given); the leaves with every stored hash, with every checkpoint's root and
signature, and with checkpoints that were kept elsewhere; at the end, the chains' heads and the queue with what is
there.

Without the writer's key, an intruder who rewrote entry, leaf and tree is still caught by the next checkpoint, but only
between two checkpoints. Whoever also cuts away the newest checkpoints and sets the chains back is caught only by a
checkpoint kept elsewhere: that is what the witness is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from audit.checkpoint import Checkpoint, Verifier, open_checkpoint
from audit.leaf import NO_MAC, chain, commit, encode
from audit.merkle import HASH_BYTES, Frontier, leaf_hash
from audit.models import AuditDisposalRow, AuditEntryRow, AuditLeafRow, AuditPendingRow
from audit.rows import CHECKPOINT, ENTRY, HASH, LEAF, PENDING, WRITER, entry_of
from audit.verdict import Fault, Finding, Verdict
from core.db import Database
from core.errors import Damaged
from core.secret import Secret

BATCH = 2000
_GARBAGE = (ValueError, TypeError, AttributeError, LookupError)
"""What reading a row raises that someone has filled with nonsense."""

_Found = tuple[AuditLeafRow, AuditEntryRow | None, AuditDisposalRow | None]


class _Bad(Exception):
    def __init__(self, index: int, fault: Fault, *, until: int | None = None, detail: str = "") -> None:
        super().__init__(detail)
        self.finding = Finding(index, fault, until=until, detail=detail)


def verify(
    db: Database,
    *,
    verifier: Verifier,
    writer_key: Secret[bytes] | None = None,
    known: Sequence[str] = (),
    batch: int = BATCH,
) -> Verdict:
    """Recompute the whole log.

    Args:
        db: the main database; nothing is written to it.
        verifier: the log's public key, as pinned at ``init``.
        writer_key: the key of the chains, for whoever has it: then an edited entry is named exactly.
        known: checkpoints kept elsewhere (by the witness, in the keyring), as signed notes.
        batch: how many entries are held in memory at once.

    Raises:
        Damaged: a note in ``known`` isn't signed by this log.
    """
    roots: dict[int, bytes] = {}
    for note in known:
        checkpoint = open_checkpoint(note, verifier=verifier)
        if roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            raise Damaged("checkpoints_contradict", "Two signed checkpoints of one size differ: the log was forked.")
    with db.read() as session:
        walk = _Walk(session, verifier, writer_key, roots, batch=batch)
        try:
            walk.tree()
            walk.end()
            walk.queue()
            walk.heads()
        except _Bad as bad:
            return walk.verdict(bad.finding)
        return walk.verdict(None)


class _Walk:
    def __init__(
        self, session: Session, verifier: Verifier, key: Secret[bytes] | None, known: dict[int, bytes], *, batch: int
    ) -> None:
        self._most = batch
        self._session = session
        self._verifier = verifier
        self._key = key
        self._known = known
        self._frontier = Frontier()
        self._chains: dict[str, tuple[int, bytes]] = {}
        self._made: dict[int, dict[int, bytes]] = {}
        self._checkpoint: Checkpoint | None = None
        self._agreed = 0
        self._disposed = 0
        self._waiting = 0
        self._signed = self._checkpoints()
        self._next = next(self._signed, None)

    def verdict(self, finding: Finding | None) -> Verdict:
        return Verdict(self._frontier.size, self._checkpoint, self._disposed, self._waiting, finding)

    def tree(self) -> None:
        """Every leaf in its place, and every checkpoint and stored hash over them."""
        self._check_roots()
        while rows := self._batch(self._most):
            for row in rows:
                self._leaf(*row)
                self._check_roots()
            self._check_hashes()

    def end(self) -> None:
        """Nothing vouches for more than is there, and nothing is there that isn't vouched for."""
        size = self._frontier.size
        if self._next is not None:
            beyond = self._open(*self._next)
            raise _Bad(size, Fault.TAIL_CUT, detail=f"{beyond.size} were signed")
        if more := [known for known in self._known if known > size]:
            raise _Bad(size, Fault.TAIL_CUT, detail=f"a checkpoint kept elsewhere knows {max(more)}")
        signed = self._vouched
        if size > signed:
            raise _Bad(signed, Fault.NOT_SIGNED)
        for level, last in self._session.execute(
            select(HASH.c.level, func.max(HASH.c.position)).group_by(HASH.c.level)
        ):
            if (last + 1) << level > size:
                raise _Bad(size, Fault.HASH_EDITED, detail=f"a hash at level {level} is over entries that aren't there")

    def queue(self) -> None:
        """Every entry that waits continues its chain."""
        query = (
            select(AuditPendingRow.entry_id, AuditEntryRow)
            .outerjoin(AuditEntryRow, AuditEntryRow.id == AuditPendingRow.entry_id)
            .order_by(AuditPendingRow.position)
        )
        try:
            for entry_id, body in self._session.execute(query):
                index = self._frontier.size + self._waiting
                if body is None:
                    raise _Bad(index, Fault.ENTRY_DROPPED, detail=f"entry {entry_id} waits to be sealed and is gone")
                self._link(index, body.writer_id, body.number, self._body_hash(index, body), body.mac)
                self._waiting += 1
        except _GARBAGE as error:
            raise _Bad(self._frontier.size + self._waiting, Fault.ENTRY_EDITED, detail="it can't be read") from error

    def heads(self) -> None:
        """Every chain is as long as its head says; no entry is outside both tree and queue."""
        index = self._frontier.size + self._waiting
        heads = {row.id: (row.number, row.mac) for row in self._session.execute(select(WRITER))}
        for writer, (number, mac) in self._chains.items():
            head = heads.pop(writer, None)
            if head is None or head[0] < number or (head[0] == number and head[1] != mac):
                raise _Bad(index, Fault.ENTRY_EDITED, detail=f"the head of chain {writer} was changed")
            if head[0] > number:
                raise _Bad(index, Fault.TAIL_CUT, detail=f"chain {writer} wrote {head[0]}, {number} are there")
        for writer, (number, _) in heads.items():
            raise _Bad(index, Fault.TAIL_CUT, detail=f"chain {writer} wrote {number}, none is there")
        stray = self._session.scalar(
            select(ENTRY.c.id)
            .outerjoin(LEAF, LEAF.c.entry_id == ENTRY.c.id)
            .outerjoin(PENDING, PENDING.c.entry_id == ENTRY.c.id)
            .where(LEAF.c.entry_id.is_(None), PENDING.c.entry_id.is_(None))
            .limit(1)
        )
        if stray is not None:
            raise _Bad(index, Fault.SMUGGLED, detail=f"entry {stray} is in no chain")

    @property
    def _vouched(self) -> int:
        """How many entries the last good checkpoint covers."""
        return self._checkpoint.size if self._checkpoint else 0

    def _batch(self, most: int) -> list[_Found]:
        query = (
            select(AuditLeafRow, AuditEntryRow, AuditDisposalRow)
            .outerjoin(AuditEntryRow, AuditEntryRow.id == AuditLeafRow.entry_id)
            .outerjoin(AuditDisposalRow, AuditDisposalRow.entry_id == AuditLeafRow.entry_id)
            .where(AuditLeafRow.position >= self._frontier.size)
            .order_by(AuditLeafRow.position)
            .limit(most)
        )
        self._session.expunge_all()
        try:
            return [(leaf, body, disposal) for leaf, body, disposal in self._session.execute(query)]
        except _GARBAGE as error:
            if most > 1:  # one row among them can't be read: go on singly, up to it
                return self._batch(1)
            raise _Bad(self._frontier.size, Fault.ENTRY_EDITED, detail="it can't be read") from error

    def _leaf(self, leaf: AuditLeafRow, body: AuditEntryRow | None, disposal: AuditDisposalRow | None) -> None:
        index = self._frontier.size
        if leaf.position != index:
            raise _Bad(index, Fault.ENTRY_DROPPED, detail="its leaf is gone")
        if not isinstance(leaf.leaf_hash, bytes) or len(leaf.leaf_hash) != HASH_BYTES:
            raise _Bad(index, Fault.ENTRY_EDITED, detail="its leaf can't be read")
        if body is not None:
            same = (body.writer_id, body.number, body.mac) == (leaf.writer_id, leaf.number, leaf.mac)
            if not same or self._body_hash(index, body) != leaf.leaf_hash:
                raise _Bad(index, Fault.ENTRY_EDITED, detail="it isn't what its leaf was made from")
        elif disposal is None:
            raise _Bad(index, Fault.ENTRY_DROPPED, detail="it is gone, and no certificate says why")
        else:
            self._disposed += 1
        self._link(index, leaf.writer_id, leaf.number, leaf.leaf_hash, leaf.mac)
        for level, position, made in self._frontier.append(leaf.leaf_hash):
            self._made.setdefault(level, {})[position] = made

    @staticmethod
    def _body_hash(index: int, body: AuditEntryRow) -> bytes:
        """The leaf hash that a body gives, once its details are found to be those it commits to."""
        try:
            if body.commitment is None:
                honest = body.details is None
            else:
                honest = commit(body.details or {}, salt=body.details_salt or b"") == body.commitment
            hashed = leaf_hash(encode(entry_of(body)))
        except _GARBAGE as error:
            raise _Bad(index, Fault.ENTRY_EDITED, detail="it can't be read") from error
        if not honest:
            raise _Bad(index, Fault.ENTRY_EDITED, detail="its details aren't those it was written with")
        return hashed

    def _link(self, index: int, writer: str, number: int, hashed: bytes, mac: bytes) -> None:
        last, previous = self._chains.get(writer, (0, NO_MAC))
        if number != last + 1:
            raise _Bad(index, Fault.ENTRY_DROPPED, detail=f"number {last + 1} of chain {writer} belongs here")
        if self._key is not None:
            expected = chain(self._key, writer=writer, number=number, previous=previous, leaf_hash=hashed)
            if mac != expected:
                raise _Bad(index, Fault.ENTRY_EDITED, detail=f"its writer's MAC doesn't fit (chain {writer})")
        self._chains[writer] = (number, mac)

    def _check_roots(self) -> None:
        size = self._frontier.size
        if self._next is not None and self._next[0] <= size:
            checkpoint = self._open(*self._next)
            if checkpoint.root != self._frontier.root():
                raise _Bad(self._vouched, Fault.REWRITTEN, until=size)
            self._checkpoint, self._next = checkpoint, next(self._signed, None)
        if size in self._known:
            if self._known[size] != self._frontier.root():
                raise _Bad(
                    self._agreed, Fault.REWRITTEN, until=size, detail="a checkpoint kept elsewhere says otherwise"
                )
            self._agreed = size

    def _open(self, size: int, root: bytes, note: str) -> Checkpoint:
        try:
            checkpoint = open_checkpoint(note, verifier=self._verifier)
        except (Damaged, *_GARBAGE) as error:
            raise _Bad(self._vouched, Fault.CHECKPOINT_FORGED, until=size) from error
        if (checkpoint.size, checkpoint.root) != (size, root):
            raise _Bad(self._vouched, Fault.CHECKPOINT_FORGED, until=size)
        return checkpoint

    def _checkpoints(self) -> Iterator[tuple[int, bytes, str]]:
        last = -1
        query = select(CHECKPOINT.c.size, CHECKPOINT.c.root, CHECKPOINT.c.note).order_by(CHECKPOINT.c.size).limit(BATCH)
        while rows := self._session.execute(query.where(CHECKPOINT.c.size > last)).all():
            for row in rows:
                yield row.size, row.root, row.note
            last = rows[-1].size

    def _check_hashes(self) -> None:
        """Compare what this batch completed with what is stored for proofs."""
        for level, made in self._made.items():
            query = select(HASH.c.position, HASH.c.hash).where(
                HASH.c.level == level, HASH.c.position.between(min(made), max(made))
            )
            stored = {row.position: row.hash for row in self._session.execute(query)}
            for position, expected in made.items():
                if stored.get(position) != expected:
                    raise _Bad(position << level, Fault.HASH_EDITED, until=(position + 1) << level)
        self._made.clear()
