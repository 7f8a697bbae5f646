"""Answers that staff enter: a no that they were told, a tap on the guider's tablet, a signed paper.

What a parent tells any member of staff on the case counts at once if it is a no; a yes is never taken that way. A tap
on the guider's tablet is recorded as witnessed, never as the person's own sign-in.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent.audiences import FAMILY_PURPOSES
from consent.models import AskRow, EventRow
from consent.notices import current_notice
from consent.recording import answer_to, write_answer
from consent.rows import event_of, scope_of
from consent.says import in_order
from consent.terms import Decision, Format, How, Purpose
from consent.words import ENGLISH
from core import outbox
from core.db import Database, not_found
from core.errors import Conflict, Invalid
from core.ids import AskId, CaseId, ConsentEventId, NoticeId, PersonId, well_formed
from identity import Actor, Role, lock_case, require_in_case, require_member, roles_in
from keys import KeyStore

ANSWER_MESSAGE = "message.answer_recorded"
"""Outbox kind: somebody else entered an answer in this person's name; their own page lets them undo it in private."""


def record_told_refusal(
    db: Database, *, actor: Actor, case_id: CaseId, person: PersonId, question: AskId | None = None
) -> tuple[ConsentEventId, ...]:
    """Record a no that someone told a member of staff: it counts at once, and no proof is asked.

    Args:
        db: the main database.
        actor: anybody who works on the case.
        case_id: the case.
        person: who said it.
        question: to which question; to everything they were asked about sharing in this case where nothing is said.

    Returns:
        The answers' ids: a withdrawal of each yes, a refusal of each open question.

    Raises:
        NotFound: a foreign case, person or question.
    """
    at = db.clock.now()
    with db.begin() as session:
        roles_in(session, actor, case_id=case_id, at=at)
        lock_case(session, case_id)
        require_member(session, person, case_id=case_id)
        query = select(AskRow).where(AskRow.case_id == case_id, AskRow.grantor == person).order_by(AskRow.version)
        if question is not None:
            query = query.where(AskRow.id == question)
        asks = {(scope_of(ask), ask.on_behalf_of): ask for ask in session.scalars(query)}
        if question is not None and not asks:
            raise not_found()
        if question is None:
            asks = {key: ask for key, ask in asks.items() if ask.purpose is not Purpose.FILMING}
        written = []
        for ask in asks.values():
            said = _last_word(session, ask)
            if question is None and said in {Decision.REFUSE, Decision.WITHDRAW}:
                continue
            decision = Decision.WITHDRAW if said is Decision.GRANT else Decision.REFUSE
            answer = answer_to(ask, decision, how=How.TOLD_TO_STAFF, recorded_by=actor.person, assurance="told")
            written.append(write_answer(session, answer, at=at))
        return tuple(written)


def record_answer(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    question: AskId,
    decision: Decision,
    how: How,
    notice: NoticeId,
    language: str = ENGLISH,
    form: Format = Format.STANDARD,
    scan_reference: str | None = None,
) -> ConsentEventId:
    """Record an answer given on the guider's tablet, as witnessed, or on paper.

    The person gets a message without content, and their own page lets them undo it in private.

    Raises:
        NotFound: a foreign case or question.
        Refused: not the case's guider.
        Invalid: ``how_unfit``, ``reference_form``.
        Conflict: ``notice_changed``, ``case_closed``.
    """
    at = db.clock.now()
    if how not in {How.WITNESSED_TABLET, How.PAPER} or (how is How.PAPER) != (scan_reference is not None):
        raise Invalid("how_unfit", "Say whether it was given on the tablet, or where the signed paper is.", field="how")
    with db.begin() as session:
        ask = session.get(AskRow, question) if well_formed(question) else None
        if ask is None:
            raise not_found()
        case_id = CaseId(ask.case_id)
        require_in_case(session, actor, Role.GUIDER, case_id=case_id, at=at)
        case = lock_case(session, case_id)
        require_member(session, PersonId(ask.grantor), case_id=case_id)
        if case.closed_at is not None and decision is Decision.GRANT and ask.purpose not in FAMILY_PURPOSES:
            raise Conflict("case_closed", "This case is closed.")
        if notice != current_notice(session, ask.purpose, language=language, form=form).id:
            raise Conflict("notice_changed", "The words have changed. Please read them out again.")
        answer = answer_to(
            ask,
            decision,
            how=how,
            recorded_by=actor.person,
            assurance="witnessed" if how is How.WITNESSED_TABLET else "paper",
            notice=notice,
            language=language,
            form=form,
            scan_reference=scan_reference,
        )
        outbox.post(session, ANSWER_MESSAGE, at=at, payload={"person_id": ask.grantor, "case_id": case_id})
        return write_answer(session, answer, at=at, keystore=keystore)


def _last_word(session: Session, ask: AskRow) -> Decision | None:
    """The latest answer to a question, if one was given."""
    rows = session.scalars(
        select(EventRow).where(
            EventRow.case_id == ask.case_id,
            EventRow.grantor == ask.grantor,
            EventRow.on_behalf_of == ask.on_behalf_of,
            EventRow.rendition_hash == ask.rendition_hash,
        )
    )
    said = in_order(event_of(row) for row in rows if scope_of(row) == scope_of(ask) and row.how is not How.OBSERVED)
    return said[-1].decision if said else None
