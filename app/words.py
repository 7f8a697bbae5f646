"""Words that pages use for the terms of the rooms below. Plain ones; one for each term."""

from __future__ import annotations

from consent import Purpose
from identity import Role, Status

ROLE_WORDS = {
    Role.GUIDER: "Guider",
    Role.SUPERVISOR: "Supervisor",
    Role.SOCIAL_WORKER: "Social worker",
    Role.CHAIR: "Conference chair",
    Role.REFERRER: "Referrer",
    Role.CHECKER: "Checker",
    Role.TRAINER: "Trainer",
    Role.RESEARCHER: "Researcher",
    Role.LEGAL: "Legal adviser",
    Role.MANAGER: "Manager",
    Role.IG_OFFICER: "Information governance officer",
    Role.ADMINISTRATOR: "Administrator",
}
STATUS_WORDS = {
    Status.CHILD_IN_NEED: "Child in need",
    Status.CHILD_PROTECTION: "Child protection plan",
    Status.LOOKED_AFTER: "Looked after",
    Status.OTHER: "Other",
}
PURPOSE_WORDS = {
    Purpose.SOCIAL_WORKER: "As their social worker",
    Purpose.SUPERVISION: "For supervision",
    Purpose.ACCREDITATION: "For accreditation",
    Purpose.REFERRER: "As the referrer",
    Purpose.TRAINING: "For training",
    Purpose.RESEARCH: "For research",
    Purpose.COURT: "For court",
    Purpose.CASE_CONFERENCE: "At a conference",
    Purpose.FAMILY_REVIEW: "At home",
    Purpose.FAMILY_COPY: "A copy for the family",
}
YOUR_ROLE = {
    Purpose.SOCIAL_WORKER: "Your social worker",
    Purpose.FAMILY_REVIEW: "Someone in the clip, at home",
    Purpose.SUPERVISION: "Your guider's supervisor",
    Purpose.ACCREDITATION: "Your guider's assessor",
    Purpose.CASE_CONFERENCE: "The people at a meeting",
    Purpose.REFERRER: "Who asked for this work",
    Purpose.TRAINING: "A trainer of guiders",
    Purpose.RESEARCH: "A researcher",
    Purpose.COURT: "A court",
    Purpose.FAMILY_COPY: "A copy for your family",
}


def title(children: tuple[str, ...] | list[str]) -> str:
    """What a family is called on staff pages: the children's names."""
    if not children:
        return "A family"
    return children[0] if len(children) == 1 else ", ".join(children[:-1]) + " and " + children[-1]
