"""Keys that didn't open when the epoch rolled are noted as damaged and left behind, so that all others roll."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    there = sa.text("damaged_at IS NOT NULL")
    for table in ("keys_case_key", "keys_object_key", "keys_record_key"):
        op.add_column(table, sa.Column("damaged_at", sa.DateTime(timezone=True), nullable=True))
        op.create_index(f"ix_{table}_damaged_at", table, ["damaged_at"], sqlite_where=there, postgresql_where=there)
