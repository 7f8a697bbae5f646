"""The questions to a family member: one a page, answers kept in the browser, a look at them, and only then saving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

import consent
from app import drafts
from app.drafts import Draft, DraftAnswer
from app.family_home import Group, Home
from app.forms import Form
from app.service import Service
from app.statuses import status_of
from app.web import go, page, wants_page
from consent import Yes
from core.db import not_found
from core.errors import Conflict, Invalid, VaultError
from core.ids import ConsentEventId, RenditionId
from identity import Actor
from vault import HomeClip


def following(pages: Sequence[Group], draft: Draft) -> str:
    """Where to go next: the first question that wants an answer and has none in the draft, or the look at them all."""
    for number, group in enumerate(pages, start=1):
        if group.is_open and group.key not in draft.answers:
            return _address(group, number)
    if answered(pages, draft):
        return f"/your-clips/{draft.rendition_id}/check"
    return _address(pages[0], 1)


def question_page(
    request: Request,
    home: Home,
    rendition_id: RenditionId,
    *,
    number: int,
    draft: Draft | None,
    problem: VaultError | None = None,
) -> Response:
    """One question.

    Args:
        request: of the page.
        home: what this person has.
        rendition_id: the clip.
        number: which question, from 1.
        draft: whose answer to show as chosen, if any.
        problem: what was wrong with the answer.

    Raises:
        NotFound: no such question.
    """
    pages = home.questions(rendition_id)
    group = _numbered(pages, number)
    clip = home.clip(rendition_id)
    first = group.questions[0]
    chosen = draft.answers.get(group.key) if draft else None
    return page(
        request,
        "question.html",
        status=status_of(problem) if problem else 200,
        problem=problem,
        clip=named(clip),
        number=number,
        of=len(pages),
        key=group.page_key,
        question=group.asking.question,
        who=group.who,
        about=f"You answer for {group.about}." if group.about else "",
        words=first.notice.body.split("\n\n"),
        yes=group.asking.yes,
        no=group.asking.no,
        answered=chosen.says if chosen else "",
        watched=f"/your-clips/{rendition_id}" if clip.may_watch else None,
        version=str(first.page_version),
    )


def take_answer(request: Request, actor: Actor, home: Home, form: Form, *, number: int, draft: Draft) -> Response:
    """Keep one answer in the draft, and go on.

    Raises:
        NotFound: no such question.
        Invalid: neither yes nor no, for a program; a person sees the question again.
    """
    pages = home.questions(draft.rendition_id)
    group = _numbered(pages, number)
    try:
        if form.has("question") and form.optional("question") != group.page_key:
            raise Conflict("question_moved", "There is a new question. Please read this one again.", field="answer")
        says = form.optional("answer")
        if says not in {"yes", "no"}:
            raise Invalid("missing", "Choose yes or no. You can also press Ask me later.", field="answer")
        version = form.number("version", called="the version of the page")
    except VaultError as error:
        if not wants_page(request):
            raise
        return question_page(request, home, draft.rendition_id, number=number, draft=None, problem=error)
    answer = DraftAnswer(says, version, group.questions[0].notice.id)
    draft = draft.with_answer(group.key, answer)
    response = go(following(pages, draft))
    drafts.keep(response, actor, draft=draft)
    return response


def answered(pages: Sequence[Group], draft: Draft) -> list[tuple[int, Group, DraftAnswer]]:
    """The questions that the draft answers, with their numbers."""
    return [
        (number, group, draft.answers[group.key])
        for number, group in enumerate(pages, start=1)
        if group.key in draft.answers
    ]


def check(pages: Sequence[Group], draft: Draft) -> dict[str, Any]:
    """The answers and the version of ``check_answers.html``."""
    found = answered(pages, draft)
    return {
        "answers": [
            {
                "role": group.role,
                "who": group.who,
                "text": group.asking.yes if one.says == "yes" else group.asking.no,
                "change": f"{_address(group, number)}?change=1",
            }
            for number, group, one in found
        ],
        "version": str(min(one.version for _, _, one in found)),
    }


def save(
    service: Service, actor: Actor, pages: Sequence[Group], *, draft: Draft, form: Form
) -> tuple[ConsentEventId, ...]:
    """Save what the draft says.

    Raises:
        Conflict: something has moved since; each no was saved.
        Invalid: no version, or nothing was answered.
    """
    found = answered(pages, draft)
    if not found:
        raise Conflict("nothing_answered", "Your answers weren't kept. Please answer again.")
    shown = form.number("version", called="the version of the page")
    return consent.answer(
        service.db,
        actor=actor,
        yes=[Yes(group.ids, one.notice) for _, group, one in found if one.says == "yes"],
        no=[each for _, group, one in found if one.says == "no" for each in group.ids],
        page_version=min([shown, *(one.version for _, _, one in found)]),
    )


def asked_again(request: Request, home: Home, rendition_id: RenditionId, *, problem: Conflict) -> Response:
    """The first question that wants an answer, with what has moved."""
    if not wants_page(request):
        raise problem
    pages = home.questions(rendition_id)
    number = next((place for place, group in enumerate(pages, start=1) if group.is_open), 1)
    return question_page(request, home, rendition_id, number=number, draft=None, problem=problem)


def named(clip: HomeClip) -> dict[str, str]:
    """A clip as the pages of its questions name it."""
    return {"rendition": clip.rendition_id, "title": clip.title}


def _numbered(pages: Sequence[Group], number: int) -> Group:
    if not 1 <= number <= len(pages):
        raise not_found()
    return pages[number - 1]


def _address(group: Group, number: int) -> str:
    return f"/your-clips/{group.rendition_id}/questions/{number}"
