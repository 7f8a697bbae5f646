"""What an audit entry says (PURE): who did what to which thing, for which purpose, with what outcome. Ids only.

Every kind of event is either *narrowing* (it takes access away: a restore must never forget it) or not. The table
below is total: a kind that isn't classified fails a test, and at import.
"""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Event(StrEnum):
    """Every kind of act that is recorded."""

    # the store
    STORE_MADE = "store.made"
    STORE_UNSEALED = "store.unsealed"
    STORE_TIDIED = "store.tidied"
    STORE_SCRUBBED = "store.scrubbed"
    STORE_MOVE_BEGUN = "store.move_begun"
    STORE_MOVED = "store.moved"
    CLOCK_ACCEPTED = "clock.accepted"
    SETTINGS_CHANGED = "settings.changed"
    # people and sign-in
    STAFF_ADDED = "staff.added"
    STAFF_ROLES_CHANGED = "staff.roles_changed"
    STAFF_SUSPENDED = "staff.suspended"
    STAFF_REINSTATED = "staff.reinstated"
    STAFF_ENROLMENT_RENEWED = "staff.enrolment_renewed"
    SECOND_FACTOR_ENROLLED = "second_factor.enrolled"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 - the name of an act
    PASSCODE_CHANGED = "passcode.changed"
    SIGNED_IN = "sign_in.done"
    SIGN_IN_REFUSED = "sign_in.refused"
    SIGNED_OUT = "session.ended"
    SESSION_REVOKED = "session.revoked"
    DEVICE_REVOKED = "device.revoked"
    INVITATION_MADE = "invitation.made"
    INVITATION_CODE_PRINTED = "invitation.code_printed"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_ACTIVATED = "invitation.activated"
    INVITATION_REFUSED = "invitation.refused"
    # cases
    CASE_OPENED = "case.opened"
    CASE_CLOSED = "case.closed"
    PERSON_ADDED = "person.added"
    SAFE_CONTACT_SET = "safe_contact.set"
    BIRTH_DATE_CORRECTED = "birth_date.corrected"
    PARENTAL_RESPONSIBILITY_RECORDED = "parental_responsibility.recorded"
    PARENTAL_RESPONSIBILITY_ENDED = "parental_responsibility.ended"
    FATHER_ASKED_ABOUT = "parental_responsibility.asked_about"
    RESTRICTION_PLACED = "restriction.placed"
    RESTRICTION_LIFTED = "restriction.lifted"
    COMPETENCE_ASSESSED = "competence.assessed"
    CAPACITY_DECIDED = "capacity.decided"
    ASSIGNED = "assignment.made"
    ASSIGNMENT_REFUSED = "assignment.refused"
    ASSIGNMENT_ENDED = "assignment.ended"
    ASSIGNMENT_SUSPENDED = "assignment.suspended"
    CASELOAD_RECORDED = "caseload.recorded"
    CASELOAD_ENDED = "caseload.ended"
    VISIT_RECORDED = "visit.recorded"
    # consent
    FILMING_AGREED = "filming.agreed"
    FILMING_REFUSED = "filming.refused"
    CONSENT_ASKED = "consent.asked"
    CONSENT_GRANTED = "consent.granted"
    CONSENT_REFUSED = "consent.refused"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    CONSENT_LAPSED = "consent.lapsed"
    DISSENT_RECORDED = "dissent.recorded"
    DISSENT_LIFTED = "dissent.lifted"
    SAFE_TO_ASK_RECORDED = "safe_to_ask.recorded"
    NOTICE_WAIVED = "notice.waived"
    CONFERENCE_RECORDED = "conference.recorded"
    RECEIPT_ISSUED = "receipt.issued"
    OVERRIDE_PROPOSED = "override.proposed"
    OVERRIDE_APPROVED = "override.approved"
    OVERRIDE_ENDED = "override.ended"
    # film
    UPLOAD_BEGUN = "upload.begun"
    UPLOAD_CANCELLED = "upload.cancelled"
    UPLOAD_EXPIRED = "upload.expired"
    DEPOSIT_REFUSED = "deposit.refused"
    DEPOSIT_RECEIVED = "deposit.received"
    DEPOSIT_SEALED = "deposit.sealed"
    PHONE_COPY_REMOVED = "phone_copy.removed"
    FOOTAGE_PREPARED = "footage.prepared"
    FOOTAGE_REJECTED = "footage.rejected"
    CLIP_CUT = "clip.cut"
    PERSONS_SHOWN_RECORDED = "persons_shown.recorded"
    FACES_SOUGHT = "faces.sought"
    REDACTION_ASKED = "redaction.asked"
    CLIP_REDACTED = "clip.redacted"
    CHECK_ASKED = "check.asked"
    CHECK_PASSED = "check.passed"
    CHECK_SENT_BACK = "check.sent_back"
    VIEWING_BEGUN = "viewing.begun"
    VIEWING_REFUSED = "viewing.refused"
    VIEWING_CUT = "viewing.cut"
    VIEWING_ENDED = "viewing.ended"
    OBJECT_QUARANTINED = "object.quarantined"
    QUARANTINE_LIFTED = "object.quarantine_lifted"
    # records
    HOLD_PLACED = "hold.placed"
    HOLD_REVIEWED = "hold.reviewed"
    HOLD_RELEASED = "hold.released"
    ERASURE_ASKED = "erasure.asked"
    ERASURE_OBJECTED = "erasure.objected"
    ERASURE_CANCELLED = "erasure.cancelled"
    DISPOSAL_ANNOUNCED = "disposal.announced"
    DISPOSAL_AGREED = "disposal.agreed"
    SWEEP_PLANNED = "sweep.planned"
    SWEEP_HALTED = "sweep.halted"
    SWEEP_APPROVED = "sweep.approved"
    DESTRUCTION_BEGUN = "destruction.begun"
    KEY_DESTROYED = "key.destroyed"
    DESTROYED = "record.destroyed"
    CERTIFICATE_ISSUED = "certificate.issued"
    CASE_KEY_ROLLED = "case_key.rolled"
    EPOCH_ROLLED = "epoch.rolled"
    ROOT_CHANGE_BEGUN = "root.change_begun"
    ROOT_ROTATED = "root.rotated"
    ROOT_DESTRUCTION_BEGUN = "root.destruction_begun"
    ROOT_DESTROYED = "root.destroyed"
    KEY_DAMAGED = "key.damaged"
    KEY_PLACE_ADDED = "key_place.added"
    KEY_PLACE_LOST = "key_place.lost"
    KEY_PLACE_GONE = "key_place.gone"
    KEYS_BACKED_UP = "keys.backed_up"
    KEYS_RESTORED = "keys.restored"
    # looking
    AUDIT_SEARCHED = "audit.searched"
    AUDIT_EXPORTED = "audit.exported"
    RECORD_OPENED = "record.opened"


