"""A tiny server of the sample pages with the headers of the real one, and just enough behind them for their scripts."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app.pages import STATIC, render
from tests.pages.samples import samples

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script';"
    " trusted-types 'none'"
)
BEAT_SECONDS = 0.5


@dataclass
class Stage:
    """What the server does next, and what it was asked.

    Attributes:
        beats: how many heartbeats an event stream gives before it falls silent.
        goes_dark: whether it then says so.
        asked: paths of film that were asked for.
        jobs: the answers of a job, one after the other; the last one stays.
    """

    media: Path
    beats: int = 1000
    goes_dark: bool = False
    asked: list[str] = field(default_factory=list)
    jobs: list[dict[str, object]] = field(default_factory=list)


def application(stage: Stage) -> Starlette:
    """The server, steered by ``stage``."""
    routes = [
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/pages/{name}", _show),
        Route("/media/{name}", _film),
        Route("/events/{name}", _events),
        Route("/jobs/{name}", _job),
    ]
    made = Starlette(routes=routes)
    made.state.stage = stage
    return made


def make_media(folder: Path) -> None:
    """A two-second film of 50 frames whose pictures differ, a strip of it and a poster."""
    ffmpeg = [get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=2"]
    outputs = {
        "film.mp4": ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-movflags", "faststart"],
        "strip.jpg": ["-vf", "fps=5,scale=160:90,tile=10x1", "-frames:v", "1", "-update", "1"],
        "poster.jpg": ["-frames:v", "1", "-update", "1"],
    }
    for name, options in outputs.items():
        subprocess.run([*ffmpeg, *options, str(folder / name)], check=True)


def _stage(request: Request) -> Stage:
    stage = request.app.state.stage
    assert isinstance(stage, Stage)
    return stage


async def _show(request: Request) -> Response:
    wanted = request.path_params["name"]
    sample = next(sample for sample in samples() if sample.name == wanted)
    answer = render(
        Request({**request.scope, "path": sample.path}),
        sample.template,
        visitor=sample.visitor,
        notice=sample.notice,
        problems=sample.problems,
        given=sample.given,
        **sample.context,
    )
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


async def _film(request: Request) -> Response:
    _stage(request).asked.append(request.path_params["name"])
    return FileResponse(_stage(request).media / request.path_params["name"])


async def _events(request: Request) -> Response:
    stage = _stage(request)

    async def tell() -> AsyncIterator[str]:
        for _ in range(stage.beats):
            yield "event: beat\ndata: \n\n"
            await asyncio.sleep(BEAT_SECONDS)
        if stage.goes_dark:
            yield "event: dark\ndata: \n\n"
        await asyncio.sleep(60)

    return StreamingResponse(tell(), media_type="text/event-stream")


async def _job(request: Request) -> Response:
    jobs = _stage(request).jobs
    if not jobs:
        return JSONResponse({"state": "running", "percent": 40, "text": "About 3 minutes left"})
    return JSONResponse(jobs.pop(0) if len(jobs) > 1 else jobs[0])
