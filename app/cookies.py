"""The cookies: a session, a family's bound device, and a mark that keeps others from using up the tries of staff.

One more, ``DRAFT``, is ``app.drafts``' own; it goes with the session.

``__Host-``: only over TLS (or loopback), only to this host.
"""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from core.secret import Secret

SESSION = "__Host-session"
DEVICE = "__Host-device"
MARK = "__Host-mark"
DRAFT = "__Host-draft"
DEVICE_LIFE = timedelta(days=400)
"""As long as browsers keep a cookie; the device itself ends with the case or when it is revoked."""


def token(request: Request, name: str) -> Secret[str] | None:
    """A cookie's value, if it was sent."""
    value = request.cookies.get(name)
    return Secret(value) if value else None


def put_session(response: Response, value: Secret[str]) -> None:
    """Keep a session until the browser closes; the server ends it earlier."""
    _put(response, SESSION, value.reveal(), life=None)


def put_device(response: Response, value: Secret[str]) -> None:
    """Bind this device."""
    _put(response, DEVICE, value.reveal(), life=DEVICE_LIFE)


def put_mark(response: Response, value: Secret[str]) -> None:
    """Remember that a member of staff signed in here; it opens nothing (``identity.whence``)."""
    _put(response, MARK, value.reveal(), life=DEVICE_LIFE)


def drop_session(response: Response) -> None:
    """Forget the session here, and answers that were given in it and not saved."""
    for name in (SESSION, DRAFT):
        _put(response, name, "", life=timedelta(0))


def drop_device(response: Response) -> None:
    """Forget a device that isn't bound any more."""
    _put(response, DEVICE, "", life=timedelta(0))


def _put(response: Response, name: str, value: str, *, life: timedelta | None) -> None:
    seconds = None if life is None else int(life.total_seconds())
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")
