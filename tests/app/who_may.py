"""Who of a family's own people gets through which route with their own family's ids. Everyone else gets a no.

A new route must be written down here; the test that fails says with which line, and it is for a reader to say whether
that line is right. What a policy says already (kind, organisation role) is checked against it, too.
"""

from __future__ import annotations

STAFF = "guider worker supervisor checker chair manager officer administrator other_guider other_worker"
FAMILIES = "mother father teen other_mother"
EVERYBODY = (
    "guider worker supervisor checker chair manager officer administrator mother father teen"
    " other_guider other_worker other_mother"
)
WHO_MAY = {
    "POST /sign-out": EVERYBODY,
    "GET /your-account": STAFF,
    "GET /your-phone": FAMILIES,
    "POST /your-sessions/end": EVERYBODY,
    "POST /your-sessions/{session_id}/end": "guider",  # the guider's own session
    "GET /your-account/password": STAFF,
    "POST /your-account/password": STAFF,
    "GET /your-phone/passcode": FAMILIES,
    "POST /your-phone/passcode": FAMILIES,
    "POST /your-phone/forget": FAMILIES,
    "GET /accounts": "manager administrator",
    "GET /accounts/new": "administrator",
    "POST /accounts/new": "administrator",
    "GET /accounts/{person_id}": "manager administrator",
    "POST /accounts/{person_id}/sessions/end": "manager administrator",
    "POST /accounts/{person_id}/sessions/{session_id}/end": "manager administrator",
    "POST /accounts/{person_id}/roles": "administrator",
    "POST /accounts/{person_id}/suspend": "administrator",
    "POST /accounts/{person_id}/renew": "administrator",
    "POST /accounts/{person_id}/reinstate": "administrator",
    "GET /caseload": "manager",
    "POST /caseload": "manager",
    "POST /caseload/end": "manager",
    "GET /families": "guider supervisor checker manager other_guider",
    "GET /families/new": "manager",
    "POST /families/new": "manager",
    "GET /families/{case_id}": "guider supervisor manager",
    "GET /families/{case_id}/filming": "guider",
    "POST /families/{case_id}/filming": "guider",
    "GET /families/{case_id}/visits/new": "guider",
    "POST /families/{case_id}/visits/new": "guider",
    "GET /families/{case_id}/visits/{visit_id}/upload": "guider",
    "POST /families/{case_id}/invitations": "guider manager",
    "GET /families/{case_id}/staff": "manager",
    "POST /families/{case_id}/staff": "manager",
    "POST /families/{case_id}/staff/end": "manager",
    "POST /families/{case_id}/staff/guider": "manager",
    "GET /families/{case_id}/close": "guider manager",
    "POST /families/{case_id}/close": "guider manager",
    "GET /families/{case_id}/people/{person_id}/phone": "guider manager",
    "POST /families/{case_id}/people/{person_id}/phone": "guider manager",
    "POST /families/{case_id}/told": "guider worker supervisor manager",  # a no counts, whoever in the case hears it
    "POST /cases/{case_id}/visits/{visit_id}/uploads": "guider",
    "GET /uploads": "guider checker other_guider",  # their own; the checker guides other families
    "HEAD /uploads/{upload_id}": "guider",
    "POST /uploads/{upload_id}": "guider",
    "PATCH /uploads/{upload_id}": "guider",
    "DELETE /uploads/{upload_id}": "guider",
    "POST /uploads/{upload_id}/cancel": "guider",
    "POST /cases/{case_id}/visits/{visit_id}/film": "guider",
    "GET /footage/{footage_id}": "guider",
    "POST /footage/{footage_id}": "guider",
    "POST /footage/{footage_id}/phone-copy-removed": "guider",
    "GET /jobs/{subject}": "guider",
    "GET /clips/{clip_id}": "guider",
    "GET /clips/{clip_id}/still": "guider",
    "GET /clips/{clip_id}/blur": "guider",
    "POST /clips/{clip_id}/blur": "guider",
    "POST /clips/{clip_id}/blur/look": "guider",
    "POST /clips/{clip_id}/blur/make": "guider",
    "POST /clips/{clip_id}/blur/stop": "guider",
    "GET /clips/{clip_id}/blur/progress": "guider",
    "GET /clips/{clip_id}/blur/statement.json": "",  # its blurred version isn't made: nothing to say, to nobody
    "POST /clips/{clip_id}/persons": "guider",
    "GET /clips/{clip_id}/review": "guider",
    "POST /clips/{clip_id}/check": "guider",
    "POST /clips/{clip_id}/check/take-back": "guider",
    "POST /clips/{clip_id}/ask": "guider",
    "POST /clips/{clip_id}/safe-to-ask": "guider",
    "GET /checks": STAFF,  # their own, which may be none
    "GET /checks/{rendition_id}": "checker",
    "POST /checks/{rendition_id}": "checker",
    "GET /shared": STAFF,  # likewise
    "GET /watch/{rendition_id}": "",  # a check is open, so nobody yet; shared clips are tried on the real server
    "GET /media/{viewing_id}": "guider",  # the guider's own ticket
    "HEAD /media/{viewing_id}": "guider",
    "GET /media/{viewing_id}/{picture}": "guider",
    "POST /media/{viewing_id}/end": "guider",
    "GET /events/{viewing_id}": "guider",
    "GET /your-clips": FAMILIES,
    "POST /your-clips/stop-all": FAMILIES,
    "GET /your-clips/{rendition_id}": "mother father",  # the teenager isn't shown in it
    "GET /your-clips/{rendition_id}/questions": "mother father",
    "GET /your-clips/{rendition_id}/questions/{number}": "mother father",
    "POST /your-clips/{rendition_id}/questions/{number}": "mother father",
    "GET /your-clips/{rendition_id}/check": "mother father",
    "POST /your-clips/{rendition_id}/check": "mother father",
    "GET /your-clips/{rendition_id}/saved": "mother father",
    "POST /your-clips/{rendition_id}/stop": "mother father",
    "GET /who-watched": FAMILIES,
    "GET /receipts/{event_id}.json": "mother",
    "GET /receipts/{event_id}": "mother",
    "GET /records": "officer",
    "GET /audit": "officer",
    "POST /audit/verify": "officer",
    "GET /audit/export": "officer",
    "GET /retention": "officer",
    "POST /retention/plan": "officer",
    "POST /retention/approve": "",  # no sweep waits
    "POST /retention/agree": "",  # nothing is due
    "POST /retention/accept-clock": "officer",
    "GET /certificates": "officer",
    "GET /certificates/{certificate_id}.json": "",  # likewise
    "GET /certificates/{certificate_id}": "",  # nothing is destroyed yet
    "GET /holds": "officer",
    "POST /holds": "officer",
    "POST /holds/{hold_id}/release": "officer",
    "POST /holds/{hold_id}/review": "officer",
}
