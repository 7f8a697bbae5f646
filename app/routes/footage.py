"""Footage: looking at a film frame by frame, cutting a clip of it, and how far the work on it is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

import identity
import retention
import vault
from app import family_page, family_people
from app.forms import Posted
from app.pages.words import day
from app.policy import staff
from app.service import Service, service_of
from app.viewing import begin, strip
from app.web import go, page
from consent import Purpose
from core.errors import Conflict, Invalid, NotFound, VaultError
from core.ids import ClipId, FootageId
from core.jobs import JobState
from identity import Actor, Role
from vault import Footage, Progress

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Guider = Annotated[Actor, Depends(staff(Role.GUIDER))]
GOALS = ("Turn-taking", "Eye contact", "Following the child's lead", "Naming feelings", "Comforting", "Playing")
_STATES = {
    JobState.WAITING: "waiting",
    JobState.RUNNING: "running",
    JobState.DONE: "done",
    JobState.CANCELLED: "failed",
    JobState.PARKED: "failed",
}


@router.get("/footage/{footage_id}")
def footage_page(request: Request, footage_id: FootageId, actor: Guider, service: TheService) -> Response:
    """A film, frame by frame."""
    return _footage(request, footage_id, actor, service)


@router.post("/footage/{footage_id}")
def cut(request: Request, footage_id: FootageId, actor: Guider, form: Posted, service: TheService) -> Response:
    """Cut a clip, exact to the frame."""
    try:
        clip_id = vault.cut_clip(
            service.db,
            keystore=service.keystore,
            actor=actor,
            footage_id=footage_id,
            first_frame=form.number("first_frame", called="the first frame"),
            last_frame=form.number("last_frame", called="the frame that it ends before"),
            title=form.text("title", called="a title", most=120),
            goals=[goal for goal in form.texts("goals") if goal in GOALS],
        )
    except Invalid as error:
        return _footage(request, footage_id, actor, service, problem=error, given=form.shown())
    return go(f"/clips/{clip_id}", saved="cut")


@router.post("/footage/{footage_id}/phone-copy-removed")
def phone_copy_removed(footage_id: FootageId, actor: Guider, service: TheService) -> Response:
    """The guider deleted the film from the phone."""
    vault.record_phone_copy_removed(service.db, actor=actor, footage_id=footage_id)
    found = vault.footage(service.db, keystore=service.keystore, actor=actor, footage_id=footage_id)
    return go(f"/families/{found.case_id}", saved="phone")


@router.get("/jobs/{subject}")
def job(subject: str, actor: Guider, service: TheService) -> Response:
    """How far the work on a film or a clip is, for the page's script."""
    progress = _progress_of(subject, actor, service)
    percent = progress.thousandths // 10
    text = progress.sentence or f"{family_page.STAGES.get(progress.stage, 'Working')}. {percent} %"
    return JSONResponse({"state": _STATES[progress.state], "percent": percent, "text": text})


def _footage(
    request: Request,
    footage_id: FootageId,
    actor: Actor,
    service: Service,
    *,
    problem: VaultError | None = None,
    given: dict[str, object] | None = None,
) -> Response:
    found = vault.footage(service.db, keystore=service.keystore, actor=actor, footage_id=footage_id)
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=found.case_id)
    due = {
        line.record: line.due_on
        for line in retention.kept(service.db, actor=actor, schedule=service.schedule, case_id=found.case_id)
    }
    visit = next((one for one in view.visits if one.id == found.visit_id), None)
    shown: dict[str, Any] = {
        "id": footage_id,
        "title": f"Film of {day(visit.visited_on)}" if visit else "Film",
        "due_on": due.get(footage_id),
    }
    running = family_page.job_of(found.progress, subject=footage_id)
    context: dict[str, Any] = {"job": running, "viewing": None, "strip": None, "goals": GOALS}
    if running is None:
        context |= _player(service, actor, found, shown)
    case = {"id": found.case_id, "title": family_people.title_of(view)}
    return page(request, "footage.html", problem=problem, given=given, case=case, footage=shown, **context)


def _player(service: Service, actor: Actor, found: Footage, shown: dict[str, Any]) -> dict[str, Any]:
    copy = found.working_copy
    if copy is None:
        raise Conflict("film_not_usable", found.progress.sentence or "This film can't be used.")
    viewing, player = begin(service, actor, rendition_id=copy.id, purpose=Purpose.PREPARE)
    shown |= {"frames": copy.frames, "rate_num": copy.fps.numerator, "rate_den": copy.fps.denominator}
    return {"viewing": player, "strip": strip(copy.strip, film=f"/media/{viewing.id}")}


def _progress_of(subject: str, actor: Actor, service: Service) -> Progress:
    try:
        footage = vault.footage(service.db, keystore=service.keystore, actor=actor, footage_id=FootageId(subject))
    except NotFound:
        clip = vault.clip(service.db, keystore=service.keystore, actor=actor, clip_id=ClipId(subject))
        return clip.progress
    return footage.progress
