"""Watching: the list of what is shared, the watch page, the film itself by ranges, and the events that turn it dark."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

import vault
from app import ranges
from app.listing import cut, finder
from app.policy import ANYONE_SIGNED_IN, STAFF
from app.ranges import ByteRange
from app.service import Service, service_of
from app.shared_page import clips_for, purpose_for
from app.streaming import FilmResponse, paced
from app.viewing import watch_page
from app.web import page
from core.ids import RenditionId, ViewingId
from identity import Actor, PersonKind
from vault import Leave, Picture

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Staff = Annotated[Actor, Depends(STAFF)]
Anyone = Annotated[Actor, Depends(ANYONE_SIGNED_IN)]
BEAT_SECONDS = 0.5
LOOK_SECONDS = 0.05
_EVENTS = {"Content-Type": "text/event-stream"}


@router.get("/shared")
def shared(request: Request, actor: Staff, service: TheService) -> Response:
    """What families let this person watch just now; nothing else, not even a title."""
    clips = clips_for(service, actor)
    wanted = finder(request, "/shared", of=len(clips), label="Title, or name of a child")
    found = [one for one in clips if wanted.fits(str(one["title"]), str(one["family"]))]
    shown = cut(request, "/shared", found, of=("clip", "clips"))
    return page(request, "shared.html", clips=shown.lines, finder=wanted, pages=shown.pages)


@router.get("/watch/{rendition_id}")
def watch(request: Request, rendition_id: RenditionId, actor: Staff, service: TheService) -> Response:
    """Watch one clip that a family shares."""
    purpose = purpose_for(service, actor, rendition_id=rendition_id)
    back = {"text": "Shared with me", "href": "/shared"}
    return watch_page(request, service, actor, rendition_id=rendition_id, purpose=purpose, back=back)


@router.get("/media/{viewing_id}")
async def media(request: Request, viewing_id: ViewingId, actor: Anyone, service: TheService) -> Response:
    """A range of the film, or all of it; each segment is decided on at its moment."""
    return await _film(request, viewing_id, actor, service)


@router.head("/media/{viewing_id}")
async def media_head(request: Request, viewing_id: ViewingId, actor: Anyone, service: TheService) -> Response:
    """What ``GET`` would answer, without the film."""
    return await _film(request, viewing_id, actor, service)


@router.get("/media/{viewing_id}/{picture}")
def still(viewing_id: ViewingId, picture: Picture, actor: Anyone, service: TheService) -> Response:
    """The poster or the strip of what is being watched: as secret as the film, and decided like it."""
    data = vault.read_picture(
        service.db,
        keystore=service.keystore,
        store=service.store,
        actor=actor,
        viewing_id=viewing_id,
        picture=picture,
    )
    return Response(data, media_type="image/jpeg")


@router.post("/media/{viewing_id}/end")
def end(viewing_id: ViewingId, actor: Anyone, service: TheService) -> Response:
    """The player was closed."""
    vault.end_viewing(service.db, actor=actor, viewing_id=viewing_id)
    return Response(status_code=204)


@router.get("/events/{viewing_id}")
async def events(viewing_id: ViewingId, actor: Anyone, service: TheService) -> Response:
    """A beat while the clip may be watched, then ``dark``, at once. Silence means dark too: the page counts on it."""
    leave = await _follow(viewing_id, actor, service)

    async def stream() -> AsyncIterator[str]:
        last = -BEAT_SECONDS
        try:
            with leave.watched():
                while leave.fresh() or await run_in_threadpool(leave.holds):
                    if time.monotonic() - last >= BEAT_SECONDS:
                        last = time.monotonic()
                        yield "event: beat\ndata: \n\n"
                    await asyncio.sleep(LOOK_SECONDS)
            yield "event: dark\ndata: \n\n"
        finally:
            await asyncio.shield(run_in_threadpool(leave.settle))

    return StreamingResponse(stream(), headers=_EVENTS)


async def _film(request: Request, viewing_id: ViewingId, actor: Actor, service: Service) -> Response:
    whole = await vault.read_range(
        service.db,
        keystore=service.keystore,
        store=service.store,
        watch=service.watch,
        actor=actor,
        viewing_id=viewing_id,
    )
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Type": whole.media_type,
        "Content-Disposition": "inline",
        "ETag": whole.etag,
    }
    try:
        part = _asked(request, etag=whole.etag, size=whole.total)
    except ranges.Unsatisfiable:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{whole.total}", "ETag": whole.etag})
    reading = whole.narrowed(start=part.start, end=part.end) if part else whole
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{whole.total}"
    length = reading.end - reading.start
    if request.method == "HEAD":
        return Response(headers={**headers, "Content-Length": str(length)})
    await reading.begin()
    film = aiter(reading)
    if actor.kind is PersonKind.STAFF:
        film = paced(film, bytes_per_second=reading.total / max(reading.duration.total_seconds(), 1.0))

    async def until() -> None:
        while reading.fresh() or await run_in_threadpool(reading.holds):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(LOOK_SECONDS)

    return FilmResponse(film, until=until, length=length, status=206 if part else 200, headers=headers)


def _asked(request: Request, *, etag: str, size: int) -> ByteRange | None:
    """The range of a ``GET``, if there is one that counts.

    Raises:
        Unsatisfiable: answer 416.
    """
    given = request.headers.getlist("range")
    if request.method != "GET" or len(given) != 1 or not ranges.holds_if(request.headers.get("if-range"), etag=etag):
        return None
    return ranges.parse(given[0], size=size)


async def _follow(viewing_id: ViewingId, actor: Actor, service: Service) -> Leave:
    return await run_in_threadpool(
        vault.follow,
        service.db,
        keystore=service.keystore,
        store=service.store,
        watch=service.watch,
        actor=actor,
        viewing_id=viewing_id,
    )
