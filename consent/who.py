"""Who speaks for whom, and who holds which place in the case, at a moment (PURE).

Ages run on calendar days at midnight where the authority is (``Policy.zone``); a person reaches an age at the
beginning of the birthday (Family Law Reform Act 1969, section 9), and a 29 February birthday falls on 1 March in
other years. At 16 capacity is presumed (Mental Capacity Act 2005, section 1; Family Law Reform Act 1969, section 8);
below it competence has to be found (*Gillick*).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from consent.facts import Facts
from consent.terms import Purpose
from core.ids import PersonId
from identity.facts import (
    Assignment,
    Capacity,
    CapacityDecision,
    Competence,
    CompetenceAssessment,
    Effect,
    Person,
    PersonKind,
    RelationshipKind,
    Role,
    Span,
)

CAPABLE_AGE: Final = 16
ADULT_AGE: Final = 18

FITTING: Final[Mapping[Purpose, frozenset[Role]]] = {
    Purpose.FILMING: frozenset({Role.GUIDER}),
    Purpose.PREPARE: frozenset({Role.GUIDER}),
    Purpose.REVIEW_TOGETHER: frozenset({Role.GUIDER}),
    Purpose.CHECK: frozenset({Role.CHECKER}),
    Purpose.SOCIAL_WORKER: frozenset({Role.SOCIAL_WORKER}),
    Purpose.SUPERVISION: frozenset({Role.SUPERVISOR}),
    Purpose.ACCREDITATION: frozenset({Role.SUPERVISOR, Role.TRAINER}),
    Purpose.REFERRER: frozenset({Role.REFERRER}),
    Purpose.TRAINING: frozenset({Role.TRAINER}),
    Purpose.RESEARCH: frozenset({Role.RESEARCHER}),
    Purpose.COURT: frozenset({Role.LEGAL}),
    Purpose.CASE_CONFERENCE: frozenset({Role.GUIDER, Role.CHAIR}),
    Purpose.FAMILY_REVIEW: frozenset(),
    Purpose.FAMILY_COPY: frozenset(),
}
"""Which place in the case fits which purpose; the table is total."""

INDEPENDENT: Final = frozenset(
    {Role.GUIDER, Role.CHECKER, Role.SUPERVISOR, Role.CHAIR, Role.TRAINER, Role.RESEARCHER, Role.MANAGER}
)
"""Roles that nobody holds towards a family on their own caseload; a social worker or referrer has them there."""


TEAM: Final = frozenset({Role.GUIDER, Role.SOCIAL_WORKER, Role.REFERRER, Role.CHAIR})
"""Who works on the case itself; a second look at who is recognisable comes from outside it."""


class Voice(StrEnum):
    """Whose answer counts for a person shown."""

    OWN = "own"
    PARENTS = "parents"
    UNSETTLED = "unsettled"
    """Both: the child's own yes and the parents' rule."""
    LACKING = "lacking"
    """Nobody's: no capacity, and nothing recorded that says otherwise."""
    BEST_INTERESTS = "best_interests"
    TOLD = "told"
    """Staff in frame: they are given notice and not asked."""
    UNKNOWN = "unknown"


def voice(facts: Facts, person: PersonId, *, purpose: Purpose, at: datetime) -> Voice:
    """Whose answer counts for ``person`` and this purpose at a moment."""
    known = facts.roster.persons.get(person)
    if known is None:
        return Voice.UNKNOWN
    if known.kind is PersonKind.STAFF:
        return Voice.TOLD
    if known.born_on is None and _is_named_as_child(facts, person):
        return Voice.UNSETTLED
    if known.born_on is None and known.kind is not PersonKind.FAMILY:
        return Voice.UNKNOWN  # a bystander of whom not even the age is known
    if known.born_on is not None and at < reaches(known, CAPABLE_AGE, facts.policy.zone):
        return _competence(facts, person, purpose, at)
    return _capacity(facts, person, purpose, at)


