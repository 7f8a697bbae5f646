"""How often something may be tried: counted in a table, so that it holds over all processes and a restart.

Who can't be kept out this way by somebody else, however long that one goes on:

- staff, on a browser that they signed in on before: its tries are counted apart from everybody else's (``whence``);
- a family member with their bound device: only tries on that very device lock it (``devices``);
- whoever holds a real link: wrong codes end that link, and the guider makes another one (``invitations``).

So an address that has used its tries up (a whole office or phone network may share one) closes doors only to those who
have none of these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import RateLimited
from identity.access_models import SessionRow, TriesRow
from identity.sealing import keyed_hash
from identity.whence import Whence
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


QUARTER = timedelta(minutes=15)
PER_ACCOUNT = Limit("account", 10, QUARTER)
"""Wrong passwords at one account from browsers that it never signed in on."""
PER_BROWSER = Limit("browser", 10, QUARTER)
"""Wrong passwords at one account on one browser that it did sign in on."""
PER_ADDRESS = Limit("address", 100, QUARTER)
"""Wrong passwords from one network address (of IPv6: one network), whichever the account."""
PER_CODE = Limit("code", 5, timedelta(minutes=5))
PER_DAY_OF_CODES = Limit("code-day", 30, timedelta(days=1))
"""Three of a million codes are right at a time: five tries every five minutes for ever would find one."""
PER_CHANGE = Limit("change", 10, QUARTER)
"""Wrong passwords of somebody signed in who would change theirs."""
CODES_PER_ADDRESS = Limit("code-address", 100, QUARTER)
LINKS_PER_ADDRESS = Limit("link-address", 100, QUARTER)
"""Links and bound devices that aren't there, from one network address."""
_MINUTES_SAID = 90
SESSIONS_KEPT = timedelta(days=30)


def tidy(db: Database) -> None:
    """Drop counts whose window is over, and sessions that ended long ago (the audit log remembers them). Nightly."""
    at = db.clock.now()
    with db.begin() as session:
        session.execute(delete(TriesRow).where(TriesRow.window_ends_at <= at))
        session.execute(delete(SessionRow).where(SessionRow.expires_at <= at - SESSIONS_KEPT))


def spend(session: Session, keystore: KeyStore, limit: Limit, *, what: str, at: datetime) -> RateLimited | None:
    """Count one try, before it is looked at. The caller commits, then raises what comes back.

    Args:
        session: the caller's transaction.
        keystore: the key store; what is counted is stored as an HMAC only.
        limit: which kind.
        what: the account or the network address.
        at: now.

    Returns:
        Nothing, or why this try doesn't count.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    fresh = insert(TriesRow).values(bucket=_bucket(keystore, limit, what), tries=1, window_ends_at=at + limit.window)
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
    wait = counted.window_ends_at - at
    return RateLimited("too_many_tries", f"Too many tries. {please_wait(wait)}", retry_after=wait)


def refund(session: Session, keystore: KeyStore, limit: Limit, *, what: str) -> None:
    """Take back one try, which was a right one."""
    session.execute(
        update(TriesRow)
        .where(TriesRow.bucket == _bucket(keystore, limit, what), TriesRow.tries > 0)
        .values(tries=TriesRow.tries - 1)
    )


def please_wait(wait: timedelta) -> str:
    """When to try again, in a sentence."""
    minutes = max(1, math.ceil(wait / timedelta(minutes=1)))
    if minutes > _MINUTES_SAID:
        return f"Please wait {math.ceil(minutes / 60)} hours, then try again."
    return f"Please wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."


def count_guess(db: Database, *, keystore: KeyStore, whence: Whence) -> None:
    """Count a link or a device that isn't there (its own short transaction).

    Raises:
        RateLimited: ``too_many_tries``.
    """
    with db.begin() as session:
        limited = spend(session, keystore, LINKS_PER_ADDRESS, what=whence.network, at=db.clock.now())
    if limited:
        raise limited


def forget(session: Session, keystore: KeyStore, limit: Limit, *, what: str) -> None:
    """Start counting anew after a success."""
    session.execute(delete(TriesRow).where(TriesRow.bucket == _bucket(keystore, limit, what)))


def _bucket(keystore: KeyStore, limit: Limit, what: str) -> str:
    return keyed_hash(keystore, "tries", limit.name, what).hex()
