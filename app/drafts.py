"""Answers between the pages of questions: in the person's own browser, and worth nothing until they are saved.

One cookie holds the answers about one clip. It is the person's own input only, and is read like any other input.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from app import cookies
from core.ids import NoticeId, RenditionId, well_formed
from identity import Actor

COOKIE = cookies.DRAFT
_LONGEST = 3800
"""Browsers keep about four thousand bytes."""


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """One answer that isn't saved.

    Attributes:
        says: ``yes`` or ``no``.
        version: of the case, as the page showed it.
        notice: the words that the page showed.
    """

    says: str = field(repr=False)
    version: int
    notice: NoticeId


@dataclass(frozen=True, slots=True)
class Draft:
    """The answers about one clip that aren't saved, by the key of their question."""

    rendition_id: RenditionId
    answers: dict[str, DraftAnswer] = field(default_factory=dict, repr=False)

    def with_answer(self, key: str, answer: DraftAnswer) -> Draft:
        """With one answer more, or another one."""
        return Draft(self.rendition_id, {**self.answers, key: answer})


def read(request: Request, actor: Actor, *, rendition_id: RenditionId) -> Draft:
    """What this person answered about a clip in this sign-in; nothing where the cookie can't be read."""
    empty = Draft(rendition_id)
    text = request.cookies.get(COOKIE, "")
    try:
        data = json.loads(base64.urlsafe_b64decode(text.encode()))
        if data["session"] != actor.session or data["clip"] != rendition_id:
            return empty
        answers = {str(key): _answer(*one) for key, one in data["answers"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        return empty
    return Draft(rendition_id, answers)


def keep(response: Response, actor: Actor, *, draft: Draft) -> None:
    """Put a draft into the browser until it closes."""
    data = {
        "session": actor.session,
        "clip": draft.rendition_id,
        "answers": {key: [one.says, one.version, one.notice] for key, one in draft.answers.items()},
    }
    text = base64.urlsafe_b64encode(json.dumps(data, separators=(",", ":")).encode()).decode()
    if len(text) <= _LONGEST:
        response.set_cookie(COOKIE, text, path="/", secure=True, httponly=True, samesite="strict")


def drop(response: Response) -> None:
    """Forget the draft."""
    response.set_cookie(COOKIE, "", max_age=0, path="/", secure=True, httponly=True, samesite="strict")


def _answer(says: object, version: object, notice: object) -> DraftAnswer:
    if says not in {"yes", "no"} or not isinstance(version, int) or not isinstance(notice, str):
        raise ValueError
    if not well_formed(notice) or not 0 <= version < 2**31:
        raise ValueError
    return DraftAnswer(str(says), version, NoticeId(notice))
