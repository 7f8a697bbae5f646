"""Accounts of staff: administrators keep them, managers may end a lost device's sign-ins. Caseloads (managers)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

import identity
from app.forms import Posted
from app.listing import Choice, cut, finder
from app.pages import qr
from app.policy import staff
from app.service import Service, service_of
from app.statuses import status_of
from app.web import go, page
from app.words import ROLE_WORDS, title
from core.db import not_found
from core.errors import Invalid, VaultError
from core.ids import CaseId, PersonId, SessionId
from identity import Actor, Enrolment, Role, StaffLine

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Administrator = Annotated[Actor, Depends(staff(Role.ADMINISTRATOR))]
Manager = Annotated[Actor, Depends(staff(Role.MANAGER))]
Ender = Annotated[Actor, Depends(staff(Role.ADMINISTRATOR, Role.MANAGER))]
"""Who may end a colleague's sign-ins."""
_HINTS = {
    Role.GUIDER: "Films, cuts and reviews with families",
    Role.SUPERVISOR: "Checks a colleague's clip",
    Role.SOCIAL_WORKER: "Sees what a family shares",
    Role.CHAIR: "Shows a clip in a meeting",
    Role.MANAGER: "Opens cases and assigns staff",
    Role.IG_OFFICER: "Audits, holds, approves disposals",
    Role.ADMINISTRATOR: "Accounts only; never sees a film",
}


@router.get("/accounts")
def accounts(request: Request, actor: Ender, service: TheService) -> Response:
    """Everybody on the staff."""
    return _accounts(request, actor, service, fresh=None)


@router.get("/accounts/new")
def new_account_page(request: Request, _actor: Administrator) -> Response:
    """The form for an account."""
    return page(request, "account_new.html", roles=_roles())


@router.post("/accounts/new")
def new_account(request: Request, actor: Administrator, form: Posted, service: TheService) -> Response:
    """Add an account; its link is shown once."""
    try:
        roles = [_role(one) for one in form.texts("roles")]
        name = form.text("name", called="a name", most=100)
        made = identity.add_staff(
            service.db,
            keystore=service.keystore,
            actor=actor,
            name=name,
            email=form.text("email", called="a work email address", most=200),
            roles=roles,
        )
    except VaultError as error:
        return page(
            request,
            "account_new.html",
            status=status_of(error),
            problem=error,
            given=form.shown(),
            roles=_roles(),
        )
    return _accounts(request, actor, service, fresh=_shown_once(service, made, name=name))


@router.get("/accounts/{person_id}")
def account(request: Request, person_id: PersonId, actor: Ender, service: TheService) -> Response:
    """One colleague: where they are signed in, and for administrators the account."""
    return _account(request, actor, service, person_id)


@router.post("/accounts/{person_id}/sessions/end")
def end_sessions(person_id: PersonId, actor: Ender, service: TheService) -> Response:
    """A lost tablet: end all of a colleague's sign-ins."""
    identity.revoke_all_of(service.db, actor=actor, person=person_id)
    return go(f"/accounts/{person_id}", saved="ended")


@router.post("/accounts/{person_id}/sessions/{session_id}/end")
def end_session(person_id: PersonId, session_id: SessionId, actor: Ender, service: TheService) -> Response:
    """End one of them."""
    theirs = identity.staff_sessions(service.db, actor=actor, person=person_id)
    identity.require_one_of(theirs, session_id)
    identity.revoke_session(service.db, actor=actor, session_id=session_id)
    return go(f"/accounts/{person_id}", saved="ended")


@router.post("/accounts/{person_id}/roles")
def roles(request: Request, person_id: PersonId, actor: Administrator, form: Posted, service: TheService) -> Response:
    """Change what somebody is in the organisation; they are signed out, and places they may no longer hold end."""
    try:
        wanted = [_role(one) for one in form.texts("roles")]
        identity.set_roles(service.db, actor=actor, person=person_id, roles=wanted)
    except Invalid as error:
        return _account(request, actor, service, person_id, problem=error)
    return go(f"/accounts/{person_id}", saved="roles")


@router.post("/accounts/{person_id}/suspend")
def suspend(person_id: PersonId, actor: Administrator, service: TheService) -> Response:
    """Somebody leaves: sessions and places in cases end at once."""
    identity.suspend_staff(service.db, actor=actor, person=person_id)
    return go(f"/accounts/{person_id}", saved="account_ended")


@router.post("/accounts/{person_id}/renew")
def renew(request: Request, person_id: PersonId, actor: Administrator, service: TheService) -> Response:
    """A lost phone or password: both are void, and there is a new link."""
    made = identity.renew_enrolment(service.db, actor=actor, person=person_id)
    return _account(request, actor, service, person_id, made=made)


@router.post("/accounts/{person_id}/reinstate")
def reinstate(request: Request, person_id: PersonId, actor: Administrator, service: TheService) -> Response:
    """Somebody who had left comes back: a new link, and no place in any case."""
    made = identity.reinstate_staff(service.db, actor=actor, person=person_id)
    return _account(request, actor, service, person_id, made=made)


@router.get("/caseload")
def caseload_page(request: Request, actor: Manager, service: TheService) -> Response:
    """Who has which family on their own caseload."""
    return _caseload(request, actor, service)


