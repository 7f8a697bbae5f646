"""Alembic's entry for the key database."""

from app.migrations.runner import run
from keys import KEYS_METADATA

run(KEYS_METADATA)
