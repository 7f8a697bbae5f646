"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


_TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'audit_checkpoint is insert-only'); END",
        "CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'audit_checkpoint is insert-only'); END",
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry BEGIN SELECT RAISE(ABORT, 'audit_entry is insert-only'); END",
        "CREATE TRIGGER audit_hash_no_update BEFORE UPDATE ON audit_hash BEGIN SELECT RAISE(ABORT, 'audit_hash is insert-only'); END",
        "CREATE TRIGGER audit_hash_no_delete BEFORE DELETE ON audit_hash BEGIN SELECT RAISE(ABORT, 'audit_hash is insert-only'); END",
        "CREATE TRIGGER audit_leaf_no_update BEFORE UPDATE ON audit_leaf BEGIN SELECT RAISE(ABORT, 'audit_leaf is insert-only'); END",
        "CREATE TRIGGER audit_leaf_no_delete BEFORE DELETE ON audit_leaf BEGIN SELECT RAISE(ABORT, 'audit_leaf is insert-only'); END",
        "CREATE TRIGGER consent_notice_no_update BEFORE UPDATE ON consent_notice BEGIN SELECT RAISE(ABORT, 'consent_notice is insert-only'); END",
        "CREATE TRIGGER consent_notice_no_delete BEFORE DELETE ON consent_notice BEGIN SELECT RAISE(ABORT, 'consent_notice is insert-only'); END",
        "CREATE TRIGGER retention_agreement_no_update BEFORE UPDATE ON retention_agreement BEGIN SELECT RAISE(ABORT, 'retention_agreement is insert-only'); END",
        "CREATE TRIGGER retention_agreement_no_delete BEFORE DELETE ON retention_agreement BEGIN SELECT RAISE(ABORT, 'retention_agreement is insert-only'); END",
        "CREATE TRIGGER retention_notice_no_update BEFORE UPDATE ON retention_notice BEGIN SELECT RAISE(ABORT, 'retention_notice is insert-only'); END",
        "CREATE TRIGGER retention_notice_no_delete BEFORE DELETE ON retention_notice BEGIN SELECT RAISE(ABORT, 'retention_notice is insert-only'); END",
        "CREATE TRIGGER audit_disposal_no_update BEFORE UPDATE ON audit_disposal BEGIN SELECT RAISE(ABORT, 'audit_disposal is insert-only'); END",
        "CREATE TRIGGER audit_disposal_no_delete BEFORE DELETE ON audit_disposal BEGIN SELECT RAISE(ABORT, 'audit_disposal is insert-only'); END",
        "CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_entry WHEN NOT EXISTS (SELECT 1 FROM audit_disposal WHERE entry_id = OLD.id) BEGIN SELECT RAISE(ABORT, 'an audit entry goes only with a certificate'); END",
        "CREATE TRIGGER consent_ask_no_update BEFORE UPDATE ON consent_ask BEGIN SELECT RAISE(ABORT, 'consent_ask is insert-only'); END",
        "CREATE TRIGGER consent_ask_no_delete BEFORE DELETE ON consent_ask BEGIN SELECT RAISE(ABORT, 'consent_ask is insert-only'); END",
        "CREATE TRIGGER consent_conference_no_update BEFORE UPDATE ON consent_conference BEGIN SELECT RAISE(ABORT, 'consent_conference is insert-only'); END",
        "CREATE TRIGGER consent_conference_no_delete BEFORE DELETE ON consent_conference BEGIN SELECT RAISE(ABORT, 'consent_conference is insert-only'); END",
        "CREATE TRIGGER consent_event_no_update BEFORE UPDATE ON consent_event BEGIN SELECT RAISE(ABORT, 'consent_event is insert-only'); END",
        "CREATE TRIGGER consent_event_no_delete BEFORE DELETE ON consent_event BEGIN SELECT RAISE(ABORT, 'consent_event is insert-only'); END",
        "CREATE TRIGGER consent_safe_to_ask_no_update BEFORE UPDATE ON consent_safe_to_ask BEGIN SELECT RAISE(ABORT, 'consent_safe_to_ask is insert-only'); END",
        "CREATE TRIGGER consent_safe_to_ask_no_delete BEFORE DELETE ON consent_safe_to_ask BEGIN SELECT RAISE(ABORT, 'consent_safe_to_ask is insert-only'); END",
        "CREATE TRIGGER consent_sign_no_update BEFORE UPDATE ON consent_sign BEGIN SELECT RAISE(ABORT, 'consent_sign is insert-only'); END",
        "CREATE TRIGGER consent_sign_no_delete BEFORE DELETE ON consent_sign BEGIN SELECT RAISE(ABORT, 'consent_sign is insert-only'); END",
        "CREATE TRIGGER consent_waiver_no_update BEFORE UPDATE ON consent_waiver BEGIN SELECT RAISE(ABORT, 'consent_waiver is insert-only'); END",
        "CREATE TRIGGER consent_waiver_no_delete BEFORE DELETE ON consent_waiver BEGIN SELECT RAISE(ABORT, 'consent_waiver is insert-only'); END",
        "CREATE TRIGGER consent_attendee_no_update BEFORE UPDATE ON consent_attendee BEGIN SELECT RAISE(ABORT, 'consent_attendee is insert-only'); END",
        "CREATE TRIGGER consent_attendee_no_delete BEFORE DELETE ON consent_attendee BEGIN SELECT RAISE(ABORT, 'consent_attendee is insert-only'); END",
        "CREATE TRIGGER retention_certificate_no_update BEFORE UPDATE ON retention_certificate BEGIN SELECT RAISE(ABORT, 'retention_certificate is insert-only'); END",
        "CREATE TRIGGER retention_certificate_no_delete BEFORE DELETE ON retention_certificate BEGIN SELECT RAISE(ABORT, 'retention_certificate is insert-only'); END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION audit_checkpoint_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit_checkpoint is insert-only'; END $$",
        "CREATE TRIGGER audit_checkpoint_insert_only BEFORE UPDATE OR DELETE ON audit_checkpoint FOR EACH ROW EXECUTE FUNCTION audit_checkpoint_insert_only()",
        "CREATE OR REPLACE FUNCTION audit_entry_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit_entry is insert-only'; END $$",
        "CREATE TRIGGER audit_entry_insert_only BEFORE UPDATE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_insert_only()",
        "CREATE OR REPLACE FUNCTION audit_hash_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit_hash is insert-only'; END $$",
        "CREATE TRIGGER audit_hash_insert_only BEFORE UPDATE OR DELETE ON audit_hash FOR EACH ROW EXECUTE FUNCTION audit_hash_insert_only()",
        "CREATE OR REPLACE FUNCTION audit_leaf_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit_leaf is insert-only'; END $$",
        "CREATE TRIGGER audit_leaf_insert_only BEFORE UPDATE OR DELETE ON audit_leaf FOR EACH ROW EXECUTE FUNCTION audit_leaf_insert_only()",
        "CREATE OR REPLACE FUNCTION consent_notice_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'consent_notice is insert-only'; END $$",
        "CREATE TRIGGER consent_notice_insert_only BEFORE UPDATE OR DELETE ON consent_notice FOR EACH ROW EXECUTE FUNCTION consent_notice_insert_only()",
        "CREATE OR REPLACE FUNCTION retention_agreement_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'retention_agreement is insert-only'; END $$",
        "CREATE TRIGGER retention_agreement_insert_only BEFORE UPDATE OR DELETE ON retention_agreement FOR EACH ROW EXECUTE FUNCTION retention_agreement_insert_only()",
        "CREATE OR REPLACE FUNCTION retention_notice_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'retention_notice is insert-only'; END $$",
        "CREATE TRIGGER retention_notice_insert_only BEFORE UPDATE OR DELETE ON retention_notice FOR EACH ROW EXECUTE FUNCTION retention_notice_insert_only()",
        "CREATE OR REPLACE FUNCTION audit_disposal_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit_disposal is insert-only'; END $$",
        "CREATE TRIGGER audit_disposal_insert_only BEFORE UPDATE OR DELETE ON audit_disposal FOR EACH ROW EXECUTE FUNCTION audit_disposal_insert_only()",
        "CREATE OR REPLACE FUNCTION audit_entry_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT EXISTS (SELECT 1 FROM audit_disposal WHERE entry_id = OLD.id) THEN RAISE EXCEPTION 'an audit entry goes only with a certificate'; END IF; RETURN OLD; END $$",
        "CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_kept()",
        "CREATE OR REPLACE FUNCTION consent_ask_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'consent_ask is insert-only'; END $$",
        "CREATE TRIGGER consent_ask_insert_only BEFORE UPDATE OR DELETE ON consent_ask FOR EACH ROW EXECUTE FUNCTION consent_ask_insert_only()",
        "CREATE OR REPLACE FUNCTION consent_conference_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'consent_conference is insert-only'; END $$",
        "CREATE TRIGGER consent_conference_insert_only BEFORE UPDATE OR DELETE ON consent_conference FOR EACH ROW EXECUTE FUNCTION consent_conference_insert_only()",
        "CREATE OR REPLACE FUNCTION consent_event_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'consent_event is insert-only'; END $$",
        "CREATE TRIGGER consent_event_insert_only BEFORE UPDATE OR DELETE ON consent_event FOR EACH ROW EXECUTE FUNCTION consent_event_insert_only()",
        "CREATE OR REPLACE FUNCTION consent_safe_to_ask_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'consent_safe_to_ask is insert-only'; END $$",
        "CREATE TRIGGER consent_safe_to_ask_insert_only BEFORE UPDATE OR DELETE ON consent_safe_to_ask FOR EACH ROW EXECUTE FUNCTION consent_safe_to_ask_insert_only()",
        "CREATE OR REPLACE FUNCTION consent_sign_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'consent_sign is insert-only'; END $$",
        "CREATE TRIGGER consent_sign_insert_only BEFORE UPDATE OR DELETE ON consent_sign FOR EACH ROW EXECUTE FUNCTION consent_sign_insert_only()",
        "CREATE OR REPLACE FUNCTION consent_waiver_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'consent_waiver is insert-only'; END $$",
        "CREATE TRIGGER consent_waiver_insert_only BEFORE UPDATE OR DELETE ON consent_waiver FOR EACH ROW EXECUTE FUNCTION consent_waiver_insert_only()",
        "CREATE OR REPLACE FUNCTION consent_attendee_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'consent_attendee is insert-only'; END $$",
        "CREATE TRIGGER consent_attendee_insert_only BEFORE UPDATE OR DELETE ON consent_attendee FOR EACH ROW EXECUTE FUNCTION consent_attendee_insert_only()",
        "CREATE OR REPLACE FUNCTION retention_certificate_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'retention_certificate is insert-only'; END $$",
        "CREATE TRIGGER retention_certificate_insert_only BEFORE UPDATE OR DELETE ON retention_certificate FOR EACH ROW EXECUTE FUNCTION retention_certificate_insert_only()",
    ],
}
"""Tables whose rows the database itself refuses to change, by dialect."""


