"""Families: the list, opening a case, a visit, the filming agreement, inviting someone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

import consent
import identity
from app import family_page, family_people, filming_page
from app.forms import Form, Posted
from app.listing import Choice, cut, finder
from app.pages import qr
from app.policy import staff
from app.service import Service, service_of
from app.statuses import status_of
from app.web import go, page, shown_again
from app.words import STATUS_WORDS, title
from consent import How
from core.clock import day_in_england
from core.db import not_found
from core.errors import Invalid, Refused, VaultError
from core.ids import CaseId, PersonId, well_formed
from identity import (
    Actor,
    AskedAbout,
    AskOutcome,
    NewAdult,
    NewChild,
    Referral,
    ReferrerKind,
    RelationshipKind,
    Responsibility,
    Role,
    Status,
    VisitKind,
)

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
CaseStaff = Annotated[Actor, Depends(staff(Role.GUIDER, Role.MANAGER, Role.SUPERVISOR))]
Guider = Annotated[Actor, Depends(staff(Role.GUIDER))]
Manager = Annotated[Actor, Depends(staff(Role.MANAGER))]
MOST_ROWS = 12


@router.get("/families")
def families(request: Request, actor: CaseStaff, service: TheService) -> Response:
    """The families that this person works with."""
    lines = identity.cases_of(service.db, keystore=service.keystore, actor=actor)
    choices = (Choice("show", "Show", {"open": "Open", "closed": "Closed"}),)
    wanted = finder(request, "/families", of=len(lines), label="Name of a child or of the guider", choices=choices)
    found = [
        line
        for line in lines
        if wanted.fits(*line.children, line.guider or "", show="closed" if line.closed_at else "open")
    ]
    shown = cut(request, "/families", found, of=("family", "families"))
    return page(
        request,
        "families.html",
        may_open=Role.MANAGER in actor.roles,
        finder=wanted,
        pages=shown.pages,
        families=[
            {
                "id": line.id,
                "title": title(line.children),
                "status": STATUS_WORDS[line.status],
                "guider": line.guider or "",
                "closed_on": day_in_england(line.closed_at) if line.closed_at else None,
            }
            for line in shown.lines
        ],
    )


@router.get("/families/new")
def new_case_page(request: Request, actor: Manager, service: TheService) -> Response:
    """The form that opens a case."""
    return _new_case(request, actor, service, child_rows=1, adult_rows=2)


@router.post("/families/new")
def new_case(request: Request, actor: Manager, form: Posted, service: TheService) -> Response:
    """Open a case, or show the form with one more row."""
    child_rows, adult_rows = _rows(form, "child", least=1), _rows(form, "adult", least=2)
    more = form.optional("more")
    if more in {"child", "adult"}:
        return _new_case(
            request,
            actor,
            service,
            form=form,
            child_rows=min(MOST_ROWS, child_rows + (more == "child")),
            adult_rows=min(MOST_ROWS, adult_rows + (more == "adult")),
        )
    try:
        children, asked_about = _children(form, child_rows)
        opened = identity.open_case(
            service.db,
            keystore=service.keystore,
            actor=actor,
            referral=Referral(
                referrer=form.choice("referrer", ReferrerKind, called="who asked for VIG"),
                status=form.choice("status", Status, called="the children's status"),
                reference=form.optional("reference", most=60) or None,
            ),
            children=children,
            adults=_adults(form, adult_rows),
            asked_about=asked_about,
            guider=_person(form, "guider"),
            social_worker=_person(form, "social_worker"),
            on_caseload_of=[PersonId(one) for one in form.texts("on_caseload_of") if well_formed(one)],
        )
    except (Invalid, Refused) as error:
        return _new_case(
            request, actor, service, form=form, problem=error, child_rows=child_rows, adult_rows=adult_rows
        )
    return go(f"/families/{opened.case_id}", saved="case")


@router.get("/families/{case_id}")
def family(request: Request, case_id: CaseId, actor: CaseStaff, service: TheService) -> Response:
    """One family's work."""
    return page(request, "family.html", **family_page.context(request, service, actor, case_id=case_id))


@router.get("/families/{case_id}/filming")
def filming_form(request: Request, case_id: CaseId, actor: Guider, service: TheService) -> Response:
    """Who agrees to be filmed."""
    return page(request, "filming.html", **filming_page.filming_context(service, actor, case_id=case_id))


@router.post("/families/{case_id}/filming")
def filming(request: Request, case_id: CaseId, actor: Guider, form: Posted, service: TheService) -> Response:
    """Record the filming agreement, one answer a person."""
    context = filming_page.filming_context(service, actor, case_id=case_id)
    try:
        how = form.choice("how", How, called="how they told you")
        view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
        reference = form.optional("reference", most=100) or None
        consent.record_filming(
            service.db,
            keystore=service.keystore,
            actor=actor,
            case_id=case_id,
            answers=filming_page.filming_answers(view, form, how=how, reference=reference),
        )
    except VaultError as error:
        if not shown_again(error):
            raise
        return page(request, "filming.html", problem=error, **context)
    return go(f"/families/{case_id}", saved="filming")


