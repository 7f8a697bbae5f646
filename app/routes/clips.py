"""Clips: who can be seen, the shared review, asking a colleague to check, asking the family; and the checks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

import consent
import identity
import redaction
import vault
from app import clip_page
from app.blur_words import look_lines
from app.forms import Form, Posted
from app.listing import cut
from app.policy import STAFF, staff
from app.service import Service, service_of
from app.statuses import status_of
from app.viewing import begin, watch_page
from app.web import go, page, wants_page
from consent import Purpose
from core.db import not_found
from core.errors import Conflict, Invalid, NotFound, Refused, VaultError
from core.ids import ClipId, PersonId, RenditionId, well_formed
from identity import Actor, Role
from redaction import Check
from vault import Clip, Picture, RenditionLine

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Guider = Annotated[Actor, Depends(staff(Role.GUIDER))]
Colleague = Annotated[Actor, Depends(STAFF)]
_FORMS = (Invalid, Refused, Conflict)


@router.get("/clips/{clip_id}")
def clip(request: Request, clip_id: ClipId, actor: Guider, service: TheService) -> Response:
    """A clip and everything that must happen before it is shown."""
    return page(request, "clip.html", **clip_page.context(service, actor, clip_id=clip_id))


@router.get("/clips/{clip_id}/still")
def still(clip_id: ClipId, actor: Guider, service: TheService) -> Response:
    """One still, for its guider: decided like the film."""
    rendition = _rendition(_clip(service, actor, clip_id))
    viewing, _ = begin(service, actor, rendition_id=rendition.id, purpose=Purpose.PREPARE)
    data = vault.read_picture(
        service.db,
        keystore=service.keystore,
        store=service.store,
        actor=actor,
        viewing_id=viewing.id,
        picture=Picture.POSTER,
    )
    vault.end_viewing(service.db, actor=actor, viewing_id=viewing.id)
    return Response(data, media_type="image/jpeg")


@router.post("/clips/{clip_id}/persons")
def persons(request: Request, clip_id: ClipId, actor: Guider, form: Posted, service: TheService) -> Response:
    """Say who can be seen; a check that was made is void by it."""
    rendition = _rendition(_clip(service, actor, clip_id))
    try:
        _require_current(form, rendition)
        redaction.set_persons_shown(
            service.db,
            keystore=service.keystore,
            actor=actor,
            rendition_id=rendition.id,
            persons=[PersonId(one) for one in form.texts("persons") if well_formed(one)],
        )
    except _FORMS as error:
        return _again(request, clip_id, actor, service, error)
    return go(f"/clips/{clip_id}", saved="shown")


@router.get("/clips/{clip_id}/review")
def review(request: Request, clip_id: ClipId, actor: Guider, service: TheService) -> Response:
    """Watch it together with the people who are in it."""
    found = _clip(service, actor, clip_id)
    rendition = _rendition(found)
    return watch_page(
        request,
        service,
        actor,
        rendition_id=rendition.id,
        purpose=Purpose.REVIEW_TOGETHER,
        kind="together",
        back={"text": found.title, "href": f"/clips/{clip_id}"},
        playing_to=rendition.persons_shown,
    )


@router.post("/clips/{clip_id}/check")
def ask_check(request: Request, clip_id: ClipId, actor: Guider, form: Posted, service: TheService) -> Response:
    """Ask a colleague off the case who can be recognised."""
    rendition = _rendition(_clip(service, actor, clip_id))
    try:
        _require_current(form, rendition)
        checker = PersonId(form.id("checker", called="a colleague"))
        redaction.request_check(service.db, actor=actor, rendition_id=rendition.id, checker=checker)
    except _FORMS as error:
        return _again(request, clip_id, actor, service, error)
    return go(f"/clips/{clip_id}", saved="check")


@router.post("/clips/{clip_id}/check/take-back")
def take_check_back(request: Request, clip_id: ClipId, actor: Guider, form: Posted, service: TheService) -> Response:
    """The colleague is away, or it was the wrong one: their access ends, and another can be asked."""
    rendition = _rendition(_clip(service, actor, clip_id))
    try:
        _require_current(form, rendition)
        redaction.take_back(service.db, actor=actor, rendition_id=rendition.id)
    except _FORMS as error:
        return _again(request, clip_id, actor, service, error)
    return go(f"/clips/{clip_id}", saved="check_back")


@router.post("/clips/{clip_id}/ask")
def ask_family(request: Request, clip_id: ClipId, actor: Guider, form: Posted, service: TheService) -> Response:
    """Put the question to everyone who has a say, as far as they may be asked now."""
    found = _rendition(_clip(service, actor, clip_id))
    try:
        _require_current(form, found)
        purpose, audience = clip_page.audience_of(form.text("audience", called="who should be able to watch it"))
        with service.db.read() as session:
            rendition = vault.facts_for(session, found.id)
        asked = consent.ask(service.db, actor=actor, rendition=rendition, purpose=purpose, audience=audience)
        if asked.waiting and not asked.questions:
            raise Conflict("nobody_asked_yet", "Nobody could be asked yet. Say first, below, whom it is safe to ask.")
    except _FORMS as error:
        return _again(request, clip_id, actor, service, error)
    return go(f"/clips/{clip_id}", saved="asked")


@router.post("/clips/{clip_id}/safe-to-ask")
def safe_to_ask(clip_id: ClipId, actor: Guider, form: Posted, service: TheService) -> Response:
    """The guider found that somebody who isn't in the film may be asked without putting anybody at risk."""
    found = _rendition(_clip(service, actor, clip_id))
    with service.db.read() as session:
        rendition = vault.facts_for(session, found.id)
    person = PersonId(form.id("person", called="someone"))
    consent.safe_to_ask(service.db, actor=actor, rendition=rendition, person=person)
    return go(f"/clips/{clip_id}", saved="safe")


