"""The application: middleware, errors, static files and every route, on one service."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from app import errors
from app.ending import Draining, Ending
from app.headers import Armour
from app.pages import STATIC
from app.readiness import Part, Readiness, alarms_of, parts_of
from app.request_log import RequestLog
from app.routes import ROUTERS
from app.service import Service


def create_app(service: Service, *, ending: Ending | None = None, also_ready: tuple[Part, ...] = ()) -> FastAPI:
    """Make the application. It opens nothing and starts nothing: ``app.cli`` does.

    Args:
        service: what every use case is given.
        ending: this process's end; without one it never ends.
        also_ready: what else must hold before it is ready.
    """
    app = FastAPI(title="VIG Vault", openapi_url=None, docs_url=None, redoc_url=None)
    ending = ending or Ending()
    app.state.service = service
    app.state.readiness = Readiness((*parts_of(service), *also_ready), ending=ending, alarms=alarms_of(service))
    errors.install(app)
    app.add_middleware(Draining, ending=ending)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Armour, origin=service.settings.public_origin, also_hosts=(service.settings.listen,))
    app.add_middleware(RequestLog)
    return app
