"""Depositing film: tus 1.0 for browsers that can, a plain form for those that can't. Nothing rests in clear."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

import vault
from app import tus
from app.errors import answer
from app.plainform import film_part
from app.policy import PUBLIC, staff
from app.service import Service, service_of
from core.errors import VaultError
from core.ids import CaseId, UploadId, VisitId
from identity import Actor, Role

router = APIRouter()
Guider = Annotated[Actor, Depends(staff(Role.GUIDER))]
TheService = Annotated[Service, Depends(service_of)]


@router.options("/uploads", dependencies=[Depends(PUBLIC)])
def describe(service: TheService) -> Response:
    """What this server speaks."""
    return Response(status_code=204, headers=tus.options(max_bytes=service.settings.max_upload_bytes))


@router.post("/cases/{case_id}/visits/{visit_id}/uploads")
async def create(request: Request, case_id: CaseId, visit_id: VisitId, actor: Guider, service: TheService) -> Response:
    """Announce a film (tus creation)."""
    tus.check_version(request.headers)
    described = tus.metadata(request.headers)
    upload_id = await run_in_threadpool(
        vault.begin_deposit,
        service.db,
        keystore=service.keystore,
        actor=actor,
        case_id=case_id,
        visit_id=visit_id,
        length=tus.length(request.headers),
        sha256=described.get("sha256"),
        filename=described.get("filename"),
        media_type=described.get("filetype", ""),
        bounds=service.bounds,
    )
    state = await run_in_threadpool(vault.upload, service.db, actor=actor, upload_id=upload_id, bounds=service.bounds)
    more = {"Upload_Expires": tus.expires(state.expires_at)} if state.expires_at else {}
    return Response(status_code=201, headers=tus.headers(Location=f"/uploads/{upload_id}", **more))


@router.head("/uploads/{upload_id}")
def offset(request: Request, upload_id: UploadId, actor: Guider, service: TheService) -> Response:
    """How much has arrived safely."""
    tus.check_version(request.headers)
    state = vault.upload(service.db, actor=actor, upload_id=upload_id, bounds=service.bounds)
    more = {"Upload_Expires": tus.expires(state.expires_at)} if state.expires_at else {}
    return Response(
        status_code=200,
        headers=tus.headers(Upload_Offset=str(state.offset), Upload_Length=str(state.length), **more),
    )


@router.patch("/uploads/{upload_id}")
async def receive(request: Request, upload_id: UploadId, actor: Guider, service: TheService) -> Response:
    """Take the next bytes, sealing them as they come."""
    tus.check_version(request.headers)
    if request.headers.get("content-type") != tus.OFFSET_TYPE:
        raise tus.WrongType("tus_type", f"The body of this request must be {tus.OFFSET_TYPE}.")
    try:
        reached = await vault.receive_part(
            service.db,
            keystore=service.keystore,
            store=service.store,
            actor=actor,
            upload_id=upload_id,
            offset=tus.offset(request.headers),
            checksum=tus.checksum(request.headers),
            chunks=request.stream(),
        )
    except VaultError as error:
        response = answer(request, error)
        if error.code == "checksum_mismatch":
            response.status_code = tus.CHECKSUM_MISMATCH
        return response
    return Response(status_code=204, headers=tus.headers(Upload_Offset=str(reached)))


@router.delete("/uploads/{upload_id}")
def cancel(request: Request, upload_id: UploadId, actor: Guider, service: TheService) -> Response:
    """Give an upload up (tus termination)."""
    tus.check_version(request.headers)
    vault.cancel_deposit(service.db, keystore=service.keystore, store=service.store, actor=actor, upload_id=upload_id)
    return Response(status_code=204, headers=tus.headers())


@router.post("/uploads/{upload_id}/cancel")
def cancel_by_form(upload_id: UploadId, actor: Guider, service: TheService) -> Response:
    """Give an upload up, from a page without JavaScript."""
    state = vault.upload(service.db, actor=actor, upload_id=upload_id, bounds=service.bounds)
    vault.cancel_deposit(service.db, keystore=service.keystore, store=service.store, actor=actor, upload_id=upload_id)
    return RedirectResponse(f"/families/{state.case_id}", status_code=303)


@router.post("/cases/{case_id}/visits/{visit_id}/film")
async def deposit_by_form(
    request: Request, case_id: CaseId, visit_id: VisitId, actor: Guider, service: TheService
) -> Response:
    """A whole film by a plain form: the same sealing, without resuming."""
    part = await film_part(request, most_bytes=service.settings.max_upload_bytes)
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
    await vault.receive_part(
        service.db,
        keystore=service.keystore,
        store=service.store,
        actor=actor,
        upload_id=upload_id,
        offset=0,
        checksum=None,
        chunks=part.chunks,
    )
    return RedirectResponse(f"/families/{case_id}", status_code=303)