def upgrade() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoint")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("writer_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=True),
        sa.Column("case_id", sa.String(length=100), nullable=True),
        sa.Column("object_id", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.String(length=100), nullable=True),
        sa.Column("purpose", sa.String(length=100), nullable=True),
        sa.Column("request_id", sa.String(length=100), nullable=True),
        sa.Column("commitment", sa.String(length=64), nullable=True),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("details_salt", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("writer_id", "number", name=op.f("uq_audit_entry_writer_id_number")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_actor", ["actor", "at", "id"], unique=False)
        batch_op.create_index("ix_audit_entry_actor_event", ["actor", "event", "at", "id"], unique=False)
        batch_op.create_index("ix_audit_entry_case", ["case_id", "at", "id"], unique=False)
        batch_op.create_index("ix_audit_entry_event", ["event", "at", "id"], unique=False)
        batch_op.create_index("ix_audit_entry_object", ["object_id", "at", "id"], unique=False)
        batch_op.create_index("ix_audit_entry_outcome", ["outcome", "at", "id"], unique=False)
        batch_op.create_index("ix_audit_entry_time", ["at", "id"], unique=False)

    op.create_table(
        "audit_hash",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_audit_hash")),
    )
    op.create_table(
        "audit_leaf",
        sa.Column(
            "position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column("writer_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_leaf")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_leaf_entry_id")),
        sa.UniqueConstraint("writer_id", "number", name=op.f("uq_audit_leaf_writer_id_number")),
    )
    op.create_table(
        "audit_pending",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_pending")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_pending_entry_id")),
    )
    op.create_table(
        "audit_witness_mark",
        sa.Column("witness", sa.String(length=100), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("witness", name=op.f("pk_audit_witness_mark")),
    )
    op.create_table(
        "audit_writer",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_writer")),
    )
    op.create_table(
        "consent_notice",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "filming",
                "prepare",
                "check",
                "review_together",
                "family_review",
                "social_worker",
                "case_conference",
                "supervision",
                "accreditation",
                "referrer",
                "training",
                "research",
                "court",
                "family_copy",
                name="purpose",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "format",
            sa.Enum("standard", "easy_read", "read_aloud", "translated", name="format", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_notice")),
        sa.UniqueConstraint(
            "purpose", "language", "format", "version", name=op.f("uq_consent_notice_purpose_language_format_version")
        ),
    )
    op.create_table(
        "core_clock_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("highest", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_clock_mark")),
    )
    op.create_table(
        "core_job",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=True),
        sa.Column(
            "state", sa.Enum("WAITING", "RUNNING", "DONE", "CANCELLED", "PARKED", name="jobstate"), nullable=False
        ),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_sentence", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_job")),
    )
    with op.batch_alter_table("core_job", schema=None) as batch_op:
        batch_op.create_index("ix_core_job_subject", ["subject", "kind"], unique=False)

    op.create_table(
        "core_outbox",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_outbox")),
    )
    with op.batch_alter_table("core_outbox", schema=None) as batch_op:
        batch_op.create_index("ix_core_outbox_waiting", ["delivered_at", "parked", "due_at"], unique=False)

    op.create_table(
        "identity_case",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("consent_version", sa.Integer(), nullable=False),
        sa.Column(
            "referrer_kind",
            sa.Enum(
                "social_worker", "family_support_worker", "other", name="referrerkind", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "child_in_need",
                "child_protection",
                "looked_after",
                "other",
                name="status",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reference", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_reason", sa.LargeBinary(), nullable=True),
        sa.Column(
            "family_copy",
            sa.Enum("yes", "no", "asked_no_answer", name="keeping", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column(
            "look_again",
            sa.Enum("yes", "no", "asked_no_answer", name="keeping", native_enum=False, length=40),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_case")),
    )
    with op.batch_alter_table("identity_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_case_closed_at"), ["closed_at"], unique=False)

    op.create_table(
        "identity_person",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column(
            "kind", sa.Enum("staff", "family", "other", name="personkind", native_enum=False, length=40), nullable=False
        ),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("was_child", sa.Boolean(), nullable=False),
        sa.Column("born_on", sa.LargeBinary(), nullable=True),
        sa.Column("safe_contact", sa.LargeBinary(), nullable=True),
        sa.Column("contact_set_by", sa.String(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("email_index", sa.LargeBinary(), nullable=True),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_person")),
        sa.UniqueConstraint("email_index", name=op.f("uq_identity_person_email_index")),
    )
    op.create_table(
        "identity_tries",
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_identity_tries")),
    )
    with op.batch_alter_table("identity_tries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_tries_window_ends_at"), ["window_ends_at"], unique=False)

    op.create_table(
        "redaction_check",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("rendition_id", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("checker", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "passed", "sent_back", "taken_back", name="checkstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("needed_by", sa.Date(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redaction_check")),
    )
    with op.batch_alter_table("redaction_check", schema=None) as batch_op:
        batch_op.create_index("ix_redaction_check_case", ["case_id"], unique=False)
        batch_op.create_index("ix_redaction_check_checker", ["checker", "state"], unique=False)
        batch_op.create_index("ix_redaction_check_rendition", ["rendition_id"], unique=False)

    op.create_table(
        "retention_agreement",
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("agreed_by", sa.String(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_retention_agreement")),
    )
    op.create_table(
        "retention_erasure",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("clip_id", sa.String(), nullable=True),
        sa.Column("asked_for", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_ends_on", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("asked", "objected", "cancelled", "done", name="erasurestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("objected_by", sa.String(), nullable=True),
        sa.Column("objection", sa.LargeBinary(), nullable=True),
        sa.Column("stopped", sa.JSON(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_erasure")),
    )
    with op.batch_alter_table("retention_erasure", schema=None) as batch_op:
        batch_op.create_index("ix_retention_erasure_case", ["case_id"], unique=False)
        batch_op.create_index("ix_retention_erasure_open", ["state", "asked_at"], unique=False)

    op.create_table(
        "retention_hold",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column(
            "scope", sa.Enum("case", "person", "clip", name="holdscope", native_enum=False, length=40), nullable=False
        ),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_reason", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_hold")),
    )
    with op.batch_alter_table("retention_hold", schema=None) as batch_op:
        batch_op.create_index("ix_retention_hold_in_force", ["released_at", "scope", "subject"], unique=False)

    op.create_table(
        "retention_notice",
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_retention_notice")),
    )
    op.create_table(
        "retention_sweep",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_by", sa.String(), nullable=True),
        sa.Column("profile", sa.String(), nullable=False),
        sa.Column("schedule_version", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "halted",
                "approved",
                "running",
                "done",
                "superseded",
                name="sweepstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("halted_for", sa.JSON(), nullable=False),
        sa.Column("all_records", sa.Integer(), nullable=False),
        sa.Column("all_bytes", sa.BigInteger(), nullable=False),
        sa.Column("due_records", sa.Integer(), nullable=False),
        sa.Column("due_bytes", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approval_reason", sa.LargeBinary(), nullable=True),
        sa.Column("approval_entry", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_sweep")),
    )
    with op.batch_alter_table("retention_sweep", schema=None) as batch_op:
        batch_op.create_index("ix_retention_sweep_state", ["state", "planned_at"], unique=False)

    op.create_table(
        "vault_object",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "original", "working_copy", "cut", "poster", "strip", name="objectkind", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "writing",
                "sealed",
                "quarantined",
                "destroying",
                "key_destroyed",
                "destroyed",
                name="objectstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_length", sa.BigInteger(), nullable=True),
        sa.Column("sealed_sha256", sa.String(), nullable=True),
        sa.Column("plain_length", sa.BigInteger(), nullable=True),
        sa.Column("plain_sha256", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroying_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_object")),
    )
    with op.batch_alter_table("vault_object", schema=None) as batch_op:
        batch_op.create_index("ix_vault_object_case", ["case_id"], unique=False)
        batch_op.create_index("ix_vault_object_job", ["job_id"], unique=False)

    op.create_table(
        "vault_upload",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("visit_id", sa.String(), nullable=False),
        sa.Column("depositor", sa.String(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("declared_sha256", sa.String(), nullable=True),
        sa.Column("filename", sa.LargeBinary(), nullable=True),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "receiving",
                "received",
                "sealed",
                "cancelled",
                "expired",
                "rejected",
                name="uploadstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("footage_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_byte_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_upload")),
    )
    with op.batch_alter_table("vault_upload", schema=None) as batch_op:
        batch_op.create_index("ix_vault_upload_case", ["case_id"], unique=False)
        batch_op.create_index("ix_vault_upload_due", ["state", "last_byte_at"], unique=False)

    op.create_table(
        "audit_disposal",
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column("certificate_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_leaf.entry_id"], name=op.f("fk_audit_disposal_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_disposal")),
    )
    op.create_table(
        "consent_ask",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("rendition_id", sa.String(), nullable=True),
        sa.Column("rendition_hash", sa.String(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "filming",
                "prepare",
                "check",
                "review_together",
                "family_review",
                "social_worker",
                "case_conference",
                "supervision",
                "accreditation",
                "referrer",
                "training",
                "research",
                "court",
                "family_copy",
                name="purpose",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("audience_person", sa.String(), nullable=True),
        sa.Column("audience_conference", sa.String(), nullable=True),
        sa.Column("grantor", sa.String(), nullable=False),
        sa.Column("on_behalf_of", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(audience_person IS NULL) <> (audience_conference IS NULL)", name=op.f("ck_consent_ask_one_audience")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_consent_ask_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_ask")),
    )
    with op.batch_alter_table("consent_ask", schema=None) as batch_op:
        batch_op.create_index("ix_consent_ask_case_id", ["case_id", "rendition_hash"], unique=False)
        batch_op.create_index("ix_consent_ask_grantor", ["grantor"], unique=False)

    op.create_table(
        "consent_conference",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chair", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_consent_conference_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_conference")),
    )
    with op.batch_alter_table("consent_conference", schema=None) as batch_op:
        batch_op.create_index("ix_consent_conference_case_id", ["case_id"], unique=False)

    op.create_table(
        "consent_event",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum("grant", "refuse", "withdraw", name="decision", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice_id", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "format",
            sa.Enum("standard", "easy_read", "read_aloud", "translated", name="format", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "how",
            sa.Enum(
                "own_device",
                "witnessed_tablet",
                "paper",
                "told_to_staff",
                "observed",
                name="how",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("witness", sa.String(), nullable=True),
        sa.Column("assurance", sa.String(), nullable=False),
        sa.Column("scan_reference", sa.LargeBinary(), nullable=True),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("rendition_id", sa.String(), nullable=True),
        sa.Column("rendition_hash", sa.String(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "filming",
                "prepare",
                "check",
                "review_together",
                "family_review",
                "social_worker",
                "case_conference",
                "supervision",
                "accreditation",
                "referrer",
                "training",
                "research",
                "court",
                "family_copy",
                name="purpose",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("audience_person", sa.String(), nullable=True),
        sa.Column("audience_conference", sa.String(), nullable=True),
        sa.Column("grantor", sa.String(), nullable=False),
        sa.Column("on_behalf_of", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(audience_person IS NULL) <> (audience_conference IS NULL)", name=op.f("ck_consent_event_one_audience")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_consent_event_case_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["consent_notice.id"], name=op.f("fk_consent_event_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
        sa.UniqueConstraint("case_id", "version", name=op.f("uq_consent_event_case_id_version")),
    )
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.create_index("ix_consent_event_case_id", ["case_id", "rendition_hash"], unique=False)
        batch_op.create_index("ix_consent_event_grantor", ["grantor"], unique=False)

    op.create_table(
        "consent_override",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("rendition_id", sa.String(), nullable=False),
        sa.Column("rendition_hash", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column(
            "basis",
            sa.Enum(
                "section_47",
                "court_order",
                "police",
                "data_sharing_duty",
                name="lawfulbasis",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("necessity", sa.LargeBinary(), nullable=False),
        sa.Column("proportionality", sa.LargeBinary(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tell_family_on", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_told_because", sa.LargeBinary(), nullable=True),
        sa.Column("proposer", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approver", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_consent_override_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_override")),
    )
    with op.batch_alter_table("consent_override", schema=None) as batch_op:
        batch_op.create_index("ix_consent_override_case_id", ["case_id"], unique=False)

    op.create_table(
        "consent_safe_to_ask",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("rendition_hash", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_consent_safe_to_ask_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_safe_to_ask")),
    )
    with op.batch_alter_table("consent_safe_to_ask", schema=None) as batch_op:
        batch_op.create_index("ix_consent_safe_to_ask_rendition_hash", ["rendition_hash", "person_id"], unique=False)

    op.create_table(
        "consent_sign",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("child_id", sa.String(), nullable=False),
        sa.Column("rendition_hash", sa.String(), nullable=False),
        sa.Column("noted_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_consent_sign_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_sign")),
    )
    with op.batch_alter_table("consent_sign", schema=None) as batch_op:
        batch_op.create_index("ix_consent_sign_child_id", ["child_id", "rendition_hash"], unique=False)

    op.create_table(
        "consent_waiver",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("notice_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reason",
            sa.Enum("urgent", "cant_be_found", "unsafe_to_ask", name="waiverreason", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("explanation", sa.LargeBinary(), nullable=False),
        sa.Column("waived_by", sa.String(), nullable=False),
        sa.Column("waived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("rendition_id", sa.String(), nullable=True),
        sa.Column("rendition_hash", sa.String(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "filming",
                "prepare",
                "check",
                "review_together",
                "family_review",
                "social_worker",
                "case_conference",
                "supervision",
                "accreditation",
                "referrer",
                "training",
                "research",
                "court",
                "family_copy",
                name="purpose",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("audience_person", sa.String(), nullable=True),
        sa.Column("audience_conference", sa.String(), nullable=True),
        sa.Column("grantor", sa.String(), nullable=False),
        sa.Column("on_behalf_of", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(audience_person IS NULL) <> (audience_conference IS NULL)", name=op.f("ck_consent_waiver_one_audience")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_consent_waiver_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_waiver")),
    )
    with op.batch_alter_table("consent_waiver", schema=None) as batch_op:
        batch_op.create_index("ix_consent_waiver_case_id", ["case_id"], unique=False)

    op.create_table(
        "identity_asked_about",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("child_id", sa.String(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "not_known",
                "known_without_responsibility",
                "not_said",
                "died",
                name="askoutcome",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_identity_asked_about_case_id")),
        sa.ForeignKeyConstraint(["child_id"], ["identity_person.id"], name=op.f("fk_identity_asked_about_child_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_asked_about")),
    )
    with op.batch_alter_table("identity_asked_about", schema=None) as batch_op:
        batch_op.create_index("ix_identity_asked_about_case", ["case_id"], unique=False)

    op.create_table(
        "identity_assignment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "guider",
                "supervisor",
                "social_worker",
                "chair",
                "referrer",
                "checker",
                "trainer",
                "researcher",
                "legal",
                "manager",
                "ig_officer",
                "administrator",
                name="role",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("rendition_id", sa.String(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.LargeBinary(), nullable=True),
        sa.Column("assigned_by", sa.String(), nullable=False),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_identity_assignment_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_assignment_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_assignment")),
    )
    with op.batch_alter_table("identity_assignment", schema=None) as batch_op:
        batch_op.create_index("ix_identity_assignment_case", ["case_id"], unique=False)
        batch_op.create_index("ix_identity_assignment_person", ["person_id"], unique=False)
        batch_op.create_index(
            "uq_identity_assignment_one_guider",
            ["case_id"],
            unique=True,
            sqlite_where=sa.text("role = 'guider' AND ends_at IS NULL"),
            postgresql_where=sa.text("role = 'guider' AND ends_at IS NULL"),
        )

    op.create_table(
        "identity_capacity",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum("has", "lacks", "lacks_best_interests_yes", name="capacity", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_capacity_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_capacity")),
    )
    with op.batch_alter_table("identity_capacity", schema=None) as batch_op:
        batch_op.create_index("ix_identity_capacity_person", ["person_id"], unique=False)

    op.create_table(
        "identity_caseload",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("staff_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_caseload_person_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["identity_person.id"], name=op.f("fk_identity_caseload_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_caseload")),
    )
    with op.batch_alter_table("identity_caseload", schema=None) as batch_op:
        batch_op.create_index("ix_identity_caseload_person", ["person_id"], unique=False)
        batch_op.create_index("ix_identity_caseload_staff", ["staff_id"], unique=False)

    op.create_table(
        "identity_competence",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("child_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum("competent", "not_competent", name="competence", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("assessor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["identity_person.id"], name=op.f("fk_identity_competence_child_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_competence")),
    )
    with op.batch_alter_table("identity_competence", schema=None) as batch_op:
        batch_op.create_index("ix_identity_competence_child", ["child_id"], unique=False)

    op.create_table(
        "identity_device",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("passcode_hash", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_device_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_device")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_identity_device_token_hash")),
    )
    with op.batch_alter_table("identity_device", schema=None) as batch_op:
        batch_op.create_index("ix_identity_device_person", ["person_id"], unique=False)

    op.create_table(
        "identity_enrolment",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_enrolment_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_enrolment")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_identity_enrolment_token_hash")),
    )
    with op.batch_alter_table("identity_enrolment", schema=None) as batch_op:
        batch_op.create_index("ix_identity_enrolment_person", ["person_id"], unique=False)

    op.create_table(
        "identity_invitation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("invited_by", sa.String(), nullable=False),
        sa.Column(
            "second_thing",
            sa.Enum("message", "letter", name="secondthing", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_seen_by", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_identity_invitation_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_invitation_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_identity_invitation_token_hash")),
    )
    with op.batch_alter_table("identity_invitation", schema=None) as batch_op:
        batch_op.create_index("ix_identity_invitation_case", ["case_id"], unique=False)
        batch_op.create_index(
            "uq_identity_invitation_one_open",
            ["person_id"],
            unique=True,
            sqlite_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
            postgresql_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
        )

    op.create_table(
        "identity_member",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("is_index", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_identity_member_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_member_person_id")),
        sa.PrimaryKeyConstraint("case_id", "person_id", name=op.f("pk_identity_member")),
    )
    with op.batch_alter_table("identity_member", schema=None) as batch_op:
        batch_op.create_index("ix_identity_member_person", ["person_id"], unique=False)

    op.create_table(
        "identity_password",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_password_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_identity_password")),
    )
    op.create_table(
        "identity_relationship",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("holder_id", sa.String(), nullable=False),
        sa.Column("child_id", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "mother",
                "father",
                "second_parent",
                "step_parent",
                "guardian",
                "special_guardian",
                "adopter",
                "court_order",
                "local_authority",
                name="relationshipkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["identity_person.id"], name=op.f("fk_identity_relationship_child_id")),
        sa.ForeignKeyConstraint(["holder_id"], ["identity_person.id"], name=op.f("fk_identity_relationship_holder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_relationship")),
    )
    with op.batch_alter_table("identity_relationship", schema=None) as batch_op:
        batch_op.create_index("ix_identity_relationship_child", ["child_id"], unique=False)
        batch_op.create_index("ix_identity_relationship_holder", ["holder_id"], unique=False)

    op.create_table(
        "identity_restriction",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("no_view", sa.Boolean(), nullable=False),
        sa.Column("no_say", sa.Boolean(), nullable=False),
        sa.Column("not_asked", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("lifted_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_identity_restriction_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_restriction_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_restriction")),
    )
    with op.batch_alter_table("identity_restriction", schema=None) as batch_op:
        batch_op.create_index("ix_identity_restriction_case", ["case_id"], unique=False)

    op.create_table(
        "identity_staff_role",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "guider",
                "supervisor",
                "social_worker",
                "chair",
                "referrer",
                "checker",
                "trainer",
                "researcher",
                "legal",
                "manager",
                "ig_officer",
                "administrator",
                name="role",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_staff_role_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_identity_staff_role")),
    )
    op.create_table(
        "identity_totp",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_totp_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_identity_totp")),
    )
    op.create_table(
        "identity_visit",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column(
            "kind", sa.Enum("filming", "shared_review", name="visitkind", native_enum=False, length=40), nullable=False
        ),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_identity_visit_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_visit")),
    )
    with op.batch_alter_table("identity_visit", schema=None) as batch_op:
        batch_op.create_index("ix_identity_visit_case", ["case_id"], unique=False)

    op.create_table(
        "retention_item",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sweep_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column(
            "record_class",
            sa.Enum(
                "upload",
                "footage",
                "clip",
                "clip_look_again",
                "family_copy",
                "redacted_rendition",
                "supervision_clip",
                "child_protection_clip",
                "looked_after_clip",
                "consent_record",
                "access_audit",
                "certificate",
                "backup",
                name="recordclass",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "destroying",
                "key_destroyed",
                "certified",
                "done",
                "kept",
                name="itemstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("kept_because", sa.String(), nullable=True),
        sa.Column("destroying_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["sweep_id"], ["retention_sweep.id"], name=op.f("fk_retention_item_sweep_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_item")),
        sa.UniqueConstraint("sweep_id", "record_id", name=op.f("uq_retention_item_sweep_id_record_id")),
    )
    with op.batch_alter_table("retention_item", schema=None) as batch_op:
        batch_op.create_index("ix_retention_item_record", ["record_id"], unique=False)
        batch_op.create_index("ix_retention_item_state", ["sweep_id", "state"], unique=False)

    op.create_table(
        "vault_footage",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("visit_id", sa.String(), nullable=False),
        sa.Column("upload_id", sa.String(), nullable=False),
        sa.Column("depositor", sa.String(), nullable=False),
        sa.Column("original_id", sa.String(), nullable=True),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("filename", sa.LargeBinary(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "preparing",
                "ready",
                "rejected",
                "destroying",
                "destroyed",
                name="footagestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_sentence", sa.String(), nullable=True),
        sa.Column("deposited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("phone_copy_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["original_id"], ["vault_object.id"], name=op.f("fk_vault_footage_original_id")),
        sa.ForeignKeyConstraint(["upload_id"], ["vault_upload.id"], name=op.f("fk_vault_footage_upload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_footage")),
    )
    with op.batch_alter_table("vault_footage", schema=None) as batch_op:
        batch_op.create_index("ix_vault_footage_case", ["case_id"], unique=False)
        batch_op.create_index("ix_vault_footage_due", ["state", "deposited_at"], unique=False)

    op.create_table(
        "vault_part",
        sa.Column("upload_id", sa.String(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_length", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["vault_upload.id"], name=op.f("fk_vault_part_upload_id")),
        sa.PrimaryKeyConstraint("upload_id", "offset", name=op.f("pk_vault_part")),
        sa.UniqueConstraint("name", name=op.f("uq_vault_part_name")),
    )
    op.create_table(
        "consent_attendee",
        sa.Column("conference_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conference_id"], ["consent_conference.id"], name=op.f("fk_consent_attendee_conference_id")
        ),
        sa.PrimaryKeyConstraint("conference_id", "person_id", name=op.f("pk_consent_attendee")),
    )
    op.create_table(
        "consent_override_shown",
        sa.Column("override_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["override_id"], ["consent_override.id"], name=op.f("fk_consent_override_shown_override_id")
        ),
        sa.PrimaryKeyConstraint("override_id", "person_id", name=op.f("pk_consent_override_shown")),
    )
    op.create_table(
        "consent_presenting",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("conference_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("presenter", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["identity_case.id"], name=op.f("fk_consent_presenting_case_id")),
        sa.ForeignKeyConstraint(
            ["conference_id"], ["consent_conference.id"], name=op.f("fk_consent_presenting_conference_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_presenting")),
    )
    with op.batch_alter_table("consent_presenting", schema=None) as batch_op:
        batch_op.create_index("ix_consent_presenting_conference_id", ["conference_id"], unique=False)

    op.create_table(
        "identity_present",
        sa.Column("visit_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_present_person_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["identity_visit.id"], name=op.f("fk_identity_present_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", "person_id", name=op.f("pk_identity_present")),
    )
    op.create_table(
        "identity_session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column(
            "kind", sa.Enum("staff", "family", "other", name="personkind", native_enum=False, length=40), nullable=False
        ),
        sa.Column("device_id", sa.String(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "step", sa.Enum("second_factor", "full", name="sessionstep", native_enum=False, length=40), nullable=False
        ),
        sa.Column("factors", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle_seconds", sa.Integer(), nullable=False),
        sa.Column("idle_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["identity_device.id"], name=op.f("fk_identity_session_device_id")),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_identity_session_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_identity_session_token_hash")),
    )
    with op.batch_alter_table("identity_session", schema=None) as batch_op:
        batch_op.create_index("ix_identity_session_person", ["person_id"], unique=False)

    op.create_table(
        "retention_certificate",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column(
            "record_class",
            sa.Enum(
                "upload",
                "footage",
                "clip",
                "clip_look_again",
                "family_copy",
                "redacted_rendition",
                "supervision_clip",
                "child_protection_clip",
                "looked_after_clip",
                "consent_record",
                "access_audit",
                "certificate",
                "backup",
                name="recordclass",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("last_key", sa.String(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("audit_entry", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["retention_item.id"], name=op.f("fk_retention_certificate_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_certificate")),
        sa.UniqueConstraint("item_id", name=op.f("uq_retention_certificate_item_id")),
    )
    with op.batch_alter_table("retention_certificate", schema=None) as batch_op:
        batch_op.create_index("ix_retention_certificate_time", ["destroyed_at", "id"], unique=False)

    op.create_table(
        "vault_clip",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("footage_id", sa.String(), nullable=False),
        sa.Column("first_frame", sa.Integer(), nullable=False),
        sa.Column("last_frame", sa.Integer(), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=True),
        sa.Column("goals", sa.LargeBinary(), nullable=True),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "cutting",
                "ready",
                "rejected",
                "destroying",
                "destroyed",
                name="clipstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_sentence", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["footage_id"], ["vault_footage.id"], name=op.f("fk_vault_clip_footage_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_clip")),
    )
    with op.batch_alter_table("vault_clip", schema=None) as batch_op:
        batch_op.create_index("ix_vault_clip_case", ["case_id"], unique=False)
        batch_op.create_index("ix_vault_clip_footage", ["footage_id"], unique=False)

    op.create_table(
        "vault_rendition",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("footage_id", sa.String(), nullable=False),
        sa.Column("clip_id", sa.String(), nullable=True),
        sa.Column(
            "treatment",
            sa.Enum("working_copy", "original_cut", "redacted", name="treatment", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("poster_id", sa.String(), nullable=True),
        sa.Column("strip_id", sa.String(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "live",
                "quarantined",
                "withdrawn_from_use",
                "destroyed",
                name="renditionstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("attested_by", sa.String(), nullable=True),
        sa.Column("attested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("nobody_recognisable", sa.Boolean(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("fps_numerator", sa.Integer(), nullable=False),
        sa.Column("fps_denominator", sa.Integer(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("has_audio", sa.Boolean(), nullable=False),
        sa.Column("strip_columns", sa.Integer(), nullable=True),
        sa.Column("strip_count", sa.Integer(), nullable=True),
        sa.Column("strip_width", sa.Integer(), nullable=True),
        sa.Column("strip_height", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["vault_clip.id"], name=op.f("fk_vault_rendition_clip_id")),
        sa.ForeignKeyConstraint(["footage_id"], ["vault_footage.id"], name=op.f("fk_vault_rendition_footage_id")),
        sa.ForeignKeyConstraint(["object_id"], ["vault_object.id"], name=op.f("fk_vault_rendition_object_id")),
        sa.ForeignKeyConstraint(["poster_id"], ["vault_object.id"], name=op.f("fk_vault_rendition_poster_id")),
        sa.ForeignKeyConstraint(["strip_id"], ["vault_object.id"], name=op.f("fk_vault_rendition_strip_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_rendition")),
    )
    with op.batch_alter_table("vault_rendition", schema=None) as batch_op:
        batch_op.create_index("ix_vault_rendition_case", ["case_id"], unique=False)
        batch_op.create_index("ix_vault_rendition_clip", ["clip_id"], unique=False)
        batch_op.create_index("ix_vault_rendition_footage", ["footage_id"], unique=False)

    op.create_table(
        "vault_person_shown",
        sa.Column("rendition_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rendition_id"], ["vault_rendition.id"], name=op.f("fk_vault_person_shown_rendition_id")
        ),
        sa.PrimaryKeyConstraint("rendition_id", "person_id", name=op.f("pk_vault_person_shown")),
    )
    op.create_table(
        "vault_viewing",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("rendition_id", sa.String(), nullable=False),
        sa.Column("viewer", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("conference_id", sa.String(), nullable=True),
        sa.Column("presented_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bytes_served", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["rendition_id"], ["vault_rendition.id"], name=op.f("fk_vault_viewing_rendition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_viewing")),
    )
    with op.batch_alter_table("vault_viewing", schema=None) as batch_op:
        batch_op.create_index("ix_vault_viewing_case", ["case_id"], unique=False)
        batch_op.create_index("ix_vault_viewing_rendition", ["rendition_id"], unique=False)

    op.create_table(
        "vault_viewing_present",
        sa.Column("viewing_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["viewing_id"], ["vault_viewing.id"], name=op.f("fk_vault_viewing_present_viewing_id")),
        sa.PrimaryKeyConstraint("viewing_id", "person_id", name=op.f("pk_vault_viewing_present")),
    )
    connection = op.get_bind()
    for statement in _TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
