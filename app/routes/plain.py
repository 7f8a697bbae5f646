"""Pages that say the same to everyone, and what a machine asks: alive? ready?"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

from app import cookies
from app.policy import PUBLIC, signed_in
from app.readiness import Readiness
from app.service import Service, service_of
from app.web import page

router = APIRouter(dependencies=[Depends(PUBLIC)])
RETRY_AFTER_SECONDS = 5
TheService = Annotated[Service, Depends(service_of)]


@router.get("/help")
def help_page(request: Request, service: TheService) -> Response:
    """Help."""
    return _plain(request, "help.html", service)


@router.get("/privacy")
def privacy(request: Request, service: TheService) -> Response:
    """What is kept about people."""
    return _plain(request, "privacy.html", service)


@router.get("/accessibility")
def accessibility(request: Request, service: TheService) -> Response:
    """How far these pages can be used by everyone."""
    return _plain(request, "accessibility.html", service)


@router.get("/healthz")
async def alive() -> Response:
    """This process lives. Touches nothing."""
    return JSONResponse({"alive": True})


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """Whether this process can do its work; what can't is named by a code, and so is what somebody must look at."""
    readiness: Readiness = request.app.state.readiness
    failing, alarms = await asyncio.gather(readiness.failing(), readiness.alarming())
    body = {"ready": not failing, "failing": dict(failing)} | ({"alarms": dict(alarms)} if alarms else {})
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if failing else {}
    return JSONResponse(body, status_code=503 if failing else 200, headers=headers)


def _plain(request: Request, template: str, service: Service) -> Response:
    request.state.actor = signed_in(request)
    settings = service.settings
    contact = {"name": settings.authority, "phone": settings.help_phone, "email": ""}
    return page(
        request,
        template,
        family_page=cookies.token(request, cookies.DEVICE) is not None,  # of a family, signed in or not
        organisation=settings.authority,
        contact=contact if settings.help_phone else None,
    )
