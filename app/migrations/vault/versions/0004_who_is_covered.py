"""Faces found in footage, who is covered in a clip, and what a redacted rendition was made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vault_detections",
        sa.Column("footage_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("object_id", sa.String(), nullable=True),
        sa.Column("faces_id", sa.String(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("faces_columns", sa.Integer(), nullable=True),
        sa.Column("faces_width", sa.Integer(), nullable=True),
        sa.Column("faces_height", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["footage_id"], ["vault_footage.id"], name=op.f("fk_vault_detections_footage_id")),
        sa.ForeignKeyConstraint(["object_id"], ["vault_object.id"], name=op.f("fk_vault_detections_object_id")),
        sa.ForeignKeyConstraint(["faces_id"], ["vault_object.id"], name=op.f("fk_vault_detections_faces_id")),
        sa.PrimaryKeyConstraint("footage_id", name=op.f("pk_vault_detections")),
    )
    op.create_table(
        "vault_choices",
        sa.Column("clip_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("choices", sa.LargeBinary(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job_id", sa.String(), nullable=True),
        sa.Column("asked", sa.LargeBinary(), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["clip_id"], ["vault_clip.id"], name=op.f("fk_vault_choices_clip_id")),
        sa.PrimaryKeyConstraint("clip_id", name=op.f("pk_vault_choices")),
    )
    with op.batch_alter_table("vault_rendition", schema=None) as batch_op:
        batch_op.add_column(sa.Column("manifest", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("look_here", sa.LargeBinary(), nullable=True))
