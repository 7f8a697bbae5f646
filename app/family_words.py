"""The words of families' pages: one question for each purpose, and what an answer is called. Short and plain."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from app.words import YOUR_ROLE
from consent import Decision, GrantState, Purpose
from core.ids import PersonId


@dataclass(frozen=True, slots=True)
class Asking:
    """A question and its two answers."""

    question: str = field(repr=False)
    yes: str = "Yes, they can watch"
    no: str = "No, they can't watch"


ASKING = {
    Purpose.SOCIAL_WORKER: Asking("Can your social worker watch this clip?"),
    Purpose.FAMILY_REVIEW: Asking("Can this person in your family watch this clip at home?"),
    Purpose.CASE_CONFERENCE: Asking(
        "Can we show this clip at this meeting?", yes="Yes, show it there", no="No, don't show it there"
    ),
    Purpose.SUPERVISION: Asking("Can your guider's supervisor watch this clip?"),
    Purpose.ACCREDITATION: Asking("Can your guider's assessor watch this clip?"),
    Purpose.REFERRER: Asking("Can the person who asked for this work watch this clip?"),
    Purpose.TRAINING: Asking("Can this trainer watch this clip, to teach guiders?"),
    Purpose.RESEARCH: Asking("Can this researcher watch this clip, for a study?"),
    Purpose.COURT: Asking("Can this lawyer watch this clip, for a court?"),
    Purpose.FAMILY_COPY: Asking(
        "Can this person in your family keep a copy of this clip?",
        yes="Yes, they can keep it",
        no="No, they can't keep it",
    ),
}
PURPOSE_WORDS = {
    Purpose.FILMING: "Filming at home",
    Purpose.SOCIAL_WORKER: "Your social worker watches it",
    Purpose.FAMILY_REVIEW: "Someone in your family watches it at home",
    Purpose.CASE_CONFERENCE: "It is shown at one meeting",
    Purpose.SUPERVISION: "Your guider talks about it with their supervisor",
    Purpose.ACCREDITATION: "Your guider's assessor watches it",
    Purpose.REFERRER: "The person who asked for this work watches it",
    Purpose.TRAINING: "A trainer watches it, to teach guiders",
    Purpose.RESEARCH: "A researcher watches it, for a study",
    Purpose.COURT: "A lawyer watches it, for a court",
    Purpose.FAMILY_COPY: "Someone in your family keeps a copy",
}
ANSWERED = {
    GrantState.REQUESTED: ("Not answered", "yellow"),
    GrantState.WITHDRAWN: ("You stopped it", "grey"),
    GrantState.REFUSED: ("You said no", "grey"),
    GrantState.EXPIRED: ("Your yes has ended", "grey"),
    GrantState.LAPSED: ("Your yes has ended", "grey"),
    GrantState.GRANTED: ("You said yes", "green"),
}
"""What an answer is called, and the colour of its tag; where several differ, the first in this order is said."""
DECIDED = {
    Decision.GRANT: "You said yes",
    Decision.REFUSE: "You said no",
    Decision.WITHDRAW: "You stopped it",
}


def audience_role(purpose: Purpose, *, person: PersonId | None, shown: Collection[PersonId]) -> str:
    """What an audience is to the family, in which some are shown in the clip."""
    if purpose is Purpose.FAMILY_REVIEW and person not in shown:
        return "Someone in your family, at home"
    return YOUR_ROLE.get(purpose, "")
