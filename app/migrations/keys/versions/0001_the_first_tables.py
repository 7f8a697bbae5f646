"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keys_epoch",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("coming", "active", "retiring", "destroyed", name="epochstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys_epoch")),
        sa.UniqueConstraint("number", name=op.f("uq_keys_epoch_number")),
    )
    op.create_table(
        "keys_place",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.Enum("live", "recovery", name="placekind", native_enum=False, length=40), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("copied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("copied", sa.String(length=64), nullable=True),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys_place")),
    )
    op.create_table(
        "keys_process",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evicted_through", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys_process")),
    )
    op.create_table(
        "keys_store",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys_store")),
    )
    op.create_table(
        "keys_case_key",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("epoch_id", sa.String(length=32), nullable=False),
        sa.Column(
            "state", sa.Enum("active", "destroyed", name="keystate", native_enum=False, length=40), nullable=False
        ),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("needs_roll", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["epoch_id"], ["keys_epoch.id"], name=op.f("fk_keys_case_key_epoch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys_case_key")),
    )
    with op.batch_alter_table("keys_case_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_keys_case_key_epoch_id"), ["epoch_id"], unique=False)
        batch_op.create_index(
            "uq_keys_case_key_one_active",
            ["case_id"],
            unique=True,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "keys_record_key",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "owner_kind",
            sa.Enum("case", "person", "organisation", name="ownerkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("epoch_id", sa.String(length=32), nullable=False),
        sa.Column(
            "state", sa.Enum("active", "destroyed", name="keystate", native_enum=False, length=40), nullable=False
        ),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroyed_epoch", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["epoch_id"], ["keys_epoch.id"], name=op.f("fk_keys_record_key_epoch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys_record_key")),
        sa.UniqueConstraint("owner_kind", "owner_id", name=op.f("uq_keys_record_key_owner_kind_owner_id")),
    )
    with op.batch_alter_table("keys_record_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_keys_record_key_destroyed_at"), ["destroyed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_keys_record_key_epoch_id"), ["epoch_id"], unique=False)

    op.create_table(
        "keys_roll",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("from_epoch_id", sa.String(length=32), nullable=False),
        sa.Column("to_epoch_id", sa.String(length=32), nullable=False),
        sa.Column("from_number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "begun", "rewrapping", "evicting", "removing", "done", name="rollstate", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["from_epoch_id"], ["keys_epoch.id"], name=op.f("fk_keys_roll_from_epoch_id")),
        sa.ForeignKeyConstraint(["to_epoch_id"], ["keys_epoch.id"], name=op.f("fk_keys_roll_to_epoch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys_roll")),
        sa.UniqueConstraint("from_number", name=op.f("uq_keys_roll_from_number")),
    )
    op.create_table(
        "keys_object_key",
        sa.Column("object_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("case_key_id", sa.String(length=32), nullable=False),
        sa.Column(
            "state", sa.Enum("active", "destroyed", name="keystate", native_enum=False, length=40), nullable=False
        ),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroyed_epoch", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_key_id"], ["keys_case_key.id"], name=op.f("fk_keys_object_key_case_key_id")),
        sa.PrimaryKeyConstraint("object_id", name=op.f("pk_keys_object_key")),
    )
    with op.batch_alter_table("keys_object_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_keys_object_key_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_keys_object_key_case_key_id"), ["case_key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_keys_object_key_destroyed_at"), ["destroyed_at"], unique=False)