@router.post("/caseload")
def caseload(request: Request, actor: Manager, form: Posted, service: TheService) -> Response:
    """Record that a family is on someone's caseload; a guider in conflict is suspended."""
    try:
        identity.record_caseload(
            service.db,
            actor=actor,
            case_id=CaseId(form.id("case", called="a family")),
            staff=PersonId(form.id("staff", called="a member of staff")),
        )
    except Invalid as error:
        return _caseload(request, actor, service, problem=error)
    return go("/caseload", saved="caseload")


@router.post("/caseload/end")
def end_caseload(actor: Manager, form: Posted, service: TheService) -> Response:
    """A family is on that caseload no longer."""
    identity.end_caseload(
        service.db,
        actor=actor,
        case_id=CaseId(form.id("case", called="a family")),
        staff=PersonId(form.id("staff", called="a member of staff")),
    )
    return go("/caseload", saved="caseload")


def _accounts(request: Request, actor: Actor, service: Service, *, fresh: dict[str, object] | None) -> Response:
    lines = identity.staff_directory(service.db, keystore=service.keystore, actor=actor)
    keeps = _may_keep(actor)
    choices = [Choice("role", "Role", {role.value: ROLE_WORDS[role] for role in _HINTS})]
    if keeps:
        choices.append(Choice("state", "State", {"active": "Active", "left": "Left"}))
    label = "Name or email address" if keeps else "Name"
    wanted = finder(request, "/accounts", of=len(lines), label=label, choices=choices)
    role = Role(wanted.chosen("role")) if wanted.chosen("role") else None
    found = [
        line
        for line in lines
        if wanted.fits(
            line.name,
            line.email,
            role=role.value if role in line.roles and role else "-",
            state="left" if line.suspended else "active",
        )
    ]
    shown = cut(request, "/accounts", found, of=("account", "accounts"))
    return page(
        request,
        "accounts.html",
        fresh=fresh,
        finder=wanted,
        pages=shown.pages,
        may_keep=keeps,
        accounts=[_line(line) for line in shown.lines],
    )


def _account(
    request: Request,
    actor: Actor,
    service: Service,
    person_id: PersonId,
    *,
    made: Enrolment | None = None,
    problem: VaultError | None = None,
) -> Response:
    found = [
        one
        for one in identity.staff_directory(service.db, keystore=service.keystore, actor=actor)
        if one.id == person_id
    ]
    if not found:
        raise not_found()
    return page(
        request,
        "account.html",
        problem=problem,
        fresh=_shown_once(service, made, name=found[0].name) if made else None,
        account=_line(found[0]),
        sessions=identity.staff_sessions(service.db, actor=actor, person=person_id),
        may_keep=_may_keep(actor) and person_id != actor.person,
        roles=_roles(),
        held=[role.value for role in found[0].roles],
    )


def _line(line: StaffLine) -> dict[str, object]:
    return {
        "id": line.id,
        "name": line.name,
        "email": line.email,
        "roles": ", ".join(ROLE_WORDS[role] for role in Role if role in line.roles),
        "has_left": line.suspended,
        "text": "Left" if line.suspended else "Active",
        "colour": "grey" if line.suspended else "green",
    }


def _may_keep(actor: Actor) -> bool:
    return Role.ADMINISTRATOR in actor.roles


def _shown_once(service: Service, made: Enrolment, *, name: str) -> dict[str, object]:
    link = f"{service.settings.public_origin}/enrol/{made.token.reveal()}"
    return {
        "name": name,
        "link": link,
        "qr": qr(link),
        "expires_at": made.expires_at,
    }


def _caseload(request: Request, actor: Actor, service: Service, *, problem: VaultError | None = None) -> Response:
    people = identity.staff_directory(service.db, keystore=service.keystore, actor=actor)
    cases = identity.cases_of(service.db, keystore=service.keystore, actor=actor)
    titles = {line.id: title(line.children) for line in cases}
    names = {one.id: one.name for one in people}
    lines = identity.caseloads(service.db, actor=actor)
    wanted = finder(request, "/caseload", of=len(lines), label="Name of a child or colleague")
    found = [one for one in lines if wanted.fits(names.get(one.staff, ""), titles.get(one.case_id, ""))]
    shown = cut(request, "/caseload", found, of=("line", "lines"))
    return page(
        request,
        "caseload.html",
        problem=problem,
        finder=wanted,
        pages=shown.pages,
        entries=[
            {
                "staff": names.get(entry.staff, ""),
                "staff_id": entry.staff,
                "family": titles.get(entry.case_id, ""),
                "case": entry.case_id,
                "since": entry.since,
            }
            for entry in shown.lines
        ],
        staff=[{"id": one.id, "name": one.name} for one in people if not one.suspended],
        families=[{"id": line.id, "name": titles[line.id]} for line in cases if not line.closed_at],
    )


def _roles() -> list[dict[str, str]]:
    return [{"value": role.value, "text": ROLE_WORDS[role], "hint": hint} for role, hint in _HINTS.items()]


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Invalid("not_a_choice", "Choose roles from the list.", field="roles") from None