NARROWING = frozenset(
    {
        Event.STAFF_SUSPENDED,
        Event.STAFF_ROLES_CHANGED,
        Event.SIGNED_OUT,
        Event.SESSION_REVOKED,
        Event.PASSWORD_CHANGED,
        Event.PASSCODE_CHANGED,
        Event.STAFF_ENROLMENT_RENEWED,
        Event.DEVICE_REVOKED,
        Event.SAFE_CONTACT_SET,
        Event.BIRTH_DATE_CORRECTED,
        Event.INVITATION_REVOKED,
        Event.PARENTAL_RESPONSIBILITY_ENDED,
        Event.RESTRICTION_PLACED,
        Event.COMPETENCE_ASSESSED,
        Event.CAPACITY_DECIDED,
        Event.ASSIGNMENT_ENDED,
        Event.ASSIGNMENT_SUSPENDED,
        Event.CASELOAD_RECORDED,
        Event.CASE_CLOSED,
        Event.FILMING_REFUSED,
        Event.CONSENT_REFUSED,
        Event.CONSENT_WITHDRAWN,
        Event.CONSENT_LAPSED,
        Event.DISSENT_RECORDED,
        Event.OVERRIDE_ENDED,
        Event.CLIP_REDACTED,
        Event.CHECK_SENT_BACK,
        Event.PERSONS_SHOWN_RECORDED,
        Event.OBJECT_QUARANTINED,
        Event.HOLD_PLACED,
        Event.ERASURE_ASKED,
        Event.ERASURE_OBJECTED,
        Event.DESTRUCTION_BEGUN,
        Event.KEY_DESTROYED,
        Event.DESTROYED,
        Event.CASE_KEY_ROLLED,
        Event.EPOCH_ROLLED,
        Event.ROOT_DESTRUCTION_BEGUN,
        Event.ROOT_DESTROYED,
    }
)
"""Events that take access away, bind a record to stay, or destroy."""

