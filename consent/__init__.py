"""Whether a clip may be shown, decided at that moment.

``decide`` is the rule, and nothing else makes a ``Permit``. ``authorise``, ``still_permitted`` and ``Watch`` stand
before every byte. The rest is how people are asked, and how they answer.
"""

from consent.answers import grant, refuse, stop_all, withdraw
from consent.asking import QUESTION_MESSAGE, Asked, Waiting, ask, safe_to_ask
from consent.audiences import ASKED_FOR, FAMILY_PURPOSES
from consent.collect import attach
from consent.conferences import ConferenceLine, begin_presenting, conferences_of, end_presenting, record_conference
from consent.dissent import Lifting, lift_dissent, record_dissent
from consent.facts import (
    Ask,
    Conference,
    ConsentEvent,
    Facts,
    Inquiry,
    Override,
    Policy,
    Presenting,
    Rendition,
    Waiver,
    no_film,
)
from consent.filming import FilmingAnswer, filming_state, record_filming
from consent.gate import authorise, consider, decide_again, inquiry_of, still_permitted
from consent.notices import Notice, current_notice, notice, publish_notices
from consent.overrides import OverrideView, approve_override, end_override, overrides_waiting, propose_override
from consent.progress import AnswerLine, AudienceState, state_for_staff
from consent.questions import HistoryLine, Question, ShownByLaw, history, questions_for, shown_by_law
from consent.receipts import Controller, receipt
from consent.rules import Permit, decide
from consent.terms import (
    ACTIONS,
    NEUTRAL_SENTENCE,
    NO_FILM_YET,
    Action,
    Audience,
    Decision,
    Format,
    GrantState,
    How,
    LawfulBasis,
    PrMode,
    Purpose,
    Reason,
    Refusal,
    RenditionState,
    Scope,
    WaiverReason,
)
from consent.told import ANSWER_MESSAGE, record_answer, record_told_refusal
from consent.waivers import waive_notice
from consent.watch import Watch

__all__ = [
    "ACTIONS",
    "ANSWER_MESSAGE",
    "ASKED_FOR",
    "FAMILY_PURPOSES",
    "NEUTRAL_SENTENCE",
    "NO_FILM_YET",
    "QUESTION_MESSAGE",
    "Action",
    "AnswerLine",
    "Ask",
    "Asked",
    "Audience",
    "AudienceState",
    "Conference",
    "ConferenceLine",
    "ConsentEvent",
    "Controller",
    "Decision",
    "Facts",
    "FilmingAnswer",
    "Format",
    "GrantState",
    "HistoryLine",
    "How",
    "Inquiry",
    "LawfulBasis",
    "Lifting",
    "Notice",
    "Override",
    "OverrideView",
    "Permit",
    "Policy",
    "PrMode",
    "Presenting",
    "Purpose",
    "Question",
    "Reason",
    "Refusal",
    "Rendition",
    "RenditionState",
    "Scope",
    "ShownByLaw",
    "Waiting",
    "Waiver",
    "WaiverReason",
    "Watch",
    "approve_override",
    "ask",
    "attach",
    "authorise",
    "begin_presenting",
    "conferences_of",
    "consider",
    "current_notice",
    "decide",
    "decide_again",
    "end_override",
    "end_presenting",
    "filming_state",
    "grant",
    "history",
    "inquiry_of",
    "lift_dissent",
    "no_film",
    "notice",
    "overrides_waiting",
    "propose_override",
    "publish_notices",
    "questions_for",
    "receipt",
    "record_answer",
    "record_conference",
    "record_dissent",
    "record_filming",
    "record_told_refusal",
    "refuse",
    "safe_to_ask",
    "shown_by_law",
    "state_for_staff",
    "still_permitted",
    "stop_all",
    "waive_notice",
    "withdraw",
]
