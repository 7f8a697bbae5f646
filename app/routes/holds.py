"""Legal holds: placing one, reviewing it, and releasing it, which takes another officer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

import retention
import vault
from app import office
from app.forms import Form, Posted
from app.listing import Choice, cut, finder
from app.office import Families
from app.policy import staff
from app.service import Service, service_of
from app.statuses import status_of
from app.web import go, page
from core.errors import Invalid, VaultError
from core.ids import ClipId, HoldId, PersonId, well_formed
from identity import Actor, Role
from retention import HoldScope, HoldView

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Officer = Annotated[Actor, Depends(staff(Role.IG_OFFICER))]


@router.get("/holds")
def holds(request: Request, actor: Officer, service: TheService) -> Response:
    """Every hold, those in force first."""
    return _holds(request, actor, service)


@router.post("/holds")
def place(request: Request, actor: Officer, form: Posted, service: TheService) -> Response:
    """Place a hold."""
    try:
        scope, subject = _scope(form)
        retention.place_hold(
            service.db,
            keystore=service.keystore,
            actor=actor,
            scope=scope,
            subject=subject,
            reason=form.optional("reason"),
        )
    except office.SHOWN_AGAIN as problem:
        return _holds(request, actor, service, status=status_of(problem), problem=problem, form=form)
    return go("/holds", saved="hold")


@router.post("/holds/{hold_id}/release")
def release(request: Request, hold_id: HoldId, actor: Officer, form: Posted, service: TheService) -> Response:
    """Let what a hold kept go its way again."""
    try:
        retention.release_hold(
            service.db, keystore=service.keystore, actor=actor, hold_id=hold_id, reason=form.optional("reason")
        )
    except office.SHOWN_AGAIN as problem:
        return _holds(request, actor, service, status=status_of(problem), problem=office.of_the_page(problem))
    return go("/holds", saved="released")


@router.post("/holds/{hold_id}/review")
def review(request: Request, hold_id: HoldId, actor: Officer, service: TheService) -> Response:
    """Say that a hold is still needed."""
    try:
        retention.review_hold(service.db, actor=actor, hold_id=hold_id)
    except office.SHOWN_AGAIN as problem:
        return _holds(request, actor, service, status=status_of(problem), problem=office.of_the_page(problem))
    return go("/holds", saved="reviewed")


def _scope(form: Form) -> tuple[HoldScope, str]:
    kind, _, subject = form.text("scope", called="what to hold").partition(":")
    if kind not in set(HoldScope) or not well_formed(subject):
        raise Invalid("not_a_choice", "Choose what to hold from the list.", field="scope")
    return HoldScope(kind), subject


def _holds(
    request: Request,
    actor: Actor,
    service: Service,
    *,
    status: int = 200,
    problem: VaultError | None = None,
    form: Form | None = None,
) -> Response:
    found = retention.every_hold(service.db, keystore=service.keystore, actor=actor)
    families = office.families(service)
    named = [hold.placed_by for hold in found] + [hold.subject for hold in found if hold.scope is HoldScope.PERSON]
    who = office.names(service, named)
    with service.db.read() as session:
        clips = {
            hold.subject: vault.case_of_clip(session, ClipId(hold.subject))
            for hold in found
            if hold.scope is HoldScope.CLIP
        }
        scopes = _scopes(families, there=vault.clips_there(session))
    lines = [_line(hold, _words(hold, families, who=who, clips=clips), who=who) for hold in found]
    choices = (Choice("show", "Show", {"on": "In force", "late": "Late for review", "over": "Released"}),)
    wanted = finder(request, "/holds", of=len(lines), label="Name, or words of the reason", choices=choices)
    fitting = [
        one
        for one in lines
        if wanted.fits(one["scope"], one["reason"], one["owner"], show=_state(one, wanted=wanted.chosen("show")))
    ]
    shown = cut(request, "/holds", fitting, of=("hold", "holds"))
    return page(
        request,
        "holds.html",
        status=status,
        problem=problem,
        given=form.shown() if form else None,
        holds=shown.lines,
        finder=wanted,
        pages=shown.pages,
        scopes=scopes,
    )


def _state(line: Mapping[str, Any], *, wanted: str) -> str:
    """What a hold counts as: one that is late is in force too."""
    if line["released_on"]:
        return "over"
    return "late" if line["late"] and wanted == "late" else "on"


def _line(hold: HoldView, scope: str, *, who: Mapping[PersonId, str]) -> dict[str, Any]:
    return {
        "id": hold.id,
        "reason": hold.reason,
        "owner": who.get(hold.placed_by, hold.placed_by[:8]),
        "scope": scope,
        "placed_at": hold.placed_at,
        "review_on": hold.review_on,
        "late": hold.overdue,
        "may_release": hold.may_lift,
        "released_on": hold.released_at,
    }


def _words(hold: HoldView, families: Families, *, who: Mapping[PersonId, str], clips: Mapping[str, str]) -> str:
    if hold.scope is HoldScope.CASE:
        return f"The whole case of {families.called(hold.subject)}"
    if hold.scope is HoldScope.PERSON:
        return f"Everything that shows {who.get(PersonId(hold.subject), hold.subject[:8])}"
    return f"Clip {hold.subject[:8]} of {families.called(clips[hold.subject])}"


def _scopes(families: Families, *, there: Mapping[Any, list[ClipId]]) -> list[dict[str, str]]:
    """Each family: all of it, then each person, then each clip."""
    choices = []
    for case_id in families.cases:
        called = families.called(case_id)
        household = families.households.get(case_id)
        people = household.members if household else ()
        choices.append({"value": f"{HoldScope.CASE}:{case_id}", "text": f"Everything of {called}"})
        choices += [
            {"value": f"{HoldScope.PERSON}:{person}", "text": f"{called}: everything that shows {name}"}
            for person, name in people
        ]
        choices += [
            {"value": f"{HoldScope.CLIP}:{clip}", "text": f"{called}: clip {clip[:8]}"}
            for clip in there.get(case_id, [])
        ]
    return choices