WIDENING_OR_NEUTRAL = frozenset(
    {
        Event.STORE_MADE,
        Event.STORE_UNSEALED,
        Event.STORE_TIDIED,
        Event.STORE_SCRUBBED,
        Event.STORE_MOVE_BEGUN,
        Event.STORE_MOVED,
        Event.CLOCK_ACCEPTED,
        Event.SETTINGS_CHANGED,
        Event.STAFF_ADDED,
        Event.STAFF_REINSTATED,
        Event.SECOND_FACTOR_ENROLLED,
        Event.SIGNED_IN,
        Event.SIGN_IN_REFUSED,
        Event.INVITATION_MADE,
        Event.INVITATION_CODE_PRINTED,
        Event.INVITATION_ACTIVATED,
        Event.INVITATION_REFUSED,
        Event.CASE_OPENED,
        Event.PERSON_ADDED,
        Event.PARENTAL_RESPONSIBILITY_RECORDED,
        Event.FATHER_ASKED_ABOUT,
        Event.RESTRICTION_LIFTED,
        Event.ASSIGNED,
        Event.ASSIGNMENT_REFUSED,
        Event.CASELOAD_ENDED,
        Event.VISIT_RECORDED,
        Event.FILMING_AGREED,
        Event.CONSENT_ASKED,
        Event.CONSENT_GRANTED,
        Event.DISSENT_LIFTED,
        Event.SAFE_TO_ASK_RECORDED,
        Event.NOTICE_WAIVED,
        Event.CONFERENCE_RECORDED,
        Event.RECEIPT_ISSUED,
        Event.OVERRIDE_PROPOSED,
        Event.OVERRIDE_APPROVED,
        Event.UPLOAD_BEGUN,
        Event.UPLOAD_CANCELLED,
        Event.UPLOAD_EXPIRED,
        Event.DEPOSIT_REFUSED,
        Event.DEPOSIT_RECEIVED,
        Event.DEPOSIT_SEALED,
        Event.PHONE_COPY_REMOVED,
        Event.QUARANTINE_LIFTED,
        Event.FOOTAGE_PREPARED,
        Event.FOOTAGE_REJECTED,
        Event.CLIP_CUT,
        Event.FACES_SOUGHT,
        Event.REDACTION_ASKED,
        Event.CHECK_ASKED,
        Event.CHECK_PASSED,
        Event.VIEWING_BEGUN,
        Event.VIEWING_REFUSED,
        Event.VIEWING_CUT,
        Event.VIEWING_ENDED,
        Event.HOLD_REVIEWED,
        Event.HOLD_RELEASED,
        Event.ERASURE_CANCELLED,
        Event.DISPOSAL_ANNOUNCED,
        Event.DISPOSAL_AGREED,
        Event.SWEEP_PLANNED,
        Event.SWEEP_HALTED,
        Event.SWEEP_APPROVED,
        Event.CERTIFICATE_ISSUED,
        Event.ROOT_CHANGE_BEGUN,
        Event.ROOT_ROTATED,
        Event.KEY_DAMAGED,
        Event.KEY_PLACE_ADDED,
        Event.KEY_PLACE_LOST,
        Event.KEY_PLACE_GONE,
        Event.KEYS_BACKED_UP,
        Event.KEYS_RESTORED,
        Event.AUDIT_SEARCHED,
        Event.AUDIT_EXPORTED,
        Event.RECORD_OPENED,
    }
)
"""Events that a restore may forget without anybody seeing more than they should: they open something, or only tell."""

_TWICE_OR_NEVER = NARROWING ^ WIDENING_OR_NEUTRAL ^ frozenset(Event)
if _TWICE_OR_NEVER or NARROWING & WIDENING_OR_NEUTRAL:
    _message = f"say of each kind of event once whether it narrows: {sorted(_TWICE_OR_NEVER)}"
    raise RuntimeError(_message)
