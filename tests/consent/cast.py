"""Who is in the family and who works with it, with ids that say so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from consent.facts import (
    Rendition,
)
from consent.terms import (
    RenditionState,
)
from core.ids import (
    AssignmentId,
    CaseId,
    ConferenceId,
    PersonId,
    RenditionId,
)
from identity.facts import (
    Assignment,
    Person,
    PersonKind,
    Relationship,
    RelationshipKind,
    Role,
    Roster,
    Span,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LONG_AGO = NOON - 100 * DAY
CASE = CaseId("c" * 32)
CLIP = RenditionId("rendition")
HASH = "a1" * 32

MOTHER, FATHER, STEPFATHER, GRANDMOTHER = (PersonId(one) for one in ("mother", "father", "stepfather", "grandmother"))
TODDLER, SIBLING, TEEN, YOUNG = (PersonId(one) for one in ("toddler", "sibling", "teen", "young"))
STRANGER, NEIGHBOUR = PersonId("stranger"), PersonId("neighbour")
GUIDER, WORKER, SUCCESSOR = PersonId("guider"), PersonId("worker"), PersonId("successor")
CHECKER, SUPERVISOR, CHAIR = PersonId("checker"), PersonId("supervisor"), PersonId("chair")
MANAGER, OFFICER = PersonId("manager"), PersonId("officer")
MEETING = ConferenceId("meeting")

BIRTHS: dict[PersonId, date | None] = {
    MOTHER: date(1994, 5, 1),
    FATHER: None,
    STEPFATHER: date(1990, 1, 1),
    GRANDMOTHER: date(1960, 1, 1),
    TODDLER: date(2023, 6, 1),
    SIBLING: date(2017, 6, 1),
    TEEN: date(2011, 10, 1),
    YOUNG: date(2009, 1, 10),
}
_STAFF = (GUIDER, WORKER, SUCCESSOR, CHECKER, SUPERVISOR, CHAIR, MANAGER, OFFICER)
OPEN = Span(LONG_AGO)


def assignment(person: PersonId, role: Role, span: Span = OPEN, rendition: RenditionId | None = None) -> Assignment:
    return Assignment(AssignmentId(f"{person}-{role}-{span.start}"), person, role, span, rendition)


def tie(holder: PersonId, child: PersonId, kind: RelationshipKind, span: Span = OPEN) -> Relationship:
    return Relationship(holder, child, kind, span)


def roster() -> Roster:
    family = {one: Person(one, PersonKind.FAMILY, born) for one, born in BIRTHS.items()}
    staff = {one: Person(one, PersonKind.STAFF) for one in _STAFF}
    others = {NEIGHBOUR: Person(NEIGHBOUR, PersonKind.OTHER)}
    kinds = ((MOTHER, RelationshipKind.MOTHER), (FATHER, RelationshipKind.FATHER))
    return Roster(
        case_id=CASE,
        version=1000,
        is_open=True,
        persons=family | staff | others,
        relationships=tuple(
            tie(holder, child, kind) for holder, kind in kinds for child in (TODDLER, SIBLING, TEEN, YOUNG)
        ),
        assignments=(
            assignment(GUIDER, Role.GUIDER),
            assignment(WORKER, Role.SOCIAL_WORKER),
            assignment(SUPERVISOR, Role.SUPERVISOR),
            assignment(CHAIR, Role.CHAIR),
            assignment(CHECKER, Role.CHECKER, OPEN, CLIP),
        ),
    )


def clip() -> Rendition:
    return Rendition(
        id=CLIP,
        case_id=CASE,
        clip_id=None,
        content_hash=HASH,
        state=RenditionState.LIVE,
        persons_shown=frozenset({MOTHER, TODDLER}),
        author=GUIDER,
        attested_by=CHECKER,
    )
