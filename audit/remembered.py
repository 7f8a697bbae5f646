"""The third voice: a checkpoint that the keyring keeps, beside the store itself and its witness.

Whoever puts back an older database *and* the older witness that fits it has still to put back the older keyring, which
the newer keys don't know. Rolling back all three together is caught only by a witness in other hands.
"""

from __future__ import annotations

from audit.checkpoint import Verifier, open_checkpoint
from audit.rows import latest_checkpoint
from audit.standing import Standing, compare
from core.db import Database
from core.errors import Damaged


def check_remembered(db: Database, *, verifier: Verifier, remembered: str) -> Standing:
    """Compare the store with what the keyring remembers of it, before anything is served.

    Args:
        db: the main database.
        verifier: the log's public key.
        remembered: the keyring's signed note; empty where it has none yet.

    Returns:
        ``LEVEL`` or ``AHEAD``; or ``STORE_BEHIND`` or ``FORKED``.

    Raises:
        Damaged: it isn't a note of this log.
    """
    if not remembered:
        return Standing.LEVEL
    voice = open_checkpoint(remembered, verifier=verifier)
    with db.read() as session:
        standing = compare(session, voice)
        latest = latest_checkpoint(session)
    return Standing.AHEAD if standing is Standing.LEVEL and latest and latest.size > voice.size else standing


def to_remember(db: Database, *, verifier: Verifier, remembered: str) -> str | None:
    """The latest checkpoint, for the keyring to keep; nothing where that is the one that it has.

    Raises:
        Damaged: ``log_rolled_back``: the log doesn't extend what is remembered. Keep the old one.
    """
    standing = check_remembered(db, verifier=verifier, remembered=remembered)
    if standing in {Standing.STORE_BEHIND, Standing.FORKED}:
        raise Damaged("log_rolled_back", "The store is older than its own keyring remembers, or another.")
    with db.read() as session:
        latest = latest_checkpoint(session)
    return latest.note if latest is not None and latest.note != remembered else None
