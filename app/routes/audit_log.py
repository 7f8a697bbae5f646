"""The audit log for officers: search it, check it, take it away. Every look at it is an entry of it."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

import audit
import identity
from app import office
from app.forms import Form
from app.office import Families
from app.pages.words import count, london_time
from app.policy import staff
from app.service import Service, service_of
from app.web import page
from audit import Event, Filters, Found, Outcome, Page
from core.clock import ENGLAND
from core.errors import Invalid
from core.ids import CaseId, PersonId, well_formed
from identity import Actor, Role

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Officer = Annotated[Actor, Depends(staff(Role.IG_OFFICER))]
FIRST_YEAR, LAST_YEAR = 2000, 2200
DIGEST_LENGTH = 64
_COLOUR_OF_OTHERS = "grey"

Choice = TypeVar("Choice", bound=StrEnum)


@router.get("/audit")
def search_page(request: Request, actor: Officer, service: TheService) -> Response:
    """Find entries, newest first."""
    asked = Form({name: request.query_params.getlist(name) for name in request.query_params})
    try:
        found = _search(service, actor, _filters(asked), after=asked.optional("after") or None)
    except Invalid as problem:
        return _shown(request, actor, service, asked=asked, problem=problem)
    return _shown(request, actor, service, asked=asked, found=found)


@router.post("/audit/verify")
def verify(request: Request, actor: Officer, service: TheService) -> Response:
    """Work the whole log out again, and compare it with what the witness remembers."""
    said = _checked(service)
    found = _search(service, actor, Filters(), after=None, reason="verify")
    return _shown(request, actor, service, asked=Form({}), found=found, verdict=said)


@router.get("/audit/export")
def export(actor: Officer, service: TheService) -> Response:
    """The whole sealed log as files that verify without us (C2SP tlog-tiles), in one archive."""
    folder = tempfile.TemporaryDirectory(prefix="audit-")  # held open until the answer is sent
    try:
        made = audit.export(service.db, to=Path(folder.name, "log"))
        archive = Path(folder.name, "log.zip")
        with zipfile.ZipFile(archive, "x", compression=zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(Path(folder.name, "log").rglob("*")):
                packed.write(path, path.relative_to(folder.name))
        with service.db.begin() as session:
            audit.record(session, Event.AUDIT_EXPORTED, actor=actor.person, details={"size": made.size})
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(
        archive,
        media_type="application/zip",
        filename=f"audit-log-{made.size}.zip",
        background=BackgroundTask(folder.cleanup),
    )


def _checked(service: Service) -> dict[str, Any]:
    """What ``audit.html`` says of the whole log: by itself, and against what the witness remembers."""
    verifier, writer_key, witness = service.signer.verifier, service.keystore.audit_mac_key(), service.witness
    if witness is None:
        verdict = audit.verify(service.db, verifier=verifier, writer_key=writer_key)
        return {"ok": verdict.finding is None, "sentence": verdict.sentence}
    standing = audit.check_witness(service.db, witness=witness, verifier=verifier).standing
    readable = standing is not audit.Standing.WITNESS_DAMAGED
    known = audit.witnessed_checkpoints(witness) if readable else ()
    verdict = audit.verify(service.db, verifier=verifier, writer_key=writer_key, known=known)
    agrees = standing in audit.MAY_SERVE
    words = "The witness agrees." if agrees else f"The witness does not agree: {office.spoken(standing).lower()}."
    return {"ok": agrees and verdict.finding is None, "sentence": f"{verdict.sentence} {words}"}


def _search(service: Service, actor: Actor, filters: Filters, *, after: str | None, reason: str | None = None) -> Page:
    """Note who looks for what, then look."""
    with service.db.begin() as session:
        audit.record(
            session,
            Event.AUDIT_SEARCHED,
            actor=actor.person,
            case_id=CaseId(filters.case_id) if filters.case_id else None,
            object_id=filters.object_id,
            reason=reason,
            details={
                "event": next((event.value for event in filters.events), None),
                "outcome": next((outcome.value for outcome in filters.outcomes), None),
                "actor": filters.actor,
                "since": filters.since.isoformat() if filters.since else None,
                "until": filters.until.isoformat() if filters.until else None,
            },
        )
    with service.db.read() as session:
        return audit.search(session, filters, after=after)


def _filters(asked: Form) -> Filters:
    since, until = _day(asked, "since", called="the first day"), _day(asked, "until", called="the last day")
    return Filters(
        since=_midnight(since) if since else None,
        until=_midnight(until + timedelta(days=1)) if until else None,
        actor=asked.id("actor", called="a person") if asked.optional("actor") else None,
        case_id=asked.id("case", called="a family") if asked.optional("case") else None,
        object_id=_object(asked),
        events=_one_of(asked, "event", Event),
        outcomes=_one_of(asked, "outcome", Outcome),
    )


def _day(asked: Form, name: str, *, called: str) -> date | None:
    day = asked.optional_day(name, called=called)
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid("not_a_date", f"Enter {called} as a date, like 27 3 2026.", field=name)
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ENGLAND)


def _object(asked: Form) -> str | None:
    """An id, or the digest that a certificate's entry is about."""
    given = asked.optional("object").lower()
    if given and not (
        well_formed(given) or (len(given) == DIGEST_LENGTH and well_formed(given[:32]) and well_formed(given[32:]))
    ):
        raise Invalid("not_an_id", "That is not the id of anything.", field="object")
    return given or None


