"""Staff sign in: password, then a code; enrolment by the administrator's link; signing out; the first page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

import identity
from app import cookies
from app.forms import Form, Posted, require_same
from app.pages import qr
from app.policy import ANYONE_SIGNED_IN, PUBLIC, signed_in
from app.service import Service, service_of
from app.statuses import status_of
from app.tasks import tasks_of
from app.web import go, leave, page, shown_again, whence_of
from core.errors import Invalid, NotSignedIn, VaultError
from core.secret import Secret
from identity import Actor, PersonKind, SignedIn

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]


@router.get("/", dependencies=[Depends(PUBLIC)])
def first_page(request: Request, service: TheService) -> Response:
    """Where someone lands: their work, their clips, or the sign-in."""
    actor = signed_in(request)
    if actor is None:
        known = cookies.token(request, cookies.DEVICE)
        return go("/family/sign-in" if known else "/sign-in")
    if actor.kind is PersonKind.FAMILY:
        return go("/your-clips")
    request.state.actor = actor
    with service.db.read() as session:
        name = identity.person_name(session, keystore=service.keystore, person=actor.person)
    return page(request, "staff_home.html", name=name, **tasks_of(service, actor))


@router.get("/sign-in", dependencies=[Depends(PUBLIC)])
def sign_in_page(request: Request) -> Response:
    """The first step."""
    return page(request, "sign_in.html")


@router.post("/sign-in", dependencies=[Depends(PUBLIC)])
def sign_in(request: Request, form: Posted, service: TheService) -> Response:
    """Take email address and password."""
    try:
        begun = identity.sign_in_password(
            service.db,
            keystore=service.keystore,
            email=form.text("email", called="your work email address"),
            password=form.secret("password", called="your password"),
            whence=whence_of(request),
        )
    except VaultError as error:
        return page(
            request, "sign_in.html", status=status_of(error), problem=error, given={"email": form.optional("email")}
        )
    response = go("/sign-in/code")
    cookies.put_session(response, begun.token)
    return response


@router.get("/sign-in/code", dependencies=[Depends(PUBLIC)])
def code_page(request: Request) -> Response:
    """The second step."""
    if cookies.token(request, cookies.SESSION) is None:
        return go("/sign-in")
    return page(request, "second_factor.html")


@router.post("/sign-in/code", dependencies=[Depends(PUBLIC)])
def code(request: Request, form: Posted, service: TheService) -> Response:
    """Take the code."""
    token = cookies.token(request, cookies.SESSION)
    if token is None:
        raise NotSignedIn("not_signed_in", "Please begin again with your email address and password.")
    try:
        whole = identity.sign_in_totp(
            service.db,
            keystore=service.keystore,
            token=token,
            code=form.secret("code", called="the code").reveal(),
            whence=whence_of(request),
        )
    except NotSignedIn:
        return go("/sign-in")
    except VaultError as error:
        return page(request, "second_factor.html", status=status_of(error), problem=error)
    return _enter(whole)


@router.post("/sign-out")
def sign_out(request: Request, actor: Annotated[Actor, Depends(ANYONE_SIGNED_IN)], service: TheService) -> Response:
    """End this session."""
    token = cookies.token(request, cookies.SESSION)
    if token is not None:
        identity.sign_out(service.db, token=token)
    return leave(actor)


@router.get("/enrol/{token}", dependencies=[Depends(PUBLIC)])
def enrol_page(request: Request, token: str, service: TheService) -> Response:
    """A new member of staff's link; looking uses nothing up."""
    identity.look_enrolment(service.db, keystore=service.keystore, token=Secret(token), whence=whence_of(request))
    return page(request, "enrol.html", step="password")


@router.post("/enrol/{token}", dependencies=[Depends(PUBLIC)])
def enrol(request: Request, token: str, form: Posted, service: TheService) -> Response:
    """Choose a password, and then show a first code."""
    link = Secret(token)
    if form.has("code"):
        return _confirm(request, link, form=form, service=service)
    try:
        password = form.secret("password", called="a password")
        again = form.secret("password_again", called="the same password again")
        require_same(password, again, field="password_again")
        setup = identity.enrol(
            service.db, keystore=service.keystore, token=link, password=password, whence=whence_of(request)
        )
    except Invalid as error:
        return page(request, "enrol.html", step="password", problem=error)
    return _code_page(request, address=setup.address.reveal(), secret=setup.secret.reveal())


def _confirm(request: Request, link: Secret[str], *, form: Form, service: Service) -> Response:
    try:
        code = form.secret("code", called="the code").reveal()
        whole = identity.confirm_enrolment(
            service.db, keystore=service.keystore, token=link, code=code, whence=whence_of(request)
        )
    except VaultError as error:
        if not shown_again(error) and error.code not in {"wrong_code", "too_many_tries"}:
            raise
        # The secret is shown once. Who mistyped only types again; who lost it opens the link again.
        return page(request, "enrol.html", status=status_of(error), problem=error, step="code", qr=None, pending="")
    return _enter(whole)


def _enter(whole: SignedIn) -> Response:
    response = go("/")
    cookies.put_session(response, whole.token)
    if whole.mark is not None:
        cookies.put_mark(response, whole.mark)
    return response


def _code_page(request: Request, *, address: str, secret: str) -> Response:
    words = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return page(
        request,
        "enrol.html",
        step="code",
        qr=qr(address),
        secret_words=words,
        pending="",
    )
