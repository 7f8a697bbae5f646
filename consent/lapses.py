"""Whether a yes was theirs to give, and whether something has changed since that it rested on (PURE).

A grant lapses on an 18th birthday, new competence, a change of parental responsibility or of an order on a holder's
say, the recipient's reassignment, and a changed notice. A re-cut or re-rendered clip has another hash, so a grant for
the old one is about something else. Nothing is written when it happens: these facts say it at every decision.
"""

from __future__ import annotations

from datetime import datetime

from consent.facts import ConsentEvent, Facts
from consent.terms import How, Purpose
from consent.who import ADULT_AGE, Voice, held_throughout, kept_place, on_the_case, reaches, say_changed, voice
from identity.facts import Competence, PersonKind


def was_theirs_to_give(facts: Facts, grant: ConsentEvent) -> bool:
    """Whether a yes came in a way, and from someone, that could give it when it was given."""
    if grant.how in {How.TOLD_TO_STAFF, How.OBSERVED}:
        return False
    if grant.how is How.WITNESSED_TABLET and grant.witness is None:
        return False
    if grant.grantor != grant.on_behalf_of:
        manager = facts.roster.persons.get(grant.grantor)
        if manager is not None and manager.kind is PersonKind.STAFF:
            # The authority's manager stands outside the requesting team, and never decides for their own eyes.
            return grant.audience.person != grant.grantor and not on_the_case(facts, grant.grantor, at=grant.at)
        return True
    own = {Voice.OWN, Voice.UNSETTLED}
    return voice(facts, grant.on_behalf_of, purpose=grant.purpose, at=grant.at) in own


def has_lapsed(facts: Facts, grant: ConsentEvent, at: datetime) -> bool:
    """Whether something has changed since that the yes rested on."""
    person = facts.roster.persons.get(grant.on_behalf_of)
    if person is None or grant.notice in facts.retired:
        return True
    if person.born_on is not None:
        adult_from = reaches(person, ADULT_AGE, facts.policy.zone)
        if grant.at < adult_from <= at:
            return True
    if _recipient_moved(facts, grant, at):
        return True
    if grant.grantor == grant.on_behalf_of:
        return False
    return (
        not held_throughout(facts, grant.grantor, person.id, since=grant.at, at=at)
        or say_changed(facts, person.id, since=grant.at, at=at)
        or _found_competent_since(facts, grant, at)
    )


def _recipient_moved(facts: Facts, grant: ConsentEvent, at: datetime) -> bool:
    recipient = grant.audience.person
    if recipient is None:
        return False
    if grant.purpose in {Purpose.FAMILY_REVIEW, Purpose.FAMILY_COPY}:
        return False
    return not kept_place(facts, recipient, purpose=grant.purpose, since=grant.at, at=at)


def _found_competent_since(facts: Facts, grant: ConsentEvent, at: datetime) -> bool:
    return any(
        found.child == grant.on_behalf_of
        and found.purpose in {None, grant.purpose.value}
        and found.outcome is Competence.COMPETENT
        and grant.at < found.assessed_at <= at
        for found in facts.roster.competence
    )
