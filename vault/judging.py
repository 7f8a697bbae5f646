"""Judging one row against its bytes and its key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from core.ahead import ahead, plain_buffers
from core.errors import Damaged, NotFound
from core.ids import CaseId, ObjectId, UploadId
from core.segments import SegmentReader, damaged
from keys import JobCapability, KeyStanding, KeyStore, part_binding
from vault import sealed, stretches, uploads
from vault.findings import Leftover, Trouble
from vault.models import ObjectRow, ObjectState, PartRow, UploadRow
from vault.objects import ObjectStore

_GONE = frozenset({ObjectState.KEY_DESTROYED, ObjectState.DESTROYED})


class Depth(Enum):
    """How closely to look."""

    LENGTHS = auto()
    """Names, lengths, headers, keys."""
    EVERYTHING = auto()
    """Read and authenticate every byte as well. Nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Looks at one thing at a time.

    Attributes:
        read: told of the bytes that were read and authenticated.
    """

    keystore: KeyStore
    store: ObjectStore
    depth: Depth
    read: Callable[[int], object]

    def of_object(self, row: ObjectRow, key: KeyStanding | None) -> Trouble | Leftover | None:
        """An object that is neither being written nor on its way out; ``lifting`` reads a quarantined one."""
        if row.state in _GONE:
            return self._gone(row, key)
        if row.state is ObjectState.QUARANTINED:
            return Trouble.OBJECT_QUARANTINED
        if row.state is not ObjectState.SEALED:
            return None
        if key is not KeyStanding.ALIVE:
            return Trouble.KEY_MISSING
        if self.store.size(row.id) is None:
            return Trouble.OBJECT_MISSING
        sound = self._is_sound(row.id, length=row.sealed_length, header=row.header, read=lambda: self._read_object(row))
        return None if sound else Trouble.OBJECT_DAMAGED

    def of_part(self, row: PartRow, upload: UploadRow) -> Trouble | None:
        """A part of a deposit that isn't sealed as one object yet; its upload's key lives."""
        if self.store.size(row.name) is None:
            return Trouble.PART_MISSING
        length, header = row.sealed_length, row.header
        sound = self._is_sound(row.name, length=length, header=header, read=lambda: self._read_part(row, upload))
        return None if sound else Trouble.PART_DAMAGED

    def _gone(self, row: ObjectRow, key: KeyStanding | None) -> Trouble | Leftover | None:
        if key in {KeyStanding.ALIVE, KeyStanding.DAMAGED}:
            return Trouble.KEY_ALIVE
        is_there = row.state is ObjectState.DESTROYED and self.store.size(row.id) is not None
        return Leftover.BYTES_OF_DESTROYED if is_there else None

    def _is_sound(self, name: str, *, length: int | None, header: bytes | None, read: Callable[[], object]) -> bool:
        if header is None or length is None:
            return False
        try:
            if self.store.size(name) != length or self.store.read(name, start=0, length=len(header)) != header:
                return False
            if self.depth is Depth.EVERYTHING:
                read()
        except (Damaged, NotFound):  # gone between two looks counts too: there is a second one
            return False
        return True

    def _read_object(self, row: ObjectRow) -> None:
        case_id, object_id = CaseId(row.case_id), ObjectId(row.id)
        use = JobCapability("fsck", case_id, frozenset({object_id}))
        key = self.keystore.object_key(object_id, capability=use)
        whole = self._read(sealed.opened(row, key=key, store=self.store))
        if not hmac.compare_digest(whole, row.plain_sha256 or ""):
            raise damaged()

    def _read_part(self, row: PartRow, upload: UploadRow) -> None:
        upload_id = UploadId(upload.id)
        use = uploads.key_use(case_id=CaseId(upload.case_id), upload_id=upload_id)
        self._read(
            SegmentReader(
                self.keystore.object_key(uploads.key_name(upload_id), capability=use),
                associated_data=part_binding(upload_id=upload_id, offset=row.offset, length=row.length),
                size=row.sealed_length,
                header=row.header,
                read_at=stretches.reader(self.store, row.name),
            )
        )

    def _read(self, reader: SegmentReader) -> str:
        """Authenticate every segment; give the plaintext's SHA-256, and keep nothing."""
        whole = hashlib.sha256()
        with ahead(reader.views(0, reader.plain_size, buffers=plain_buffers())) as pieces:
            for piece in pieces:
                whole.update(piece)
                self.read(len(piece))
        return whole.hexdigest()
