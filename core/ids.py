"""Identifiers: 128 random bits as 32 hexadecimal digits, one ``NewType`` per kind of thing.

Random rather than sequential, so that an id that leaks says nothing about its neighbours or its time.
"""

from __future__ import annotations

import re
import secrets
from typing import NewType

PersonId = NewType("PersonId", str)
CaseId = NewType("CaseId", str)
VisitId = NewType("VisitId", str)
AssignmentId = NewType("AssignmentId", str)
SessionId = NewType("SessionId", str)
InvitationId = NewType("InvitationId", str)
UploadId = NewType("UploadId", str)
FootageId = NewType("FootageId", str)
ClipId = NewType("ClipId", str)
RenditionId = NewType("RenditionId", str)
ObjectId = NewType("ObjectId", str)
ViewingId = NewType("ViewingId", str)
JobId = NewType("JobId", str)
AskId = NewType("AskId", str)
ConsentEventId = NewType("ConsentEventId", str)
NoticeId = NewType("NoticeId", str)
ConferenceId = NewType("ConferenceId", str)
OverrideId = NewType("OverrideId", str)
EntryId = NewType("EntryId", str)
HoldId = NewType("HoldId", str)
CertificateId = NewType("CertificateId", str)

ID_LENGTH = 32
_FORM = re.compile(r"[0-9a-f]{32}")


def new_id() -> str:
    """Make a fresh identifier; wrap it in the kind that it names, as in ``CaseId(new_id())``."""
    return secrets.token_hex(ID_LENGTH // 2)


def well_formed(text: str) -> bool:
    """Whether ``text`` has the form of an identifier (what to check before a database is asked)."""
    return _FORM.fullmatch(text) is not None
