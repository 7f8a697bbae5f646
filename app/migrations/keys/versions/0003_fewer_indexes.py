"""No index by epoch: every live key moves to the next one each night, and each move had to be written there as well."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("keys_case_key", "keys_record_key"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_index(batch_op.f(f"ix_{table}_epoch_id"))
