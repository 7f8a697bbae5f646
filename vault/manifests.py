"""What a redacted rendition was made of, and where its checker must look: sealed beside it, gone with its clip."""

from __future__ import annotations

from sqlalchemy.orm import Session

import keys
from core.ids import CaseId, RenditionId
from keys import KeyStore, RecordOwner
from vault import renditions
from vault.models import RenditionRow

FORMAT = "vig-vault.manifest/1"


def keep(row: RenditionRow, *, keystore: KeyStore, manifest: str, look_here: str) -> None:
    """Seal both, in the transaction that makes the rendition visible."""
    row.manifest = _seal(keystore, row, column="manifest", value=manifest)
    row.look_here = _seal(keystore, row, column="look_here", value=look_here)


def manifest_of(session: Session, *, keystore: KeyStore, rendition_id: RenditionId) -> str:
    """What a redacted rendition was made of, as JSON: hashes of the film that it came from, and why. Empty for others.

    Whoever has the film can tell that it is that one; nobody else learns anything of it. Whether the asker may know is
    the caller's to say.

    Raises:
        NotFound: no such rendition.
    """
    row = renditions.find(session, rendition_id)
    return _open(keystore, row, column="manifest", sealed=row.manifest)


def look_here_of(session: Session, *, keystore: KeyStore, rendition_id: RenditionId) -> str:
    """The frames at which a checker must look, as the redaction room wrote them; empty for what isn't redacted.

    Raises:
        NotFound: no such rendition.
    """
    row = renditions.find(session, rendition_id)
    return _open(keystore, row, column="look_here", sealed=row.look_here)


def _seal(keystore: KeyStore, row: RenditionRow, *, column: str, value: str) -> bytes:
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return keys.seal_field(key, table="vault_rendition", column=column, row=row.id, value=value)


def _open(keystore: KeyStore, row: RenditionRow, *, column: str, sealed: bytes | None) -> str:
    if sealed is None:
        return ""
    key = keystore.record_key(RecordOwner.case(CaseId(row.case_id)))
    return keys.open_field(key, table="vault_rendition", column=column, row=row.id, sealed=sealed)
