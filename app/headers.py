"""What every answer carries and every request must pass before a route sees it: pure ASGI, no body is touched.

- security headers of ``docs/threat-model.md`` (CSP ``default-src 'none'``, COOP, COEP, CORP, no referrer, no store),
  and that no proxy is to put an answer aside;
- the request's number (``app.request_log``);
- the cross-origin check: an unsafe method from another site is refused by ``Sec-Fetch-Site``, or by ``Origin`` where a
  browser is too old for it (the algorithm of Go's ``http.CrossOriginProtection``); a client that sends neither is not
  a browser and carries no ambient cookie;
- the ``Host`` check: other names for this server are refused (DNS rebinding, poisoned links).
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSP = "; ".join(  # noqa: FLY002 - one directive a line reads better
    (
        "default-src 'none'",
        "object-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
FIXED = {
    "Content-Security-Policy": CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), screen-wake-lock=(self)",
    "X-Accel-Buffering": "no",
}
"""The last one is for nginx, which else keeps film in clear on its own disk, and feeds a player from it after a cut."""
ASK_AGAIN = "no-cache"
"""For static files: modules name one another without a version, and after an upgrade old and new don't fit together."""
HSTS = "max-age=63072000; includeSubDomains"


class Armour:
    """The middleware.

    Args:
        app: what it wraps.
        origin: the public origin, as browsers send it.
        also_hosts: further accepted values of ``Host`` (health checks from the machine itself).
    """

    def __init__(self, app: ASGIApp, *, origin: str, also_hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._origin = origin
        self._hosts = {urlsplit(origin).netloc, *also_hosts}
        self._secure = origin.startswith("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, pass on, and dress the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope.get("state", {}).get("request_id", "")
        is_static = scope["path"].startswith("/static/")

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in FIXED.items():
                    headers[name] = value
                if request_id:
                    headers["X-Request-Id"] = request_id
                headers["Cache-Control"] = ASK_AGAIN if is_static else "no-store"
                if self._secure:
                    headers["Strict-Transport-Security"] = HSTS
            await send(message)

        problem = self._problem(scope)
        if problem:
            await PlainTextResponse(problem, status_code=403)(scope, receive, dressed)
            return
        await self._app(scope, receive, dressed)

    def _problem(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        named = headers.getlist("host")
        if len(named) != 1 or named[0] not in self._hosts:
            return "wrong_host: This server does not answer to that name.\n"
        if scope["method"] in SAFE_METHODS:
            return ""
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        same = site in {"same-origin", "none"} if site else origin in {None, self._origin}
        return "" if same else "cross_origin: That request came from another site, so nothing was done.\n"
