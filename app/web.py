"""From a route to a page: who is looking, what was just done, what was wrong with the form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import cookies, pages
from app.pages import Notice, NoticeKind, Problem, Visitor
from core.errors import Invalid, RateLimited, VaultError
from core.secret import Secret
from identity import Actor, PersonKind, Whence, person_name

SAVED = {
    "case": "The family is set up.",
    "person": "The person was added.",
    "assignment": "The assignment was saved.",
    "caseload": "The caseload was saved.",
    "visit": "The visit was saved.",
    "filming": "The filming agreement was saved.",
    "cancelled": "The upload was given up. Nothing of it is kept.",
    "film": "All of the film is here. We are getting it ready.",
    "cut": "The clip is being cut.",
    "shown": "Who is shown was saved.",
    "making": "The blurred version is being made.",
    "blur_stopped": "It was stopped. Your choices are kept.",
    "check": "A colleague was asked to check.",
    "checked": "The check was saved.",
    "check_back": "The check was taken back. Now ask somebody else.",
    "check_over": "That check no longer waits for you. It was taken back, or another version was made.",
    "asked": "The family was asked.",
    "safe": "That it is safe to ask was noted. Now ask them below.",
    "answer": "Your answer is saved.",
    "stopped": "Sharing has stopped.",
    "hold": "The hold was saved.",
    "approved": "The sweep was approved.",
    "agreed": "Saved. It goes with the next sweep.",
    "clock": "The time was accepted.",
    "reviewed": "The hold stays.",
    "released": "The hold is released.",
    "planned": "The sweep is under way.",
    "halted": "The sweep stopped before it destroyed anything. Look at it below.",
    "account": "The account was added.",
    "account_ended": "They are signed out everywhere and have no place in any case.",
    "roles": "The roles were saved. They are signed out everywhere, and sign in again.",
    "elsewhere": "You are signed out everywhere else.",
    "ended": "That sign-in has ended.",
    "password": "Your password was changed. You are signed out everywhere else.",
    "passcode": "Your passcode was changed. You are signed out everywhere else.",
    "phone_ended": "That phone opens nothing any more.",
    "phone": "Thank you. It is noted that the film is gone from the phone.",
    "closed": "The case is closed.",
    "told": "What you were told was saved. It counts at once.",
}
"""What a redirect may ask the next page to say (``?saved=…``): our own sentences only."""
NOTICE_KINDS = {"halted": NoticeKind.IMPORTANT, "check_over": NoticeKind.IMPORTANT}
"""Those that aren't about something saved."""


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    problem: VaultError | None = None,
    given: Mapping[str, object] | None = None,
    **context: Any,
) -> Response:
    """Answer with a page in the frame of whoever is looking.

    Args:
        request: with ``state.actor`` where a policy has put one.
        template: its file name.
        status: HTTP status; a problem makes it 422 unless another is given.
        problem: what was wrong with the form that is shown again.
        given: what was typed, to be shown again.
        context: what the template asks for.

    Raises:
        VaultError: the problem, where no person waits for a page.
    """
    if problem is not None and not wants_page(request):
        raise problem  # a program gets the code and the sentence, not the form
    problems = (Problem(problem.sentence, problem.field),) if problem else ()
    asked = request.query_params.get("saved", "")
    said = SAVED.get(asked)
    answer = pages.render(
        request,
        template,
        visitor=visitor_of(request),
        status=422 if problem and status == 200 else status,  # noqa: PLR2004 - the usual status
        notice=Notice(said, NOTICE_KINDS.get(asked, NoticeKind.SAVED)) if said and not problem else None,
        problems=problems,
        given=given or {},
        away=request.app.state.service.settings.exit_address,
        **context,
    )
    if isinstance(problem, RateLimited):
        answer.headers["Retry-After"] = str(math.ceil(problem.retry_after.total_seconds()))
    return answer


def whence_of(request: Request) -> Whence:
    """Where a request comes from. Behind a proxy uvicorn has put the address there that the proxy told."""
    return Whence(
        address=request.client.host if request.client else "",
        agent=request.headers.get("user-agent", ""),
        mark=cookies.token(request, cookies.MARK) or Secret(""),
    )


def wants_page(request: Request) -> bool:
    """Whether a person in a browser waits for the answer."""
    return "text/html" in request.headers.get("accept", "")


def visitor_of(request: Request) -> Visitor:
    """The frame for whoever is signed in."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None:
        return Visitor()
    if actor.kind is PersonKind.FAMILY:
        return pages.family_visitor()
    service = request.app.state.service
    with service.db.read() as session:
        name = person_name(session, keystore=service.keystore, person=actor.person)
    return pages.staff_visitor(name, roles=actor.roles)


def go(path: str, *, saved: str = "") -> RedirectResponse:
    """Send the browser on after a post."""
    return RedirectResponse(f"{path}?saved={saved}" if saved else path, status_code=303)


def leave(actor: Actor) -> Response:
    """To the sign-in, without a session. Nothing of a page stays behind: each was sent with ``no-store``."""
    response = go("/family/sign-in" if actor.kind is PersonKind.FAMILY else "/sign-in")
    cookies.drop_session(response)
    return response


def shown_again(error: VaultError) -> bool:
    """Whether a form should be shown again with the error beside its field, rather than an error page."""
    return isinstance(error, Invalid) or error.field is not None
