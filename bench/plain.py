"""A server without a vault, under the very settings of ours: ``python -m bench.plain FOLDER PORT``.

``GET /NAME`` is Starlette's ``FileResponse`` of a file in the folder; ``PUT /NAME`` writes the body as it comes to a
new file there, and ``fsync``s it. No session, no decision, no log, no cipher.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from app.transport import CuttableProtocol, listening_socket


def application(folder: Path) -> Starlette:
    """The plain server's application."""

    async def give(request: Request) -> Response:
        return FileResponse(folder / str(request.path_params["name"]), media_type="video/mp4")

    async def take(request: Request) -> Response:
        path = folder / str(request.path_params["name"])
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            async for piece in request.stream():
                await run_in_threadpool(os.write, handle, piece)
            await run_in_threadpool(os.fsync, handle)
        finally:
            os.close(handle)
        return Response(status_code=204)

    return Starlette(routes=[Route("/{name}", give, methods=["GET"]), Route("/{name}", take, methods=["PUT"])])


def main() -> None:
    folder, port = sys.argv[1:]
    config = uvicorn.Config(
        application(Path(folder)),
        http=CuttableProtocol,
        ws="none",
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listening_socket("127.0.0.1", int(port))])


if __name__ == "__main__":
    main()