def is_child(facts: Facts, person: PersonId, *, at: datetime) -> bool:
    """Whether someone is under 18, or of unknown age and named as a child in a relationship."""
    known = facts.roster.persons.get(person)
    if known is None or known.kind is PersonKind.STAFF:
        return False
    if known.born_on is None:
        return _is_named_as_child(facts, person)
    return at < reaches(known, ADULT_AGE, facts.policy.zone)


def reaches(person: Person, years: int, zone: tzinfo) -> datetime:
    """The moment at which someone with a known birthday reaches an age.

    Raises:
        ValueError: the birthday isn't known.
    """
    born = person.born_on
    if born is None:
        message = "no date of birth"
        raise ValueError(message)
    leapling = (born.month, born.day) == (2, 29)
    try:
        day = born.replace(year=born.year + years)
    except ValueError:
        if not leapling:
            raise
        day = date(born.year + years, 3, 1)
    return midnight(day, zone)


def review_ends(assessment: CompetenceAssessment, zone: tzinfo) -> datetime:
    """When an assessment is past its review date: the midnight that ends that day."""
    return midnight(assessment.review_on + timedelta(days=1), zone)


def midnight(day: date, zone: tzinfo) -> datetime:
    """The beginning of a calendar day."""
    return datetime.combine(day, time(), tzinfo=zone)


def holders(facts: Facts, child: PersonId, *, at: datetime) -> frozenset[PersonId]:
    """Who holds parental responsibility for a child and has a say, by id."""
    return frozenset(
        tie.holder
        for tie in facts.roster.relationships
        if tie.child == child and tie.span.covers(at) and not restricted(facts, tie.holder, Effect.NO_SAY, at=at)
    )


def authority_holders(facts: Facts, child: PersonId, *, at: datetime) -> frozenset[PersonId]:
    """The named managers who decide where the authority holds parental responsibility."""
    deciding = holders(facts, child, at=at)
    return frozenset(
        tie.holder
        for tie in facts.roster.relationships
        if tie.child == child
        and tie.kind is RelationshipKind.LOCAL_AUTHORITY
        and tie.span.covers(at)
        and tie.holder in deciding
    )


def held_throughout(facts: Facts, holder: PersonId, child: PersonId, *, since: datetime, at: datetime) -> bool:
    """Whether someone held parental responsibility for a child from one moment to another without a break."""
    return any(
        tie.span.covers(since) and tie.span.covers(at)
        for tie in facts.roster.relationships
        if tie.holder == holder and tie.child == child
    )


def say_changed(facts: Facts, child: PersonId, *, since: datetime, at: datetime) -> bool:
    """Whether parental responsibility for a child, or an order on a holder's say, changed after ``since``."""
    ties = [tie for tie in facts.roster.relationships if tie.child == child]
    ever = {tie.holder for tie in ties}
    orders = [
        order.span for order in facts.roster.restrictions if order.person in ever and Effect.NO_SAY in order.effects
    ]
    return any(since < edge <= at for span in (*(tie.span for tie in ties), *orders) for edge in edges(span))


def restricted(facts: Facts, person: PersonId, effect: Effect, *, at: datetime) -> bool:
    """Whether an order or marker with this effect is in force."""
    return any(
        order.person == person and effect in order.effects and order.span.covers(at)
        for order in facts.roster.restrictions
    )


def speaks_for_someone_shown(facts: Facts, person: PersonId, *, purpose: Purpose, at: datetime) -> bool:
    """Whether someone has a say for a child shown who doesn't (alone) speak for themself."""
    return any(
        voice(facts, child, purpose=purpose, at=at) in {Voice.PARENTS, Voice.UNSETTLED}
        and person in holders(facts, child, at=at)
        for child in facts.rendition.persons_shown
    )


