"""The pages on which film is added: one visit's, the list of what is unfinished, and the form without JavaScript."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

import vault
from app import upload_page
from app.plainform import FilmPart, film_part
from app.policy import staff
from app.service import Service, service_of
from app.statuses import status_of
from app.web import go, page, wants_page
from core.errors import Invalid, NotFound, NotSignedIn, Refused, VaultError
from core.ids import CaseId, UploadId, VisitId
from identity import Actor, Role

router = APIRouter()
Guider = Annotated[Actor, Depends(staff(Role.GUIDER))]
TheService = Annotated[Service, Depends(service_of)]


@router.get("/uploads")
def all_uploads(request: Request, actor: Guider, service: TheService) -> Response:
    """What is unfinished, over all families that this person guides."""
    return page(request, "uploads.html", **upload_page.all_unfinished(service, actor))


@router.get("/families/{case_id}/visits/{visit_id}/upload")
def add_film(request: Request, case_id: CaseId, visit_id: VisitId, actor: Guider, service: TheService) -> Response:
    """Where film of a visit is added."""
    context = upload_page.context(service, actor, case_id=case_id, visit_id=visit_id)
    return page(request, "upload.html", **context)


@router.post("/cases/{case_id}/visits/{visit_id}/film")
async def deposit_by_form(
    request: Request, case_id: CaseId, visit_id: VisitId, actor: Guider, service: TheService
) -> Response:
    """A whole film by a plain form: the same sealing, without going on later. What doesn't come whole isn't kept."""
    try:
        part = await film_part(request, most_bytes=service.settings.max_upload_bytes)
        await _deposit(part, case_id, visit_id, actor, service)
    except (NotFound, Refused):
        raise
    except NotSignedIn:
        raise NotSignedIn(
            "session_ended", "You were signed out before all of the film was here. Sign in and send it again."
        ) from None
    except VaultError as error:
        if not wants_page(request):
            raise
        return await run_in_threadpool(_again, request, error, case_id, visit_id, actor, service)
    return go(f"/families/{case_id}/visits/{visit_id}/upload", saved="film")


@router.post("/uploads/{upload_id}/cancel")
def cancel_by_form(request: Request, upload_id: UploadId, actor: Guider, service: TheService) -> Response:
    """Give an upload up, by a button."""
    state = vault.upload(service.db, keystore=service.keystore, actor=actor, upload_id=upload_id, bounds=service.bounds)
    vault.cancel_deposit(service.db, keystore=service.keystore, store=service.store, actor=actor, upload_id=upload_id)
    if request.query_params.get("from") == "uploads":
        return go("/uploads", saved="cancelled")
    return go(f"/families/{state.case_id}/visits/{state.visit_id}/upload", saved="cancelled")


async def _deposit(part: FilmPart, case_id: CaseId, visit_id: VisitId, actor: Actor, service: Service) -> None:
    upload_id = await run_in_threadpool(
        vault.begin_deposit,
        service.db,
        keystore=service.keystore,
        actor=actor,
        case_id=case_id,
        visit_id=visit_id,
        length=part.length,
        filename=part.filename,
        media_type=part.media_type,
        bounds=service.bounds,
    )
    try:
        reached = await vault.receive_part(
            service.db,
            keystore=service.keystore,
            store=service.store,
            actor=actor,
            upload_id=upload_id,
            offset=0,
            chunks=part.chunks,
            bounds=service.bounds,
        )
        _check_whole(part, reached=reached)
    except (Exception, asyncio.CancelledError):
        with suppress(VaultError):  # over already: what is no film was given up where that was seen
            await run_in_threadpool(
                vault.cancel_deposit,
                service.db,
                keystore=service.keystore,
                store=service.store,
                actor=actor,
                upload_id=upload_id,
            )
        raise


def _check_whole(part: FilmPart, *, reached: int) -> None:
    if reached != part.length:
        raise Invalid("film_not_whole", "Not all of the film came. Send it again.", field="film")


def _again(
    request: Request, error: VaultError, case_id: CaseId, visit_id: VisitId, actor: Actor, service: Service
) -> Response:
    """The page once more, with what was wrong beside the field."""
    context = upload_page.context(service, actor, case_id=case_id, visit_id=visit_id)
    problem = Invalid(error.code, error.sentence, field="film")
    return page(request, "upload.html", status=status_of(error), problem=problem, **context)
