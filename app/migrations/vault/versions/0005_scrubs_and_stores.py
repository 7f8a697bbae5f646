"""How far a scrub is, and where objects lie, lay, and are being copied to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vault_scrub",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("read_bytes", sa.BigInteger(), nullable=False),
        sa.Column("damaged", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_scrub")),
    )
    with op.batch_alter_table("vault_scrub", schema=None) as batch_op:
        batch_op.create_index("ix_vault_scrub_finished", ["finished_at"], unique=False)
    op.create_table(
        "vault_store",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("current", "target", "former", name="storestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_store")),
    )
    op.create_table(
        "vault_copied",
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "name", name=op.f("pk_vault_copied")),
    )
