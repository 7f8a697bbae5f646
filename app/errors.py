"""From errors to answers: the one place where an error meets an HTTP status. Nothing of a traceback leaves."""

from __future__ import annotations

import logging
import math
from contextlib import suppress

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import cookies, error_words, pages, tus
from app.policy import signed_in
from app.statuses import status_of
from app.web import page, wants_page
from core import errors
from core.db import not_found
from identity import PersonKind

_LOG = logging.getLogger("vault.app")
_AT_HOME = ("/your-clips", "/family/", "/invitation/", "/who-watched", "/receipts/", "/leave")
"""Where only families have pages."""


def answer(request: Request, error: errors.VaultError) -> Response:
    """The answer to an error: a page for people, JSON (``code``, ``sentence``) for programs."""
    if isinstance(error, errors.NotSignedIn) and wants_page(request) and request.method == "GET":
        known = cookies.token(request, cookies.DEVICE)
        return RedirectResponse("/family/sign-in" if known else "/sign-in", status_code=303)
    status = status_of(error)
    headers = tus.headers_of_error(error, request.headers)
    if isinstance(error, errors.RateLimited | errors.Unavailable):
        headers["Retry-After"] = str(math.ceil(error.retry_after.total_seconds()))
    response = _page(request, error, status=status) if wants_page(request) else _object(error, status=status)
    response.headers.update(headers)
    return response


def _page(request: Request, error: errors.VaultError, *, status: int) -> Response:
    at_home = _is_at_home(request)
    said = (error_words.for_family if at_home else error_words.for_staff)(error, status=status)
    context = {
        "code": error.code,
        "heading": said.heading,
        "sentence": said.sentence or error.sentence,
        "advice": said.advice,
        "request_id": request.state.request_id,
        "phone": request.app.state.service.settings.help_phone,
        "next": {"text": "Go to your clips", "href": "/your-clips"} if at_home else None,
        "family_page": at_home,
    }
    try:
        return page(request, "error.html", status=status, **context)
    except (errors.VaultError, SQLAlchemyError):  # the frame asks the database too, which may be what is wrong
        return pages.render(request, "error.html", status=status, **context)


def _is_at_home(request: Request) -> bool:
    """Whether somebody of a family reads this. Whoever can't be told apart by their session is by place and device."""
    if request.url.path.startswith(_AT_HOME):
        return True
    if getattr(request.state, "actor", None) is None:
        with suppress(errors.VaultError, SQLAlchemyError):
            request.state.actor = signed_in(request)
    actor = getattr(request.state, "actor", None)
    return actor.kind is PersonKind.FAMILY if actor else cookies.token(request, cookies.DEVICE) is not None


def _object(error: errors.VaultError, *, status: int) -> Response:
    body = {"code": error.code, "sentence": error.sentence} | ({"field": error.field} if error.field else {})
    return JSONResponse(body, status_code=status)


def install(app: FastAPI) -> None:
    """Have the application answer errors this way."""

    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, errors.VaultError)
        if isinstance(error, errors.Unavailable | errors.Damaged):
            _LOG.warning("answered", extra={"code": error.code})
        return answer(request, error)

    async def http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 404:  # noqa: PLR2004 - the number is its name
            return answer(request, not_found())
        if status == 405:  # noqa: PLR2004 - likewise
            response = answer(request, errors.Invalid("wrong_method", "That page can't be used in this way."))
            response.status_code = status
            return response
        response = answer(request, errors.Invalid("bad_request", "We could not understand that request."))
        response.status_code = status
        return response

    async def malformed(request: Request, error: Exception) -> Response:
        del error
        return answer(request, errors.Invalid("bad_request", "We could not understand that request."))

    async def gone(request: Request, error: Exception) -> Response:
        del request, error  # whoever sent went away: a lost signal is no fault, and nobody listens
        return Response(status_code=400)

    app.add_exception_handler(errors.VaultError, known)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_middleware(LastResort)


class LastResort:
    """Answers what nobody foresaw. Starlette's own place for that lies outside the armour, so its answers are bare."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; where that fails before an answer began, answer."""
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            request = Request(scope)
            _LOG.error("failed", exc_info=error)
            failed = errors.Unavailable("failed", "Something went wrong on our side. Please try again.")
            response = answer(request, failed)
            response.status_code = 500
            await response(scope, receive, send)