def places(facts: Facts, person: PersonId, *, at: datetime) -> tuple[Assignment, ...]:
    """The live assignments of a member of staff that reach this rendition."""
    return tuple(
        place
        for place in facts.roster.assignments
        if place.person == person
        and place.span.covers(at)
        and (place.rendition is None or place.rendition == facts.rendition.id)
    )


def on_the_case(facts: Facts, person: PersonId, *, at: datetime) -> bool:
    """Whether someone works on this case, other than on a single rendition."""
    return any(
        place.person == person and place.rendition is None and place.span.covers(at)
        for place in facts.roster.assignments
    )


def kept_place(facts: Facts, person: PersonId, *, purpose: Purpose, since: datetime, at: datetime) -> bool:
    """Whether one and the same fitting assignment has lasted from one moment to another."""
    return any(place.span.covers(since) and place.role in FITTING[purpose] for place in places(facts, person, at=at))


def conflicted(facts: Facts, staff: PersonId, roles: Iterable[Role], *, at: datetime) -> bool:
    """Whether someone in an independent role has this family on their own caseload."""
    return not INDEPENDENT.isdisjoint(roles) and any(
        entry.staff == staff and entry.span.covers(at) for entry in facts.roster.caseload
    )


def edges(span: Span) -> tuple[datetime, ...]:
    """The moments at which a span changes something."""
    return (span.start,) if span.end is None else (span.start, span.end)


def _is_named_as_child(facts: Facts, person: PersonId) -> bool:
    return any(tie.child == person for tie in facts.roster.relationships)


def _competence(facts: Facts, child: PersonId, purpose: Purpose, at: datetime) -> Voice:
    made = [
        found
        for found in facts.roster.competence
        if found.child == child and found.purpose in {None, purpose.value} and found.assessed_at <= at
    ]
    general = [found for found in made if found.purpose is None]
    special = [found for found in made if found.purpose is not None]
    if not special or not general:
        return _found(made, facts.policy.zone, at)
    verdict = _found(special, facts.policy.zone, at)
    if max(one.assessed_at for one in special) >= max(one.assessed_at for one in general):
        return verdict
    # A later look at the child as a whole doesn't undo what was found about this purpose, but it unsettles it.
    return verdict if verdict is _found(general, facts.policy.zone, at) else Voice.UNSETTLED


def _found(made: list[CompetenceAssessment], zone: tzinfo, at: datetime) -> Voice:
    if not made:
        return Voice.PARENTS
    newest = max(one.assessed_at for one in made)
    latest = [one for one in made if one.assessed_at == newest]
    outcomes = {one.outcome for one in latest}
    if len(outcomes) > 1 or any(at >= review_ends(one, zone) for one in latest):
        return Voice.UNSETTLED
    return Voice.OWN if outcomes == {Competence.COMPETENT} else Voice.PARENTS


_CARE: Final = (Capacity.LACKS, Capacity.LACKS_BEST_INTERESTS_YES, Capacity.HAS)
"""The more careful outcome first."""


def _capacity(facts: Facts, person: PersonId, purpose: Purpose, at: datetime) -> Voice:
    made = [
        one
        for one in facts.roster.capacity
        if one.person == person and one.purpose in {None, purpose.value} and one.decided_at <= at
    ]
    special = [one for one in made if one.purpose is not None]
    general = [one for one in made if one.purpose is None]
    counted = _newest(special)
    if not special or max(one.decided_at for one in special) < max((one.decided_at for one in general), default=at):
        counted += _newest(general)
    outcome = min((one.outcome for one in counted), key=_CARE.index, default=Capacity.HAS)
    return {
        Capacity.HAS: Voice.OWN,
        Capacity.LACKS: Voice.LACKING,
        Capacity.LACKS_BEST_INTERESTS_YES: Voice.BEST_INTERESTS,
    }[outcome]


def _newest(made: list[CapacityDecision]) -> list[CapacityDecision]:
    newest = max((one.decided_at for one in made), default=None)
    return [one for one in made if one.decided_at == newest]
