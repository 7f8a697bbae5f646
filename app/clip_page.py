"""What the page of one clip shows to its guider: who can be seen, the check, and how far asking has come."""

from __future__ import annotations

from typing import Any

import identity
import redaction
import retention
import vault
from app.family_page import STATE_WORDS, audience_name, job_of, states_of, verdict
from app.family_people import title_of
from app.service import Service
from app.words import ROLE_WORDS
from consent import Audience, AudienceState, Purpose, Reason
from core.errors import Invalid
from core.ids import ClipId, PersonId, well_formed
from identity import Actor, CaseView, Role
from redaction import Check, CheckState
from vault import Clip, RenditionLine, Treatment

OFFERED = {Role.SOCIAL_WORKER: Purpose.SOCIAL_WORKER, Role.SUPERVISOR: Purpose.SUPERVISION}
"""Whom the family may be asked about, by their place in the case."""
_ENDED = "It has changed since it was last checked. Ask for a new check."
ASK_AGAIN = frozenset({Reason.NOT_ASKED, Reason.EXPIRED, Reason.LAPSED, Reason.UNSETTLED})
"""Reasons for a no that asking may mend."""


def context(service: Service, actor: Actor, *, clip_id: ClipId) -> dict[str, Any]:
    """Everything of ``clip.html``."""
    clip = vault.clip(service.db, keystore=service.keystore, actor=actor, clip_id=clip_id)
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=clip.case_id)
    rendition = clip.current
    shown = rendition.persons_shown if rendition else frozenset[PersonId]()
    return {
        "case": {"id": clip.case_id, "title": title_of(view)},
        "clip": _clip(service, actor, clip, rendition),
        "job": job_of(clip.progress, subject=clip_id),
        "sentence": clip.progress.sentence or "",
        "people": [{"id": one.id, "name": one.name, "shown": one.id in shown} for one in view.members],
        "persons_known": bool(shown) or bool(rendition and rendition.nobody_recognisable),
        "check": _check(service, actor, clip, rendition),
        "checkers": _checkers(service, actor, view, rendition),
        **_asks(service, actor, view, clip, rendition),
    }


def audience_of(text: str) -> tuple[Purpose, Audience]:
    """The purpose and the audience behind a choice of the page.

    Raises:
        Invalid: it isn't one.
    """
    purpose, _, person = text.partition(":")
    if purpose not in {one.value for one in Purpose} or not well_formed(person):
        raise Invalid("not_a_choice", "Choose who should be able to watch it.", field="audience")
    return Purpose(purpose), Audience(person=PersonId(person))


def _clip(service: Service, actor: Actor, clip: Clip, rendition: RenditionLine | None) -> dict[str, Any]:
    lines = retention.kept(service.db, actor=actor, schedule=service.schedule, case_id=clip.case_id)
    due = {line.record: line.due_on for line in lines}
    return {
        "id": clip.id,
        "title": clip.title,
        "length": rendition.duration_ms / 1000 if rendition else None,
        "goals": list(clip.goals),
        "poster": f"/clips/{clip.id}/still" if rendition and rendition.has_poster else None,
        "due_on": due.get(clip.id),
        "rendition": rendition.id if rendition else "",
        "made_at": rendition.created_at if rendition and rendition.treatment is Treatment.REDACTED else None,
    }


def _check(service: Service, actor: Actor, clip: Clip, rendition: RenditionLine | None) -> dict[str, Any]:
    nothing: dict[str, Any] = {"state": "none", "by": "", "at": None, "remark": "", "ended": ""}
    if rendition is None:
        return nothing
    found = redaction.checks_in(service.db, keystore=service.keystore, actor=actor, case_id=clip.case_id)
    latest: Check | None = next((one for one in found if one.rendition_id == rendition.id), None)
    if latest is None or (latest.state is CheckState.PASSED and rendition.attested_by is None):
        return nothing | {"ended": _ENDED if _was_checked(clip, found) else ""}
    names = {CheckState.WAITING: "asked", CheckState.PASSED: "passed", CheckState.SENT_BACK: "sent_back"}
    with service.db.read() as session:
        by = identity.person_name(session, keystore=service.keystore, person=latest.checker)
    return {
        "state": names.get(latest.state, "none"),
        "by": by,
        "at": latest.answered_at,
        "remark": latest.note,
        "ended": f"{by} no longer checks it. Ask a colleague again." if latest.state is CheckState.TAKEN_BACK else "",
    }


