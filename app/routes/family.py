"""Families' pages: invitation, sign in, your clips, the questions, stopping, who watched, receipts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

import consent
from app import drafts, family_home, family_questions, family_receipts
from app.family_home import home_of
from app.forms import Posted
from app.listing import cut
from app.policy import FAMILY
from app.service import Service, service_of
from app.viewing import begin, player_page, unavailable_page
from app.web import go, page
from consent import GrantState, Purpose
from core.db import not_found
from core.errors import Conflict, Refused
from core.ids import ConsentEventId, RenditionId
from identity import Actor

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Family = Annotated[Actor, Depends(FAMILY)]
CLIPS = 10
"""Clips on a page."""
BACK = {"text": "Your clips", "href": "/your-clips"}


@router.get("/your-clips")
def your_clips(request: Request, actor: Family, service: TheService) -> Response:
    """Their clips, with their own answers."""
    home = home_of(service, actor)
    shown = cut(request, "/your-clips", home.clips, of=("clip", "clips"), size=CLIPS)
    clips = family_home.your_clips(service, actor, home, clips=shown.lines)
    return page(request, "your_clips.html", clips=clips, pages=shown.pages)


@router.post("/your-clips/stop-all")
def stop_all(actor: Family, service: TheService) -> Response:
    """Stop all sharing: one tap, and no state of anything is in its way."""
    consent.stop_all(service.db, actor=actor)
    return go("/your-clips", saved="stopped")


@router.get("/your-clips/{rendition_id}")
def watch(request: Request, rendition_id: RenditionId, actor: Family, service: TheService) -> Response:
    """Watch a clip at home. What isn't theirs to know of is looked for only where they may not watch it."""
    address = f"/your-clips/{rendition_id}/questions"
    try:
        viewing, player = begin(service, actor, rendition_id=rendition_id, purpose=Purpose.FAMILY_REVIEW)
    except Refused as refusal:
        home = home_of(service, actor)
        waiting = home.clip(rendition_id).is_live and any(one.is_open for one in home.groups.get(rendition_id, ()))
        return unavailable_page(request, refusal, back=BACK, questions=address if waiting else None)
    asked = consent.questions_for(service.db, actor=actor)
    waiting = any(one.rendition_id == rendition_id and one.state is GrantState.REQUESTED for one in asked)
    return player_page(
        request,
        service,
        viewing,
        player=player,
        back=BACK,
        kind="family",
        questions=address if waiting else None,
        seen=family_home.who_is_seen(service, actor, rendition_id=rendition_id),
    )


@router.get("/your-clips/{rendition_id}/questions")
def first_question(request: Request, rendition_id: RenditionId, actor: Family, service: TheService) -> Response:
    """Go to the first question that wants an answer."""
    pages = home_of(service, actor).questions(rendition_id)
    draft = drafts.read(request, actor, rendition_id=rendition_id)
    return go(family_questions.following(pages, draft))


@router.get("/your-clips/{rendition_id}/questions/{number}")
def question(request: Request, rendition_id: RenditionId, number: int, actor: Family, service: TheService) -> Response:
    """One question. Nothing is chosen beforehand, except by themself on the way back from *Change*."""
    home = home_of(service, actor)
    draft = drafts.read(request, actor, rendition_id=rendition_id)
    chosen = draft if request.query_params.get("change") else None
    return family_questions.question_page(request, home, rendition_id, number=number, draft=chosen)


@router.post("/your-clips/{rendition_id}/questions/{number}")
def answer(
    request: Request, rendition_id: RenditionId, number: int, actor: Family, form: Posted, service: TheService
) -> Response:
    """Keep an answer in the browser; it doesn't count yet."""
    home = home_of(service, actor)
    draft = drafts.read(request, actor, rendition_id=rendition_id)
    return family_questions.take_answer(request, actor, home, form, number=number, draft=draft)


@router.get("/your-clips/{rendition_id}/check")
def check_page(request: Request, rendition_id: RenditionId, actor: Family, service: TheService) -> Response:
    """What they are about to save."""
    home = home_of(service, actor)
    pages = home.questions(rendition_id)
    draft = drafts.read(request, actor, rendition_id=rendition_id)
    if not family_questions.answered(pages, draft):
        return go(f"/your-clips/{rendition_id}/questions")
    clip = family_questions.named(home.clip(rendition_id))
    return page(request, "check_answers.html", clip=clip, **family_questions.check(pages, draft))


@router.post("/your-clips/{rendition_id}/check")
def save(request: Request, rendition_id: RenditionId, actor: Family, form: Posted, service: TheService) -> Response:
    """Save the answers: now they count."""
    home = home_of(service, actor)
    draft = drafts.read(request, actor, rendition_id=rendition_id)
    try:
        family_questions.save(service, actor, home.questions(rendition_id), draft=draft, form=form)
    except Conflict as conflict:
        again = home_of(service, actor)
        response = family_questions.asked_again(request, again, rendition_id, problem=conflict)
        drafts.drop(response)
        return response
    response = go(f"/your-clips/{rendition_id}/saved")
    drafts.drop(response)
    return response


@router.get("/your-clips/{rendition_id}/saved")
def saved(request: Request, rendition_id: RenditionId, actor: Family, service: TheService) -> Response:
    """What they have answered, and what happens next."""
    home = home_of(service, actor)
    said = [group for group in home.questions(rendition_id) if not group.is_open]
    if not said:  # nothing was saved, so nothing may say so
        return go(f"/your-clips/{rendition_id}/questions")
    ends = [one.expires_at for group in said for one in group.questions if one.expires_at and group.may_stop]
    return page(
        request,
        "saved.html",
        clip=family_questions.named(home.clip(rendition_id)),
        lines=[group.line for group in said],
        until=min(ends, default=None),
        receipts=family_receipts.receipts_for(service, actor, rendition_id),
    )


@router.post("/your-clips/{rendition_id}/stop")
def stop(rendition_id: RenditionId, actor: Family, form: Posted, service: TheService) -> Response:
    """Stop sharing one clip with one audience: one tap, in whatever state clip, case or question are."""
    wanted = (form.optional("purpose"), form.optional("audience"))
    mine = [
        one.id
        for one in consent.questions_for(service.db, actor=actor)
        if one.rendition_id == rendition_id
        and (one.purpose.value, one.audience.person or one.audience.conference) == wanted
    ]
    if not mine:
        raise not_found()
    consent.withdraw(service.db, actor=actor, questions=mine)
    return go("/your-clips", saved="stopped")


@router.get("/who-watched")
def who_watched(request: Request, actor: Family, service: TheService) -> Response:
    """The professionals who watched their clips."""
    viewings, pages = family_home.who_watched(request, service, actor)
    return page(request, "who_watched.html", viewings=viewings, pages=pages)


@router.get("/receipts/{event_id}.json")
def receipt_file(event_id: ConsentEventId, actor: Family, service: TheService) -> Response:
    """A receipt as a file."""
    made = family_receipts.receipt_of(service, actor, event_id)
    return JSONResponse(made, headers={"Content-Disposition": 'attachment; filename="receipt.json"'})


@router.get("/receipts/{event_id}")
def receipt_page(request: Request, event_id: ConsentEventId, actor: Family, service: TheService) -> Response:
    """A receipt to read."""
    return page(request, "receipt.html", receipt=family_receipts.receipt_page(service, actor, event_id))
