"""What families share with a professional: what their places in cases let them ask for, and what comes of it."""

from __future__ import annotations

import identity
import vault
from app.service import Service
from app.words import PURPOSE_WORDS, title
from consent import Purpose
from core.db import not_found
from core.ids import CaseId, RenditionId
from identity import Actor, Role
from vault import Showing

PURPOSES = {
    Role.SOCIAL_WORKER: (Purpose.SOCIAL_WORKER,),
    Role.SUPERVISOR: (Purpose.SUPERVISION, Purpose.ACCREDITATION),
    Role.REFERRER: (Purpose.REFERRER,),
    Role.TRAINER: (Purpose.TRAINING,),
    Role.RESEARCHER: (Purpose.RESEARCH,),
    Role.LEGAL: (Purpose.COURT,),
}
"""What a place in a case lets somebody watch, if everyone who has a say agrees."""


def showings(service: Service, actor: Actor) -> list[Showing]:
    """Every clip that this person may watch just now, for each purpose."""
    with service.db.read() as session:
        places = identity.places_of(session, actor.person, at=service.db.clock.now())
    by_purpose: dict[Purpose, list[CaseId]] = {}
    for case_id, role in places:
        for purpose in PURPOSES.get(role, ()):
            by_purpose.setdefault(purpose, []).append(case_id)
    return [
        showing
        for purpose, cases in by_purpose.items()
        for showing in vault.watchable(service.db, keystore=service.keystore, actor=actor, purpose=purpose, cases=cases)
    ]


def clips_for(service: Service, actor: Actor) -> list[dict[str, object]]:
    """The lines of ``shared.html``."""
    found = showings(service, actor)
    with service.db.read() as session:
        families = {
            case_id: title(identity.children_names(session, keystore=service.keystore, case_id=case_id))
            for case_id in {one.case_id for one in found}
        }
    return [
        {
            "rendition": one.rendition_id,
            "title": one.title,
            "length": one.duration_ms / 1000,
            "family": families[one.case_id],
            "purpose": PURPOSE_WORDS[one.purpose],
            "until": None,
        }
        for one in found
    ]


def purpose_for(service: Service, actor: Actor, *, rendition_id: RenditionId) -> Purpose:
    """For which purpose this person may watch a clip.

    Raises:
        NotFound: for none: it isn't shared with them, or isn't there.
    """
    for one in showings(service, actor):
        if one.rendition_id == rendition_id:
            return one.purpose
    raise not_found()
