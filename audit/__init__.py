"""The log that cannot be quietly changed."""

from __future__ import annotations

from audit.entry import NARROWING, Event, Outcome
from audit.leaf import Detail, Entry
from audit.log import WITNESS, AuditWriter, attach, record

__all__ = ["NARROWING", "WITNESS", "AuditWriter", "Detail", "Entry", "Event", "Outcome", "attach", "record"]
