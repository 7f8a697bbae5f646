"""Which parts of a film its checker was sent; a check that waits is watched once more before it passes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vault_watched",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("viewing_id", sa.String(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["viewing_id"], ["vault_viewing.id"], name=op.f("fk_vault_watched_viewing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_watched")),
    )
    with op.batch_alter_table("vault_watched", schema=None) as batch_op:
        batch_op.create_index("ix_vault_watched_viewing", ["viewing_id"], unique=False)


def downgrade() -> None:
    op.drop_table("vault_watched")
