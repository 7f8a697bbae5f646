"""The same on PostgreSQL, as far as it goes without films: its data folder and write-ahead log hold nobody's words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app.demo.serving import Served
from tests.canary.conftest import CAST, Drill, prepare
from tests.canary.search import Search
from tests.databases import administration

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]
STEPS_WITHOUT_FILMS = 3


@pytest.fixture(scope="module")
def data(postgres_address: str) -> Path:
    """Where the database server keeps everything."""
    engine = create_engine(postgres_address)
    with engine.connect() as connection:
        folder = connection.execute(text("SHOW data_directory")).scalar_one()
    engine.dispose()
    return Path(folder)


@pytest.fixture(scope="module")
def drill(postgres_address: str, data: Path, film: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """The story up to the film, and a search that reads what the database server has written since."""
    settings = {}
    with administration(postgres_address) as run_sql:
        for name in ("database", "keys", "workflows"):
            run_sql(f"CREATE DATABASE canary_{name}")
            url = make_url(postgres_address).set(database=f"canary_{name}")
            settings[f"{name}_url"] = url.render_as_string(hide_password=False)
        made = prepare(Served(tmp_path_factory.mktemp("drill") / "service", **settings), film)
        made.search.folders.append(data)
        made.search.pass_over()
        try:
            made.play(STEPS_WITHOUT_FILMS)
            run_sql("CHECKPOINT")
            made.found["after a checkpoint"] = made.search.look()
            yield made
        finally:
            made.onlooker.stop()
            made.story.close()
            made.served.stop()
            for name in settings:
                run_sql(f"DROP DATABASE canary_{name.removesuffix('_url')} WITH (FORCE)")


def test_the_data_folder_and_the_write_ahead_log_hold_nothing(drill: Drill) -> None:
    assert {step: found for step, found in drill.found.items() if found} == {}
    assert drill.search.bytes_read > 10**7


def test_a_name_that_is_written_in_clear_is_found_in_both(drill: Drill, data: Path, postgres_address: str) -> None:
    search = Search(drill.needles, [data], [])
    search.pass_over()
    with administration(drill.served.environment["VAULT_WORKFLOWS_URL"]) as run_sql:
        run_sql(f"CREATE TABLE planted AS SELECT '{CAST.title}' AS value")
        run_sql("CHECKPOINT")
    places = {Path(sentence.partition(" in ")[2]).relative_to(data).parts[0] for sentence in search.look()}
    assert places == {"base", "pg_wal"}
