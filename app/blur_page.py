"""What the page shows on which a guider chooses who stays visible in a clip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

import identity
import redaction
import vault
from app import people_list
from app.blur_words import look_lines, told
from app.family_people import title_of
from app.pages.words import joined
from app.service import Service
from app.viewing import begin, strip
from consent import Purpose, RenditionState
from core.errors import Conflict, Refused
from core.ids import ClipId, PersonId, ViewingId, well_formed
from core.jobs import ENDED, JobState
from identity import Actor
from redaction import Beside, CheckState, Choosing
from vault import Clip, Looking, Progress, Treatment


def context(request: Request, service: Service, actor: Actor, *, clip_id: ClipId) -> dict[str, Any]:
    """Everything of ``blur.html``."""
    clip = vault.clip(service.db, keystore=service.keystore, actor=actor, clip_id=clip_id)
    original = clip.original
    if original is None:
        raise Conflict("clip_not_ready", "This clip is still being cut. Try again in a moment.")
    if original.state is not RenditionState.LIVE:
        raise Conflict("film_not_in_use", "This film is no longer in use, so nothing about it can be changed.")
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=clip.case_id)
    looking, making = standing(service, clip)
    running = looking_job(service, clip, looking) or making_job(service, clip, making)
    said = {
        "case": {"id": clip.case_id, "title": title_of(view)},
        "clip": {"id": clip.id, "title": clip.title},
        "looking": _stage(looking, running),
        "sentence": (looking.progress.sentence or "") if looking and not looking.is_done else "",
        "job": running,
        "choosing": None,
    }
    if looking is None or not looking.is_done:
        return said
    _, before = begin(service, actor, rendition_id=original.id, purpose=Purpose.PREPARE)
    film, faces = _faces(service, actor, clip)
    return said | {
        "viewing": before,
        "after": _after(service, actor, clip),
        "sent_back": _sent_back(service, actor, clip),
        "frames": original.frames,
        "rate_num": original.fps.numerator,
        "rate_den": original.fps.denominator,
        "strip": strip(original.strip, film=str(before["film"])),
        **choices_context(request, service, actor, clip=clip, looking=looking, film=film if faces else None),
    }


def choices_context(
    request: Request, service: Service, actor: Actor, *, clip: Clip, looking: Looking, film: ViewingId | None
) -> dict[str, Any]:
    """Everything of ``blur_choices.html``.

    Args:
        request: which of the people are asked for.
        service: what use cases are given.
        actor: the guider.
        clip: whose choices.
        looking: what was found.
        film: the viewing under which the stills of faces are shown; nothing where there are none.
    """
    found = redaction.choosing(service.db, keystore=service.keystore, store=service.store, actor=actor, clip_id=clip.id)
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=clip.case_id)
    names = {one.id: one.name for one in view.members}
    _, making = standing(service, clip)
    with service.db.read() as session:
        redacted = next((one for one in reversed(clip.renditions) if one.treatment is Treatment.REDACTED), None)
        manifest = (
            redaction.manifest_of(session, keystore=service.keystore, rendition_id=redacted.id) if redacted else None
        )
    rate = float(clip.renditions[0].fps)
    people = people_list.listed(request, found, looking=looking, film=film, names=names, rate=rate)
    first = found.clip.first_frame
    return {
        "clip": {"id": clip.id, "title": clip.title},
        "film": film or "",
        "choosing": {
            "version": found.version,
            "can_undo": found.can_undo,
            "can_redo": found.can_redo,
            "started_over": found.started_over,
            "beside": [_beside(one, names=names) for one in found.beside],
            "style": found.state.choices.style.name.lower(),
            "shape": found.state.choices.shape.name.lower(),
            **people,
            "members": [{"id": one.id, "name": one.name} for one in view.members],
            "looks": look_lines(found.look_here, rate=rate),
            "regions": [
                {
                    "number": region.number,
                    "places": [
                        {"frame": one.frame - first, "at": people_list.clock(one.frame - first, rate=rate)}
                        for one in region.keyframes
                    ],
                }
                for region in found.state.choices.regions
            ],
            "mutes": [
                {
                    "first": begins - first,
                    "last": ends - first,
                    "text": " to ".join(people_list.clock(at - first, rate=rate) for at in (begins, ends)),
                }
                for begins, ends in found.state.choices.mutes
            ],
            "data": _data(found, pages=people["page_of"]),
        },
        "making": making_job(service, clip, making),
        "making_sentence": (making.sentence or "") if making else "",
        "made": {"reason": manifest.reason} if manifest else None,
    }


def standing(service: Service, clip: Clip) -> tuple[Looking | None, Progress | None]:
    """How far looking for faces and making the blurred version have come."""
    with service.db.read() as session:
        looking = vault.looking(session, clip.footage_id)
        choices = vault.choices_of(session, keystore=service.keystore, clip_id=clip.id)
    return looking, choices.progress


def looking_job(service: Service, clip: Clip, looking: Looking | None) -> dict[str, Any] | None:
    """What ``part.progress`` wants of looking for faces, while it goes on."""
    return _job(service, clip, looking.progress) if looking is not None and not looking.is_done else None


def making_job(service: Service, clip: Clip, making: Progress | None) -> dict[str, Any] | None:
    """What ``part.progress`` wants of making the blurred version, while it goes on."""
    return _job(service, clip, making) if making is not None else None


def _beside(one: Beside, *, names: Mapping[PersonId, str]) -> dict[str, Any]:
    """Another clip from whose choices the guider may begin, and what these would show here."""
    said = {"clip": one.clip_id, "title": one.title, "version": one.version}
    if one.state is None:
        return said | {"holds": False}
    chosen, persons = one.state.choices, one.state.persons
    return said | {
        "holds": True,
        "visible": joined(sorted(names.get(person, "") for person in persons)),
        "covers": len(chosen.regions),
        "silences": len(chosen.mutes),
    }


def film_of(text: str) -> ViewingId | None:
    """The viewing that a page named, for the stills on it; whoever has no such viewing gets no still."""
    return ViewingId(text) if well_formed(text) else None


def _stage(looking: Looking | None, job: dict[str, Any] | None) -> str:
    """The word for how far looking has come, as ``blur.html`` names them."""
    if looking is not None and looking.is_done:
        return "done"
    if job is not None:
        return "running"
    ends = {JobState.PARKED: "failed", JobState.CANCELLED: "stopped"}
    return ends.get(looking.progress.state, "none") if looking is not None else "none"


def _sent_back(service: Service, actor: Actor, clip: Clip) -> dict[str, Any] | None:
    """Why the version that there is was sent back, for whoever mends it."""
    current = clip.current
    if current is None:
        return None
    checks = redaction.checks_in(service.db, keystore=service.keystore, actor=actor, case_id=clip.case_id)
    latest = next((one for one in checks if one.rendition_id == current.id), None)
    if latest is None or latest.state is not CheckState.SENT_BACK:
        return None
    with service.db.read() as session:
        by = identity.person_name(session, keystore=service.keystore, person=latest.checker)
    return {"by": by, "at": latest.answered_at, "remark": latest.note}


def _job(service: Service, clip: Clip, progress: Progress) -> dict[str, Any] | None:
    if progress.state in ENDED:
        return None
    return {
        "id": clip.id,
        "address": f"/clips/{clip.id}/blur/progress",
        "percent": progress.thousandths // 10 or None,
        "text": told(progress, at=service.db.clock.now()),
    }


def _faces(service: Service, actor: Actor, clip: Clip) -> tuple[ViewingId, bool]:
    footage = vault.footage(service.db, keystore=service.keystore, actor=actor, footage_id=clip.footage_id)
    if footage.working_copy is None:
        raise Conflict("footage_gone", "The film that this clip was cut from is no longer there.")
    viewing, _ = begin(service, actor, rendition_id=footage.working_copy.id, purpose=Purpose.PREPARE)
    with service.db.read() as session:
        looking = vault.looking(session, clip.footage_id)
    return viewing.id, bool(looking and looking.columns)


def _after(service: Service, actor: Actor, clip: Clip) -> dict[str, Any] | None:
    """The blurred version beside the original, once there is one."""
    current = clip.current
    if current is None or current.treatment is not Treatment.REDACTED or current.state is not RenditionState.LIVE:
        return None
    try:
        _, player = begin(service, actor, rendition_id=current.id, purpose=Purpose.PREPARE)
    except Refused:
        since = vault.clip(service.db, keystore=service.keystore, actor=actor, clip_id=clip.id)
        if since.current is None or since.current.id == current.id:
            raise
        return _after(service, actor, since)  # another version took its place while the page was made
    return {"viewing": player, "made_at": current.created_at}


def _data(found: Choosing, *, pages: Mapping[int, int]) -> str:
    """What the page's script draws over the film."""
    first = found.clip.first_frame
    regions = [
        {
            "number": region.number,
            "places": [
                [one.frame - first, round(one.box.x), round(one.box.y), round(one.box.width), round(one.box.height)]
                for one in region.keyframes
            ],
        }
        for region in found.state.choices.regions
    ]
    people = [
        {
            "number": one.number,
            "kept": bool(one.kept),
            "page": pages[one.number],
            "places": [
                [frame, round(box.x), round(box.y), round(box.width), round(box.height)] for frame, box in one.places
            ],
        }
        for one in found.somebody
    ]
    words = {"width": found.width, "height": found.height, "people": people, "regions": regions}
    return json.dumps(words, separators=(",", ":"))
