"""Certificates for officers: what was destroyed, by which rule, and since when no copy brings it back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

import retention
from app import office
from app.listing import Choice, finder, pages_of, within
from app.pages.words import day, london, london_time, megabytes
from app.policy import staff
from app.service import Service, service_of
from app.web import page
from core.ids import CertificateId
from identity import Actor, Role
from keys import Survivor, SurvivorKind
from retention import Certificate, RecordClass

router = APIRouter()
TheService = Annotated[Service, Depends(service_of)]
Officer = Annotated[Actor, Depends(staff(Role.IG_OFFICER))]
CERTIFICATES = 50
"""Certificates on a page, as the room below gives them."""
MOST = 10**9
"""More certificates than there can be."""

_ASSURANCE = {
    "file": "Keys were erased from files: traces of a file's blocks may be left, and opening them needs the root key",
    "tpm": "Keys were erased inside a trusted platform module",
    "hsm": "Keys were erased from files that only a hardware security module opens, which gives its own key to nobody",
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
        return "An old copy can still be opened by what is left: " + "; ".join(map(_survivor, found.pending)) + "."
    return "The keys that sealed it are being replaced. Until that is done, an old copy of the keyring could open it."


def _survivor(one: Survivor) -> str:
    if one.kind is SurvivorKind.ROOT:
        what = f"a root key whose deletion waits ({one.id[:16]})"
    else:
        what = f"place {one.id}, which may hold an old keyring"
    return f"{what}, until {london(one.until)}" if one.until else what
