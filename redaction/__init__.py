"""Who is recognisable, and who checked it."""

from __future__ import annotations

from redaction.models import CheckState
from redaction.queue import Check, checks_for, checks_in
from redaction.review import attest, request_check, send_back, take_back

__all__ = ["Check", "CheckState", "attest", "checks_for", "checks_in", "request_check", "send_back", "take_back"]
