"""Answers: yes, no, and stop. Each is one transaction that locks the case, writes the answer and raises the version.

Rules:

1. A yes carries the version that its page showed. If one of the person's own answers in that case has moved since, it
   is refused with a conflict: whoever said "stop" on another device must see that before saying yes again. That version
   counts the person's own answers; the case's consent version would tell one parent that another has just answered.
2. A no or a stop never conflicts, asks for no reason and is one step. Stopping is never harder than giving.
3. People answer only questions that were put to themselves; anyone else's look as if they weren't there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent.audiences import FAMILY_PURPOSES
from consent.models import AskRow, EventRow, ScopeColumns
from consent.notices import current_notice
from consent.recording import Answer, answer_to, assurance_of, own_version, write_answer
from consent.rows import scope_of
from consent.terms import Decision, Format, How, Purpose, Scope
from consent.words import ENGLISH
from core.db import Database, not_found
from core.errors import Conflict, Invalid
from core.ids import AskId, CaseId, ConsentEventId, NoticeId, PersonId, well_formed
from identity import Actor, lock_case, require_signed_in


@dataclass(frozen=True, slots=True)
class Yes:
    """A yes to the questions of one page.

    Attributes:
        questions: for oneself, and for children.
        notice: the words that the page showed.
    """

    questions: tuple[AskId, ...]
    notice: NoticeId


def grant(
    db: Database,
    *,
    actor: Actor,
    questions: Sequence[AskId],
    page_version: int,
    notice: NoticeId,
    expires_at: datetime | None = None,
    language: str = ENGLISH,
    form: Format = Format.STANDARD,
) -> tuple[ConsentEventId, ...]:
    """Say yes to the questions of one page, on one's own device.

    Args:
        db: the main database.
        actor: who answers.
        questions: of one case and one purpose: for oneself, and for a child.
        page_version: what the page showed (``Question.page_version``).
        notice: the words that the page showed.
        expires_at: until when, if not until stopped.
        language: of the words.
        form: in which form they were given.

    Returns:
        The answers' ids, for their receipts.

    Raises:
        NotSignedIn: not with two factors.
        NotFound: a question put to somebody else, or none.
        Conflict: ``answers_moved``: their own answers have moved since the page was made; ``notice_changed``: the words
            have; ``case_closed``. Show the page anew.
        Invalid: ``no_question``, ``questions_apart``, ``end_before_start``.
    """
    at = db.clock.now()
    require_signed_in(actor)
    if not questions:
        raise Invalid("no_question", "Choose what to answer.")
    if expires_at is not None and expires_at <= at:
        raise Invalid("end_before_start", "The end lies in the past.", field="expires_at")
    with db.begin() as session:
        asks = [_own_question(session, actor, one) for one in dict.fromkeys(questions)]
        case_id, purpose = CaseId(asks[0].case_id), asks[0].purpose
        if any((ask.case_id, ask.purpose) != (case_id, purpose) for ask in asks):
            raise Invalid("questions_apart", "Answer one question at a time.")
        lock_case(session, case_id)
        conflict = _conflict(
            session, actor, case_id, purpose, page_version=page_version, notice=notice, language=language, form=form
        )
        if conflict is not None:
            raise conflict
        return tuple(
            write_answer(
                session,
                _mine(actor, ask, Decision.GRANT, expires_at=expires_at, notice=notice, language=language, form=form),
                at=at,
            )
            for ask in asks
        )


def answer(
    db: Database,
    *,
    actor: Actor,
    yes: Sequence[Yes],
    no: Sequence[AskId],
    page_version: int,
    language: str = ENGLISH,
    form: Format = Format.STANDARD,
) -> tuple[ConsentEventId, ...]:
    """Save the answers of several pages about one case at once, on one's own device.

    Each yes is held against the state before any of these answers, as if it were the only one. Where one of them
    conflicts, none counts; each no counts all the same, since a no never conflicts.

    Args:
        db: the main database.
        actor: who answers.
        yes: what they said yes to, with the words that were shown.
        no: what they said no to.
        page_version: what the first of the pages showed (``Question.page_version``).
        language: of the words.
        form: in which form they were given.

    Raises:
        NotSignedIn: not with two factors.
        NotFound: a question put to somebody else, or none.
        Conflict: as ``grant``.
        Invalid: ``no_question``; ``questions_apart``: of several cases.
    """
    at = db.clock.now()
    require_signed_in(actor)
    conflict: Conflict | None = None
    with db.begin() as session:
        refused = [_own_question(session, actor, one) for one in dict.fromkeys(no)]
        granted = [(_own_question(session, actor, one), page.notice) for page in yes for one in page.questions]
        cases = {ask.case_id for ask in refused} | {ask.case_id for ask, _ in granted}
        if not cases:
            raise Invalid("no_question", "Choose what to answer.")
        if len(cases) > 1:
            raise Invalid("questions_apart", "Answer about one family at a time.")
        case_id = CaseId(cases.pop())
        lock_case(session, case_id)
        for ask, notice in granted:
            conflict = conflict or _conflict(
                session,
                actor,
                case_id,
                ask.purpose,
                page_version=page_version,
                notice=notice,
                language=language,
                form=form,
            )
        said = [
            _mine(actor, ask, Decision.GRANT, notice=notice, language=language, form=form)
            for ask, notice in (granted if conflict is None else [])
        ]
        said += [_mine(actor, ask, Decision.REFUSE) for ask in refused]
        written = tuple(write_answer(session, one, at=at) for one in said)
    if conflict is not None:
        raise conflict
    return written


def refuse(db: Database, *, actor: Actor, questions: Sequence[AskId]) -> tuple[ConsentEventId, ...]:
    """Say no, on one's own device. It never conflicts, in whatever state the case is.

    Raises:
        NotSignedIn: not with two factors.
        NotFound: a question put to somebody else, or none.
    """
    return _say_no(db, actor, questions, Decision.REFUSE)


def withdraw(db: Database, *, actor: Actor, questions: Sequence[AskId]) -> tuple[ConsentEventId, ...]:
    """Stop what one said yes to: one step, no reason, no conflict, in whatever state the case is.

    Raises:
        NotSignedIn: not with two factors.
        NotFound: a question put to somebody else, or none.
    """
    return _say_no(db, actor, questions, Decision.WITHDRAW)


def stop_all(db: Database, *, actor: Actor) -> tuple[ConsentEventId, ...]:
    """Stop all sharing: a withdrawal for each yes that this person gave, for themself or a child, in every case.

    Filming agreements are not sharing; each is stopped by ``withdraw``.

    Raises:
        NotSignedIn: not with two factors.
    """
    at = db.clock.now()
    require_signed_in(actor)
    with db.begin() as session:
        cases = session.scalars(select(EventRow.case_id).where(EventRow.grantor == actor.person).distinct()).all()
        for case_id in sorted(cases):
            lock_case(session, CaseId(case_id))
        return tuple(
            write_answer(session, _mine(actor, standing, Decision.WITHDRAW), at=at)
            for standing in _standing_grants(session, actor.person, cases=cases)
        )


def _say_no(db: Database, actor: Actor, questions: Sequence[AskId], decision: Decision) -> tuple[ConsentEventId, ...]:
    at = db.clock.now()
    require_signed_in(actor)
    with db.begin() as session:
        asks = [_own_question(session, actor, one) for one in dict.fromkeys(questions)]
        for case_id in sorted({ask.case_id for ask in asks}):
            lock_case(session, CaseId(case_id))
        return tuple(write_answer(session, _mine(actor, ask, decision), at=at) for ask in asks)


def _own_question(session: Session, actor: Actor, question: AskId) -> AskRow:
    row = session.get(AskRow, question) if well_formed(question) else None
    if row is None or row.grantor != actor.person:
        raise not_found()
    return row


def _conflict(
    session: Session,
    actor: Actor,
    case_id: CaseId,
    purpose: Purpose,
    *,
    page_version: int,
    notice: NoticeId,
    language: str,
    form: Format,
) -> Conflict | None:
    """What has moved since a page was opened, if anything. The case is held."""
    if lock_case(session, case_id).closed_at is not None and purpose not in FAMILY_PURPOSES:
        return Conflict("case_closed", "This work has ended, so nothing new can be shown to others.")
    if notice != current_notice(session, purpose, language=language, form=form).id:
        return Conflict("notice_changed", "The words on this page have changed. Please read them again.")
    if own_version(session, actor.person, case_id=case_id) != page_version:
        return Conflict("answers_moved", "You have answered since this page was opened. Please look again.")
    return None


def _standing_grants(session: Session, person: PersonId, *, cases: Iterable[str]) -> list[EventRow]:
    """The latest answer of each scope where it is a yes."""
    rows = session.scalars(
        select(EventRow)
        .where(
            EventRow.grantor == person,
            EventRow.case_id.in_(list(cases)),
            EventRow.purpose != Purpose.FILMING,
            EventRow.how != How.OBSERVED,
        )
        .order_by(EventRow.case_id, EventRow.version)
    )
    latest: dict[tuple[str, str, Scope], EventRow] = {}
    for row in rows:
        latest[row.case_id, row.on_behalf_of, scope_of(row)] = row
    return [row for row in latest.values() if row.decision is Decision.GRANT]


def _mine(
    actor: Actor,
    row: ScopeColumns,
    decision: Decision,
    *,
    expires_at: datetime | None = None,
    notice: NoticeId | None = None,
    language: str = ENGLISH,
    form: Format = Format.STANDARD,
) -> Answer:
    return answer_to(
        row,
        decision,
        how=How.OWN_DEVICE,
        recorded_by=actor.person,
        assurance=assurance_of(actor),
        expires_at=expires_at,
        notice=notice,
        language=language,
        form=form,
    )
