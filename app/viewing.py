"""A page that plays something: the viewing begins when the page is made, and its ticket is in the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

import identity
import vault
from app.service import Service
from app.web import page, wants_page
from consent import Purpose
from core.errors import Refused
from core.ids import PersonId, RenditionId
from identity import Actor, PersonKind
from vault import StripGrid, Viewing

_STILLS = 10
"""Of a film above its timeline: all of them would be too small to know anything by."""


def begin(
    service: Service,
    actor: Actor,
    *,
    rendition_id: RenditionId,
    purpose: Purpose,
    playing_to: frozenset[PersonId] = frozenset(),
) -> tuple[Viewing, dict[str, object]]:
    """Begin a viewing, and say what ``part.player`` wants of it.

    Raises:
        NotFound: none of the actor's business.
        Refused: ``not_available``.
    """
    viewing = vault.begin_viewing(
        service.db, actor=actor, rendition_id=rendition_id, purpose=purpose, playing_to=playing_to
    )
    name = ""
    if actor.kind is PersonKind.STAFF:
        with service.db.read() as session:
            name = identity.person_name(session, keystore=service.keystore, person=actor.person)
    return viewing, {
        "film": f"/media/{viewing.id}",
        "events": f"/events/{viewing.id}",
        "name": name,
        "poster": f"/media/{viewing.id}/poster",
    }


def watch_page(
    request: Request,
    service: Service,
    actor: Actor,
    *,
    rendition_id: RenditionId,
    purpose: Purpose,
    back: Mapping[str, str],
    kind: str = "professional",
    playing_to: frozenset[PersonId] = frozenset(),
    questions: str | None = None,
) -> Response:
    """The page on which one clip is watched, or the neutral one.

    Args:
        request: of the page.
        service: what use cases are given.
        actor: who watches.
        rendition_id: which clip.
        purpose: what for.
        back: ``text`` and ``href`` of where it came from.
        kind: "professional", "together" or "family", as ``watch.html`` says.
        playing_to: at a shared review, who is in the room.
        questions: address of the questions, for the family.
    """
    try:
        viewing, player = begin(service, actor, rendition_id=rendition_id, purpose=purpose, playing_to=playing_to)
    except Refused as refusal:
        return unavailable_page(request, refusal, back=back, questions=questions)
    return player_page(request, service, viewing, player=player, back=back, kind=kind, questions=questions)


def unavailable_page(
    request: Request, refusal: Refused, *, back: Mapping[str, str], questions: str | None = None
) -> Response:
    """The neutral page, in the place of a clip that may not be watched.

    Raises:
        Refused: no person waits for a page, or it was refused for a reason that may be told.
    """
    if refusal.code != "not_available" or not wants_page(request):
        raise refusal
    return page(request, "unavailable.html", status=403, back=back, questions=questions)


def player_page(
    request: Request,
    service: Service,
    viewing: Viewing,
    *,
    player: Mapping[str, object],
    back: Mapping[str, str],
    kind: str,
    questions: str | None = None,
    seen: str = "",
) -> Response:
    """The page on which a viewing that has begun is watched; the words are ``watch_page``'s, and ``seen``: who is."""
    with service.db.read() as session:
        title = vault.title_of(session, keystore=service.keystore, rendition_id=viewing.rendition_id)
    return page(
        request,
        "watch.html",
        kind=kind,
        title=title,
        viewing=dict(player),
        back=back,
        until=viewing.valid_until,
        questions=questions,
        seen=seen,
    )


def strip(grid: StripGrid | None, *, film: str) -> dict[str, Any] | None:
    """What ``part.steps`` wants to show a film in a row of stills: evenly spread ones, out of the rows of its sheet."""
    if grid is None:
        return None
    cells = [divmod(place * grid.count // _STILLS, grid.columns) for place in range(_STILLS)]
    return {
        "href": f"{film}/strip",
        "width": grid.width,
        "height": grid.height,
        "whole_width": grid.columns * grid.width,
        "whole_height": -(-grid.count // grid.columns) * grid.height,
        "corners": [(column * grid.width, row * grid.height) for row, column in cells],
    }