def _was_checked(clip: Clip, found: tuple[Check, ...]) -> bool:
    """Whether there was a check, of this version as it was or of one before."""
    return bool({one.rendition_id for one in found} & {one.id for one in clip.renditions})


def _checkers(service: Service, actor: Actor, view: CaseView, rendition: RenditionLine | None) -> list[dict[str, str]]:
    """Whoever may be asked: trained, off the case, and without a hand in this version."""
    on_case = {one.person for one in view.staff if one.span.end is None and one.role is not Role.CHECKER}
    if rendition is not None:
        with service.db.read() as session:
            on_case |= vault.makers_of(session, rendition.id)
    able = {Role.GUIDER, Role.SUPERVISOR}
    return [
        {"id": one.id, "name": one.name}
        for one in identity.staff_directory(service.db, keystore=service.keystore, actor=actor)
        if one.roles & able and one.id not in on_case
    ]


def _asks(
    service: Service, actor: Actor, view: CaseView, clip: Clip, rendition: RenditionLine | None
) -> dict[str, Any]:
    names = {one.person: one.name for one in view.staff} | {one.id: one.name for one in view.members}
    states = states_of(service, actor, clip=clip)
    asked = []
    for state in states:
        text, colour = verdict(state)
        people = [
            {
                "name": _who(names, line.grantor, line.on_behalf_of),
                "text": STATE_WORDS[line.state][0],
                "colour": STATE_WORDS[line.state][1],
            }
            for line in state.lines
        ]
        person = state.scope.audience.person
        asked.append(
            {
                "audience": audience_name(names, state),
                "text": text,
                "colour": colour,
                "people": people,
                "value": f"{state.scope.purpose}:{person}" if person and _unasked(state) else "",
            }
        )
    done = {(state.scope.purpose, state.scope.audience.person) for state in states}
    offered = [
        (Purpose.FAMILY_REVIEW, one.id, f"{one.name}, at home on their own phone")
        for one in view.members
        if rendition and one.id in rendition.persons_shown and not one.is_child
    ]
    offered += [
        (OFFERED[one.role], one.person, f"{one.name}, {ROLE_WORDS[one.role].lower()}")
        for one in view.staff
        if one.role in OFFERED and one.span.end is None and not one.suspended
    ]
    return {
        "asks": asked,
        "audiences": [
            {"value": f"{purpose.value}:{person}", "text": text}
            for purpose, person, text in offered
            if (purpose, person) not in done
        ],
        "elsewhere": _elsewhere(view, rendition, states),
        "asked_people": [one.name for one in view.members if rendition and _has_say(one.id, view, rendition)],
    }


def _who(names: dict[PersonId, str], grantor: PersonId, person: PersonId) -> str:
    return names.get(grantor, "") if grantor == person else f"{names.get(grantor, '')}, for {names.get(person, '')}"


def _unasked(state: AudienceState) -> bool:
    """Whether there is somebody to ask, or to ask again; those who only haven't answered yet aren't pressed."""
    return any(no.reason in ASK_AGAIN for no in state.missing)


def _elsewhere(view: CaseView, rendition: RenditionLine | None, states: list[AudienceState]) -> list[dict[str, str]]:
    """Holders of parental responsibility who aren't in the film and weren't asked: only when that is safe.

    Adults in the film come first. Where there are none, as in a clip of a child alone, nobody else can be asked.
    """
    shown = rendition.persons_shown if rendition else frozenset[PersonId]()
    if rendition is None or (not states and any(one.id in shown and not one.is_child for one in view.members)):
        return []
    asked = {line.grantor for state in states for line in state.lines}
    held = {holder for one in view.members if one.id in rendition.persons_shown for holder, _ in one.holders}
    return [
        {"person": one.id, "name": one.name} for one in view.members if one.id in held - asked - rendition.persons_shown
    ]


def _has_say(person: PersonId, view: CaseView, rendition: RenditionLine) -> bool:
    member = next(one for one in view.members if one.id == person)
    if member.is_child:
        return False
    speaks = any(
        holder == person for one in view.members if one.id in rendition.persons_shown for holder, _ in one.holders
    )
    return person in rendition.persons_shown or speaks
