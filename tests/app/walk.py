"""Every route of an application with what stands before it, as FastAPI itself would call it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Mount

import app.routes
from app.policy import Policy

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For tests of the web, which has nothing of its own to say to a database."""


@dataclass(frozen=True, slots=True)
class Walked:
    """One method of one route.

    Attributes:
        calls: its dependencies in the order in which they are called, those inside others first.
        parameters: names in its path.
    """

    method: str
    path: str
    calls: tuple[Any, ...]
    parameters: tuple[str, ...]
    has_body_of_fastapi: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def policies(self) -> list[Policy]:
        return [one for one in self.calls if isinstance(one, Policy)]

    def address(self, ids: dict[str, str]) -> str:
        return self.path.format_map(ids)


def routes_of(app: FastAPI) -> list[Walked]:
    """Every method of every route that FastAPI answers."""
    return [
        one
        for context in iter_route_contexts(app.routes)
        if not isinstance(context.original_route, Mount)
        for one in _methods_of(context)
    ]


def names_in(pattern: str) -> set[str]:
    """Every name that the routes ask a request for, from their own text."""
    folder = Path(app.routes.__file__).parent.parent
    text = "".join(one.read_text(encoding="utf-8") for one in folder.rglob("*.py"))
    return set(re.findall(pattern, text))


def mounts_of(app: FastAPI) -> list[str]:
    """What isn't FastAPI's: other applications under a path."""
    return [one.path for one in app.routes if isinstance(one, Mount)]


def _methods_of(context: RouteContext) -> Iterator[Walked]:
    dependant: Dependant = context.dependant
    for method in sorted(context.methods or {"?"}):
        yield Walked(
            method=method,
            path=context.path or "",
            calls=tuple(_calls(dependant)),
            parameters=tuple(one.name for one in dependant.path_params),
            has_body_of_fastapi=any(_bodies(dependant)),
        )


def _calls(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield from _calls(inner)
        yield inner.call


def _bodies(dependant: Dependant) -> Iterator[Any]:
    yield from dependant.body_params
    for inner in dependant.dependencies:
        yield from _bodies(inner)
