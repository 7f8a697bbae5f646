"""Blurring: looking for people in a film, choosing who stays visible, and making the version that shows nobody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

import redaction
import vault
from app import blur_page, people_list
from app.blur_words import told
from app.forms import Form, Posted
from app.policy import staff
from app.service import Service, service_of
from app.statuses import status_of
from app.web import go, page
from core.errors import Conflict, Invalid, VaultError
from core.ids import ClipId, PersonId
from core.jobs import JobState
from identity import Actor, Role
from media.covers import CoverShape, CoverStyle
from redaction import Box, Cover, Keep, KeepAll, Merge, Mute, Paint, Part, Place, Remove, Shape, Step, Unmute, Unplace

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Guider = Annotated[Actor, Depends(staff(Role.GUIDER))]
_FORMS = (Invalid, Conflict)
_FURTHEST, _DIGITS = 1 << 15, 8
_ENDS = {JobState.WAITING: "waiting", JobState.RUNNING: "running", JobState.DONE: "done"}


@router.get("/clips/{clip_id}/blur")
def choices(request: Request, clip_id: ClipId, actor: Guider, service: TheService) -> Response:
    """The people in a clip, and who of them stays visible."""
    return page(request, "blur.html", **blur_page.context(request, service, actor, clip_id=clip_id))


@router.post("/clips/{clip_id}/blur")
def choose(request: Request, clip_id: ClipId, actor: Guider, form: Posted, service: TheService) -> Response:
    """Take one step, or take one back. It is saved at once."""
    db, keystore = service.db, service.keystore
    try:
        wanted = form.text("do", called="what to do")
        if wanted == "show":  # only another page of the people, for the script
            return _answer(request, clip_id, actor, service, form=form)
        looked_at = form.number("version", called="which choices you looked at")
        if wanted == "undo":
            redaction.undo(db, keystore=keystore, actor=actor, clip_id=clip_id, looked_at=looked_at)
        elif wanted == "redo":
            redaction.redo(db, keystore=keystore, actor=actor, clip_id=clip_id, looked_at=looked_at)
        elif wanted == "begin":
            redaction.begin_from(
                db,
                keystore=keystore,
                store=service.store,
                actor=actor,
                clip_id=clip_id,
                looked_at=looked_at,
                beside=ClipId(form.id("clip", called="which clip to begin from")),
                beside_looked_at=form.number("clip_version", called="which of its choices you looked at"),
            )
        else:
            step = _step(form, wanted=wanted)
            redaction.choose(
                db,
                keystore=keystore,
                store=service.store,
                actor=actor,
                clip_id=clip_id,
                looked_at=looked_at,
                step=step,
            )
    except _FORMS as error:
        told = type(error)(error.code, error.sentence)  # beside the choices: many fields of that page have one name
        return _answer(request, clip_id, actor, service, form=form, problem=told)
    return _answer(request, clip_id, actor, service, form=form)


@router.post("/clips/{clip_id}/blur/look")
def look(request: Request, clip_id: ClipId, actor: Guider, service: TheService) -> Response:
    """Look for the people in the whole film, once."""
    clip = vault.clip(service.db, keystore=service.keystore, actor=actor, clip_id=clip_id)
    try:
        vault.look_for_people(service.db, actor=actor, footage_id=clip.footage_id)
    except _FORMS as error:
        return _whole(request, clip_id, actor, service, problem=error)
    return go(f"/clips/{clip_id}/blur")


@router.post("/clips/{clip_id}/blur/make")
def make(request: Request, clip_id: ClipId, actor: Guider, form: Posted, service: TheService) -> Response:
    """Have the version made that shows nobody else."""
    try:
        redaction.render(
            service.db,
            keystore=service.keystore,
            actor=actor,
            clip_id=clip_id,
            looked_at=form.number("version", called="which choices you looked at"),
            reason=form.text("reason", called="why"),
        )
    except _FORMS as error:
        return _whole(request, clip_id, actor, service, problem=error)
    return go(f"/clips/{clip_id}/blur", saved="making")


@router.post("/clips/{clip_id}/blur/stop")
def stop(request: Request, clip_id: ClipId, actor: Guider, service: TheService) -> Response:
    """Stop what is under way. Choices stay as they are."""
    clip = vault.clip(service.db, keystore=service.keystore, actor=actor, clip_id=clip_id)
    looking, _ = blur_page.standing(service, clip)
    try:
        if looking is not None and not looking.is_done:
            vault.stop_looking(service.db, actor=actor, footage_id=clip.footage_id)
        else:
            vault.stop_redaction(service.db, actor=actor, clip_id=clip_id)
    except _FORMS as error:
        return _whole(request, clip_id, actor, service, problem=error)
    return go(f"/clips/{clip_id}/blur", saved="blur_stopped")


@router.get("/clips/{clip_id}/blur/progress")
def progress(clip_id: ClipId, actor: Guider, service: TheService) -> Response:
    """How far it is, for the page's script."""
    clip = vault.clip(service.db, keystore=service.keystore, actor=actor, clip_id=clip_id)
    looking, making = blur_page.standing(service, clip)
    found = looking.progress if looking is not None and not looking.is_done else making
    if found is None:
        return JSONResponse({"state": "done", "percent": 100, "text": ""})
    text = told(found, at=service.db.clock.now())
    state = _ENDS.get(found.state, "failed")
    return JSONResponse({"state": state, "percent": found.thousandths // 10, "text": text})


@router.get("/clips/{clip_id}/blur/statement.json")
def statement(clip_id: ClipId, actor: Guider, service: TheService) -> Response:
    """Which film the blurred version was made of, in hashes, with the proof that the log says so."""
    text = redaction.statement(service.db, keystore=service.keystore, actor=actor, clip_id=clip_id)
    headers = {"Content-Disposition": f'attachment; filename="blurred-{clip_id}.json"'}
    return Response(text, media_type="application/json", headers=headers)


def _answer(
    request: Request,
    clip_id: ClipId,
    actor: Actor,
    service: Service,
    *,
    form: Form,
    problem: VaultError | None = None,
) -> Response:
    """The choices as they are now: the part of the page that a script asked for, or all of it."""
    if form.optional("part") != "choices":
        if problem is not None:
            return _whole(request, clip_id, actor, service, problem=problem)
        return go(people_list.address(request, clip_id))
    clip = vault.clip(service.db, keystore=service.keystore, actor=actor, clip_id=clip_id)
    looking, _ = blur_page.standing(service, clip)
    if looking is None or not looking.is_done:
        raise Conflict("faces_not_found_yet", "First we must look for faces in this film. That isn't done yet.")
    film = blur_page.film_of(form.optional("film"))
    context = blur_page.choices_context(request, service, actor, clip=clip, looking=looking, film=film)
    return page(request, "blur_part.html", status=status_of(problem) if problem else 200, problem=problem, **context)


def _whole(request: Request, clip_id: ClipId, actor: Actor, service: Service, *, problem: VaultError) -> Response:
    context = blur_page.context(request, service, actor, clip_id=clip_id)
    return page(request, "blur.html", status=status_of(problem), problem=problem, **context)


def _step(form: Form, *, wanted: str) -> Step:
    """The step that a form asks for.

    Raises:
        Invalid: it isn't one.
    """
    if wanted not in _STEPS:
        raise Invalid("not_a_choice", "We couldn't understand that. Load the page again.", field="do")
    return _STEPS[wanted](form)


def _keep(form: Form) -> Step:
    return Keep(_who(form), PersonId(form.id("person", called="who it is")))


def _together(form: Form) -> Step:
    """Whoever was ticked, or typed as a number, is one person: visible where it is said who, else blurred."""
    said = [one for one in form.texts("number") if one]
    if not said or not all(one.isascii() and one.isdigit() and len(one) < _DIGITS for one in said):
        raise Invalid("nobody_ticked", "Tick first who it is about.", field="do")
    numbers = frozenset(map(int, said))
    if not form.optional("person"):
        return Merge(numbers)
    person = PersonId(form.id("person", called="who it is"))
    return Keep(next(iter(numbers)), person) if len(numbers) == 1 else KeepAll(numbers, person)


def _place(form: Form) -> Step:
    x, y, width, height = (_side(form, name) for name in ("x", "y", "width", "height"))
    return Place(form.number("region", called="the cover"), _frame(form), Box(x, y, width, height))


def _silence(form: Form) -> tuple[int, int]:
    first = form.number("first", called="the first silent frame")
    return first, form.number("last", called="the frame that the silence ends before")


def _paint(form: Form) -> Step:
    return Paint(CoverStyle.SOLID if form.text("style", called="how to cover") == "solid" else CoverStyle.BLUR)


def _shape(form: Form) -> Step:
    return Shape(CoverShape.BOX if form.text("shape", called="the form of covers") == "box" else CoverShape.ELLIPSE)


def _region(form: Form) -> int:
    return form.number("region", called="the cover", least=1)


def _who(form: Form) -> int:
    return form.number("number", called="the person", least=1)


def _frame(form: Form) -> int:
    return form.number("frame", called="the frame")


def _side(form: Form, name: str) -> float:
    text = form.text(name, called="where the cover is", most=12)
    least = 4.0 if name in {"width", "height"} else -float(_FURTHEST)
    try:
        side = float(text)
    except ValueError:
        side = least - 1
    if not least <= side <= _FURTHEST:  # false for what is no number, too
        raise Invalid("cover_too_small", "Draw the cover a little larger.", field="do")
    return side


_STEPS: Mapping[str, Callable[[Form], Step]] = {
    "keep": _keep,
    "cover": lambda form: Cover(_who(form)),
    "together": _together,
    "part": lambda form: Part(_who(form), _frame(form)),
    "place": _place,
    "unplace": lambda form: Unplace(_region(form), _frame(form)),
    "remove": lambda form: Remove(_region(form)),
    "mute": lambda form: Mute(*_silence(form)),
    "unmute": lambda form: Unmute(*_silence(form)),
    "paint": _paint,
    "shape": _shape,
}
