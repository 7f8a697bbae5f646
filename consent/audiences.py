"""Whether a question may be put at all: about this rendition, for this purpose, for these eyes (PURE)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from consent.facts import Facts, Rendition
from consent.terms import Audience, Purpose, RenditionState, Scope
from consent.who import FITTING
from core.errors import Conflict, Invalid, NotFound
from identity.facts import PersonKind

FAMILY_PURPOSES: Final = frozenset({Purpose.FAMILY_REVIEW, Purpose.FAMILY_COPY})
"""For the eyes of someone in the family; these outlast the closing of a case."""
ASKED_FOR: Final = frozenset(Purpose) - {
    Purpose.FILMING,
    Purpose.PREPARE,
    Purpose.CHECK,
    Purpose.REVIEW_TOGETHER,
}
"""What needs an answer per clip; filming is agreed at the visit."""


def check_question(rendition: Rendition, purpose: Purpose, audience: Audience) -> None:
    """Refuse a question that can't be put about this rendition.

    Raises:
        Invalid: ``not_asked_about``, ``audience_unfit``, ``not_a_clip``, ``nobody_listed``.
        Conflict: ``clip_not_live``.
    """
    if purpose not in ASKED_FOR:
        raise Invalid("not_asked_about", "Nobody is asked about that for a clip.", field="purpose")
    if (purpose is Purpose.CASE_CONFERENCE) != (audience.conference is not None):
        raise Invalid("audience_unfit", "A conference is asked about as a conference, a person as a person.")
    if rendition.is_footage:
        raise Invalid("not_a_clip", "Choose a clip. A whole film is never shown to others.")
    if rendition.state is not RenditionState.LIVE:
        raise Conflict("clip_not_live", "This clip can't be used any more.")
    if not rendition.persons_shown and not rendition.nobody_recognisable:
        raise Invalid("nobody_listed", "Say first who can be recognised in this clip.")


def check_audience(facts: Facts, scope: Scope, *, at: datetime) -> None:
    """Refuse an audience that isn't there, or that has no place in the case which fits the purpose.

    Raises:
        NotFound: ``audience_missing``.
        Invalid: ``audience_unfit``.
    """
    if scope.audience.conference is not None:
        if not any(one.id == scope.audience.conference and one.ends_at > at for one in facts.conferences):
            raise _nobody()
        return
    person = scope.audience.person
    known = facts.roster.persons.get(person) if person else None
    if person is None or known is None:
        raise _nobody()
    if scope.purpose in FAMILY_PURPOSES:
        fits = known.kind is PersonKind.FAMILY
    else:
        live = [one for one in facts.roster.assignments if one.person == person and one.span.covers(at)]
        fits = any(one.role in FITTING[scope.purpose] for one in live)
    if not fits:
        raise Invalid(
            "audience_unfit", "This person has no place in the case that fits. Assign them first.", field="audience"
        )


def _nobody() -> NotFound:
    return NotFound("audience_missing", "We can't find who this is for.")
