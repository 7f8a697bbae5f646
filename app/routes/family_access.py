"""A family member's way in: the invitation, its second thing, signing in on the bound device; and the way out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

import identity
from app import cookies
from app.forms import Posted, require_same
from app.policy import PUBLIC
from app.service import Service, service_of
from app.statuses import status_of
from app.web import go, page, wants_page, whence_of
from core.errors import NotSignedIn, VaultError
from core.secret import Secret

router = APIRouter(dependencies=[Depends(PUBLIC)])
TheService = Annotated[Service, Depends(service_of)]
_SHOWN_AGAIN = {"wrong_code": "code", "code_not_sent": "code", "too_many_tries": "code"}
_MOST_SECRET = 64


@router.get("/invitation/{token}")
def invitation(request: Request, token: str, service: TheService) -> Response:
    """What a link leads to. Looking uses nothing up, and says nothing about anybody."""
    found = identity.look(service.db, keystore=service.keystore, token=Secret(token), whence=whence_of(request))
    return page(request, "invitation.html", second_thing=found.second_thing.value, expires_at=found.expires_at)


@router.get("/invitation/{token}/activate")
def activate_page(request: Request, token: str, service: TheService) -> Response:
    """The form for the code and a passcode."""
    found = identity.look(service.db, keystore=service.keystore, token=Secret(token), whence=whence_of(request))
    return page(request, "activate.html", second_thing=found.second_thing.value)


@router.post("/invitation/{token}/activate")
def activate(request: Request, token: str, form: Posted, service: TheService) -> Response:
    """Bind this device to the person who was invited."""
    found = identity.look(service.db, keystore=service.keystore, token=Secret(token), whence=whence_of(request))
    try:
        code = form.secret("code", called="your code", most=_MOST_SECRET).reveal()
        passcode = form.secret("passcode", called="a passcode", most=_MOST_SECRET)
        again = form.secret("passcode_again", called="the same passcode again", most=_MOST_SECRET)
        require_same(passcode, again, field="passcode_again")
        done = identity.activate(
            service.db,
            keystore=service.keystore,
            token=Secret(token),
            code=code,
            passcode=passcode,
            whence=whence_of(request),
        )
    except VaultError as error:
        error.field = error.field or _SHOWN_AGAIN.get(error.code)
        if error.field is None or not wants_page(request):
            raise
        return _again(request, "activate.html", error, second_thing=found.second_thing.value)
    response = go("/your-clips")
    cookies.put_device(response, done.device)
    cookies.put_session(response, done.signed_in.token)
    return response


@router.get("/family/sign-in")
def sign_in_page(request: Request) -> Response:
    """The form for the passcode, on a device that was bound."""
    known = cookies.token(request, cookies.DEVICE) is not None
    return page(request, "family_sign_in.html", device_known=known)


@router.post("/family/sign-in")
def sign_in(request: Request, form: Posted, service: TheService) -> Response:
    """Take the passcode."""
    device = cookies.token(request, cookies.DEVICE)
    try:
        begun = identity.sign_in_device(
            service.db,
            keystore=service.keystore,
            device=device or Secret(""),
            passcode=form.secret("passcode", called="your passcode", most=_MOST_SECRET),
            whence=whence_of(request),
        )
    except NotSignedIn as error:
        if not wants_page(request):
            raise
        response = page(request, "family_sign_in.html", status=status_of(error), device_known=False)
        cookies.drop_device(response)
        return response
    except VaultError as error:
        error.field = error.field or "passcode"
        if not wants_page(request):
            raise
        return _again(request, "family_sign_in.html", error, device_known=True)
    response = go("/your-clips")
    cookies.put_session(response, begun.token)
    return response


@router.get("/leave")
def leave(request: Request, service: TheService) -> Response:
    """*Exit this page* without JavaScript: sign out, so that the way back shows nothing, and be somewhere else."""
    return _left(request, service, RedirectResponse(service.settings.exit_address, status_code=303))


@router.post("/leave")
def leave_behind(request: Request, service: TheService) -> Response:
    """*Exit this page* with JavaScript: the page is gone already and only signs out."""
    return _left(request, service, Response(status_code=204))


def _left(request: Request, service: Service, response: Response) -> Response:
    token = cookies.token(request, cookies.SESSION)
    if token is not None:
        identity.sign_out(service.db, token=token)
        cookies.drop_session(response)
    return response


def _again(request: Request, template: str, error: VaultError, **context: Any) -> Response:
    return page(request, template, status=status_of(error), problem=error, **context)
