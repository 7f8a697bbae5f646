"""Waiving a notice: a manager outside the requesting team, with a reason. A refusal still wins."""

from __future__ import annotations

from datetime import datetime

import audit
from consent.collect import facts_of
from consent.facts import Rendition
from consent.models import WaiverRow
from consent.rows import columns
from consent.terms import Audience, Purpose, Scope, WaiverReason
from consent.who import holders, on_the_case
from core.db import Database, not_found
from core.errors import Invalid, Refused
from core.ids import PersonId, new_id
from identity import Actor, Role, lock_case, raise_version, require_role
from keys import KeyStore, RecordOwner, seal_field

LONGEST_EXPLANATION = 2000


def waive_notice(
    db: Database,
    *,
    keystore: KeyStore,
    actor: Actor,
    rendition: Rendition,
    purpose: Purpose,
    audience: Audience,
    holder: PersonId,
    child: PersonId,
    reason: WaiverReason,
    explanation: str,
    ends_at: datetime | None = None,
) -> None:
    """Shorten or waive how long one holder's silence must be waited for, for one question.

    Args:
        db: the main database.
        keystore: to seal the explanation.
        actor: a manager who isn't in the team that asks, nor the one who would watch.
        rendition: the clip.
        purpose: what for.
        audience: for whom.
        holder: whose notice.
        child: for whom they would answer.
        reason: urgent, can't be found, or unsafe to ask.
        explanation: in words; sealed.
        ends_at: when the notice ends instead; at once where nothing is said.

    Raises:
        NotFound: a foreign case, or someone who holds no responsibility for the child.
        Refused: ``not_your_role``; ``in_requesting_team``.
        Invalid: ``words_form``.
    """
    at = db.clock.now()
    require_role(actor, Role.MANAGER)
    words = explanation.strip()
    if not words or len(words) > LONGEST_EXPLANATION:
        raise Invalid("words_form", "Explain why, in a few words.", field="explanation")
    case_id, scope = rendition.case_id, Scope(rendition.content_hash, purpose, audience)
    with db.begin() as session:
        lock_case(session, case_id)
        facts = facts_of(session, rendition)
        if on_the_case(facts, actor.person, at=at) or actor.person == audience.person:
            raise Refused("in_requesting_team", "A manager from outside this team must decide that.")
        if holder not in holders(facts, child, at=at):
            raise not_found()
        row_id, version = new_id(), raise_version(session, case_id)
        key = keystore.record_key(RecordOwner.case(case_id))
        session.add(
            WaiverRow(
                id=row_id,
                notice_ends_at=max(at, ends_at or at),
                reason=reason,
                explanation=seal_field(key, table="consent_waiver", column="explanation", row=row_id, value=words),
                waived_by=actor.person,
                waived_at=at,
                **columns(
                    scope,
                    case_id=case_id,
                    rendition_id=rendition.id,
                    grantor=holder,
                    on_behalf_of=child,
                    version=version,
                ),
            )
        )
        audit.record(
            session,
            audit.Event.NOTICE_WAIVED,
            actor=actor.person,
            case_id=case_id,
            object_id=row_id,
            reason=reason.value,
            purpose=purpose.value,
            details={"holder": holder, "child": child, "rendition": rendition.id, "version": version},
        )