@router.get("/checks")
def checks(request: Request, actor: Colleague, service: TheService) -> Response:
    """What waits for this person's look, the next meeting first."""
    waiting = redaction.checks_for(service.db, keystore=service.keystore, actor=actor)
    shown = cut(request, "/checks", waiting, of=("check", "checks"))
    return page(request, "checks.html", checks=[_line(service, one) for one in shown.lines], pages=shown.pages)


@router.get("/checks/{rendition_id}")
def check(request: Request, rendition_id: RenditionId, actor: Colleague, service: TheService) -> Response:
    """Look, frame by frame."""
    try:
        return _check_page(request, rendition_id, actor, service)
    except NotFound:
        return _over(request, rendition_id, actor, service)


@router.post("/checks/{rendition_id}")
def answer_check(
    request: Request, rendition_id: RenditionId, actor: Colleague, form: Posted, service: TheService
) -> Response:
    """Attest exactly who can be recognised, or send it back."""
    try:
        decision = form.text("decision", called="whether it passes")
        if decision == "send_back":
            note = form.text("remark", called="what you saw", most=2000)
            redaction.send_back(
                service.db, keystore=service.keystore, actor=actor, rendition_id=rendition_id, note=note
            )
        else:
            chosen = form.texts("persons")
            _require_choice(chosen)
            seen = [PersonId(one) for one in chosen if well_formed(one)]
            redaction.attest(service.db, actor=actor, rendition_id=rendition_id, persons=seen)
    except (Invalid, Conflict) as error:
        return _check_page(request, rendition_id, actor, service, problem=error, given=form.shown())
    except NotFound:
        return _over(request, rendition_id, actor, service)
    return go("/checks", saved="checked")


def _over(request: Request, rendition_id: RenditionId, actor: Actor, service: Service) -> Response:
    """Tell somebody who had been asked that nothing waits for them any more; everybody else learns nothing."""
    if wants_page(request) and redaction.was_asked(service.db, actor=actor, rendition_id=rendition_id):
        return go("/checks", saved="check_over")
    raise not_found()


def _check_page(
    request: Request,
    rendition_id: RenditionId,
    actor: Actor,
    service: Service,
    *,
    problem: VaultError | None = None,
    given: dict[str, object] | None = None,
) -> Response:
    waiting = redaction.checks_for(service.db, keystore=service.keystore, actor=actor)
    found = next((one for one in waiting if one.rendition_id == rendition_id), None)
    if found is None:
        raise not_found()
    viewing, player = begin(service, actor, rendition_id=rendition_id, purpose=Purpose.CHECK)
    line = _line(service, found)
    with service.db.read() as session:
        looks = redaction.look_here_of(session, keystore=service.keystore, rendition_id=rendition_id)
    return page(
        request,
        "check.html",
        status=status_of(problem) if problem else 200,
        problem=problem,
        given=given,
        check={**line, "listed": [name for _, name in found.listed]},
        people=[{"id": person, "name": name} for person, name in found.listed],
        viewing=player,
        is_redacted=looks is not None,
        looks=look_lines(looks or (), rate=viewing.fps[0] / viewing.fps[1]),
        frames=viewing.frames,
        rate_num=viewing.fps[0],
        rate_den=viewing.fps[1],
    )


def _line(service: Service, one: Check) -> dict[str, object]:
    with service.db.read() as session:
        title = vault.title_of(session, keystore=service.keystore, rendition_id=one.rendition_id)
        asked_by = identity.person_name(session, keystore=service.keystore, person=one.asked_by)
    return {
        "rendition": one.rendition_id,
        "title": title,
        "asked_by": asked_by,
        "asked_at": one.asked_at,
        "needed_on": one.needed_by,
    }


def _clip(service: Service, actor: Actor, clip_id: ClipId) -> Clip:
    return vault.clip(service.db, keystore=service.keystore, actor=actor, clip_id=clip_id)


def _rendition(found: Clip) -> RenditionLine:
    if found.current is None:
        raise Conflict("clip_not_ready", "This clip is still being cut. Try again in a moment.")
    return found.current


def _require_current(form: Form, rendition: RenditionLine) -> None:
    """Refuse what was said on a page that showed another version of the clip."""
    if form.optional("rendition") not in {"", rendition.id}:
        raise Conflict("superseded", "Another version of this clip was made since. Look at that one first.")


def _again(request: Request, clip_id: ClipId, actor: Actor, service: Service, error: VaultError) -> Response:
    context = clip_page.context(service, actor, clip_id=clip_id)
    return page(request, "clip.html", status=status_of(error), problem=error, **context)


def _require_choice(chosen: list[str]) -> None:
    if not chosen:
        raise Invalid("missing", "Tick everyone you would know again, or nobody.", field="persons")
