"""Writing one answer: the row, the raised version and the audit entry, all in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import audit
from consent.models import EventRow, ScopeColumns
from consent.rows import columns, scope_of
from consent.terms import Decision, Format, How, Purpose, Scope
from consent.words import ENGLISH
from core.errors import Invalid
from core.ids import CaseId, ConsentEventId, NoticeId, PersonId, RenditionId, new_id
from identity import Actor, raise_version
from keys import KeyStore, RecordOwner, seal_field

LONGEST_REFERENCE = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, before it has a version.

    Attributes:
        assurance: what proved who gave it: the session's factors, or the way it came, in a code word.
        scan_reference: where the signed paper is kept, in words that are sealed.
    """

    case_id: CaseId
    rendition_id: RenditionId | None
    scope: Scope
    grantor: PersonId
    on_behalf_of: PersonId
    decision: Decision
    how: How
    recorded_by: PersonId
    assurance: str
    expires_at: datetime | None = None
    notice: NoticeId | None = None
    language: str = ENGLISH
    form: Format = Format.STANDARD
    witness: PersonId | None = None
    scan_reference: str | None = field(default=None, repr=False)


def answer_to(
    row: ScopeColumns,
    decision: Decision,
    *,
    how: How,
    recorded_by: PersonId,
    assurance: str,
    expires_at: datetime | None = None,
    notice: NoticeId | None = None,
    language: str = ENGLISH,
    form: Format = Format.STANDARD,
    scan_reference: str | None = None,
) -> Answer:
    """An answer about exactly what a question, or an earlier answer, was about."""
    return Answer(
        case_id=CaseId(row.case_id),
        rendition_id=None if row.rendition_id is None else RenditionId(row.rendition_id),
        scope=scope_of(row),
        grantor=PersonId(row.grantor),
        on_behalf_of=PersonId(row.on_behalf_of),
        decision=decision,
        how=how,
        recorded_by=recorded_by,
        assurance=assurance,
        expires_at=expires_at,
        notice=notice,
        language=language,
        form=form,
        witness=recorded_by if how is How.WITNESSED_TABLET else None,
        scan_reference=scan_reference,
    )


def write_answer(session: Session, answer: Answer, *, at: datetime, keystore: KeyStore | None = None) -> ConsentEventId:
    """Write an answer. The caller has locked the case and found that this person may give it.

    Args:
        session: the caller's transaction.
        answer: what was answered.
        at: when.
        keystore: to seal the paper's reference, where there is one.

    Raises:
        Invalid: ``reference_form``.
    """
    scope, event_id = answer.scope, ConsentEventId(new_id())
    version = raise_version(session, answer.case_id)
    entry = audit.record(
        session,
        _kind(answer),
        actor=answer.recorded_by,
        case_id=answer.case_id,
        object_id=event_id,
        purpose=scope.purpose.value,
        details={
            # Enough to replay the answer after a restore that forgot it.
            "grantor": answer.grantor,
            "on_behalf_of": answer.on_behalf_of,
            "rendition": answer.rendition_id,
            "rendition_hash": scope.rendition_hash or None,
            "audience_person": scope.audience.person,
            "audience_conference": scope.audience.conference,
            "decision": answer.decision.value,
            "how": answer.how.value,
            "witness": answer.witness,
            "notice": answer.notice,
            "version": version,
        },
    )
    session.add(
        EventRow(
            id=event_id,
            decision=answer.decision,
            at=at,
            expires_at=answer.expires_at,
            notice_id=answer.notice,
            language=answer.language,
            format=answer.form,
            how=answer.how,
            recorded_by=answer.recorded_by,
            witness=answer.witness,
            assurance=answer.assurance,
            scan_reference=_sealed(keystore, answer, row=event_id),
            entry_id=entry,
            **columns(
                scope,
                case_id=answer.case_id,
                rendition_id=answer.rendition_id,
                grantor=answer.grantor,
                on_behalf_of=answer.on_behalf_of,
                version=version,
            ),
        )
    )
    session.flush()
    return event_id


def own_version(session: Session, person: PersonId, *, case_id: CaseId) -> int:
    """How many answers of their own someone has in a case (also those entered for them): it moves with each."""
    query = select(func.count()).where(EventRow.case_id == case_id, EventRow.grantor == person)
    return session.scalar(query.where(EventRow.how != How.OBSERVED)) or 0


def assurance_of(actor: Actor) -> str:
    """What a session proved, as one code word."""
    return "+".join(sorted(factor.value for factor in actor.factors))


def _kind(answer: Answer) -> audit.Event:
    is_grant = answer.decision is Decision.GRANT
    if answer.how is How.OBSERVED and not is_grant:
        return audit.Event.DISSENT_RECORDED
    if answer.scope.purpose is Purpose.FILMING:
        return audit.Event.FILMING_AGREED if is_grant else audit.Event.FILMING_REFUSED
    if answer.how is How.OBSERVED:
        return audit.Event.DISSENT_LIFTED
    return {
        Decision.GRANT: audit.Event.CONSENT_GRANTED,
        Decision.REFUSE: audit.Event.CONSENT_REFUSED,
        Decision.WITHDRAW: audit.Event.CONSENT_WITHDRAWN,
    }[answer.decision]


def _sealed(keystore: KeyStore | None, answer: Answer, *, row: str) -> bytes | None:
    if answer.scan_reference is None:
        return None
    reference = answer.scan_reference.strip()
    if keystore is None or not reference or len(reference) > LONGEST_REFERENCE:
        raise Invalid("reference_form", "Say where the signed paper is kept.", field="scan_reference")
    key = keystore.record_key(RecordOwner.case(answer.case_id))
    return seal_field(key, table="consent_event", column="scan_reference", row=row, value=reference)
