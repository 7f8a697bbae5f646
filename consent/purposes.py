"""What each purpose needs, one function each (PURE): who, doing what, and whose yes.

A function here answers nothing where the purpose's own needs are met, or the ``Refusal`` that says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from consent.facts import Conference, Facts, Inquiry, Override
from consent.says import family_objection, filming_objection, objection, own_no
from consent.terms import ACTIONS, Audience, Purpose, Reason, Refusal, RenditionState, Scope
from consent.who import FITTING, TEAM, conflicted, places, restricted, speaks_for_someone_shown
from core.ids import PersonId
from identity.facts import Effect, PersonKind, Role

LONGEST_OVERRIDE: Final = timedelta(hours=72)


def never(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    """What no purpose and no override gets round."""
    if inquiry.action not in ACTIONS[inquiry.purpose]:
        return Refusal(Reason.WRONG_ACTION)
    if facts.roster.case_id != facts.rendition.case_id or not facts.rendition.content_hash:
        return Refusal(Reason.ERROR)
    if facts.rendition.state is not RenditionState.LIVE:
        return Refusal(Reason.NOT_LIVE)
    if facts.rendition.is_footage and inquiry.purpose is not Purpose.PREPARE:
        return Refusal(Reason.NOT_A_CLIP)
    if not inquiry.two_factors:
        return Refusal(Reason.NO_SECOND_FACTOR)
    if inquiry.session_ends_at <= at:
        return Refusal(Reason.SESSION_ENDED)
    if restricted(facts, inquiry.viewer, Effect.NO_VIEW, at=at):
        return Refusal(Reason.RESTRICTED, inquiry.viewer)
    return None


def override(facts: Facts, inquiry: Inquiry, at: datetime) -> Override | None:
    """A lawful disclosure to this viewer that is in force and that two people stand behind."""
    if RULES[inquiry.purpose] is not _named_professional:
        return None
    return min(
        (
            one
            for one in facts.overrides
            if one.case_id == facts.rendition.case_id
            and one.rendition_hash == facts.rendition.content_hash
            and one.recipient == inquiry.viewer
            and one.approver is not None
            and one.approver not in {one.proposer, one.recipient}
            and one.starts_at <= at < one.ends_at
            and one.ends_at - one.starts_at <= LONGEST_OVERRIDE
        ),
        key=lambda one: one.id,
        default=None,
    )


def by_law(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    """What stands in the way of a lawful disclosure, which needs no yes and no open case."""
    return _has_a_place(facts, inquiry, at) or _unattested(facts)


def _prepare(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    return _is_staff_here(facts, inquiry, at) or _filming(facts, inquiry.viewer, at)


def _check(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    if (no := _is_staff_here(facts, inquiry, at)) is not None:
        return no
    if inquiry.viewer == facts.rendition.author:
        return Refusal(Reason.SELF_ATTESTED, inquiry.viewer)
    held = places(facts, inquiry.viewer, at=at)
    if any(place.role in TEAM for place in held):
        return Refusal(Reason.CONFLICT_OF_INTEREST, inquiry.viewer)
    if not any(place.role is Role.CHECKER and place.rendition == facts.rendition.id for place in held):
        return Refusal(Reason.NO_ASSIGNMENT, inquiry.viewer)
    return _filming(facts, facts.rendition.author, at)


def _review_together(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    if (no := _prepare(facts, inquiry, at)) is not None:
        return no
    if not inquiry.playing_to:
        return Refusal(Reason.NOBODY_LISTED)
    for person in sorted(inquiry.playing_to):
        if person not in facts.rendition.persons_shown:
            return Refusal(Reason.NOT_IN_AUDIENCE, person)
        if restricted(facts, person, Effect.NO_VIEW, at=at):
            return Refusal(Reason.RESTRICTED, person)
    scope = _scope(facts, inquiry, Audience(person=inquiry.viewer))
    return Refusal.weightiest(own_no(facts, person, scope=scope, at=at) for person in facts.rendition.persons_shown)


def _family_review(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    if (no := _is_family_here(facts, inquiry, at)) is not None:
        return no
    scope = _scope(facts, inquiry, Audience(person=inquiry.viewer))
    others = facts.rendition.persons_shown - {inquiry.viewer}
    return Refusal.weightiest(family_objection(facts, person, scope=scope, at=at) for person in others)


def _family_copy(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    if (no := _is_family_here(facts, inquiry, at) or _unattested(facts)) is not None:
        return no
    scope = _scope(facts, inquiry, Audience(person=inquiry.viewer))
    others = facts.rendition.persons_shown - {inquiry.viewer}
    return Refusal.weightiest(
        [
            own_no(facts, inquiry.viewer, scope=scope, at=at),
            *(objection(facts, person, scope=scope, at=at) for person in others),
        ]
    )


def _named_professional(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    return _is_staff_here(facts, inquiry, at) or _everyone_agrees(facts, inquiry, Audience(person=inquiry.viewer), at)


def _case_conference(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    session = inquiry.presenting
    if session is None or session.presenter != inquiry.viewer or session.ends_at <= at:
        return Refusal(Reason.OUTSIDE_WINDOW)
    meeting = next((one for one in facts.conferences if one.id == session.conference), None)
    if meeting is None or meeting.case_id != facts.rendition.case_id:
        return Refusal(Reason.NOT_IN_AUDIENCE)
    if not meeting.starts_at <= at < meeting.ends_at:
        return Refusal(Reason.OUTSIDE_WINDOW)
    no = _may_present(facts, inquiry, meeting, at)
    if no is not None:
        return no
    for person in sorted(meeting.attendees | {meeting.chair}):
        if restricted(facts, person, Effect.NO_VIEW, at=at):
            return Refusal(Reason.RESTRICTED, person)
    return _everyone_agrees(facts, inquiry, Audience(conference=meeting.id), at)


def _may_present(facts: Facts, inquiry: Inquiry, meeting: Conference, at: datetime) -> Refusal | None:
    if inquiry.viewer not in meeting.attendees | {meeting.chair}:
        return Refusal(Reason.NOT_IN_AUDIENCE, inquiry.viewer)
    if inquiry.viewer_is_family:
        return _is_family_here(facts, inquiry, at) or _is_open(facts)
    if (no := _is_staff_here(facts, inquiry, at)) is not None:
        return no
    roles = {place.role for place in places(facts, inquiry.viewer, at=at)}
    if Role.GUIDER in roles or inquiry.viewer == meeting.chair:
        return None
    return Refusal(Reason.NOT_IN_AUDIENCE, inquiry.viewer)


def _filming_itself(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    del facts, inquiry, at
    return Refusal(Reason.WRONG_ACTION)


def _is_open(facts: Facts) -> Refusal | None:
    return None if facts.roster.is_open else Refusal(Reason.CASE_CLOSED)


def _is_staff_here(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    return _is_open(facts) or _has_a_place(facts, inquiry, at)


def _has_a_place(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    viewer = facts.roster.persons.get(inquiry.viewer)
    if inquiry.viewer_is_family or (viewer is not None and viewer.kind is not PersonKind.STAFF):
        return Refusal(Reason.NO_ASSIGNMENT, inquiry.viewer)
    roles = FITTING[inquiry.purpose] & {place.role for place in places(facts, inquiry.viewer, at=at)}
    if not roles:
        return Refusal(Reason.NO_ASSIGNMENT, inquiry.viewer)
    if conflicted(facts, inquiry.viewer, roles, at=at):
        return Refusal(Reason.CONFLICT_OF_INTEREST, inquiry.viewer)
    return None


def _is_family_here(facts: Facts, inquiry: Inquiry, at: datetime) -> Refusal | None:
    """A family member who is shown, or who speaks for a child shown; the case may have closed."""
    viewer = facts.roster.persons.get(inquiry.viewer)
    if not inquiry.viewer_is_family or viewer is None or viewer.kind is not PersonKind.FAMILY:
        return Refusal(Reason.NOT_IN_AUDIENCE, inquiry.viewer)
    if inquiry.viewer in facts.rendition.persons_shown:
        return None
    if speaks_for_someone_shown(facts, inquiry.viewer, purpose=inquiry.purpose, at=at):
        return None
    return Refusal(Reason.NOT_IN_AUDIENCE, inquiry.viewer)


def _filming(facts: Facts, guider: PersonId, at: datetime) -> Refusal | None:
    filmed = facts.rendition.filmed or facts.rendition.persons_shown
    if not filmed:
        return Refusal(Reason.NOBODY_LISTED)
    return Refusal.weightiest(filming_objection(facts, person, guider=guider, at=at) for person in filmed)


def _everyone_agrees(facts: Facts, inquiry: Inquiry, audience: Audience, at: datetime) -> Refusal | None:
    """The yes of every person shown, to exactly this; a second person has said who they are."""
    scope = _scope(facts, inquiry, audience)
    asked_about = {one.scope for one in facts.asks} | {one.scope for one in facts.events}
    if scope not in asked_about:
        return Refusal(Reason.NOT_IN_AUDIENCE, audience.person)
    if (no := _unattested(facts)) is not None:
        return no
    return Refusal.weightiest(objection(facts, person, scope=scope, at=at) for person in facts.rendition.persons_shown)


def _unattested(facts: Facts) -> Refusal | None:
    rendition = facts.rendition
    if not rendition.persons_shown and not rendition.nobody_recognisable:
        return Refusal(Reason.NOBODY_LISTED)
    if rendition.attested_by is None:
        return Refusal(Reason.NOT_ATTESTED)
    if rendition.attested_by == rendition.author:
        return Refusal(Reason.SELF_ATTESTED)
    return None


def _scope(facts: Facts, inquiry: Inquiry, audience: Audience) -> Scope:
    return Scope(facts.rendition.content_hash, inquiry.purpose, audience)


Rule = Callable[[Facts, Inquiry, datetime], Refusal | None]

RULES: Final[Mapping[Purpose, Rule]] = {
    Purpose.FILMING: _filming_itself,
    Purpose.PREPARE: _prepare,
    Purpose.CHECK: _check,
    Purpose.REVIEW_TOGETHER: _review_together,
    Purpose.FAMILY_REVIEW: _family_review,
    Purpose.SOCIAL_WORKER: _named_professional,
    Purpose.CASE_CONFERENCE: _case_conference,
    Purpose.SUPERVISION: _named_professional,
    Purpose.ACCREDITATION: _named_professional,
    Purpose.REFERRER: _named_professional,
    Purpose.TRAINING: _named_professional,
    Purpose.RESEARCH: _named_professional,
    Purpose.COURT: _named_professional,
    Purpose.FAMILY_COPY: _family_copy,
}
