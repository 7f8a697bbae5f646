"""How often something may be tried: counted in a table, so that it holds over all processes and a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import RateLimited
from identity.access_models import SessionRow, TriesRow
from identity.sealing import keyed_hash
from keys import KeyStore


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` tries of one kind in a window, per whatever is counted.

    Attributes:
        name: tells the kinds apart.
    """

    name: str
    most: int
    window: timedelta


PER_ACCOUNT = Limit("account", 10, timedelta(minutes=15))
PER_ADDRESS = Limit("address", 100, timedelta(minutes=15))
PER_CODE = Limit("code", 5, timedelta(minutes=5))
SESSIONS_KEPT = timedelta(days=30)


def tidy(db: Database) -> None:
    """Drop counts whose window is over, and sessions that ended long ago (the audit log remembers them). Nightly."""
    at = db.clock.now()
    with db.begin() as session:
        session.execute(delete(TriesRow).where(TriesRow.window_ends_at <= at))
        session.execute(delete(SessionRow).where(SessionRow.expires_at <= at - SESSIONS_KEPT))


def spend(session: Session, keys: KeyStore, limit: Limit, *, what: str, at: datetime) -> RateLimited | None:
    """Count one try, before it is looked at. The caller commits, then raises what comes back.

    Args:
        session: the caller's transaction.
        keys: the key store; what is counted is stored as an HMAC only.
        limit: which kind.
        what: the account or the network address.
        at: now.

    Returns:
        Nothing, or why this try doesn't count.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    fresh = insert(TriesRow).values(bucket=_bucket(keys, limit, what), tries=1, window_ends_at=at + limit.window)
    is_over = TriesRow.window_ends_at <= at
    counted = session.execute(
        fresh.on_conflict_do_update(
            index_elements=[TriesRow.bucket],
            set_={
                "tries": case((is_over, 1), else_=TriesRow.tries + 1),
                "window_ends_at": case((is_over, at + limit.window), else_=TriesRow.window_ends_at),
            },
        ).returning(TriesRow.tries, TriesRow.window_ends_at)
    ).one()
    if counted.tries <= limit.most:
        return None
    return RateLimited(
        "too_many_tries", "Too many tries. Please wait and try again.", retry_after=counted.window_ends_at - at
    )


def forget(session: Session, keys: KeyStore, limit: Limit, *, what: str) -> None:
    """Start counting anew after a success."""
    session.execute(delete(TriesRow).where(TriesRow.bucket == _bucket(keys, limit, what)))


def _bucket(keys: KeyStore, limit: Limit, what: str) -> str:
    return keyed_hash(keys, "tries", limit.name, what).hex()
