"""Who works on a case, closing it, and writing down a no that somebody said."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

import consent
import identity
from app import family_page, family_people
from app.forms import Form, Posted
from app.policy import staff
from app.service import Service, service_of
from app.statuses import status_of
from app.web import go, page
from app.words import ROLE_WORDS
from core.clock import day_in_england
from core.errors import Conflict, Invalid, Refused, VaultError
from core.ids import AssignmentId, CaseId, PersonId
from identity import Actor, Keeping, Role

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Manager = Annotated[Actor, Depends(staff(Role.MANAGER))]
CaseStaff = Annotated[Actor, Depends(staff(Role.GUIDER, Role.MANAGER))]
AnyRole = Annotated[Actor, Depends(staff(Role.GUIDER, Role.MANAGER, Role.SUPERVISOR, Role.SOCIAL_WORKER))]
PLACES = (Role.SOCIAL_WORKER, Role.SUPERVISOR, Role.CHAIR, Role.REFERRER, Role.TRAINER, Role.RESEARCHER, Role.LEGAL)
_FORMS = (Invalid, Refused, Conflict)


@router.get("/families/{case_id}/staff")
def staff_page(request: Request, case_id: CaseId, actor: Manager, service: TheService) -> Response:
    """Who works on a case."""
    return page(request, "case_staff.html", **_context(service, actor, case_id))


@router.post("/families/{case_id}/staff")
def assign(request: Request, case_id: CaseId, actor: Manager, form: Posted, service: TheService) -> Response:
    """Give somebody a place in the case."""
    try:
        role = form.choice("role", Role, called="a role")
        if role not in PLACES:
            raise Invalid("not_a_choice", "Choose a role from the list.", field="role")
        person = PersonId(form.id("staff", called="a member of staff"))
        identity.assign(service.db, actor=actor, case_id=case_id, staff=person, role=role)
    except _FORMS as error:
        return _again(request, case_id, actor, service, form=form, error=error)
    return go(f"/families/{case_id}/staff", saved="assignment")


@router.post("/families/{case_id}/staff/end")
def end_assignment(request: Request, case_id: CaseId, actor: Manager, form: Posted, service: TheService) -> Response:
    """End somebody's place; their access ends in the same moment."""
    try:
        place = AssignmentId(form.id("assignment", called="a place"))
        reason = form.text(f"reason-{place}", called="why it ends")
        identity.end_assignment(service.db, keystore=service.keystore, actor=actor, assignment=place, reason=reason)
    except _FORMS as error:
        return _again(request, case_id, actor, service, form=form, error=error)
    return go(f"/families/{case_id}/staff", saved="assignment")


@router.post("/families/{case_id}/staff/guider")
def change_guider(request: Request, case_id: CaseId, actor: Manager, form: Posted, service: TheService) -> Response:
    """Hand the case to another guider."""
    try:
        identity.change_guider(
            service.db,
            keystore=service.keystore,
            actor=actor,
            case_id=case_id,
            staff=PersonId(form.id("guider", called="a guider")),
            reason=form.text("reason", called="why"),
        )
    except _FORMS as error:
        return _again(request, case_id, actor, service, form=form, error=error)
    return go(f"/families/{case_id}/staff", saved="assignment")


@router.get("/families/{case_id}/close")
def close_page(request: Request, case_id: CaseId, actor: CaseStaff, service: TheService) -> Response:
    """The two questions that closing asks the family."""
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
    return page(request, "case_close.html", case={"id": case_id, "title": family_people.title_of(view)})


@router.post("/families/{case_id}/close")
def close(request: Request, case_id: CaseId, actor: CaseStaff, form: Posted, service: TheService) -> Response:
    """Close the case: the clock of its films starts."""
    try:
        identity.close_case(
            service.db,
            keystore=service.keystore,
            actor=actor,
            case_id=case_id,
            reason=form.text("reason", called="why the work ends"),
            family_copy=form.choice("family_copy", Keeping, called="their answer about a copy"),
            look_again=form.choice("look_again", Keeping, called="their answer about looking again"),
        )
    except Invalid as error:
        view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
        case = {"id": case_id, "title": family_people.title_of(view)}
        return page(request, "case_close.html", problem=error, given=form.shown(), case=case)
    return go(f"/families/{case_id}", saved="closed")


@router.get("/families/{case_id}/people/{person_id}/phone")
def phone_page(
    request: Request, case_id: CaseId, person_id: PersonId, actor: CaseStaff, service: TheService
) -> Response:
    """The phone that a family member signs in with."""
    device = identity.device_of(service.db, actor=actor, case_id=case_id, person=person_id)
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
    return page(
        request,
        "lost_phone.html",
        case={"id": case_id, "title": family_people.title_of(view)},
        person={"id": person_id, "name": view.name_of(person_id)},
        device=device,
    )


@router.post("/families/{case_id}/people/{person_id}/phone")
def end_phone(case_id: CaseId, person_id: PersonId, actor: CaseStaff, service: TheService) -> Response:
    """It is lost: it opens nothing any more, and whoever is signed in on it is signed out."""
    identity.unbind_devices(service.db, actor=actor, case_id=case_id, person=person_id)
    return go(f"/families/{case_id}/people/{person_id}/phone", saved="phone_ended")


@router.post("/families/{case_id}/told")
def told(request: Request, case_id: CaseId, actor: AnyRole, form: Posted, service: TheService) -> Response:
    """Somebody said no to a member of staff: it counts at once, and no proof is asked."""
    try:
        person = PersonId(form.id("person", called="who said it"))
    except Invalid as error:
        context = family_page.context(request, service, actor, case_id=case_id)
        return page(request, "family.html", problem=error, **context)
    consent.record_told_refusal(service.db, actor=actor, case_id=case_id, person=person)
    return go(f"/families/{case_id}", saved="told")


def _context(service: Service, actor: Actor, case_id: CaseId) -> dict[str, Any]:
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
    people = identity.staff_directory(service.db, keystore=service.keystore, actor=actor)
    return {
        "case": {
            "id": case_id,
            "title": family_people.title_of(view),
            "closed_on": day_in_england(view.closed_at) if view.closed_at else None,
        },
        "staff": [
            {
                "assignment": one.assignment,
                "name": one.name,
                "role": ROLE_WORDS[one.role],
                "since": one.span.start,
                "may_end": one.role is not Role.GUIDER,
            }
            for one in view.staff
            if one.span.end is None and not one.suspended
        ],
        "people": [{"id": one.id, "name": one.name} for one in people if one.roles & set(PLACES)],
        "guiders": [{"id": one.id, "name": one.name} for one in people if Role.GUIDER in one.roles],
        "roles": [{"id": role.value, "name": ROLE_WORDS[role]} for role in PLACES],
    }


def _again(
    request: Request, case_id: CaseId, actor: Actor, service: Service, *, form: Form, error: VaultError
) -> Response:
    context = _context(service, actor, case_id)
    return page(request, "case_staff.html", status=status_of(error), problem=error, given=form.shown(), **context)
