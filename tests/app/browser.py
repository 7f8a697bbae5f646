"""A browser without a network: cookies, forms and redirects against the real application."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping, Sequence

import httpx
from fastapi import FastAPI

from app import cookies
from core.secret import Secret

ORIGIN = "https://vault.test"
PAGE = {"Accept": "text/html", "Origin": ORIGIN}
PROGRAM = {"Accept": "application/json", "Origin": ORIGIN}


class Browser:
    """One person's browser.

    Args:
        app: what answers.
        token: of a session that is signed in already.
    """

    def __init__(self, app: FastAPI, token: Secret[str] | None = None) -> None:
        self._app = app
        self.cookies = httpx.Cookies()
        if token is not None:
            self.cookies.set(cookies.SESSION, token.reveal(), domain="vault.test", path="/")

    def get(self, path: str, *, headers: Mapping[str, str] = PAGE) -> httpx.Response:
        """Open a page; redirects aren't followed."""
        return self._send("GET", path, None, headers)

    def post(
        self, path: str, fields: Mapping[str, str | Sequence[str]] | None = None, *, headers: Mapping[str, str] = PAGE
    ) -> httpx.Response:
        """Post a form."""
        return self._send("POST", path, fields or {}, headers)

    def code(self, path: str, fields: Mapping[str, str | Sequence[str]] | None = None) -> tuple[int, str]:
        """Status and stable code of a refusal, as a program gets it."""
        response = self.get(path, headers=PROGRAM) if fields is None else self.post(path, fields, headers=PROGRAM)
        return response.status_code, response.json()["code"]

    def _send(
        self, method: str, path: str, fields: Mapping[str, str | Sequence[str]] | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app, client=("192.0.2.7", 4711))
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=self.cookies) as client:
                response = await client.request(method, path, data=fields, headers=dict(headers))
                self.cookies = client.cookies
                return response

        return asyncio.run(one())


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    assert found, f"no hidden field {name}"
    return html.unescape(found.group(1))


def main_of(page: str) -> str:
    """The main part of a page, as it is."""
    found = re.search(r"<main.*?</main>", page, re.DOTALL)
    assert found, "no main part"
    return found.group()
