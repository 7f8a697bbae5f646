"""Receipts of a family member's own answers, as a page and as a file."""

from __future__ import annotations

from typing import Any

import consent
import vault
from app.family_home import NOBODY, about, names_of
from app.family_words import DECIDED, PURPOSE_WORDS
from app.service import Service
from consent import Controller, GrantState, HistoryLine
from core.db import not_found
from core.ids import ConsentEventId, RenditionId
from identity import Actor


def receipts_for(service: Service, actor: Actor, rendition_id: RenditionId) -> list[dict[str, str]]:
    """The receipts of their standing answers about a clip, for ``saved.html``."""
    lines = [
        one
        for one in consent.history(service.db, actor=actor)
        if one.rendition_id == rendition_id and one.state is not GrantState.SUPERSEDED
    ]
    names = names_of(service, [lines])
    return [{"id": one.id, "text": _titled(one, actor, names)} for one in lines]


def receipt_of(service: Service, actor: Actor, event_id: ConsentEventId) -> dict[str, Any]:
    """A receipt as others can check it.

    Raises:
        NotFound: none of theirs.
    """
    settings = service.settings
    phone = settings.help_phone
    controller = Controller(
        name=settings.authority,
        contact=settings.authority,
        email="",
        phone=phone,
        street_address="",
        locality="",
        postcode="",
        policy_url=f"{settings.public_origin}/privacy",
        how_to_withdraw="Press Stop at Your clips, tell any worker" + (f", or phone {phone}" if phone else ""),
    )
    return consent.receipt(service.db, keystore=service.keystore, actor=actor, event=event_id, controller=controller)


def receipt_page(service: Service, actor: Actor, event_id: ConsentEventId) -> dict[str, Any]:
    """The receipt of ``receipt.html``.

    Raises:
        NotFound: none of theirs.
    """
    line = next((one for one in consent.history(service.db, actor=actor) if one.id == event_id), None)
    if line is None:
        raise not_found()
    made = receipt_of(service, actor, event_id)
    notice = made["isoIec27560"]["pii_processing"]["privacy_notice"]
    names = names_of(service, [[line]])
    clips = vault.clips_at_home(service.db, keystore=service.keystore, actor=actor)
    titles = [one.title for one in clips if one.rendition_id == line.rendition_id]
    return {
        "id": line.id,
        "decision": DECIDED[line.decision],
        "what": titles[0] if titles else ("A clip" if line.rendition_id else "Filming at home"),
        "who": names.get(line.audience.person or line.audience.conference or "", NOBODY),
        "purpose": PURPOSE_WORDS.get(line.purpose, ""),
        "on_behalf": about([line.on_behalf_of], actor=actor, names=names) or "Yourself",
        "at": line.at,
        "expires_at": line.expires_at,
        "words": notice["text"].split("\n\n") if notice else [],
        "notice_hash": notice["sha256"] if notice else "",
        "proof": _proof(made["auditProof"]),
    }


def _proof(proof: dict[str, Any]) -> str:
    """Where the answer stands in the log; empty until it is sealed."""
    lines = (proof["tlog_proof"] or "").splitlines()
    found = next((one.removeprefix("index ") for one in lines if one.startswith("index ")), None)
    return f"In the log as number {found}." if found else ""


def _titled(line: HistoryLine, actor: Actor, names: dict[str, str]) -> str:
    who = names.get(line.audience.person or line.audience.conference or "", NOBODY)
    child = about([line.on_behalf_of], actor=actor, names=names)
    return f"Receipt for {who}" + (f", for {child}" if child else "")
