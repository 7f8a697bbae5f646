"""What a family asked to erase while it was quarantined is out of use, too: quarantines can be lifted from now on.

Until now such a rendition was left as it was, since nothing brought it back. Should the request be taken back, it stays
out of use: which request had taken out what isn't known of it.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE vault_rendition SET state = 'withdrawn_from_use' WHERE state = 'quarantined' AND EXISTS ("
        "SELECT 1 FROM retention_erasure WHERE retention_erasure.case_id = vault_rendition.case_id "
        "AND retention_erasure.state IN ('asked', 'objected') "
        "AND (retention_erasure.clip_id IS NULL OR retention_erasure.clip_id = vault_rendition.clip_id))"
    )


def downgrade() -> None:
    """Nothing: what is out of use stays so."""
