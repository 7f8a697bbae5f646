"""Retention for officers: what is due and why, sweeps that ask, and certificates of what is gone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

import retention
from app import office
from app.forms import Form, Posted
from app.listing import Choice, cut, finder, pages_of, within
from app.office import Families
from app.pages.words import count, day, london, london_time, megabytes
from app.policy import staff
from app.service import Service, service_of
from app.statuses import status_of
from app.web import go, page
from core import mark
from core.errors import VaultError
from core.ids import CertificateId
from identity import Actor, Role
from retention import Certificate, DueLine, HaltReason, Needs, RecordClass, Standing, SweepState

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Officer = Annotated[Actor, Depends(staff(Role.IG_OFFICER))]
CERTIFICATES = 50
"""Certificates on a page, as the room below gives them."""
MOST = 10**9
"""More certificates than there can be."""

_STANDING = {
    Standing.DUE: ("Goes with the next sweep", "red"),
    Standing.HELD: ("Held", "blue"),
    Standing.KEPT: ("Not yet", "grey"),
}
_NEEDS = {
    Needs.APPROVAL: "Waits for you",
    Needs.NOTICE: "The family is told first",
    Needs.TRANSFER: "Waits for its transfer",
}
_CHOICES = {one.value: words for one, (words, _) in _STANDING.items()} | {
    one.value: words for one, words in _NEEDS.items()
}
_ASSURANCE = {
    "file": "Keys were erased from files: traces of a file's blocks may be left, and opening them needs the root key",
    "tpm": "Keys were erased inside a trusted platform module",
    "hsm": "Keys were erased inside a hardware security module",
}
_COPIES = {
    "exported": "Exported",
    "phone_not_recorded_as_removed": "On the phone that made it: nobody has recorded that it is gone",
}
_OBJECTS = {
    "original": "Film as it came",
    "working_copy": "Working copy",
    "cut": "Clip",
    "poster": "Still picture",
    "strip": "Strip of pictures",
}


@router.get("/retention")
def due_page(request: Request, actor: Officer, service: TheService) -> Response:
    """What is due, and why."""
    return _retention(request, actor, service)


@router.post("/retention/plan")
def plan(actor: Officer, service: TheService) -> Response:
    """Plan a sweep now; it begins at once where nothing asks first."""
    sweep_id = retention.plan(service.db, schedule=service.schedule, actor=actor)
    state = retention.start(service.db, actor=actor, sweep_id=sweep_id)
    return go("/retention", saved="planned" if state is SweepState.RUNNING else "halted")


@router.post("/retention/approve")
def approve(request: Request, actor: Officer, form: Posted, service: TheService) -> Response:
    """Let a halted sweep go on."""
    try:
        retention.approve(
            service.db,
            keystore=service.keystore,
            actor=actor,
            sweep_id=form.optional("sweep"),
            reason=form.optional("reason"),
        )
    except office.SHOWN_AGAIN as problem:
        return _retention(request, actor, service, status=status_of(problem), problem=problem, form=form)
    return go("/retention", saved="approved")


@router.post("/retention/agree")
def agree(request: Request, actor: Officer, form: Posted, service: TheService) -> Response:
    """Agree that a record may go whose rule asks an officer first."""
    try:
        retention.agree(
            service.db,
            keystore=service.keystore,
            actor=actor,
            schedule=service.schedule,
            record_id=form.optional("record"),
            reason=form.optional("reason"),
        )
    except office.SHOWN_AGAIN as problem:
        return _retention(request, actor, service, status=status_of(problem), problem=office.of_the_page(problem))
    return go("/retention", saved="agreed")


@router.post("/retention/accept-clock")
def accept_clock(actor: Officer, service: TheService) -> Response:
    """Say that the time is right although it leapt."""
    retention.accept_clock(service.db, actor=actor)
    return go("/retention", saved="clock")


@router.get("/certificates")
def certificates(request: Request, actor: Officer, service: TheService) -> Response:
    """What was destroyed, the latest first."""
    choices = (Choice("kind", "What was destroyed", {one.value: office.RECORD_WORDS[one] for one in RecordClass}),)
    chosen = finder(request, "/certificates", of=0, choices=choices).chosen("kind")
    kind = RecordClass(chosen) if chosen else None

    def read(number: int) -> tuple[tuple[Certificate, ...], int]:
        return retention.certificates_issued(service.db, keystore=service.keystore, actor=actor, page=number, of=kind)

    asked = within(request, total=MOST, size=CERTIFICATES)
    issued, total = read(asked)
    number = within(request, total=total, size=CERTIFICATES)
    if number != asked:
        issued, total = read(number)
    return page(
        request,
        "certificates.html",
        certificates=[
            {
                "id": one.id,
                "kind": office.RECORD_WORDS[one.record_class],
                "destroyed_at": one.destroyed_at,
                "irrecoverable_since": one.irrecoverable_since,
            }
            for one in issued
        ],
        finder=finder(request, "/certificates", of=total, choices=choices),
        pages=pages_of(request, "/certificates", total=total, size=CERTIFICATES, of=("certificate", "certificates")),
    )


@router.get("/certificates/{certificate_id}.json")
def certificate_file(certificate_id: CertificateId, actor: Officer, service: TheService) -> Response:
    """A certificate with the proof of its entry in the log, for whoever checks it elsewhere."""
    text = retention.export(service.db, keystore=service.keystore, actor=actor, certificate_id=certificate_id)
    name = f"certificate-{certificate_id}.json"
    return Response(
        text, media_type="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@router.get("/certificates/{certificate_id}")
def certificate(request: Request, certificate_id: CertificateId, actor: Officer, service: TheService) -> Response:
    """One certificate."""
    found = retention.certificate(service.db, keystore=service.keystore, actor=actor, certificate_id=certificate_id)
    return page(
        request,
        "certificate.html",
        certificate={
            "id": found.id,
            "kind": office.RECORD_WORDS[found.record_class],
            "rows": _rows(found),
            "pending": _pending(found),
        },
    )


def _retention(
    request: Request,
    actor: Actor,
    service: Service,
    *,
    status: int = 200,
    problem: VaultError | None = None,
    form: Form | None = None,
) -> Response:
    lines = retention.due(service.db, actor=actor, schedule=service.schedule)
    health = retention.health(service.db)
    families = office.families(service)
    choices = (
        Choice("kind", "Kind of record", {one.value: office.RECORD_WORDS[one] for one in RecordClass}),
        Choice("standing", "What happens", _CHOICES),
    )
    wanted = finder(request, "/retention", of=len(lines), label="Name of a child", choices=choices)
    found = [
        line
        for line in lines
        if wanted.fits(
            families.called(line.case_id),
            kind=line.record_class.value,
            standing=line.waits_for or line.standing.value,
        )
    ]
    shown = cut(request, "/retention", found, of=("record", "records"))
    return page(
        request,
        "retention.html",
        status=status,
        problem=problem,
        given=form.shown() if form else None,
        last_run=health.last_done_at,
        overdue=office.late_sweep(health),
        clock_leapt=_leapt(service) if health.clock_leapt else "",
        halted=_halted(service, actor, sweep_id=health.halted) if health.halted else None,
        due=[_line(line, families) for line in shown.lines],
        finder=wanted,
        pages=shown.pages,
        schedule={"name": service.schedule.profile, "version": service.schedule.release},
    )


def _line(line: DueLine, families: Families) -> dict[str, Any]:
    needs = Needs(line.waits_for) if line.waits_for else None
    text, colour = (_NEEDS[needs], "yellow") if needs else _STANDING[line.standing]
    return {
        "record": line.record,
        "name": office.short(line.record_class, line.record),
        "kind": office.RECORD_WORDS[line.record_class],
        "case": families.called(line.case_id),
        "due_on": line.due_on,
        "why": f"{line.words} {line.reason}",
        "text": text,
        "colour": colour,
        "may_agree": needs is Needs.APPROVAL,
    }


def _leapt(service: Service) -> str:
    at = service.db.clock.now()
    with service.db.read() as session:
        before = mark.mark(session)
    gone = count((at - (before or at)) // timedelta(days=1), "day")
    return f"Time has leapt ahead by {gone}: the clock says {day(at)}. Nothing is destroyed until somebody looks."


def _halted(service: Service, actor: Actor, *, sweep_id: str) -> dict[str, Any]:
    sweep = retention.sweep_of(service.db, keystore=service.keystore, actor=actor, sweep_id=sweep_id)
    shares = [
        part / whole
        for part, whole in ((sweep.due_records, sweep.all_records), (sweep.due_bytes, sweep.all_bytes))
        if whole
    ]
    return {
        "sweep": sweep.id,
        "sentences": [office.HALT_WORDS[reason] for reason in HaltReason if reason in sweep.halted_for],
        "count": sweep.due_records,
        "share": f"{max(shares, default=0):.0%} of what is kept",
    }


def _rows(found: Certificate) -> list[tuple[str, str]]:
    """What is certified, in words; then what came after, which the body can't know."""
    facts = found.facts()
    rule, schedule, due = facts["rule"], facts["schedule"], facts["due"]
    rows = [
        ("Certificate", found.id),
        ("Record", found.record),
        ("Rule", f"{rule['words']} ({rule['source']})"),
        ("Schedule", f"{schedule['profile']}, {schedule['release']}, SHA-256 {schedule['sha256']}"),
        ("Due", f"{day(date.fromisoformat(due['on']))}: {due['because']}"),
        ("Approved", _approved(facts["approved"])),
        ("Size", megabytes(found.size_bytes)),
    ]
    for one in facts["objects"]:
        kind = _OBJECTS.get(one["kind"], office.spoken(one["kind"]))
        rows.append((f"{kind}, content (SHA-256)", one["sha256"] or "It was never finished"))
        rows.append((f"{kind}, sealed (SHA-256)", one["sealed_sha256"] or "It was never finished"))
    rows += [
        ("Method", facts["method"]),
        ("Destroyed at", london_time(found.destroyed_at)),
        ("Old keys replaced at", london_time(found.rolled_at) if found.rolled_at else "Not yet"),
        ("Irrecoverable since", london_time(found.irrecoverable_since) if found.irrecoverable_since else "Not yet"),
        ("Assurance", _ASSURANCE.get(found.assurance, office.spoken(found.assurance))),
    ]
    for copy in facts["surviving_copies"]:
        since = london(datetime.fromisoformat(copy["since"]))
        rows.append(("Copy outside", f"{_COPIES.get(copy['kind'], office.spoken(copy['kind']))}, since {since}"))
    return [*rows, ("This certificate (SHA-256)", found.sha256), ("Entry in the log", found.audit_entry)]


def _approved(facts: dict[str, Any]) -> str:
    if facts["by"] == "schedule":
        return "By the schedule"
    at = london(datetime.fromisoformat(facts["at"]))
    return f"By an information governance officer on {at} (entry {facts['audit_entry']})"


def _pending(found: Certificate) -> str:
    if found.irrecoverable_since is not None:
        return ""
    if found.pending:
        places = ", ".join(found.pending)
        return f"{count(len(found.pending), 'place')} may still hold an old key that opens a copy: {places}."
    return "The keys that sealed it are being replaced. Until that is done, an old copy of the keyring could open it."
