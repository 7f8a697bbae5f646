"""The words that people are shown before they answer, by purpose and format. They name nobody: the page does that.

Every notice says what would happen, who would see it, that no changes nothing, how to stop, and what can't be undone.
English only so far, standard and easy read; a translation is a notice of its own, with its own hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consent.terms import Format, Purpose

ENGLISH: Final = "en"

_WHAT: Final[Mapping[Purpose, tuple[str, str]]] = {
    Purpose.FILMING: (
        "Your guider would like to film you or your child at home, to look for good moments together with you. "
        "The film is kept locked. Only your guider works with it. It is erased when the work has ended, or sooner "
        "if you ask.",
        "We would like to film. The film is locked. Your guider looks at it with you. It is erased later.",
    ),
    Purpose.FAMILY_REVIEW: (
        "Someone in your family would like to watch this clip on their own phone. You are in it.",
        "A person in your family wants to watch this clip. You are in the clip.",
    ),
    Purpose.SOCIAL_WORKER: (
        "Your guider would like to show this clip to the social worker named on this page, and to nobody else.",
        "We would like to show this clip to one social worker. The name is on this page.",
    ),
    Purpose.CASE_CONFERENCE: (
        "Your guider would like to show this clip at the meeting named on this page, on that day, to the people "
        "listed there.",
        "We would like to show this clip at one meeting. The day and the people are on this page.",
    ),
    Purpose.SUPERVISION: (
        "Your guider would like to talk about this clip with their own supervisor, who is named on this page, to "
        "get better at the work.",
        "Your guider wants to learn. They would like to show this clip to one teacher. The name is on this page.",
    ),
    Purpose.ACCREDITATION: (
        "Your guider would like to show this clip to the assessor named on this page, as part of an examination.",
        "Your guider has an exam. They would like to show this clip to one examiner. The name is on this page.",
    ),
    Purpose.REFERRER: (
        "Your guider would like to show this clip to the person who suggested this work to you, named on this page.",
        "We would like to show this clip to the person who sent you to us. The name is on this page.",
    ),
    Purpose.TRAINING: (
        "We would like to show this clip to the trainer named on this page, to teach other guiders.",
        "We would like to use this clip for teaching. The name of the teacher is on this page.",
    ),
    Purpose.RESEARCH: (
        "We would like to let the researcher named on this page watch this clip, for a study.",
        "We would like to use this clip in a study. The name of the researcher is on this page.",
    ),
    Purpose.COURT: (
        "We would like to let the lawyer named on this page watch this clip, for a court.",
        "We would like to show this clip to one lawyer, for a court. The name is on this page.",
    ),
    Purpose.FAMILY_COPY: (
        "Someone in your family would like to keep a copy of this clip. You are in it. A copy that has left this "
        "service can't be called back.",
        "A person in your family wants to keep this clip. We can't take it back later.",
    ),
}

_ALWAYS: Final[Mapping[Format, str]] = {
    Format.STANDARD: (
        "You can say yes or no. Saying no changes nothing about the help that you get. You can change your mind at "
        "any time, with one tap or one phone call, and you needn't say why. From that moment nobody can play the "
        "clip. What someone has already seen can't be unseen."
    ),
    Format.EASY_READ: (
        "You can say yes. You can say no. No is fine. You still get help. You can stop at any time. Tap once or "
        "call us. Then nobody can watch it any more. We can't change what people have already seen."
    ),
}

NOTICES: Final[Mapping[tuple[Purpose, str, Format], str]] = {
    (purpose, ENGLISH, form): f"{texts[place]}\n\n{_ALWAYS[form]}"
    for purpose, texts in _WHAT.items()
    for place, form in enumerate((Format.STANDARD, Format.EASY_READ))
}
"""The current words of every notice."""
