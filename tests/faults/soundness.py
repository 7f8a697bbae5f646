"""What must be true of every store after every crash, whatever it was in the middle of."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sqlalchemy import select

import audit
import retention
import vault
from audit.models import AuditEntryRow
from tests.faults.world import World
from vault import Depth, Leftover

AFTER_A_CRASH = timedelta(minutes=2)
"""When the next process comes: the heartbeat of the one that died has lapsed."""
_ANY_AGE = timedelta(days=-1)


def assert_sound(world: World) -> vault.Report:
    """``fsck`` reads everything and finds nothing wrong; the log verifies; no disposal is stuck."""
    report = vault.fsck(world.db, keystore=world.keystore, store=world.store, depth=Depth.EVERYTHING)
    assert report.findings == ()
    assert retention.stuck(world.db) == ()
    verdict = audit.verify(world.db, verifier=world.signer.verifier, writer_key=world.keystore.audit_mac_key())
    assert verdict.finding is None, verdict.sentence
    return report


def tidy_up(world: World) -> None:
    """What the service's duties do by and by."""
    vault.tidy(world.db, keystore=world.keystore, store=world.store, older_than=_ANY_AGE)
    audit.seal(world.db, signer=world.signer)
    world.keystore.copy_rows()


def assert_nothing_left(world: World) -> None:
    """Sound, and no leftover but keys that opened nothing and never will."""
    report = assert_sound(world)
    assert {kind for kind, count in report.leftovers.items() if count} <= {Leftover.KEY_UNUSED}


def events(world: World, *wanted: str) -> dict[str, int]:
    """How often each kind of act is in the log."""
    with world.db.read() as session:
        counted = Counter(session.scalars(select(AuditEntryRow.event).where(AuditEntryRow.event.in_(wanted))))
    return {event: counted[event] for event in wanted}
