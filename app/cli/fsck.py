"""`fsck`: whether rows, sealed bytes and keys agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

import retention
import vault
from app.cli import application, say
from app.cli.options import Json, PassphraseFile, Store, opened
from app.cli.progress import shown
from app.running import check_witness
from app.service import Service
from app.unresumed import start_again, unresumed
from core.alone import Task, alone
from keys import PlaceKind
from vault import Depth, Report

_STUCK = "Its destruction began, and no sweep goes on with it. Tell the IG officer."
_PLACE = "A registered place of the keyring can't be read, or holds another keyring than the others."
_UNRESUMED = "This work was begun, and the job engine doesn't know it. --repair starts it again."


@application.command()
def fsck(
    *,
    read: Annotated[bool, typer.Option("--read", help="Read and authenticate every byte as well. Slow.")] = False,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Tidy now what is tidied by itself later; start lost work again. Logged."),
    ] = False,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Whether rows, sealed bytes and keys agree. Changes nothing, may run at any time. Ends with 1 where they don't.

    What a crash may leave (an unfinished write, bytes that nobody can open) is no fault: it is listed as leftovers, and
    tidied by itself after a day. --repair tidies what is a day old, now, and destroys anew the keys of what is
    destroyed that came back with older key rows. It removes nothing else: other bytes that a key opens are never
    touched. What is missing or damaged comes back from a backup; what is quarantined then needs scrub --quarantined.
    """
    with opened(store=store, passphrase_file=passphrase_file) as service:
        tidied: dict[str, int] = {}
        if repair:
            check_witness(service)  # an older database doesn't know what came since, which would then be tidied away
            with alone(service.db, Task.REPAIR):
                again = vault.destroy_again(service.db, keystore=service.keystore)
                tidied = asdict(vault.tidy(service.db, keystore=service.keystore, store=service.store))
            tidied["keys_destroyed_again"] = again
        with shown("Comparing") as on_progress:
            report = vault.fsck(
                service.db,
                keystore=service.keystore,
                store=service.store,
                depth=Depth.EVERYTHING if read else Depth.LENGTHS,
                on_progress=on_progress,
            )
        findings = [(one.trouble.value, one.subject, one.sentence) for one in report.findings]
        findings += [("disposal_stuck", record, _STUCK) for record in retention.stuck(service.db)]
        findings += [("keyring_place", place, _PLACE) for place in _bad_places(service)]
        lost = _lost(service)
        if repair:
            start_again(service.db, job_ids=lost)
        else:
            findings += [("work_unresumed", job, _UNRESUMED) for job in lost]
    say(
        "\n".join(_words(report, findings, tidied=tidied, restarted=len(lost) if repair else 0)),
        as_json=as_json,
        clean=not findings,
        objects=report.objects,
        parts=report.parts,
        read_bytes=report.read_bytes,
        findings=[{"code": code, "subject": subject, "sentence": sentence} for code, subject, sentence in findings],
        leftovers={kind.value: count for kind, count in report.leftovers.items() if count},
        tidied=tidied,
        restarted=lost if repair else [],
    )
    if findings:
        raise typer.Exit(1)


def _lost(service: Service) -> list[Any]:
    return list(unresumed(service.db, workflows_url=service.settings.address_of("workflows")))


def _bad_places(service: Service) -> list[str]:
    """Places that can't be read, or that differ although no roll is under way."""
    standing = service.keystore.status()
    places = [place for place in standing.places if place.lost_at is None]
    live = next((place.epochs for place in places if place.kind is PlaceKind.LIVE), None)
    differ = {place.id for place in places if standing.roll is None and place.epochs != live}
    return sorted({place.id for place in places if place.problem is not None} | differ)


def _words(
    report: Report, findings: list[tuple[str, str, str]], *, tidied: dict[str, int], restarted: int
) -> Iterator[str]:
    looked = f"{report.objects} objects and {report.parts} parts of unfinished deposits were looked at"
    yield looked + (f", {report.read_bytes} bytes read and authenticated." if report.read_bytes else ".")
    for kind, count in report.leftovers.items():
        if count:
            yield f"  leftover: {count} {vault.WORDS[kind]}"
    if any(tidied.values()):
        yield "  tidied: " + ", ".join(f"{count} {what}" for what, count in tidied.items() if count)
    if restarted:
        yield f"  started again: {restarted}"
    for code, subject, sentence in findings:
        yield f"{code}  {subject}\n    {sentence}"
    yield f"{len(findings)} to look at." if findings else "Clean: rows, sealed bytes and keys agree."
