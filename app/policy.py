"""Who may use a route. Every route states exactly one policy; a test walks the router and fails on one that doesn't.

A policy is a FastAPI dependency that stands first in a route, so it is decided before any byte of a body is read
(forms are read by ``app.forms``, after it). It looks at the session only; whether this person may do this to this case
is decided by the room that does it.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from app import cookies
from core.db import not_found
from core.errors import NotSignedIn
from identity import Actor, PersonKind, Role, actor_for


@dataclass(frozen=True, slots=True)
class Policy:
    """A route's policy.

    Attributes:
        kinds: which kinds of people, signed in with two factors. Empty: everyone, signed in or not.
        roles: staff need one of these organisation roles. Empty: any.
    """

    kinds: frozenset[PersonKind] = frozenset()
    roles: frozenset[Role] = frozenset()

    def __call__(self, request: Request) -> Actor | None:
        """Decide.

        Raises:
            NotSignedIn: nobody is signed in, or without a second factor.
            NotFound: signed in, and this page isn't theirs.
        """
        if not self.kinds:
            return None
        actor = signed_in(request)
        if actor is None:
            raise NotSignedIn("not_signed_in", "Please sign in to see this page.")
        if actor.kind not in self.kinds or (self.roles and not actor.roles & self.roles):
            raise not_found()
        request.state.actor = actor
        return actor


@dataclass(frozen=True, slots=True)
class Signed(Policy):
    """A policy that always gives an actor."""

    def __call__(self, request: Request) -> Actor:
        """As in ``Policy``."""
        actor = Policy.__call__(self, request)
        if actor is None:
            raise NotSignedIn("not_signed_in", "Please sign in to see this page.")
        return actor


@dataclass(frozen=True, slots=True)
class Open(Policy):
    """Everyone may. Decided without a thread, so that it is answered even while every thread waits for a database."""

    async def __call__(self, request: Request) -> None:  # type: ignore[override]  # FastAPI awaits it
        """Let everyone in."""
        del request


PUBLIC = Open()
ANYONE_SIGNED_IN = Signed(kinds=frozenset({PersonKind.STAFF, PersonKind.FAMILY}))
FAMILY = Signed(kinds=frozenset({PersonKind.FAMILY}))
STAFF = Signed(kinds=frozenset({PersonKind.STAFF}))


def staff(*roles: Role) -> Signed:
    """Staff with one of these organisation roles."""
    return Signed(kinds=frozenset({PersonKind.STAFF}), roles=frozenset(roles))


def signed_in(request: Request) -> Actor | None:
    """The signed-in person with two factors, or nobody."""
    token = cookies.token(request, cookies.SESSION)
    if token is None:
        return None
    try:
        actor = actor_for(request.app.state.service.db, token)
    except NotSignedIn:
        return None
    return actor if actor.has_two_factors else None
