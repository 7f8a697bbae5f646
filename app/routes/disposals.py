"""Retention for officers: what is due and why, and sweeps that ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

import retention
from app import office
from app.forms import Form, Posted
from app.listing import Choice, cut, finder
from app.office import Families
from app.pages.words import count, day
from app.policy import staff
from app.service import Service, service_of
from app.statuses import status_of
from app.web import go, page
from core import mark
from core.errors import VaultError
from identity import Actor, Role
from retention import DueLine, HaltReason, Needs, RecordClass, Standing, SweepState

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Officer = Annotated[Actor, Depends(staff(Role.IG_OFFICER))]
_STANDING = {
    Standing.DUE: ("Goes with the next sweep", "red"),
    Standing.HELD: ("Held", "blue"),
    Standing.KEPT: ("Not yet", "grey"),
}
_NEEDS = {
    Needs.APPROVAL: "Waits for you",
    Needs.NOTICE: "The family is told first",
    Needs.TRANSFER: "Waits for its transfer",
}
_CHOICES = {one.value: words for one, (words, _) in _STANDING.items()} | {
    one.value: words for one, words in _NEEDS.items()
}


@router.get("/retention")
def due_page(request: Request, actor: Officer, service: TheService) -> Response:
    """What is due, and why."""
    return _retention(request, actor, service)


@router.post("/retention/plan")
def plan(actor: Officer, service: TheService) -> Response:
    """Plan a sweep now; it begins at once where nothing asks first."""
    sweep_id = retention.plan(service.db, schedule=service.schedule, actor=actor)
    state = retention.start(service.db, actor=actor, sweep_id=sweep_id)
    return go("/retention", saved="planned" if state is SweepState.RUNNING else "halted")


@router.post("/retention/approve")
def approve(request: Request, actor: Officer, form: Posted, service: TheService) -> Response:
    """Let a halted sweep go on."""
    try:
        retention.approve(
            service.db,
            keystore=service.keystore,
            actor=actor,
            sweep_id=form.optional("sweep"),
            reason=form.optional("reason"),
        )
    except office.SHOWN_AGAIN as problem:
        return _retention(request, actor, service, status=status_of(problem), problem=problem, form=form)
    return go("/retention", saved="approved")


@router.post("/retention/agree")
def agree(request: Request, actor: Officer, form: Posted, service: TheService) -> Response:
    """Agree that a record may go whose rule asks an officer first."""
    try:
        retention.agree(
            service.db,
            keystore=service.keystore,
            actor=actor,
            schedule=service.schedule,
            record_id=form.optional("record"),
            reason=form.optional("reason"),
        )
    except office.SHOWN_AGAIN as problem:
        return _retention(request, actor, service, status=status_of(problem), problem=office.of_the_page(problem))
    return go("/retention", saved="agreed")


@router.post("/retention/accept-clock")
def accept_clock(actor: Officer, service: TheService) -> Response:
    """Say that the time is right although it leapt."""
    retention.accept_clock(service.db, actor=actor)
    return go("/retention", saved="clock")


def _retention(
    request: Request,
    actor: Actor,
    service: Service,
    *,
    status: int = 200,
    problem: VaultError | None = None,
    form: Form | None = None,
) -> Response:
    lines = retention.due(service.db, actor=actor, schedule=service.schedule)
    health = retention.health(service.db)
    families = office.families(service)
    choices = (
        Choice("kind", "Kind of record", {one.value: office.RECORD_WORDS[one] for one in RecordClass}),
        Choice("standing", "What happens", _CHOICES),
    )
    wanted = finder(request, "/retention", of=len(lines), label="Name of a child", choices=choices)
    found = [
        line
        for line in lines
        if wanted.fits(
            families.called(line.case_id),
            kind=line.record_class.value,
            standing=line.waits_for or line.standing.value,
        )
    ]
    shown = cut(request, "/retention", found, of=("record", "records"))
    return page(
        request,
        "retention.html",
        status=status,
        problem=problem,
        given=form.shown() if form else None,
        last_run=health.last_done_at,
        overdue=office.late_sweep(health),
        clock_leapt=_leapt(service) if health.clock_leapt else "",
        halted=_halted(service, actor, sweep_id=health.halted) if health.halted else None,
        due=[_line(line, families) for line in shown.lines],
        finder=wanted,
        pages=shown.pages,
        schedule={"name": service.schedule.profile, "version": service.schedule.release},
    )


def _line(line: DueLine, families: Families) -> dict[str, Any]:
    needs = Needs(line.waits_for) if line.waits_for else None
    text, colour = (_NEEDS[needs], "yellow") if needs else _STANDING[line.standing]
    return {
        "record": line.record,
        "name": office.short(line.record_class, line.record),
        "kind": office.RECORD_WORDS[line.record_class],
        "case": families.called(line.case_id),
        "due_on": line.due_on,
        "why": f"{line.words} {line.reason}",
        "text": text,
        "colour": colour,
        "may_agree": needs is Needs.APPROVAL,
    }


def _leapt(service: Service) -> str:
    at = service.db.clock.now()
    with service.db.read() as session:
        before = mark.mark(session)
    gone = count((at - (before or at)) // timedelta(days=1), "day")
    return f"Time has leapt ahead by {gone}: the clock says {day(at)}. Nothing is destroyed until somebody looks."


def _halted(service: Service, actor: Actor, *, sweep_id: str) -> dict[str, Any]:
    sweep = retention.sweep_of(service.db, keystore=service.keystore, actor=actor, sweep_id=sweep_id)
    shares = [
        part / whole
        for part, whole in ((sweep.due_records, sweep.all_records), (sweep.due_bytes, sweep.all_bytes))
        if whole
    ]
    return {
        "sweep": sweep.id,
        "sentences": [office.HALT_WORDS[reason] for reason in HaltReason if reason in sweep.halted_for],
        "count": sweep.due_records,
        "share": f"{max(shares, default=0):.0%} of what is kept",
    }
