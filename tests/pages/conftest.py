"""The sample pages on a real server, and a real browser to look at them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser

from app.pages import STATIC
from hatch_build import make_assets
from tests.chromium import started_chromium
from tests.pages.server import Stage, application, make_media


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """What the server is steered by; ``stage`` gives it to one test, as new."""
    folder = tmp_path_factory.mktemp("media")
    make_media(folder)
    return Stage(folder)


@pytest.fixture
def stage(played: Stage) -> Stage:
    vars(played).update(vars(Stage(played.media)))
    return played


@pytest.fixture(scope="session")
def address(played: Stage) -> Iterator[str]:
    """Where the sample pages are."""
    make_assets(STATIC.parent.parent)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application(played), log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with started_chromium() as browser:
        yield browser
