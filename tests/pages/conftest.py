"""A tiny server of the sample pages, with the headers that the real one sends, and a browser to look at them."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvicorn
from imageio_ffmpeg import get_ffmpeg_exe
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
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
        notice=sample.notice,
        problems=sample.problems,
        given=sample.given,
        **sample.context,
    )
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


async def _events(_: Request) -> Response:
    async def beats() -> AsyncIterator[str]:
        for _ in range(200):
            yield "event: beat\ndata: {}\n\n"
            await asyncio.sleep(0.5)

    return StreamingResponse(beats(), media_type="text/event-stream")


async def _media(request: Request) -> Response:
    return FileResponse(request.app.state.media / request.path_params["name"])


def _make_media(folder: Path) -> None:
    """A two-second film of 50 frames whose pictures differ, a strip of it and a poster."""
    ffmpeg = [get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=2"]
    outputs = {
        "film.mp4": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-movflags", "faststart"],
        "strip.jpg": ["-vf", "fps=5,scale=160:90,tile=10x1", "-frames:v", "1", "-update", "1"],
        "poster.jpg": ["-frames:v", "1", "-update", "1"],
    }
    for name, options in outputs.items():
        subprocess.run([*ffmpeg, *options, str(folder / name)], check=True)


async def _job(_: Request) -> Response:
    return JSONResponse({"state": "running", "percent": 40, "text": "Getting the film ready: about 3 minutes left"})


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the sample pages are."""
    make_assets(STATIC.parent.parent)
    media = tmp_path_factory.mktemp("media")
    _make_media(media)
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    routes = [
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/pages/{name}", _show),
        Route("/jobs/{name}", _job),
        Route("/media/{name}", _media),
        Route("/events/{name}", _events),
    ]
    pages = Starlette(routes=routes)
    pages.state.media = media
    server = uvicorn.Server(uvicorn.Config(pages, log_level="warning", timeout_graceful_shutdown=1))
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
