"""Depositing film by tus 1.0: it goes on wherever a bad line broke it off. Nothing rests in clear.

Browsers without JavaScript use a plain form instead (``app.routes.films``).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

import vault
from app import tus
from app.errors import answer
from app.policy import PUBLIC, staff
from app.service import Service, service_of
from core.db import not_found
from core.errors import VaultError
from core.ids import CaseId, UploadId, VisitId
from identity import Actor, Role
from vault import Upload

router = APIRouter()
Guider = Annotated[Actor, Depends(staff(Role.GUIDER))]
TheService = Annotated[Service, Depends(service_of)]
OVERRIDE = "x-http-method-override"


@router.options("/uploads", dependencies=[Depends(PUBLIC)])
def describe(service: TheService) -> Response:
    """What this server speaks."""
    return Response(status_code=204, headers=tus.options(max_bytes=service.settings.max_upload_bytes))


@router.post("/cases/{case_id}/visits/{visit_id}/uploads")
async def create(request: Request, case_id: CaseId, visit_id: VisitId, actor: Guider, service: TheService) -> Response:
    """Announce a film (tus creation)."""
    tus.check_version(request.headers)
    tus.check_creation(request.headers)
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
        fingerprint=described.get("fingerprint"),
        media_type=described.get("filetype", ""),
        bounds=service.bounds,
    )
    state = await run_in_threadpool(_state, service, actor, upload_id)
    return Response(
        status_code=201, headers=tus.headers(Location=f"/uploads/{upload_id}") | tus.expires(state.expires_at)
    )


@router.head("/uploads/{upload_id}")
def offset(request: Request, upload_id: UploadId, actor: Guider, service: TheService) -> Response:
    """How much has arrived safely."""
    tus.check_version(request.headers)
    state = _state(service, actor, upload_id)
    kept = {
        "filename": state.filename,
        "filetype": state.media_type,
        "fingerprint": state.fingerprint,
        "sha256": state.sha256,
    }
    told = tus.headers(Upload_Offset=str(state.offset), Upload_Length=str(state.length))
    return Response(status_code=200, headers=told | tus.expires(state.expires_at) | tus.described(kept))


@router.patch("/uploads/{upload_id}")
async def receive(request: Request, upload_id: UploadId, actor: Guider, service: TheService) -> Response:
    """Take the next bytes, sealing them as they come."""
    tus.check_version(request.headers)
    tus.check_type(request.headers)
    try:
        reached = await vault.receive_part(
            service.db,
            keystore=service.keystore,
            store=service.store,
            actor=actor,
            upload_id=upload_id,
            offset=tus.offset(request.headers),
            checksum=tus.checksum(request.headers),
            size=tus.body_size(request.headers),
            bounds=service.bounds,
            chunks=request.stream(),
        )
    except VaultError as error:
        response = answer(request, error)
        if error.code == "checksum_mismatch":
            response.status_code = tus.CHECKSUM_MISMATCH
        return response
    state = await run_in_threadpool(_state, service, actor, upload_id)
    return Response(status_code=204, headers=tus.headers(Upload_Offset=str(reached)) | tus.expires(state.expires_at))


@router.delete("/uploads/{upload_id}")
def cancel(request: Request, upload_id: UploadId, actor: Guider, service: TheService) -> Response:
    """Give an upload up (tus termination)."""
    tus.check_version(request.headers)
    vault.cancel_deposit(service.db, keystore=service.keystore, store=service.store, actor=actor, upload_id=upload_id)
    return Response(status_code=204, headers=tus.headers())


@router.post("/uploads/{upload_id}")
async def overridden(request: Request, upload_id: UploadId, actor: Guider, service: TheService) -> Response:
    """``PATCH``, ``DELETE`` or ``HEAD`` of a sender whose network knows only ``POST`` (tus core, method override).

    Only a ``POST`` is overridden: what another site could make a browser send can't become something stronger.
    """
    wanted = request.headers.get(OVERRIDE, "")
    if wanted == "PATCH":
        return await receive(request, upload_id, actor, service)
    if wanted in {"DELETE", "HEAD"}:
        use = cancel if wanted == "DELETE" else offset
        return await run_in_threadpool(use, request, upload_id, actor, service)
    raise not_found()


def _state(service: Service, actor: Actor, upload_id: UploadId) -> Upload:
    return vault.resumable_upload(
        service.db, keystore=service.keystore, actor=actor, upload_id=upload_id, bounds=service.bounds
    )
