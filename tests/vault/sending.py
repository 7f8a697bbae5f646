"""A sender of films, as the web would be one, and a film that is none but looks like one from outside."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

from core.db import Database
from core.ids import UploadId, VisitId
from keys import KeyStore
from tests.families import Family, Someone
from vault import DiskStore, begin_deposit, receive_part


class LineCut(Exception):
    """The sender is gone."""


def film(size: int) -> bytes:
    """So many bytes that begin like an MP4."""
    return (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + random.Random(size).randbytes(size))[:size]  # noqa: S311 - filler


async def chunks(content: bytes, *, size: int = 100_000, cut: bool = False) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
    if cut:
        raise LineCut


class Sender:
    def __init__(self, db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> None:
        self.db, self.keystore, self.store, self.family, self.visit = db, keystore, store, family, visit
        self.guider: Someone = family.staff.guider

    def begin(self, length: int, *, sha256: str | None = None) -> UploadId:
        return begin_deposit(
            self.db,
            keystore=self.keystore,
            actor=self.guider.actor,
            case_id=self.family.case_id,
            visit_id=self.visit,
            length=length,
            sha256=sha256,
            filename="Kit in the bath.mp4",
            media_type="video/mp4",
        )

    def send(
        self,
        upload: UploadId,
        content: bytes,
        *,
        offset: int,
        checksum: bytes | None = None,
        cut: bool = False,
        by: Someone | None = None,
    ) -> int:
        return self.stream(upload, chunks(content, cut=cut), offset=offset, checksum=checksum, by=by)

    def stream(
        self,
        upload: UploadId,
        content: AsyncIterator[bytes],
        *,
        offset: int = 0,
        checksum: bytes | None = None,
        by: Someone | None = None,
    ) -> int:
        return asyncio.run(
            receive_part(
                self.db,
                keystore=self.keystore,
                store=self.store,
                actor=(by or self.guider).actor,
                upload_id=upload,
                offset=offset,
                chunks=content,
                checksum=checksum,
            )
        )
