"""The information governance officer's overview: alarms, figures, and how far the log is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

import audit
import retention
import vault
from app import office
from app.pages.words import count, day
from app.policy import staff
from app.service import Service, service_of
from app.web import page
from audit import Event
from core import jobs, outbox
from core.clock import day_in_england
from identity import Actor, Role
from keys import DamagedKey
from retention import Health, Standing
from vault import Attention, Scrubbed

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Officer = Annotated[Actor, Depends(staff(Role.IG_OFFICER))]
PHONE_GRACE = timedelta(days=2)
"""How long after its deposit a film may still be on the phone that made it, before that is an alarm."""
DAYS_SHOWN = 14
WEEK = 7


@router.get("/records")
def overview(request: Request, actor: Officer, service: TheService) -> Response:
    """What needs a look, and how much is going on."""
    at = service.db.clock.now()
    today = day_in_england(at)
    due = retention.due(service.db, actor=actor, schedule=service.schedule)
    health, damaged = retention.health(service.db), service.keystore.left_behind()
    with service.db.read() as session:
        store = vault.attention(session, deposited_before=at - PHONE_GRACE)
        alarms = [
            *_broken(store),
            *_damaged(damaged),
            *_stopped(health),
            *_waiting(session, store, today=today),
        ]
        alarms += _lifted(session, today=today)
        days = _days(session, today=today)
        scrubbed = vault.last_scrub(session)
        log = _log(session, service)
    week = days[-WEEK:]
    asked = _since(today - timedelta(days=WEEK - 1))
    return page(
        request,
        "ig_dashboard.html",
        alarms=alarms,
        days=days,
        log=log,
        scrubbed=_read_through(scrubbed),
        counts=[
            {
                "label": "viewings in seven days",
                "value": sum(day["watched"] for day in week),
                "href": f"/audit?event={Event.VIEWING_BEGUN}&{asked}",
            },
            {
                "label": "refusals in seven days",
                "value": sum(day["refused"] for day in week),
                "href": f"/audit?event={Event.VIEWING_REFUSED}&{asked}",
            },
            {
                "label": "records due",
                "value": sum(line.standing is Standing.DUE for line in due),
                "href": "/retention",
            },
        ],
    )


def _broken(store: Attention) -> list[dict[str, str]]:
    if not store.quarantined:
        return []
    sentence = f"{count(store.quarantined, 'stored object')} failed a check and can't be played any more."
    return [_alarm(sentence, f"/audit?event={Event.OBJECT_QUARANTINED}", link="See which")]


def _damaged(keys: Sequence[DamagedKey]) -> list[dict[str, str]]:
    if not keys:
        return []
    sentence = f"{count(len(keys), 'key')} came out damaged: what such a key sealed can't be opened, only deleted."
    return [_alarm(sentence, f"/audit?event={Event.KEY_DAMAGED}", link="See which")]


def _lifted(session: Session, *, today: date) -> list[dict[str, str]]:
    """What an administrator had read again and put back into use: an officer should know whose hand that was."""
    first, event = today - timedelta(days=WEEK - 1), Event.QUARANTINE_LIFTED
    lifted = sum(audit.per_day(session, events=(event,), first=first, days=WEEK).values())
    if not lifted:
        return []
    sentence = f"{count(lifted, 'stored object')} that had failed a check passed it since, and can be played again."
    return [_alarm(sentence, f"/audit?event={event}&{_since(first)}", link="See which")]


def _since(first: date) -> str:
    """How the log's page is asked for what came since a day."""
    return f"since-day={first.day}&since-month={first.month}&since-year={first.year}"


def _read_through(last: Scrubbed | None) -> str:
    if last is None or last.finished_at is None:
        return "Not every stored film has been read and compared yet."
    found = f"Every stored film was last read and compared by {day(last.finished_at)}."
    return f"{found} {last.missing} could not be found." if last.missing else found


def _stopped(health: Health) -> list[dict[str, str]]:
    found = []
    if health.clock_leapt:
        found.append(_alarm("Time has leapt ahead. Nothing is destroyed until somebody looks.", "/retention"))
    if health.halted:
        found.append(_alarm("A sweep has stopped and waits for you.", "/retention"))
    if health.overdue:
        found.append(_alarm(office.late_sweep(health), "/retention", link="See what is due"))
    return found


def _waiting(session: Session, store: Attention, *, today: date) -> list[dict[str, str]]:
    found = []
    given_up, unsent = jobs.parked(session), outbox.parked(session)
    if given_up:
        found.append(_alarm(f"{count(given_up, 'job')} failed too often and stopped.", "/audit", link="See the log"))
    if unsent:
        found.append(_alarm(f"{count(unsent, 'message')} could not be sent.", "/audit", link="See the log"))
    late = retention.late_reviews(session, on=today)
    if late:
        found.append(_alarm(f"{count(late, 'hold')} should have been reviewed by now.", "/holds"))
    if store.phone_copies:
        sentence = f"{count(store.phone_copies, 'film')} may still be on the phone that made it."
        found.append(_alarm(sentence, f"/audit?event={Event.DEPOSIT_SEALED}", link="See the deposits"))
    return found


def _days(session: Session, *, today: date) -> list[dict[str, Any]]:
    first = today - timedelta(days=DAYS_SHOWN - 1)
    watched, refused = Event.VIEWING_BEGUN, Event.VIEWING_REFUSED
    found = audit.per_day(session, events=(watched, refused), first=first, days=DAYS_SHOWN)
    shown = [first + timedelta(days=number) for number in range(DAYS_SHOWN)]
    return [
        {"day": day, "watched": found.get((day, watched), 0), "refused": found.get((day, refused), 0)} for day in shown
    ]


def _log(session: Session, service: Service) -> dict[str, Any]:
    extent = audit.extent(session, witness=service.witness.name if service.witness else "")
    if service.witness is None:
        said = "None is set up: nobody outside would notice if the whole log were replaced"
    elif extent.told is None:
        said = "It was told nothing yet"
    else:
        said = f"It knows the first {count(extent.told, 'entry', 'entries')}"
    return {"size": extent.size, "sealed_at": extent.sealed_at, "pending": extent.pending, "witness": said}


def _alarm(sentence: str, href: str, *, link: str = "Look at it") -> dict[str, str]:
    return {"sentence": sentence, "href": href, "link": link}
