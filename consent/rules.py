"""The consent decision (PURE): may this actor do this with this rendition, for this purpose, now?

``decide`` has no I/O and no clock. It answers with a ``Permit`` or with a ``Refusal`` that says why; an error inside
it is a refusal. Nothing else makes a ``Permit``, and no object key is unwrapped for a viewer without one.

The rule, for everything that leaves the family:

1. the rendition is live, and its hash is the one that was consented to;
2. the viewer is named in the audience, signed in with a second factor, has a live assignment that fits, no conflict;
3. every person shown says yes (``consent.says``), and a second person has attested who is recognisable;
4. no restriction stops the viewer, and no answer of someone without a say is counted;
5. grant, conference window and presenter session have not ended.

An override supplies hash, recipient and window for 1, 2 and 5, and replaces the yes of 3.

Every fact here is constant between two *turning points* (starts and ends, birthdays, review dates, ends of notice),
so a permit is valid until the first turning point at which the answer would be another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Final

from consent.facts import Facts, Inquiry
from consent.purposes import RULES, by_law, never, override
from consent.terms import Reason, Refusal
from consent.who import ADULT_AGE, CAPABLE_AGE, edges, reaches, review_ends
from core.ids import CaseId, ObjectId, OverrideId, RenditionId

_ONLY_THE_RULE: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Yes: what, for whom, until when, and on which version of the case it was decided.

    Attributes:
        inquiry: who asked to do what, for what.
        content_hash: the bytes that the yes is about.
        objects: the stored objects that hold them, as vault named them; the only ones whose key it unwraps.
        override: the lawful disclosure that it rests on; nothing where it rests on consent.
        valid_until: until (not including) when it holds while nobody changes a fact.
        version: the case's consent version that it was decided on.
    """

    token: InitVar[object]
    inquiry: Inquiry
    case_id: CaseId
    rendition_id: RenditionId
    content_hash: str
    objects: frozenset[ObjectId]
    override: OverrideId | None
    valid_until: datetime
    version: int

    def __post_init__(self, token: object) -> None:
        """Refuse to be made by anything but the rule.

        Raises:
            TypeError: it was.
        """
        if token is not _ONLY_THE_RULE:
            message = "only consent.rules.decide makes a permit"
            raise TypeError(message)

    def allows(self, *, case_id: CaseId, object_id: ObjectId) -> bool:
        """Whether the key of this object may be unwrapped for the viewer (``keys.Capability``)."""
        return case_id == self.case_id and object_id in self.objects


def decide(inquiry: Inquiry, *, facts: Facts, objects: frozenset[ObjectId] = frozenset()) -> Permit | Refusal:
    """Decide, at ``inquiry.at`` and on these facts.

    Args:
        inquiry: who wants to do what, for what, and when.
        facts: everything known, from one snapshot.
        objects: the stored objects that hold the rendition's bytes, its poster and its strip.
    """
    try:
        basis = _judge(facts, inquiry, inquiry.at)
        if isinstance(basis, Refusal):
            return basis
        return Permit(
            token=_ONLY_THE_RULE,
            inquiry=inquiry,
            case_id=facts.roster.case_id,
            rendition_id=facts.rendition.id,
            content_hash=facts.rendition.content_hash,
            objects=objects,
            override=basis.override,
            valid_until=_turns(facts, inquiry, basis),
            version=facts.roster.version,
        )
    except Exception:  # noqa: BLE001 - default deny: whatever goes wrong in here, the answer is no
        return Refusal(Reason.ERROR)


@dataclass(frozen=True, slots=True)
class _Basis:
    override: OverrideId | None = None


def _judge(facts: Facts, inquiry: Inquiry, at: datetime) -> _Basis | Refusal:
    if (no := never(facts, inquiry, at)) is not None:
        return no
    if (no := RULES[inquiry.purpose](facts, inquiry, at)) is None:
        return _Basis()
    lawful = override(facts, inquiry, at)
    if lawful is None:
        return no
    return by_law(facts, inquiry, at) or _Basis(lawful.id)


def _turns(facts: Facts, inquiry: Inquiry, basis: _Basis) -> datetime:
    end = inquiry.session_ends_at
    for moment in sorted(one for one in _turning_points(facts, inquiry) if inquiry.at < one < end):
        if _judge(facts, inquiry, moment) != basis:
            return moment
    return end


def _turning_points(facts: Facts, inquiry: Inquiry) -> Iterator[datetime]:
    """Every moment at which some fact above turns; a test looks for one that is missing."""
    roster, zone = facts.roster, facts.policy.zone
    for spans in (roster.relationships, roster.restrictions, roster.assignments, roster.caseload):
        for spanned in spans:
            yield from edges(spanned.span)
    for person in roster.persons.values():
        if person.born_on is not None:
            yield from (reaches(person, age, zone) for age in (CAPABLE_AGE, ADULT_AGE))
    for found in roster.competence:
        yield from (found.assessed_at, review_ends(found, zone))
    yield from (decided.decided_at for decided in roster.capacity)
    yield from (event.expires_at for event in facts.events if event.expires_at is not None)
    yield from (ask.asked_at + facts.policy.pr_notice for ask in facts.asks)
    yield from (waiver.notice_ends_at for waiver in facts.waivers)
    for meeting in facts.conferences:
        yield from (meeting.starts_at, meeting.ends_at)
    for lawful in facts.overrides:
        yield from (lawful.starts_at, lawful.ends_at)
    if inquiry.presenting is not None:
        yield inquiry.presenting.ends_at
