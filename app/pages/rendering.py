"""Render a template to an answer: Jinja with autoescaping, GOV.UK's macros, and the words for times and sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, Undefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.pages import words
from app.pages.visitor import Visitor

STATIC = Path(__file__).parent.parent / "static"
"""What is served at ``/static``: our own files, and ``vendor/`` which the build hook writes."""

_TEMPLATES = Path(__file__).parent / "templates"
_COMPONENTS = (
    "back-link",
    "button",
    "character-count",
    "checkboxes",
    "details",
    "error-summary",
    "file-upload",
    "input",
    "inset-text",
    "notification-banner",
    "pagination",
    "panel",
    "password-input",
    "radios",
    "select",
    "skip-link",
    "summary-list",
    "tag",
    "task-list",
    "textarea",
    "warning-text",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with what was given.

    Attributes:
        sentence: what to do, in the reader's words (an error's ``sentence``).
        field: the form field it is about, or None for the whole form.
    """

    sentence: str
    field: str | None = None


class NoticeKind(StrEnum):
    """How a notice looks."""

    SAVED = "saved"
    IMPORTANT = "important"


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence on top of the next page, as after saving."""

    sentence: str = field(repr=False)
    kind: NoticeKind = NoticeKind.SAVED


class _Missing(Undefined):
    """May be asked about (GOV.UK's macros do, all the time) and never printed or looped over."""

    def _refuse(self, *_: object) -> NoReturn:
        self._fail_with_undefined_error()

    __str__ = __iter__ = __len__ = _refuse


def render(
    request: Request,
    template: str,
    /,
    *,
    visitor: Visitor | None = None,
    status: int = 200,
    notice: Notice | None = None,
    problems: Sequence[Problem] = (),
    given: Mapping[str, object] | None = None,
    away: str = "",
    **context: Any,
) -> HTMLResponse:
    """Answer with a page.

    Args:
        request: whose path marks the current place in the navigation.
        template: its file name.
        visitor: who is looking; without it the frame has no navigation.
        status: HTTP status.
        notice: what to say on top.
        problems: what was wrong with the form; shown in a summary and beside the fields.
        given: what was typed, to be shown again (never passwords or codes).
        away: where *Exit this page* leads at once, where scripts run.
        context: what the template's first comment asks for.
    """
    beside = {problem.field: {"text": problem.sentence} for problem in reversed(problems) if problem.field}
    html = (
        environment()
        .get_template(template)
        .render(
            path=request.url.path,
            visitor=visitor or Visitor(),
            notice=notice,
            problems=problems,
            problem_at=beside.get,
            given=given or {},
            away=away or "/leave",
            **context,
        )
    )
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})


@cache
def environment() -> Environment:
    """The templates' environment, with GOV.UK's macros under their own names (``govukButton``)."""
    made = Environment(
        loader=ChoiceLoader(
            [
                FileSystemLoader(_TEMPLATES),
                PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
            ]
        ),
        autoescape=True,
        undefined=_Missing,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        london=words.london_time,
        day=words.day_time,
        time_of_day=words.time_of_day,
        seconds=words.seconds,
        megabytes=words.megabytes,
        count=words.count,
        joined=words.joined,
        items_with=_with,
    )
    made.globals.update(static=_static, pairs=_pairs)
    for component in _COMPONENTS:
        module: Any = made.get_template(f"govuk_frontend_jinja/components/{component}/macro.html").module
        macro = "govuk" + "".join(part.capitalize() for part in component.split("-"))
        made.globals[macro] = getattr(module, macro)
    return made


def _pairs(people: Iterable[Any]) -> list[tuple[str, str]]:
    """People as (id, name), for a choice among them."""
    return [
        (person["id"], person["name"]) if isinstance(person, Mapping) else (person.id, person.name) for person in people
    ]


def _with(fields: Mapping[str, object], *more: object) -> dict[str, object]:
    """Fields of a form and further ones, given as name, value, name, value."""
    return {**fields, **dict(zip(map(str, more[::2]), more[1::2], strict=True))}


@cache
def _static(name: str) -> str:
    """Address of a static file; it changes with the content, so that no browser keeps an old one after an upgrade."""
    path = STATIC / name
    if not path.is_file():
        return f"/static/{name}"
    return f"/static/{name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
