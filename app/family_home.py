"""What a family member's pages say: their clips, the questions put to them, and their own answers. Nobody else's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

import consent
import identity
import redaction
import vault
from app.family_words import ANSWERED, ASKING, Asking, audience_role
from app.listing import Pages, cut
from app.pages.words import day, joined
from app.service import Service
from app.words import ROLE_WORDS
from consent import Audience, GrantState, Purpose, Question
from core.db import not_found
from core.ids import AskId, PersonId, RenditionId
from identity import Actor
from vault import HomeClip

NOBODY = "Someone whose name is not kept any more"


@dataclass(frozen=True, slots=True)
class Group:
    """The questions of one page: about one clip, for one purpose and one audience, for oneself and for children.

    Attributes:
        key: names it among the questions about its clip.
        who: the audience's name.
        role: what the audience is to the family.
        about: the children they answer for, and "yourself"; empty where it is only about themself.
        state: of their own answers, taken together.
    """

    key: str
    rendition_id: RenditionId
    purpose: Purpose
    audience: Audience
    questions: tuple[Question, ...]
    who: str = field(repr=False)
    role: str = field(repr=False)
    about: str = field(repr=False)
    state: GrantState

    @property
    def ids(self) -> tuple[AskId, ...]:
        """What to answer."""
        return tuple(one.id for one in self.questions)

    @property
    def page_key(self) -> str:
        """Names the question and the words that it is put in."""
        return f"{self.key}-{self.questions[0].notice.id}"

    @property
    def asking(self) -> Asking:
        """The words of its page."""
        return ASKING.get(self.purpose, ASKING[Purpose.SOCIAL_WORKER])

    @property
    def is_open(self) -> bool:
        """Whether an answer is still missing."""
        return self.state is GrantState.REQUESTED

    @property
    def may_stop(self) -> bool:
        """Whether there is a yes to stop."""
        return any(one.state is GrantState.GRANTED for one in self.questions)

    @property
    def line(self) -> str:
        """Their answer, in a sentence."""
        said = ANSWERED[self.state][0]
        more = " Other checks may still apply." if self.state is GrantState.GRANTED else ""
        return f"{said} for {self.who}.{more}"


@dataclass(frozen=True, slots=True)
class Home:
    """A family member's clips and questions, from one look.

    Attributes:
        groups: by clip, in the order in which they were asked.
    """

    clips: tuple[HomeClip, ...]
    groups: Mapping[RenditionId, tuple[Group, ...]]

    def clip(self, rendition_id: RenditionId) -> HomeClip:
        """One of their clips.

        Raises:
            NotFound: none of theirs.
        """
        found = [one for one in self.clips if one.rendition_id == rendition_id]
        if not found:
            raise not_found()
        return found[0]

    def questions(self, rendition_id: RenditionId) -> tuple[Group, ...]:
        """The pages of questions about one of their clips.

        Raises:
            NotFound: none of theirs, or nothing was asked.
        """
        if not self.clip(rendition_id).is_live or rendition_id not in self.groups:
            raise not_found()
        return self.groups[rendition_id]


def home_of(service: Service, actor: Actor) -> Home:
    """Everything that the pages of one person are made of."""
    clips = vault.clips_at_home(service.db, keystore=service.keystore, actor=actor)
    shown = {one.rendition_id: one.persons_shown for one in clips}
    asked: dict[tuple[RenditionId, Purpose, Audience], list[Question]] = {}
    for one in consent.questions_for(service.db, actor=actor):
        if one.rendition_id is not None:
            asked.setdefault((one.rendition_id, one.purpose, one.audience), []).append(one)
    names = names_of(service, asked.values())
    groups: dict[RenditionId, list[Group]] = {}
    for (rendition_id, purpose, audience), questions in sorted(asked.items(), key=_asked_first):
        people = [one.on_behalf_of for one in questions]
        groups.setdefault(rendition_id, []).append(
            Group(
                key=f"{purpose.value}-{audience.person or audience.conference}",
                rendition_id=rendition_id,
                purpose=purpose,
                audience=audience,
                questions=tuple(questions),
                who=names.get(audience.person or audience.conference or "", NOBODY),
                role=audience_role(purpose, person=audience.person, shown=shown.get(rendition_id, frozenset())),
                about=about(people, actor=actor, names=names),
                state=_together(questions),
            )
        )
    return Home(clips, {rendition: tuple(found) for rendition, found in groups.items()})


def about(people: Iterable[PersonId], *, actor: Actor, names: Mapping[str, str]) -> str:
    """Whom an answer is for: "Ava and yourself"; empty where it is only for the person themself."""
    people = list(people)
    children = sorted(names.get(one, "a child") for one in people if one != actor.person)
    if not children:
        return ""
    return joined([*children, "yourself"] if actor.person in people else children)


def who_is_seen(service: Service, actor: Actor, *, rendition_id: RenditionId) -> str:
    """Who can be seen in a blurred version that they watch; empty for one in which nobody is blurred."""
    with service.db.read() as session:
        if redaction.manifest_of(session, keystore=service.keystore, rendition_id=rendition_id) is None:
            return ""
        shown = vault.persons_listed(session, rendition_id)
        names = identity.person_names(session, keystore=service.keystore, people=shown - {actor.person})
    seen = joined([*sorted(names.values()), *(["yourself"] if actor.person in shown else [])])
    return f"You can see {seen}. Other people are blurred." if seen else "Everyone in it is blurred."


def names_of(service: Service, asked: Iterable[Iterable[Question | consent.HistoryLine]]) -> dict[str, str]:
    """The names of those whom somebody was asked about: the audiences, which a yes must name, and their children."""
    lines = [one for group in asked for one in group]
    people = {one.audience.person for one in lines if one.audience.person} | {one.on_behalf_of for one in lines}
    meetings = {one.audience.conference for one in lines if one.audience.conference}
    with service.db.read() as session:
        opened = identity.person_names(session, keystore=service.keystore, people=people)
        names = {str(person): name for person, name in opened.items()}
        for meeting in meetings:
            line = consent.conference(session, keystore=service.keystore, conference_id=meeting)
            listed = identity.person_names(session, keystore=service.keystore, people=line.attendees)
            names[meeting] = f"{line.title}, {day(line.starts_at)}: {joined(sorted(listed.values()))}"
    return names


def your_clips(service: Service, actor: Actor, home: Home, *, clips: Iterable[HomeClip]) -> list[dict[str, Any]]:
    """Some of their clips as ``your_clips.html`` shows them."""
    lawful = _by_law(service, actor)
    return [
        {
            "rendition": clip.rendition_id,
            "title": clip.title or "A clip",
            "length": clip.duration_ms / 1000,
            "filmed_on": clip.filmed_on,
            "poster": None,
            "may_watch": clip.may_watch,
            "waiting": sum(group.is_open for group in groups) if clip.is_live else 0,
            "about": next((group.about for group in groups if group.about), ""),
            "audiences": [_audience(group, number, clip) for number, group in enumerate(groups, start=1)],
            "note": _note(clip),
            "by_law": lawful.get(clip.rendition_id, []),
        }
        for clip in clips
        for groups in [home.groups.get(clip.rendition_id, ())]
    ]


def who_watched(request: Request, service: Service, actor: Actor) -> tuple[list[dict[str, Any]], Pages]:
    """The viewings and pages of ``who_watched.html``.

    Args:
        request: for the page that it asks for.
        service: what use cases are given.
        actor: whose clips.
    """
    found = vault.watched_by_professionals(service.db, keystore=service.keystore, actor=actor)
    shown = cut(request, "/who-watched", found, of=("time", "times"))
    lines = shown.lines
    with service.db.read() as session:
        names = identity.person_names(session, keystore=service.keystore, people={one.viewer for one in lines})
    viewings = [
        {
            "clip": one.title or "A clip",
            "who": names.get(one.viewer, NOBODY),
            "role": ROLE_WORDS[one.role] if one.role else "",
            "at": one.at,
            "how": "Shown by law" if one.by_law else _HOW.get(one.purpose, "Watched"),
        }
        for one in lines
    ]
    return viewings, shown.pages


_HOW = {Purpose.CASE_CONFERENCE: "Shown in a meeting", Purpose.CHECK: "Checked who can be seen"}


def _audience(group: Group, number: int, clip: HomeClip) -> dict[str, Any]:
    text, colour = ANSWERED[group.state]
    return {
        "who": group.who,
        "role": group.role,
        "text": text,
        "colour": colour,
        "purpose": group.purpose.value,
        "audience": group.audience.person or group.audience.conference,
        "may_stop": group.may_stop,
        "note": "Other checks may still apply." if group.state is GrantState.GRANTED else "",
        "question": f"/your-clips/{clip.rendition_id}/questions/{number}" if clip.is_live else None,
    }


def _note(clip: HomeClip) -> str:
    if clip.is_replaced:
        return "There is a newer version of this clip."
    return "Some people in it are blurred." if clip.is_redacted else ""


def _together(questions: Iterable[Question]) -> GrantState:
    """The state of several answers: the one that most wants to be seen."""
    states = {one.state for one in questions}
    return next(one for one in ANSWERED if one in states)


def _asked_first(item: tuple[tuple[RenditionId, Purpose, Audience], list[Question]]) -> tuple[object, ...]:
    (_, purpose, audience), questions = item
    first = min(one.asked_at for one in questions)
    return first, list(Purpose).index(purpose), audience.person or audience.conference or ""


def _by_law(service: Service, actor: Actor) -> dict[RenditionId, list[str]]:
    lines = consent.shown_by_law(service.db, actor=actor)
    with service.db.read() as session:
        names = identity.person_names(session, keystore=service.keystore, people={one.recipient for one in lines})
    found: dict[RenditionId, list[str]] = {}
    for one in lines:
        days = f"from {day(one.starts_at)} to {day(one.ends_at)}"
        sentence = f"By law, {names.get(one.recipient, NOBODY)} could watch this {days}. You can ask us why."
        found.setdefault(one.rendition_id, []).append(sentence)
    return found
