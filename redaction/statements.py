"""What a redacted rendition was made of, as a document that an outsider can check without ever seeing the original."""

from __future__ import annotations

import base64
import hashlib
import json

import audit
import identity
import vault
from audit import Event, Filters
from core.db import Database, not_found
from core.errors import Unavailable
from core.ids import ClipId, EntryId
from identity import Actor, Role
from keys import KeyStore

FORMAT = "vig-vault.redaction-statement/1"


def statement(db: Database, *, keystore: KeyStore, actor: Actor, clip_id: ClipId) -> str:
    """Which film the clip's blurred version was made of, for whoever keeps it or has to account for it.

    It holds the manifest as it was sealed (hashes of the rendition, of the film as deposited, of what was found and of
    the choices; numbers of people, no names; the guider's reason) and the proof that the manifest's own hash stands in
    the signed log. Whoever has either film can compare its hash; nobody learns anything else of it.

    Returns:
        JSON. The proof is left out, with a word why, until its entry is sealed (a second or so after it was made).

    Raises:
        NotFound: no such clip, none of the actor's, or there is no blurred version of it.
        Refused: ``not_your_role``.
    """
    clip = vault.clip(db, keystore=keystore, actor=actor, clip_id=clip_id)
    with db.read() as session:
        identity.require_in_case(session, actor, Role.GUIDER, Role.MANAGER, case_id=clip.case_id, at=db.clock.now())
        if clip.current is None:
            raise not_found()
        manifest = vault.manifest_of(session, keystore=keystore, rendition_id=clip.current.id)
        if not manifest:
            raise not_found()
        made = audit.search(session, Filters(object_id=clip_id, events=frozenset({Event.CLIP_REDACTED})))
        entry = next((one.id for one in made.entries if one.details["rendition"] == clip.current.id), None)
    if entry is None:  # it was written with the version: whoever removed it has changed the log
        raise not_found()
    document = {
        "format": FORMAT,
        "manifest": manifest,
        "manifest_sha256": hashlib.sha256(manifest.encode()).hexdigest(),
        "audit": _proof(db, entry),
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _proof(db: Database, entry: EntryId) -> dict[str, str | None]:
    try:
        proof = audit.prove(db, entry)
    except Unavailable:
        return {"entry": entry, "proof": None, "why": "The entry isn't sealed yet."}
    body = base64.b64encode(proof.entry).decode() if proof.entry else None
    return {"entry": entry, "entry_bytes": body, "proof": proof.text()}
