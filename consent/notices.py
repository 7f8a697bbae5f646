"""Notices: the exact words that a question was put in, versioned and hashed.

When the words change, what was granted on the old ones has lapsed, and every case where someone had said yes on them
gets a new version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent.models import EventRow, NoticeRow
from consent.terms import Decision, Format, Purpose
from consent.words import ENGLISH, NOTICES
from core.db import Database, get
from core.errors import Invalid, Unavailable
from core.ids import CaseId, NoticeId, new_id
from identity import every_case, lock_case, raise_version


@dataclass(frozen=True, slots=True)
class Notice:
    """One version of the words for one purpose.

    Attributes:
        body: the words, paragraphs apart by an empty line.
        sha256: hex digest of the words in UTF-8.
    """

    id: NoticeId
    purpose: Purpose
    language: str
    format: Format
    version: int
    body: str
    sha256: str


Words = Mapping[tuple[Purpose, str, Format], str]


def publish_notices(db: Database, *, words: Words = NOTICES) -> int:
    """Bring the stored notices up to date with the words that this version of the service ships; at every start.

    Returns:
        How many changed.
    """
    at = db.clock.now()
    with db.begin() as session:
        newest = {(row.purpose, row.language, row.format): row for row in _newest(session)}
        changed = [key for key, body in words.items() if key not in newest or newest[key].sha256 != digest(body)]
        replaced = [newest[key].id for key in changed if key in newest]
        # A yes to the former words may be under way just now: whoever gives it holds their case until it is written.
        for held in sorted(every_case(session)) if replaced else ():
            lock_case(session, held)
        touched = session.scalars(
            select(EventRow.case_id)
            .where(EventRow.notice_id.in_(replaced), EventRow.decision == Decision.GRANT)
            .distinct()
        ).all()
        for purpose, language, form in changed:
            body = words[purpose, language, form]
            before = newest.get((purpose, language, form))
            session.add(
                NoticeRow(
                    id=new_id(),
                    purpose=purpose,
                    language=language,
                    format=form,
                    version=before.version + 1 if before else 1,
                    body=body,
                    sha256=digest(body),
                    published_at=at,
                )
            )
        for case_id in sorted(touched):
            raise_version(session, CaseId(case_id))
    return len(changed)


def current_notice(
    session: Session, purpose: Purpose, *, language: str = ENGLISH, form: Format = Format.STANDARD
) -> Notice:
    """The words to show now. Reading aloud reads the standard ones.

    Raises:
        Invalid: ``language_missing``: these words don't exist in that language.
        Unavailable: ``notices_missing``: ``publish_notices`` hasn't run.
    """
    shown = Format.EASY_READ if form is Format.EASY_READ else Format.STANDARD
    rows = [row for row in _newest(session) if row.purpose is purpose]
    if not rows:
        raise Unavailable("notices_missing", "The words for this aren't ready. Please tell your administrator.")
    found = [row for row in rows if (row.language, row.format) == (language, shown)]
    if not found:
        raise Invalid("language_missing", "These words don't exist in that language yet.", field="language")
    return _notice(found[0])


def notice(session: Session, notice_id: NoticeId) -> Notice:
    """The words that an answer was given on.

    Raises:
        NotFound: no such notice.
    """
    return _notice(get(session, NoticeRow, notice_id))


def retired(session: Session) -> frozenset[NoticeId]:
    """Notices whose words have changed since."""
    rows = session.execute(
        select(NoticeRow.id, NoticeRow.purpose, NoticeRow.language, NoticeRow.format, NoticeRow.version)
    ).all()
    newest: dict[tuple[Purpose, str, Format], int] = {}
    for row in rows:
        key = (row.purpose, row.language, row.format)
        newest[key] = max(row.version, newest.get(key, 0))
    return frozenset(NoticeId(row.id) for row in rows if row.version < newest[row.purpose, row.language, row.format])


def digest(body: str) -> str:
    """Hex SHA-256 of the words."""
    return sha256(body.encode()).hexdigest()


def _newest(session: Session) -> list[NoticeRow]:
    newest: dict[tuple[Purpose, str, Format], NoticeRow] = {}
    for row in session.scalars(select(NoticeRow).order_by(NoticeRow.version)):
        newest[row.purpose, row.language, row.format] = row
    return list(newest.values())


def _notice(row: NoticeRow) -> Notice:
    return Notice(NoticeId(row.id), row.purpose, row.language, row.format, row.version, row.body, row.sha256)
