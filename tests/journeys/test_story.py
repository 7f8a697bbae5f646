"""The whole story over HTTP, as `vig-vault demo` plays it, on PostgreSQL; nothing is patched.

On SQLite ``tests/canary`` plays it, and searches everything after each step.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.demo.film import make_phone_film
from app.demo.serving import Served
from app.demo.story import Story
from tests.databases import administration

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]
FILM_SECONDS = 6


@pytest.fixture
def served(postgres_address: str, tmp_path: Path) -> Iterator[Served]:
    settings: dict[str, str] = {}
    with administration(postgres_address) as run_sql:
        for name in ("database", "keys", "workflows"):
            run_sql(f"CREATE DATABASE story_{name}")
            url = make_url(postgres_address).set(database=f"story_{name}")
            settings[f"{name}_url"] = url.render_as_string(hide_password=False)
    one = Served(tmp_path / "demo", **settings)
    yield one
    one.stop()


def test_every_step_of_the_story_holds(served: Served, tmp_path: Path) -> None:
    film = tmp_path / "phone.mp4"
    make_phone_film(film, seconds=FILM_SECONDS)
    story = Story(served, film)
    try:
        for what, do in story.steps:
            assert do(), what
    finally:
        story.close()
    assert served.stop() == 0
