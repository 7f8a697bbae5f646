"""What a path can name: an id of each kind, all of one family."""

from __future__ import annotations

import consent
import retention
import vault
from app.service import Service
from consent import Purpose
from core.ids import VisitId, new_id
from tests.app.asking import ask
from tests.families import Family
from tests.vault.scene import Clip
from vault import DiskStore

Ids = dict[str, str]
NOT_IDS = {"picture": "poster", "number": "1"}
"""Parts of paths that aren't ids, with what is usual there."""


def ids_of(service: Service, family: Family, visit: VisitId, clip: Clip) -> Ids:
    """An id of each kind that exists, all of one family."""
    guider, store = family.staff.guider.actor, service.store
    assert isinstance(store, DiskStore)
    ask(service, family, clip, (Purpose.SOCIAL_WORKER, family.staff.social_worker))
    asked = [
        one
        for one in consent.questions_for(service.db, actor=family.mother.actor)
        if one.purpose is Purpose.SOCIAL_WORKER
    ]
    newest = max(one.page_version for one in asked)
    answered = consent.grant(
        service.db,
        actor=family.mother.actor,
        questions=[one.id for one in asked],
        page_version=newest,
        notice=asked[0].notice.id,
    )
    viewing = vault.begin_viewing(service.db, actor=guider, rendition_id=clip.rendition_id, purpose=Purpose.PREPARE)
    upload = vault.begin_deposit(
        service.db, keystore=service.keystore, actor=guider, case_id=family.case_id, visit_id=visit, length=24
    )
    footage = vault.footage_of(service.db, keystore=service.keystore, actor=guider, case_id=family.case_id)
    return {
        "case_id": family.case_id,
        "visit_id": visit,
        "footage_id": footage[0].id,
        "subject": footage[0].id,
        "clip_id": clip.clip_id,
        "rendition_id": clip.rendition_id,
        "viewing_id": viewing.id,
        "upload_id": upload,
        "person_id": family.mother.id,
        "event_id": answered[0],
        "session_id": family.staff.guider.actor.session,
        "hold_id": retention.place_hold(
            service.db,
            keystore=service.keystore,
            actor=family.staff.officer.actor,
            scope=retention.HoldScope.CASE,
            subject=family.case_id,
            reason="Proceedings",
        ),
        "certificate_id": new_id(),
        "picture": "poster",
        "number": "1",
    }
