"""How far blurring is and where somebody should look, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from app.family_page import STAGES
from app.pages.words import count, joined
from app.people_list import clock
from core.jobs import ENDED, JobState
from redaction import LookHere, LookKind
from vault import Progress

_OF_ONE = {
    LookKind.BIRTH: "appears",
    LookKind.DEATH: "is seen for the last time",
    LookKind.GAP: "is lost for a moment",
    LookKind.UNSURE: "was hardly seen",
}
_OF_SEVERAL = {
    LookKind.BIRTH: "appear",
    LookKind.DEATH: "are seen for the last time",
    LookKind.GAP: "are lost for a moment",
    LookKind.UNSURE: "were hardly seen",
}
_OF_NOBODY = {LookKind.CUT: "A new scene begins", LookKind.UNSURE: "Something like a face was hardly seen"}
_LONG_ENOUGH = 50
"""Parts of a thousand after which the time that is left can be told."""
_MANY = 100
"""Frames to look at, above which they are told half a second by half a second."""
_MINUTE = timedelta(minutes=1)


def told(progress: Progress, *, at: datetime) -> str:
    """How far a job is, in words, with the time that is left where it can be told."""
    if progress.sentence:
        return progress.sentence
    if progress.state in ENDED:
        return "Done" if progress.state is JobState.DONE else "Stopped"
    if not progress.stage:
        return STAGES[""]
    words = f"{STAGES.get(progress.stage, 'Working')}. {progress.thousandths // 10} %"
    if progress.started_at is None or progress.thousandths < _LONG_ENOUGH:
        return words
    left = (at - progress.started_at) * (1000 - progress.thousandths) / progress.thousandths
    return f"{words}. {_left(left)} left"


def look_lines(looks: tuple[LookHere, ...], *, rate: float) -> list[dict[str, Any]]:
    """Frames to look at, as pages list them: each once, with all that is in doubt there.

    Where there are very many, as in a crowd, what happens within half a second is one line, from its first frame on.
    """
    near = round(rate / 2) if len({one.frame for one in looks}) > _MANY else 1
    lines: list[list[LookHere]] = []
    for one in looks:
        if not lines or one.frame - lines[-1][0].frame >= near:
            lines.append([])
        lines[-1].append(one)
    return [_line(several, rate=rate) for several in lines]


def _line(several: Sequence[LookHere], *, rate: float) -> dict[str, Any]:
    first, last = several[0].frame, several[-1].frame
    text = ". ".join(dict.fromkeys(_said(several)))
    return {
        "frame": first,
        "at": clock(first, rate=rate),
        "text": f"{text}. Go on to {clock(last, rate=rate)}" if last > first else text,
        "kept": any(one.kept for one in several),
    }


def _left(left: timedelta) -> str:
    return f"About {count(round(left / _MINUTE), 'minute')}" if left > _MINUTE else "Less than a minute"


def _said(looks: Sequence[LookHere]) -> Iterator[str]:
    """What is in doubt in one frame: whoever stays visible first, and those of whom the same is said together."""
    yield from (_OF_NOBODY[one.kind] for one in looks if one.number is None)
    somebody = sorted((one for one in looks if one.number is not None), key=lambda one: (not one.kept, one.kind))
    for (kept, kind), group in groupby(somebody, key=lambda one: (one.kept, one.kind)):
        numbers = list(dict.fromkeys(str(one.number) for one in group))
        verb = (_OF_SEVERAL if numbers[1:] else _OF_ONE)[kind]
        stays = f", and {'stay' if numbers[1:] else 'stays'} visible" if kept else ""
        yield f"{'People' if numbers[1:] else 'Person'} {joined(numbers)} {verb}{stays}"
