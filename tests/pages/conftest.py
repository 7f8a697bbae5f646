"""A tiny server of the sample pages, with the headers that the real one sends, and a browser to look at them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app.pages import STATIC, render
from hatch_build import make_assets
from tests.pages.samples import samples

CHROMIUM = "/usr/bin/chromium"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script';"
    " trusted-types 'none'"
)


async def _show(request: Request) -> Response:
    wanted = request.path_params["name"]
    sample = next(sample for sample in samples() if sample.name == wanted)
    shown_at = Request({**request.scope, "path": sample.path})
    answer = render(
        shown_at,
        sample.template,
        visitor=sample.visitor,
        problems=sample.problems,
        given=sample.given,
        **sample.context,
    )
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


async def _job(_: Request) -> Response:
    return JSONResponse({"state": "running", "percent": 40, "text": "Getting the film ready: about 3 minutes left"})


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the sample pages are."""
    make_assets(STATIC.parent.parent)
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    routes = [
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/pages/{name}", _show),
        Route("/jobs/{name}", _job),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield origin
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium as Debian packages it."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        yield chromium
        chromium.close()
