"""What is kept, how long, and proof of what is gone.

The schedule is data, the decision is pure (``due_on``, ``disposition``), the sweep is a plan that a brake can stop, and
destroying is a row of states that any crash resumes. A legal hold beats every wish to destroy; none lets anyone watch.
"""

from __future__ import annotations

from retention.approvals import CARRY_OUT, accept_clock, agree, approve, start
from retention.certificates import Certificate, certificate, certificates_issued, export
from retention.disposal import Outcome, carry_out
from retention.erasure import Erasure, cancel_erasure, erase, erasures, object_to_erasure
from retention.holds import HoldView, every_hold, late_reviews, place_hold, release_hold, review_hold
from retention.models import ErasureState, HaltReason, ItemState, SweepState
from retention.overview import (
    DueLine,
    Health,
    ItemLine,
    Standing,
    SweepView,
    due,
    health,
    kept,
    sweep_of,
    sweeps,
)
from retention.replaced import erase_replaced
from retention.rules import disposition, due_on
from retention.runs import expire_uploads, nightly, resume, uploads_wait, work_on
from retention.schedule import Profile, load, profiles
from retention.searches import erase_searches
from retention.stuck import stuck
from retention.sweep import ANNOUNCED, plan
from retention.terms import (
    Brake,
    Destroy,
    Due,
    Held,
    Hold,
    HoldScope,
    Keep,
    Needs,
    RecordClass,
    RecordFacts,
    Review,
    Rule,
    Schedule,
    Trigger,
)

__all__ = [
    "ANNOUNCED",
    "CARRY_OUT",
    "Brake",
    "Certificate",
    "Destroy",
    "Due",
    "DueLine",
    "Erasure",
    "ErasureState",
    "HaltReason",
    "Health",
    "Held",
    "Hold",
    "HoldScope",
    "HoldView",
    "ItemLine",
    "ItemState",
    "Keep",
    "Needs",
    "Outcome",
    "Profile",
    "RecordClass",
    "RecordFacts",
    "Review",
    "Rule",
    "Schedule",
    "Standing",
    "SweepState",
    "SweepView",
    "Trigger",
    "accept_clock",
    "agree",
    "approve",
    "cancel_erasure",
    "carry_out",
    "certificate",
    "certificates_issued",
    "disposition",
    "due",
    "due_on",
    "erase",
    "erase_replaced",
    "erase_searches",
    "erasures",
    "every_hold",
    "expire_uploads",
    "export",
    "health",
    "kept",
    "late_reviews",
    "load",
    "nightly",
    "object_to_erasure",
    "place_hold",
    "plan",
    "profiles",
    "release_hold",
    "resume",
    "review_hold",
    "start",
    "stuck",
    "sweep_of",
    "sweeps",
    "uploads_wait",
    "work_on",
]