def _one_of(asked: Form, name: str, kind: type[Choice]) -> frozenset[Choice]:
    return frozenset({asked.choice(name, kind, called="one")}) if asked.optional(name) else frozenset()


def _shown(
    request: Request,
    actor: Actor,
    service: Service,
    *,
    asked: Form,
    found: Page | None = None,
    verdict: dict[str, Any] | None = None,
    problem: Invalid | None = None,
) -> Response:
    families = office.families(service)
    staff_lines = identity.staff_directory(service.db, keystore=service.keystore, actor=actor)
    entries = found.entries if found else ()
    who = office.names(service, [entry.actor for entry in entries])
    given = asked.shown()
    return page(
        request,
        "audit.html",
        problem=problem,
        given=given,
        verdict=verdict,
        events=sorted(({"value": one.value, "text": office.spoken(one)} for one in Event), key=lambda one: one["text"]),
        outcomes=[{"value": one.value, "text": text} for one, (text, _) in office.OUTCOME_WORDS.items()],
        actors=[{"id": line.id, "name": line.name} for line in staff_lines],
        cases=families.choices(),
        entries=[_line(entry, families, who=who) for entry in entries],
        pages=_pages(found, given) if found else None,
    )


def _line(entry: Found, families: Families, *, who: Mapping[PersonId, str]) -> dict[str, Any]:
    known = Outcome(entry.outcome) if entry.outcome in set(Outcome) else None
    outcome, colour = office.OUTCOME_WORDS[known] if known else (office.spoken(entry.outcome), _COLOUR_OF_OTHERS)
    return {
        "index": entry.index,
        "at": entry.at,
        "event": office.spoken(entry.event),
        "who": who.get(entry.actor, entry.actor[:8]) if entry.actor else "",
        "case": families.called(entry.case_id) or (entry.case_id or "")[:8],
        "object": entry.object_id or "",
        "outcome": outcome,
        "colour": colour,
        "reason": office.spoken(entry.reason or ""),
        "purpose": office.spoken(entry.purpose or "").lower(),
    }


def _pages(found: Page, given: Mapping[str, object]) -> dict[str, str | None] | None:
    """Only forwards: a page begins where the one before ended, and the browser knows the way back."""
    if found.after is None:
        return None
    asked = {name: str(value) for name, value in given.items() if value and name != "after"}
    said = Markup("{}, back to {}").format(
        count(len(found.entries), "entry", "entries"), london_time(found.entries[-1].at)
    )
    return {"earlier": None, "later": "/audit?" + urlencode(asked | {"after": found.after}), "says": said}
