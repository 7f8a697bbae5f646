"""What the pages of one family show to the staff on its case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from starlette.requests import Request

import consent
import identity
import retention
import vault
from app.family_people import about, filming_of, names_of, title_of
from app.listing import cut
from app.pages.words import day, joined
from app.service import Service
from app.unfinished import unfinished
from app.words import PURPOSE_WORDS, ROLE_WORDS, STATUS_WORDS
from consent import AudienceState, GrantState
from core.clock import day_in_england
from core.errors import VaultError
from core.ids import CaseId, PersonId
from core.jobs import ENDED
from identity import Actor, AskOutcome, CaseView, MemberView, Role, VisitKind
from vault import Clip, Footage, Progress

FATHER_WORDS = {
    AskOutcome.NOT_KNOWN: "asked, not known",
    AskOutcome.KNOWN_WITHOUT_RESPONSIBILITY: "known, without parental responsibility",
    AskOutcome.NOT_SAID: "asked, not said",
    AskOutcome.DIED: "has died",
}
VISIT_WORDS = {VisitKind.FILMING: "Filming", VisitKind.SHARED_REVIEW: "Shared review"}
STATE_WORDS = {
    GrantState.REQUESTED: ("Waiting", "yellow"),
    GrantState.GRANTED: ("Yes", "green"),
    GrantState.REFUSED: ("No", "red"),
    GrantState.WITHDRAWN: ("Stopped", "red"),
    GrantState.EXPIRED: ("Ended", "grey"),
    GrantState.LAPSED: ("Ask again", "grey"),
    GrantState.TOLD: ("Told", "blue"),
}
VISITS, FILMS, CLIPS = 15, 12, 12
"""How many a page shows."""
STAGES = {
    "": "Waiting to begin",
    "assemble": "Putting the pieces together",
    "prepare": "Getting the film ready",
    "cut": "Cutting",
    "poster": "Making stills",
    "pictures": "Making stills",
    "detect": "Looking for faces",
    "faces": "Making stills of faces",
    "redact": "Covering faces",
}


def context(request: Request, service: Service, actor: Actor, *, case_id: CaseId) -> dict[str, Any]:
    """Everything of ``family.html``. Its three lists are cut into pages each of its own."""
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
    is_guider = Role.GUIDER in view.roles
    film = vault.footage_of(service.db, keystore=service.keystore, actor=actor, case_id=case_id) if is_guider else ()
    clips = vault.clips_of(service.db, keystore=service.keystore, actor=actor, case_id=case_id) if is_guider else ()
    due = _due(service, actor, case_id=case_id)
    filming, today = filming_of(service, view), day_in_england(service.db.clock.now())
    path = f"/families/{case_id}"
    visits = cut(request, path, view.visits, of=("visit", "visits"), size=VISITS, name="visits")
    films = cut(request, path, film, of=("film", "films"), size=FILMS, name="footage")
    cuts = cut(request, path, clips, of=("clip", "clips"), size=CLIPS, name="clips")
    states = {clip.id: states_of(service, actor, clip=clip) for clip in cuts.lines}
    return {
        "case": {
            "id": case_id,
            "title": title_of(view),
            "status": STATUS_WORDS[view.referral.status],
            "reference": view.referral.reference or "",
            "opened_at": view.opened_at,
            "closed_on": day_in_england(view.closed_at) if view.closed_at else None,
            "may_guide": is_guider,
            "may_manage": Role.MANAGER in view.roles,
        },
        "people": [_person(view, one, filming=filming, at=today) for one in view.members],
        "fathers": [
            f"{one.name}'s father: {FATHER_WORDS[outcome]}" for one in view.members for outcome in one.asked_about
        ],
        "staff": [
            {"name": one.name, "role": ROLE_WORDS[one.role]}
            for one in view.staff
            if one.span.end is None and not one.suspended
        ],
        "visits": [
            {"id": one.id, "kind": VISIT_WORDS[one.kind], "on": one.visited_on, "present": names_of(view, one.present)}
            for one in visits.lines
        ],
        "uploads": unfinished(service, actor, case_id=case_id) if is_guider else [],
        "footage": [_footage(view, one, due=due) for one in films.lines],
        "clips": [_clip(view, one, states=states[one.id], due=due) for one in cuts.lines],
        "pages": {"visits": visits.pages, "footage": films.pages, "clips": cuts.pages},
        "consent": _grid(view, cuts.lines, states),
        "told": [{"value": one.id, "text": one.name} for one in view.members if not one.is_child],
    }


def states_of(service: Service, actor: Actor, *, clip: Clip) -> list[AudienceState]:
    """How far asking has come for a clip."""
    if clip.current is None:
        return []
    with service.db.read() as session:
        rendition = vault.facts_for(session, clip.current.id)
        return consent.state_for_staff(session, actor=actor, rendition=rendition)


def verdict(state: AudienceState) -> tuple[str, str]:
    """One tag for one audience."""
    if not state.missing:
        return "Agreed", "green"
    states = {line.state for line in state.lines}
    if states & {GrantState.REFUSED, GrantState.WITHDRAWN} or state.dissenting:
        return "Not agreed", "red"
    return "Waiting", "yellow"


def audience_name(view_names: Mapping[PersonId, str], state: AudienceState) -> str:
    """An audience and what for, to staff: "Sam Okafor, as their social worker"."""
    person = state.scope.audience.person
    name = view_names.get(person, "") if person else "A meeting"
    what_for = PURPOSE_WORDS[state.scope.purpose]
    return f"{name}, {what_for[0].lower()}{what_for[1:]}"


def job_of(progress: Progress, *, subject: str) -> dict[str, Any] | None:
    """What ``part.progress`` wants of a job, while it runs."""
    if progress.state in ENDED:
        return None
    percent = progress.thousandths // 10
    return {
        "id": subject,
        "address": f"/jobs/{subject}",
        "percent": percent or None,
        "text": f"{STAGES.get(progress.stage, 'Working')}. {percent} %",
    }


def _person(
    view: CaseView, member: MemberView, *, filming: Mapping[PersonId, object] | None, at: date
) -> dict[str, Any]:
    agreed = filming is not None and member.id not in filming
    speaks_for = [one.name for one in view.members if any(holder == member.id for holder, _ in one.holders)]
    speaks_for += [] if member.is_child else ["themself"]
    return {
        "id": member.id,
        "name": member.name,
        "about": about(member, at=at),
        "speaks_for": joined(speaks_for),
        "filming": "Yes" if agreed else "Not yet",
        "filming_colour": "green" if agreed else "grey",
        "invited": "Ready" if member.has_device else "Not yet",
        "has_phone": member.has_device,
        "may_invite": not member.has_device and (member.has_contact or not member.is_child),
    }


def _footage(view: CaseView, one: Footage, *, due: Mapping[str, date | None]) -> dict[str, Any]:
    visit = next((each for each in view.visits if each.id == one.visit_id), None)
    tag = {"preparing": ("Getting ready", "yellow"), "ready": ("Ready", "green"), "rejected": ("Not usable", "red")}
    text, colour = tag.get(one.state.value, ("Going", "grey"))
    return {
        "id": one.id,
        "title": f"Film of {day(visit.visited_on)}" if visit else "Film",
        "length": one.working_copy.duration_ms / 1000 if one.working_copy else None,
        "tag": text,
        "colour": colour,
        "job": job_of(one.progress, subject=one.id),
        "sentence": one.progress.sentence or "",
        "strip": None,
        "due_on": due.get(one.id),
        "phone_copy": _phone_copy(one),
    }


def _phone_copy(one: Footage) -> str:
    if one.phone_copy_removed_at:
        return "removed"
    return "waiting" if one.working_copy else ""


def _clip(view: CaseView, one: Clip, *, states: list[AudienceState], due: Mapping[str, date | None]) -> dict[str, Any]:
    rendition = one.current
    verdicts = [verdict(state) for state in states]
    text, colour = ("Being cut", "yellow") if rendition is None else ("New", "blue")
    if rendition and not rendition.persons_shown and not rendition.nobody_recognisable:
        text, colour = "Say who can be seen", "blue"
    elif rendition and not rendition.attested_by:
        text, colour = "To be checked", "blue"
    if verdicts:
        text, colour = max(verdicts, key=lambda each: ["Agreed", "Waiting", "Not agreed"].index(each[0]))
        text = "Waiting for answers" if text == "Waiting" else text
    return {
        "id": one.id,
        "title": one.title,
        "length": rendition.duration_ms / 1000 if rendition else None,
        "shown": names_of(view, rendition.persons_shown if rendition else ()),
        "tag": text,
        "colour": colour,
        "poster": f"/clips/{one.id}/still" if rendition and rendition.has_poster else None,
        "due_on": due.get(one.id),
        "job": job_of(one.progress, subject=one.id),
    }


def _grid(view: CaseView, clips: Iterable[Clip], states: Mapping[Any, list[AudienceState]]) -> dict[str, Any]:
    names = {one.person: one.name for one in view.staff} | {one.id: one.name for one in view.members}
    asked = [clip for clip in clips if states[clip.id]]
    audiences = sorted({audience_name(names, state) for clip in asked for state in states[clip.id]})
    rows = []
    for clip in asked:
        found = {audience_name(names, state): verdict(state) for state in states[clip.id]}
        cells = [found.get(name, ("Not asked", "grey")) for name in audiences]
        rows.append(
            {
                "title": clip.title,
                "href": f"/clips/{clip.id}",
                "cells": [{"text": text, "colour": colour} for text, colour in cells],
            }
        )
    return {"audiences": audiences, "rows": rows}


def _due(service: Service, actor: Actor, *, case_id: CaseId) -> dict[str, date | None]:
    try:
        lines = retention.kept(service.db, actor=actor, schedule=service.schedule, case_id=case_id)
    except VaultError:
        return {}
    return {line.record: line.due_on for line in lines}
