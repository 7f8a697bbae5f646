"""Where a ticket is looked at, decided on again, and the object behind it opened under the permit."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

import audit
import consent
from audit import Event
from consent import Permit, Reason, Refusal
from core.db import Database
from core.errors import VaultError
from core.ids import ObjectId, ViewingId
from core.segments import SegmentReader
from identity import Actor
from keys import KeyStore
from vault import errors, quarantine, renditions, sealed, viewings
from vault.headers import headers_on
from vault.models import ObjectRow
from vault.objects import ObjectStore
from vault.permits import permits_on
from vault.viewings import Ticket


@dataclass(frozen=True, slots=True)
class Desk:
    """What reading needs, in one hand. Its methods block: call them in a thread."""

    db: Database
    keystore: KeyStore
    store: ObjectStore

    def ticket(self, viewing_id: ViewingId, *, actor: Actor) -> Ticket:
        """A live ticket of this session.

        Raises:
            NotFound: there is none.
        """
        with self.db.read() as session:
            return viewings.ticket(session, viewing_id, actor=actor, at=self.db.clock.now())

    def admit(self, viewing_id: ViewingId, *, actor: Actor) -> tuple[Ticket, Permit]:
        """Look at a ticket and decide on it, now; a no ends it.

        Where a permit of a moment ago is at hand, it is compared with the database in the ticket's own snapshot.

        Raises:
            NotFound: there is no such ticket of this session.
            Refused: ``not_available``.
        """
        latest = permits_on(self.db).latest(viewing_id)
        with self.db.read() as session:
            ticket = viewings.ticket(session, viewing_id, actor=actor, at=self.db.clock.now())
            if latest is not None and consent.still_stands(
                session,
                latest,
                inquiry=ticket.inquiry,
                rendition_id=ticket.rendition_id,
                content_hash=ticket.content_hash,
                object_ids=ticket.objects,
            ):
                return ticket, latest
        return ticket, self.decide(ticket)

    def decide(self, ticket: Ticket) -> Permit:
        """Decide on a ticket, now, from the database; a no ends it.

        Raises:
            Refused: ``not_available``.
        """
        answer = consent.decide_again(
            self.db,
            inquiry=ticket.inquiry,
            case_id=ticket.case_id,
            rendition_id=ticket.rendition_id,
            content_hash=ticket.content_hash,
            object_ids=ticket.objects,
            facts=lambda session: renditions.facts_for(session, ticket.rendition_id),
        )
        if isinstance(answer, Refusal):
            permits_on(self.db).forget(ticket.id)
            self.cut(ticket, reason=answer.reason)
            raise errors.not_available()
        permits_on(self.db).keep(ticket.id, answer)
        return answer

    def renew(self, permit: Permit, *, ticket: Ticket) -> Permit | Refusal:
        """Decide again on what is being played. After a no: stop first, ``cut`` then."""
        return consent.still_permitted(
            self.db, permit, facts=lambda session: renditions.facts_for(session, ticket.rendition_id)
        )

    def cut(self, ticket: Ticket, *, reason: Reason) -> None:
        """End a viewing because it may not go on, with its entry. A fault that may pass ends nothing but the stream."""
        if reason is Reason.ERROR:
            return
        at = self.db.clock.now()
        with suppress(VaultError), self.db.begin() as session:  # it is cut whether or not that can be written
            if viewings.end(session, ticket.id, reason=reason.value, at=at) is not None:
                audit.record(
                    session,
                    Event.VIEWING_CUT,
                    actor=ticket.inquiry.viewer,
                    case_id=ticket.case_id,
                    object_id=ticket.rendition_id,
                    reason=reason.value,
                    purpose=ticket.inquiry.purpose.value,
                    details={"viewing": ticket.id},
                )

    def open(self, found: ObjectRow, *, permit: Permit) -> SegmentReader:
        """Open an object under a permit, if its length and its header are the pinned ones.

        Raises:
            Refused: the permit isn't for this object.
            Damaged: it isn't what was sealed, or it was quarantined.
        """
        quarantine.refuse_unsound(found)
        key = self.keystore.object_key(ObjectId(found.id), capability=permit)
        return sealed.opened(found, key=key, store=self.store, headers=headers_on(self.db))

    def quarantining(self, found: ObjectRow) -> AbstractContextManager[None]:
        """Around a read: what fails its authentication is never given out again."""
        return quarantine.quarantining(self.db, ObjectId(found.id))
