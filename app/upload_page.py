"""What the page shows on which a guider adds film, and the list of all that is unfinished."""

from __future__ import annotations

from typing import Any

import identity
import vault
from app import family_page, family_people, filming_page, unfinished
from app.service import Service
from app.words import title
from core.db import not_found
from core.ids import CaseId, VisitId
from identity import Actor
from vault import Footage, FootageState

_TAGS = {
    FootageState.PREPARING: ("Getting ready", "yellow"),
    FootageState.READY: ("Ready", "green"),
    FootageState.REJECTED: ("Not usable", "red"),
}


def context(service: Service, actor: Actor, *, case_id: CaseId, visit_id: VisitId) -> dict[str, Any]:
    """Everything of ``upload.html``.

    Raises:
        NotFound: no such visit of this case.
    """
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
    found = next((one for one in view.visits if one.id == visit_id), None)
    if found is None:
        raise not_found()
    film = vault.footage_of(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
    return {
        "case": {"id": case_id, "title": family_people.title_of(view), "is_open": view.closed_at is None},
        "visit": {"id": visit_id, "on": found.visited_on},
        "most_bytes": service.settings.max_upload_bytes,
        "wait_hours": int(service.bounds.life.total_seconds() // 3600),
        "not_agreed": filming_page.not_agreed(service, view, people=found.present),
        "unfinished": _of_visit(unfinished.unfinished(service, actor, case_id=case_id), visit_id),
        "lapsed": _of_visit(unfinished.lapsed(service, actor, case_id=case_id), visit_id),
        "films": [_film(one) for one in film if one.visit_id == visit_id and one.state in _TAGS],
    }


def all_unfinished(service: Service, actor: Actor) -> dict[str, Any]:
    """Everything of ``uploads.html``."""
    lines = identity.cases_of(service.db, keystore=service.keystore, actor=actor)
    titles = {line.id: title(line.children) for line in lines}

    def called(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one | {"family": titles.get(one["case"], "")} for one in found]

    return {
        "wait_hours": int(service.bounds.life.total_seconds() // 3600),
        "unfinished": called(unfinished.unfinished(service, actor)),
        "lapsed": called(unfinished.lapsed(service, actor)),
    }


def _of_visit(found: list[dict[str, Any]], visit_id: VisitId) -> list[dict[str, Any]]:
    return [one for one in found if one["visit"] == visit_id]


def _film(one: Footage) -> dict[str, Any]:
    text, colour = _TAGS[one.state]
    job = family_page.job_of(one.progress, subject=one.id)
    return {
        "id": one.id,
        "name": one.filename or "Film",
        "deposited_at": one.deposited_at,
        "tag": text if job or one.state is not FootageState.PREPARING else "Stopped",
        "colour": colour if job or one.state is not FootageState.PREPARING else "red",
        "job": job,
        "sentence": one.progress.sentence or "",
        "is_ready": one.state is FootageState.READY,
        "is_rejected": one.state is FootageState.REJECTED,
        "on_phone": one.phone_copy_removed_at is None,
    }
