"""Alembic's entry for the main database."""

from app.migrations.runner import run
from app.tables import METADATA

run(METADATA)
