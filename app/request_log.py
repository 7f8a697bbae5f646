"""One log line for each request, and the number that its answer, its log lines and its audit entries share.

The line has the *route* (``/families/{case_id}``), never the address; no query, no header, no name, no network address.
Who did what to whom is the audit log's matter, which is guarded; this log is for those who keep the machine running.
"""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.ending import ASKED_BY_MACHINES
from app.logs import FIELDS
from core.requests import answering

_LOG = logging.getLogger("vault.requests")


class RequestLog:
    """The outermost middleware.

    Args:
        app: what it wraps.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Number the request, pass it on, and note how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        status, sent, begun = 0, 0, time.monotonic()

        async def counting(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            sent += len(message.get("body", b""))
            await send(message)

        with answering(request_id):
            try:
                await self._app(scope, receive, counting)
            finally:
                route = _route(scope)
                if status != 200 or route not in ASKED_BY_MACHINES:  # noqa: PLR2004 - all is well
                    method = scope["method"] if re.fullmatch(FIELDS["method"], scope["method"]) else "other"
                    extra = {"route": route, "method": method, "ms": round((time.monotonic() - begun) * 1000)}
                    _LOG.info("request", extra=extra | {"status": status or None, "bytes": sent})


def _route(scope: Scope) -> str:
    """The template of the route that answered, which holds nothing of the address."""
    if scope["path"].startswith("/static/"):
        return "static"
    return getattr(scope.get("route"), "path", "unknown")
