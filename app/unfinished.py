"""Uploads that wait for their next byte, and those that were given up, as pages show them."""

from __future__ import annotations

from typing import Any

import vault
from app.pages.words import megabytes
from app.service import Service
from core.ids import CaseId
from identity import Actor
from vault import Upload, UploadState


def unfinished(service: Service, actor: Actor, *, case_id: CaseId | None = None) -> list[dict[str, Any]]:
    """The sender's uploads that wait for bytes: of one family, or of all."""
    return [shown(one) for one in _found(service, actor, case_id) if one.state is UploadState.RECEIVING]


def lapsed(service: Service, actor: Actor, *, case_id: CaseId | None = None) -> list[dict[str, Any]]:
    """Those of the last days that were given up because nothing came."""
    return [shown(one) for one in _found(service, actor, case_id) if one.state is UploadState.EXPIRED]


def shown(one: Upload) -> dict[str, Any]:
    """One upload, as templates want it."""
    return {
        "id": one.id,
        "case": one.case_id,
        "visit": one.visit_id,
        "name": one.filename,
        "size": one.length,
        "said": f"{megabytes(one.offset)} of {megabytes(one.length)}",
        "percent": 100 * one.offset // one.length,
        "begun_at": one.begun_at,
        "expires_at": one.expires_at,
        "ended_at": one.ended_at,
        "fingerprint": one.fingerprint,
    }


def _found(service: Service, actor: Actor, case_id: CaseId | None) -> tuple[Upload, ...]:
    return vault.unfinished_uploads(
        service.db, keystore=service.keystore, actor=actor, case_id=case_id, bounds=service.bounds
    )
