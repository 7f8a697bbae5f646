"""What a process answers before it was given its root: every page 503 in plain words; static files and health live.

No database is opened until then. ``Front`` is what the server serves all its life: first this, then the application.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from app import cookies, error_words, pages
from app.ending import Draining, Ending, Stage
from app.headers import Armour
from app.pages import STATIC
from app.request_log import RequestLog
from app.settings import Settings
from app.web import wants_page
from core.errors import Unavailable

RETRY_AFTER_SECONDS = 30
_AT_HOME = ("/your-", "/family/", "/invitation/", "/who-watched", "/receipts/", "/leave")
_SEALED = Unavailable("sealed", "The vault is sealed: its root has not been given since it started. Nothing was lost.")


class Front:
    """The application of a process, whatever it is just now.

    Args:
        app: what answers at first.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def become(self, app: ASGIApp) -> None:
        """From the next request on, answer with another."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        await self._app(scope, receive, send)


def create_sealed_app(settings: Settings, *, ending: Ending) -> Starlette:
    """Make the application of a sealed process.

    Args:
        settings: whose origin it answers to.
        ending: this process's end.
    """

    async def sealed(request: Request) -> Response:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        if not wants_page(request):
            body = {"code": _SEALED.code, "sentence": _SEALED.sentence}
            return JSONResponse(body, status_code=503, headers=headers)
        at_home = request.url.path.startswith(_AT_HOME) or cookies.token(request, cookies.DEVICE) is not None
        said = (error_words.for_family if at_home else error_words.for_staff)(_SEALED, status=503)
        response = pages.render(
            request,
            "error.html",
            status=503,
            away=settings.exit_address,
            code=_SEALED.code,
            heading=said.heading,
            sentence=said.sentence or _SEALED.sentence,
            advice=said.advice,
            request_id=request.state.request_id,
            phone=settings.help_phone,
            next=None,
            family_page=at_home,
        )
        response.headers.update(headers)
        return response

    async def alive(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def ready(_request: Request) -> Response:
        failing = {"process": "closing"} if ending.stage > Stage.OPEN else {"keys": "sealed"}
        body = {"ready": False, "failing": failing}
        return JSONResponse(body, status_code=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})

    return Starlette(
        routes=[
            Route("/healthz", alive),
            Route("/readyz", ready),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
            Route("/{rest:path}", _Everything(sealed)),
        ],
        middleware=[
            Middleware(RequestLog),
            Middleware(Armour, origin=settings.public_origin, also_hosts=(settings.listen,)),
            Middleware(Draining, ending=ending),
        ],
    )


class _Everything:
    """An endpoint for every method: one that is a function would answer some with 405."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)