@router.get("/families/{case_id}/visits/new")
def visit_page(request: Request, case_id: CaseId, actor: Guider, service: TheService) -> Response:
    """The form for a visit."""
    return page(request, "visit_new.html", **filming_page.visit_context(service, actor, case_id=case_id))


@router.post("/families/{case_id}/visits/new")
def visit(request: Request, case_id: CaseId, actor: Guider, form: Posted, service: TheService) -> Response:
    """Record a visit."""
    try:
        identity.record_visit(
            service.db,
            actor=actor,
            case_id=case_id,
            kind=form.choice("kind", VisitKind, called="what the visit was for"),
            visited_on=form.day("on", called="the day of the visit"),
            present=[PersonId(one) for one in form.texts("present") if well_formed(one)],
        )
    except Invalid as error:
        context = filming_page.visit_context(service, actor, case_id=case_id)
        return page(request, "visit_new.html", problem=error, given=form.shown(), **context)
    return go(f"/families/{case_id}", saved="visit")


@router.post("/families/{case_id}/invitations")
def invite(request: Request, case_id: CaseId, actor: CaseStaff, form: Posted, service: TheService) -> Response:
    """Invite a family member: a link on paper, and a code to their safe contact. Shown once."""
    person_id = PersonId(form.id("person", called="someone"))
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
    if not view.name_of(person_id):
        raise not_found()
    invited = identity.invite(service.db, actor=actor, case_id=case_id, person=person_id)
    address = f"{service.settings.public_origin}/invitation/{invited.token.reveal()}"
    return page(
        request,
        "invited.html",
        case={"id": case_id, "title": family_people.title_of(view)},
        name=view.name_of(person_id),
        address=address,
        expires_at=invited.expires_at,
        qr=qr(address),
    )


def _new_case(
    request: Request,
    actor: Actor,
    service: Service,
    *,
    child_rows: int,
    adult_rows: int,
    form: Form | None = None,
    problem: VaultError | None = None,
) -> Response:
    people = identity.staff_directory(service.db, keystore=service.keystore, actor=actor)
    listed = [{"id": one.id, "name": one.name, "roles": one.roles} for one in people if not one.suspended]
    return page(
        request,
        "case_new.html",
        status=status_of(problem) if problem else 200,
        problem=problem,
        given=form.shown() if form else {},
        child_rows=child_rows,
        adult_rows=adult_rows,
        guiders=[one for one in listed if Role.GUIDER in one["roles"]],
        social_workers=[one for one in listed if Role.SOCIAL_WORKER in one["roles"]],
        colleagues=listed,
    )


def _rows(form: Form, kind: str, *, least: int) -> int:
    used = [at for at in range(MOST_ROWS) if form.has(f"{kind}-{at}-name")]
    return max(least, len(used))


def _children(form: Form, rows: int) -> tuple[list[NewChild], list[AskedAbout]]:
    children, asked = [], []
    for at in range(rows):
        name = form.optional(f"child-{at}-name", most=100)
        if not name:
            continue
        children.append(
            NewChild(
                name=name,
                born_on=form.day(f"child-{at}-born", called=f"the date of birth of child {at + 1}"),
                is_index=form.optional("child_index") == str(at),
                safe_contact=form.optional(f"child-{at}-contact", most=200) or None,
            )
        )
        answer = form.text(f"father-{at}", called="what came of asking about the father or second parent")
        if answer != "listed":
            asked.append(AskedAbout(len(children) - 1, form.choice(f"father-{at}", AskOutcome, called="an answer")))
    return children, asked


def _adults(form: Form, rows: int) -> list[NewAdult]:
    positions = [at for at in range(MOST_ROWS) if form.optional(f"child-{at}-name")]
    adults = []
    for at in range(rows):
        name = form.optional(f"adult-{at}-name", most=100)
        if not name:
            continue
        kind = form.optional(f"adult-{at}-kind") or "none"
        held: tuple[Responsibility, ...] = ()
        if kind != "none":
            chosen = form.choice(f"adult-{at}-kind", RelationshipKind, called="whether they hold responsibility")
            wanted = [int(one) for one in form.texts(f"adult-{at}-child") if one.isdecimal()]
            held = tuple(Responsibility(positions.index(one), chosen) for one in wanted if one in positions)
            if not held:
                raise Invalid("missing", f"Say for which children adult {at + 1} holds it.", field=f"adult-{at}-child")
        adults.append(
            NewAdult(
                name=name,
                safe_contact=form.optional(f"adult-{at}-contact", most=200) or None,
                responsible_for=held,
            )
        )
    return adults


def _person(form: Form, name: str) -> PersonId | None:
    value = form.optional(name)
    return PersonId(value) if well_formed(value) else None
