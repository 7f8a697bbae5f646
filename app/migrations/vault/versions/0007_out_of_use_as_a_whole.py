"""What is out of use as a whole, so that what work under way makes of it is out of use, too.

For a request that is open now to erase everything, that is made good: each film that was begun before it is marked and
out of use, and comes back if the request is taken back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_REQUESTS = sa.table(
    "retention_erasure",
    sa.column("id", sa.String),
    sa.column("case_id", sa.String),
    sa.column("clip_id", sa.String),
    sa.column("asked_at", sa.DateTime(timezone=True)),
    sa.column("state", sa.String),
    sa.column("stopped", sa.JSON),
)
_UPLOADS = sa.table(
    "vault_upload",
    sa.column("id", sa.String),
    sa.column("case_id", sa.String),
    sa.column("footage_id", sa.String),
    sa.column("state", sa.String),
    sa.column("created_at", sa.DateTime(timezone=True)),
)
_RENDITIONS = sa.table(
    "vault_rendition",
    sa.column("id", sa.String),
    sa.column("footage_id", sa.String),
    sa.column("clip_id", sa.String),
    sa.column("state", sa.String),
)
_MARKS = sa.table("vault_out_of_use", sa.column("record_id", sa.String), sa.column("case_id", sa.String))


def upgrade() -> None:
    op.create_table(
        "vault_out_of_use",
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("rendition_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_vault_out_of_use")),
    )
    ask, marked = op.get_bind(), set[str]()
    is_open = _REQUESTS.c.state.in_(("asked", "objected")) & _REQUESTS.c.clip_id.is_(None)
    requests = ask.execute(sa.select(_REQUESTS.c.id, _REQUESTS.c.case_id, _REQUESTS.c.stopped).where(is_open)).all()
    for request, case_id, stopped in requests:
        meant = (
            sa.select(_UPLOADS.c.id, _UPLOADS.c.footage_id)
            .join(_REQUESTS, (_REQUESTS.c.id == request) & (_UPLOADS.c.created_at <= _REQUESTS.c.asked_at))
            .where(_UPLOADS.c.case_id == case_id, _UPLOADS.c.state.in_(("receiving", "received", "sealed")))
        )
        films = {row.id: row.footage_id for row in ask.execute(meant)}
        copies = _RENDITIONS.c.footage_id.in_(sorted(filter(None, films.values()))) & _RENDITIONS.c.clip_id.is_(None)
        in_use = copies & _RENDITIONS.c.state.in_(("live", "quarantined"))
        made = list(ask.scalars(sa.select(_RENDITIONS.c.id).where(in_use)))
        ask.execute(sa.update(_RENDITIONS).where(in_use).values(state="withdrawn_from_use"))
        for upload in sorted(films.keys() - marked):
            ask.execute(sa.insert(_MARKS).values(record_id=upload, case_id=case_id))
        marked |= films.keys()
        of_it = _REQUESTS.c.id == request
        ask.execute(sa.update(_REQUESTS).where(of_it).values(stopped=sorted({*stopped, *films, *made})))


def downgrade() -> None:
    op.drop_table("vault_out_of_use")
