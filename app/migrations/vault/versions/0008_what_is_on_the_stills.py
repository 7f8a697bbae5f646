"""Which people the stills of found faces show: where that isn't known, none is shown beside a number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("vault_detections", schema=None) as batch_op:
        batch_op.add_column(sa.Column("faces_mark", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("vault_detections", schema=None) as batch_op:
        batch_op.drop_column("faces_mark")
