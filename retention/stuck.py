"""Records whose destruction began and that nobody goes on with. No crash leaves any: ``resume`` takes all sweeps up."""

from __future__ import annotations

from sqlalchemy import select

import vault
from core.db import Database
from retention.models import ItemRow, ItemState, SweepRow, SweepState

_BEGUN = (ItemState.DESTROYING, ItemState.KEY_DESTROYED, ItemState.CERTIFIED)
_GOING_ON = (SweepState.APPROVED, SweepState.RUNNING)


def stuck(db: Database) -> tuple[str, ...]:
    """Ids of records that are on their way out in no sweep that goes on."""
    with db.read() as session:
        begun = (
            select(ItemRow.record_id, SweepRow.state)
            .join(SweepRow, SweepRow.id == ItemRow.sweep_id)
            .where(ItemRow.state.in_(_BEGUN))
        )
        states = [(row[0], row[1]) for row in session.execute(begun)]
        going_on = {record for record, state in states if state in _GOING_ON}
        leaving = {record for record, _ in states} | set(vault.leaving(session))
    return tuple(sorted(leaving - going_on))
