"""Pages that say the same to everyone, and what a machine asks: alive? ready?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

from app.policy import PUBLIC, signed_in
from app.service import Service, service_of
from app.web import page
from core.db import reachable

router = APIRouter(dependencies=[Depends(PUBLIC)])
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
def alive() -> Response:
    """Alive."""
    return JSONResponse({"alive": True})


@router.get("/readyz")
def ready(service: TheService) -> Response:
    """Ready: the database answers and the keys are open."""
    parts = {"database": reachable(service.db), "keys": not service.keystore.is_sealed}
    return JSONResponse(parts, status_code=200 if all(parts.values()) else 503)


def _plain(request: Request, template: str, service: Service) -> Response:
    request.state.actor = signed_in(request)
    settings = service.settings
    contact = {"name": settings.authority, "phone": settings.help_phone, "email": ""}
    return page(request, template, organisation=settings.authority, contact=contact if settings.help_phone else None)
