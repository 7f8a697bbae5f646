"""What the worker does: which job is carried out by what, where deliveries go, and what is done at which beat."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta

import audit
import consent
import identity
import redaction
import retention
import vault
from app import keeping
from app.messages import Message
from app.service import Service
from app.unresumed import start_again, unresumed
from app.worker import Duty, JobHandler, Worker
from core import mark
from core.clock import ENGLAND
from core.errors import NotFound
from core.ids import CaseId, EntryId, InvitationId, PersonId
from core.jobs import Lease
from vault import MIB, Claim, Pace, Runner

_ON_FILM = {**vault.RUNNERS, **redaction.RUNNERS}
"""Jobs that begin by reading from the store. A disposal begins with keys."""
_SUBJECT = "A message for you"
_QUESTION = "Something is waiting for your answer. You can look when it suits you. There is no hurry.\n"
_ANSWER = "An answer was noted for you. You can look at it, and change it, when it suits you.\n"
_GOING = "Something of yours will be erased soon, as was agreed. You can look before then.\n"


def make_worker(service: Service, *, name: str) -> Worker:
    """The worker of one process."""
    db, keystore, store, schedule = service.db, service.keystore, service.store, service.schedule
    ends = threading.Event()

    def on_film(run: Runner) -> JobHandler:
        return lambda lease: run(db, keystore=keystore, store=store, lease=lease)

    def dispose(lease: Lease) -> None:
        retention.work_on(db, keystore=keystore, store=store, schedule=schedule, lease=lease)

    duties = [
        Duty("log", timedelta(milliseconds=500), lambda: audit.seal(db, signer=service.signer)),
        Duty("keys", timedelta(seconds=10), keystore.beat),
        Duty("key-copy", timedelta(minutes=1), lambda: keeping.copy_if_due(service)),
        Duty("key-roll", timedelta(seconds=15), keeping.finishing(service)),
        Duty("key-night", timedelta(minutes=5), lambda: keeping.roll_if_due(service)),
        Duty("key-note", keeping.NOTE_EVERY, lambda: keeping.note_log(service)),
        Duty("clock", timedelta(seconds=30), lambda: mark.observe(db)),
        Duty("uploads", timedelta(minutes=10), lambda: _clear_uploads(service)),
        Duty("tidy", timedelta(hours=6), lambda: _tidy(service)),
        Duty("lost-work", timedelta(minutes=5), lambda: _start_lost_work(service)),
        Duty("disposals", timedelta(seconds=20), lambda: _resume_disposals(service)),
        Duty("scrub", timedelta(minutes=5), lambda: scrub_if_due(service, stop=ends)),
        Duty("sweep", timedelta(minutes=5), lambda: _sweep_if_due(service)),
    ]
    if service.witness is not None:
        witness = service.witness
        duties.append(Duty("witness", timedelta(minutes=1), lambda: audit.tell_checkpoint(db, witness=witness)))
    return Worker(
        db,
        workflows_url=service.settings.address_of("workflows"),
        name=name,
        handlers={kind: on_film(run) for kind, run in _ON_FILM.items()} | {retention.CARRY_OUT: dispose},
        deliveries={
            audit.WITNESS: lambda _id, payload: _to_witness(service, payload),
            identity.CODE_MESSAGE: lambda _id, payload: _send_code(service, payload),
            consent.QUESTION_MESSAGE: lambda _id, payload: _send_note(service, payload["person_id"], _QUESTION),
            consent.ANSWER_MESSAGE: lambda _id, payload: _send_note(service, payload["person_id"], _ANSWER),
            retention.ANNOUNCED: lambda _id, payload: _announce(service, payload),
        },
        gave_up=lambda lease, error: vault.give_up(db, lease=lease, error=error),
        duties=tuple(duties),
        ends=ends,
        may_begin=lambda kind: vault.look_at(store) if kind in _ON_FILM else None,
    )


def _clear_uploads(service: Service) -> None:
    retention.expire_uploads(service.db, schedule=service.schedule, keystore=service.keystore, store=service.store)


def _tidy(service: Service) -> None:
    """Clear what crashes left, and counts and sessions that are over."""
    vault.tidy(service.db, keystore=service.keystore, store=service.store)
    identity.tidy(service.db)


def scrub_if_due(service: Service, *, stop: threading.Event) -> None:
    """Read every object again, slowly, some weeks after the last time; one worker at a time, until this one ends."""
    settings = service.settings
    with service.db.read() as session:
        last = vault.last_scrub(session)
    at = service.db.clock.now()
    if not settings.scrub_rate or (last and last.finished_at and at < last.finished_at + settings.scrub_every):
        return
    pace = Pace(settings.scrub_rate * MIB, stop=stop)
    vault.scrub(service.db, store=service.store, pace=pace, claim=Claim.IF_FREE)


def _start_lost_work(service: Service) -> None:
    """A job whose database or store was away for all of the engine's tries is begun again: else it waited for ever."""
    vault.look_at(service.store)
    lost = unresumed(service.db, workflows_url=service.settings.address_of("workflows"))
    start_again(service.db, job_ids=lost)


def _resume_disposals(service: Service) -> None:
    retention.resume(service.db, keystore=service.keystore, store=service.store, schedule=service.schedule)


def _sweep_if_due(service: Service) -> None:
    """Once a night, from the set hour on; a day on which it didn't run is made up for as soon as it can."""
    health = retention.health(service.db)
    now = service.db.clock.now().astimezone(ENGLAND)
    last = health.last_done_at.astimezone(ENGLAND).date() if health.last_done_at else None
    if health.halted or last == now.date() or (now.hour < service.settings.sweep_hour and not health.overdue):
        return
    retention.nightly(service.db, keystore=service.keystore, store=service.store, schedule=service.schedule)


def _send_code(service: Service, payload: Mapping[str, str]) -> None:
    """Make a code and send it. An invitation that is over needs no message any more."""
    try:
        contact, code = identity.issue_code(
            service.db, keystore=service.keystore, invitation_id=InvitationId(payload["invitation_id"])
        )
    except NotFound:
        return
    text = (
        f"Your code is {code.reveal()}\n\n"
        "Type it on the page that your link opened. Nobody from the service will ever ask you for it.\n"
        "If you didn't expect this, you need do nothing.\n"
    )
    service.sender.send(Message(to=contact.reveal(), subject=_SUBJECT, text=text))


def _send_note(service: Service, person: str, text: str) -> None:
    """Say that something waits: no name, no place, not what about. Who has no contact is told at a visit."""
    contact = identity.safe_contact(service.db, keystore=service.keystore, person=PersonId(person))
    if contact is not None:
        service.sender.send(Message(to=contact.reveal(), subject=_SUBJECT, text=text))


def _announce(service: Service, payload: Mapping[str, str]) -> None:
    """Tell those of the family who have their own sign-in that a clip is about to be erased."""
    with service.db.read() as session:
        members = identity.members_of(session, CaseId(payload["case_id"]))
        told = sorted(person for person in members if identity.has_device(session, person))
    for person in told:
        _send_note(service, person, _GOING)


def _to_witness(service: Service, payload: Mapping[str, str]) -> None:
    """Hand a narrowing event to the witness, where there is one."""
    if service.witness is not None:
        audit.tell_narrowing(service.db, witness=service.witness, entry_id=EntryId(payload["entry_id"]))
