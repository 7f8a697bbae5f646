"""What both trees' ``env.py`` do: run on the connection that ``app.schema`` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import MetaData


def run(metadata: MetaData) -> None:
    """Run the wanted migrations in one transaction (SQLite and PostgreSQL both roll back DDL)."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
