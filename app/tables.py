"""All tables of the main database, for Alembic and for tests: the one place that may look inside the rooms."""

from __future__ import annotations

import audit.models
import consent.models
import core.jobs
import core.mark
import core.outbox
import identity.access_models
import identity.models
import redaction.models
import retention.models
import vault.models
import vault.out_of_use
import vault.redaction_models
import vault.upkeep_models
import vault.viewing_models
import vault.watched
from core.db import Base

METADATA = Base.metadata

__all__ = ["METADATA", "audit", "consent", "core", "identity", "redaction", "retention", "vault"]
