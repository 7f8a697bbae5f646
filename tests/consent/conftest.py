"""A family with a clip of theirs: quickly on SQLite for the rules of each use case, on both for what databases do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import audit
from app import tables
from consent import publish_notices
from core.db import Database, connect
from core.secret import Secret
from keys import KeyStore
from tests.consent.story import Story
from tests.fakes import HandClock
from tests.families import make_family


@pytest.fixture
def story(tmp_path: Path, clock: HandClock, keystore: KeyStore) -> Iterator[Story]:
    """Mother and father are in the clip with their child; a colleague has checked. On SQLite."""
    database = connect(f"sqlite:///{tmp_path / 'story.db'}", clock=clock)
    audit.attach(database, writer_key=Secret(b"audit key of no real store......"))
    tables.METADATA.create_all(database.engine)
    yield _story(database, keystore)
    database.engine.dispose()


@pytest.fixture
def story_on_both(db: Database, keystore: KeyStore) -> Story:
    """The same, once on each kind of database."""
    return _story(db, keystore)


def _story(db: Database, keystore: KeyStore) -> Story:
    family = make_family(db, keystore)
    publish_notices(db)
    return Story(db, keystore, family)
