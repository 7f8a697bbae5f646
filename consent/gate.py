"""The gate before every byte: decide, write it down, and decide again for as long as bytes flow.

* ``authorise`` holds the case's row, so that it and a withdrawal happen one after the other, never at once: if the
  withdrawal is first, the answer is no; if this is first, the permit's version is stale as soon as the other commits.
* ``still_permitted`` decides anew on facts from one fresh snapshot of the database, for each byte range. Where a
  permit of a moment ago is at hand, ``still_stands`` finds in one query whether that would decide the same.
* ``Watch`` (``consent.watch``) tells in between whether a permit's version and session still stand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

import audit
from consent.collect import facts_about, facts_of, now
from consent.facts import Facts, Inquiry, Presenting, Rendition
from consent.models import PresentingRow
from consent.rules import Permit, decide
from consent.terms import Action, Purpose, Reason, Refusal
from consent.together import together_on
from core.db import Database
from core.ids import CaseId, ObjectId, PersonId, RenditionId
from identity import Actor, PersonKind, lock_case, roster, sessions_live, version_while_live


def inquiry_of(
    actor: Actor,
    *,
    purpose: Purpose,
    action: Action,
    at: datetime,
    presenting: Presenting | None = None,
    playing_to: frozenset[PersonId] = frozenset(),
) -> Inquiry:
    """What a signed-in person asks of the decision; their session says who they are and until when."""
    return Inquiry(
        viewer=actor.person,
        viewer_is_family=actor.kind is PersonKind.FAMILY,
        two_factors=actor.has_two_factors,
        session=actor.session,
        session_ends_at=actor.expires_at or at,
        purpose=purpose,
        action=action,
        at=at,
        presenting=presenting,
        playing_to=playing_to,
    )


def authorise(
    session: Session, *, inquiry: Inquiry, rendition: Rendition, object_ids: frozenset[ObjectId]
) -> Permit | Refusal:
    """Decide whether a viewing may begin, at this moment, and write the entry of it.

    The caller commits in either case, and only then raises the refusal or sends the first byte.

    Args:
        session: a writing transaction, which ends soon: it holds the case.
        inquiry: who wants what; its time is replaced by the transaction's own.
        rendition: the facts about it, read in this transaction after ``identity.lock_case``.
        object_ids: the objects whose keys the permit may open.

    Raises:
        NotFound: no such case.
        Unavailable: the log can't be written, or the keys are sealed. Nothing may be shown then.
    """
    lock_case(session, rendition.case_id)
    asked = _confirmed(session, replace(inquiry, at=now(session)))
    answer = decide(asked, facts=facts_of(session, rendition), objects=object_ids)
    is_permit = isinstance(answer, Permit)
    audit.record(
        session,
        audit.Event.VIEWING_BEGUN if is_permit else audit.Event.VIEWING_REFUSED,
        actor=inquiry.viewer,
        outcome=audit.Outcome.DONE if is_permit else audit.Outcome.REFUSED,
        case_id=rendition.case_id,
        object_id=rendition.id,
        reason=None if isinstance(answer, Permit) else answer.reason.value,
        purpose=inquiry.purpose.value,
        details={
            "action": inquiry.action.value,
            "session": inquiry.session,
            "version": answer.version if isinstance(answer, Permit) else None,
            "override": answer.override if isinstance(answer, Permit) else None,
            "about": None if isinstance(answer, Permit) else answer.about,
        },
    )
    return answer


def consider(session: Session, *, inquiry: Inquiry, rendition: Rendition) -> Permit | Refusal:
    """Decide for a page that lists what may be watched: nothing is recorded, and the permit opens no object."""
    asked = _confirmed(session, replace(inquiry, at=now(session)))
    return decide(asked, facts=facts_of(session, rendition))


def still_permitted(db: Database, permit: Permit, *, facts: Callable[[Session], Rendition]) -> Permit | Refusal:
    """Decide again, on fresh facts from one snapshot; whatever goes wrong, the answer is no.

    Args:
        db: the main database (the primary: never a replica, which lags).
        permit: the one that is being used.
        facts: gives the rendition as vault knows it in that snapshot.

    Returns:
        A new permit for the same objects, which replaces the old one; or why not.
    """
    return decide_again(
        db,
        inquiry=permit.inquiry,
        case_id=permit.case_id,
        rendition_id=permit.rendition_id,
        content_hash=permit.content_hash,
        object_ids=permit.objects,
        facts=facts,
    )


def decide_again(
    db: Database,
    *,
    inquiry: Inquiry,
    case_id: CaseId,
    rendition_id: RenditionId,
    content_hash: str,
    object_ids: frozenset[ObjectId],
    facts: Callable[[Session], Rendition],
) -> Permit | Refusal:
    """Decide again on a viewing that ``authorise`` began, in whichever process; whatever goes wrong, the answer is no.

    Args:
        db: the main database (the primary: never a replica, which lags).
        inquiry: as it was when the viewing began; its time is replaced by the transaction's own.
        case_id: whose case the viewing was begun in.
        rendition_id: what it was begun for.
        content_hash: the bytes that it was begun for.
        object_ids: the objects whose keys the permit may open.
        facts: gives the rendition as vault knows it in that snapshot.
    """

    def collect() -> Facts:
        with db.read() as session:
            people = roster(session, case_id)
            return facts_about(session, facts(session), people=people)

    try:
        together = together_on(db)
        known = together.collected((case_id, rendition_id), collect)
        if known.rendition.id != rendition_id or known.rendition.content_hash != content_hash:
            return Refusal(Reason.HASH_CHANGED)
        with together.one_by_one, db.read() as session:
            at = now(session)
            if inquiry.session not in sessions_live(session, [inquiry.session], at=at):
                return Refusal(Reason.SESSION_ENDED)
            asked = _confirmed(session, replace(inquiry, at=at))
        return decide(asked, facts=known, objects=object_ids)
    except Exception:  # noqa: BLE001 - default deny: a lost database, a sealed key store, a fault of ours
        return Refusal(Reason.ERROR)


def still_stands(
    session: Session,
    permit: Permit,
    *,
    inquiry: Inquiry,
    rendition_id: RenditionId,
    content_hash: str,
    object_ids: frozenset[ObjectId],
) -> bool:
    """Whether deciding now could only give this permit again; a no only means: decide.

    A decision is good for one version of the case until its next turning point, as long as the session holds (decision
    0005). Version and session are read here and now, in the caller's snapshot; what is asked must be the same to the
    letter. A presenter session is always looked up, so one is never compared.

    Args:
        session: the snapshot in which the other arguments were read.
        permit: an earlier answer.
        inquiry: who asks for what; its time is replaced by the transaction's own.
        rendition_id: what is to be shown.
        content_hash: its bytes.
        object_ids: the objects whose keys are to be opened.
    """
    at = now(session)
    asked = (replace(inquiry, at=permit.inquiry.at), rendition_id, content_hash, object_ids)
    if asked != (permit.inquiry, permit.rendition_id, permit.content_hash, permit.objects):
        return False
    if inquiry.presenting is not None or not permit.inquiry.at <= at < permit.valid_until:
        return False
    return version_while_live(session, permit.case_id, of=inquiry.session, at=at) == permit.version


def _confirmed(session: Session, inquiry: Inquiry) -> Inquiry:
    """Take a presenter session from the table, never from what a request says about it."""
    if inquiry.presenting is None:
        return inquiry
    row = session.scalars(
        select(PresentingRow)
        .where(
            PresentingRow.conference_id == inquiry.presenting.conference,
            PresentingRow.presenter == inquiry.viewer,
            PresentingRow.session_id == inquiry.session,
            PresentingRow.ended_at.is_(None),
        )
        .order_by(PresentingRow.ends_at.desc())
    ).first()
    if row is None:
        return replace(inquiry, presenting=None)
    return replace(inquiry, presenting=replace(inquiry.presenting, presenter=inquiry.viewer, ends_at=row.ends_at))
