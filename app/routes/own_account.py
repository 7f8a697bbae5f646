"""One's own account: where one is signed in, ending that, and another password or passcode."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

import identity
from app import cookies
from app.forms import Form, Posted, require_same
from app.policy import ANYONE_SIGNED_IN, FAMILY, STAFF
from app.service import Service, service_of
from app.statuses import status_of
from app.web import go, leave, page, shown_again
from core.errors import RateLimited, VaultError
from core.ids import SessionId
from core.secret import Secret
from identity import Actor, PersonKind

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Anyone = Annotated[Actor, Depends(ANYONE_SIGNED_IN)]
Staff = Annotated[Actor, Depends(STAFF)]
Family = Annotated[Actor, Depends(FAMILY)]


@router.get("/your-account")
def your_account(request: Request, actor: Staff, service: TheService) -> Response:
    """Where a member of staff is signed in."""
    sessions = identity.sessions_of(service.db, keystore=service.keystore, actor=actor)
    return page(request, "your_account.html", sessions=sessions)


@router.get("/your-phone")
def your_phone(request: Request, actor: Family, service: TheService) -> Response:
    """What a family member signs in with, and where they are signed in."""
    return page(
        request,
        "your_phone.html",
        device=identity.own_device(service.db, actor=actor),
        sessions=identity.sessions_of(service.db, keystore=service.keystore, actor=actor),
    )


@router.post("/your-sessions/end")
def end_others(actor: Anyone, service: TheService) -> Response:
    """End all sessions but this one."""
    identity.end_other_sessions(service.db, actor=actor)
    return go(_home_of(actor), saved="elsewhere")


@router.post("/your-sessions/{session_id}/end")
def end_one(session_id: SessionId, actor: Anyone, service: TheService) -> Response:
    """End one of one's own sessions; this one too."""
    mine = identity.sessions_of(service.db, keystore=service.keystore, actor=actor)
    identity.require_one_of(mine, session_id)
    identity.revoke_session(service.db, actor=actor, session_id=session_id)
    if session_id == actor.session:
        return leave(actor)
    return go(_home_of(actor), saved="ended")


@router.get("/your-account/password")
def password_page(request: Request, _actor: Staff) -> Response:
    """The form for another password."""
    return page(request, "password.html")


@router.post("/your-account/password")
def password(request: Request, actor: Staff, form: Posted, service: TheService) -> Response:
    """Take the present password and the next."""
    try:
        current, new = _both(form, "password", called="a password")
        token = identity.change_password(service.db, keystore=service.keystore, actor=actor, current=current, new=new)
    except VaultError as error:
        return _again(request, "password.html", error)
    return _with_token(go("/your-account", saved="password"), token)


@router.get("/your-phone/passcode")
def passcode_page(request: Request, _actor: Family) -> Response:
    """The form for another passcode."""
    return page(request, "passcode.html")


@router.post("/your-phone/passcode")
def passcode(request: Request, actor: Family, form: Posted, service: TheService) -> Response:
    """Take the present passcode and the next."""
    try:
        current, new = _both(form, "passcode", called="a passcode")
        token = identity.change_passcode(service.db, actor=actor, current=current, new=new)
    except VaultError as error:
        return _again(request, "passcode.html", error)
    return _with_token(go("/your-phone", saved="passcode"), token)


@router.post("/your-phone/forget")
def forget(actor: Family, service: TheService) -> Response:
    """Unbind one's own device."""
    identity.forget_own_device(service.db, actor=actor)
    response = leave(actor)
    cookies.drop_device(response)
    return response


def _home_of(actor: Actor) -> str:
    return "/your-phone" if actor.kind is PersonKind.FAMILY else "/your-account"


def _both(form: Form, name: str, *, called: str) -> tuple[Secret[str], Secret[str]]:
    """The present secret, and the next that was typed twice."""
    current = form.secret("current", called=f"your present {name}")
    new = form.secret(name, called=called)
    require_same(new, form.secret(f"{name}_again", called=f"the same {name} again"), field=f"{name}_again")
    return current, new


def _again(request: Request, template: str, error: VaultError) -> Response:
    if error.code == "wrong_passcode":
        error.field = "current"
    if not shown_again(error) and not isinstance(error, RateLimited):
        raise error
    return page(request, template, status=status_of(error), problem=error)


def _with_token(response: Response, token: Secret[str]) -> Response:
    cookies.put_session(response, token)
    return response
