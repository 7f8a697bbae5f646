"""Where sessions began and what bound devices are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("identity_session") as table:
        table.add_column(sa.Column("browser", sa.String(), nullable=True))
        table.add_column(sa.Column("address", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("identity_device") as table:
        table.add_column(sa.Column("browser", sa.String(), nullable=True))
