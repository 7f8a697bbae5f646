"""Everything that playing needs, and a clip that everyone agreed to film."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

import vault
from audit.models import AuditEntryRow
from consent import Purpose, Watch
from core.db import Database
from core.ids import RenditionId, ViewingId, VisitId
from keys import KeyStore
from tests.families import Family, Someone
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import Clip, add_clip, add_footage
from vault import DiskStore, Viewing, read_range
from vault.viewing_models import ViewingRow


class Ticking:
    """A monotonic clock that moves only when told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Cinema:
    """A player for whoever asks."""

    def __init__(self, db: Database, keystore: KeyStore, store: DiskStore, family: Family, clip: Clip) -> None:
        self.db, self.keystore, self.store, self.family, self.clip = db, keystore, store, family, clip
        self.ticking = Ticking()
        self.watch = Watch(db, monotonic=self.ticking)
        self.guider, self.social_worker = family.staff.guider, family.staff.social_worker

    def begin(self, who: Someone, purpose: Purpose, *, rendition_id: RenditionId | None = None) -> Viewing:
        return vault.begin_viewing(
            self.db, actor=who.actor, rendition_id=rendition_id or self.clip.rendition_id, purpose=purpose
        )

    async def open(
        self, who: Someone, viewing_id: ViewingId, *, start: int = 0, end: int | None = None
    ) -> vault.Reading:
        return await read_range(
            self.db,
            keystore=self.keystore,
            store=self.store,
            watch=self.watch,
            actor=who.actor,
            viewing_id=viewing_id,
            start=start,
            end=end,
            monotonic=self.ticking,
        )

    def play(self, who: Someone, viewing_id: ViewingId, *, start: int = 0, end: int | None = None) -> bytes:
        async def all_of_it() -> bytes:
            return b"".join([piece async for piece in await self.open(who, viewing_id, start=start, end=end)])

        return asyncio.run(all_of_it())

    def events(self, event: str) -> list[AuditEntryRow]:
        with self.db.read() as session:
            return list(session.scalars(select(AuditEntryRow).where(AuditEntryRow.event == event)))

    def viewing(self, viewing_id: ViewingId) -> ViewingRow:
        with self.db.read() as session:
            return session.get_one(ViewingRow, viewing_id)


def make_cinema(db: Database, keystore: KeyStore, store: DiskStore, family: Family, visit: VisitId) -> Cinema:
    agree_to_filming(db, keystore, family)
    footage_id = add_footage(db, keystore, store, family, visit)
    return Cinema(db, keystore, store, family, add_clip(db, keystore, store, family, footage_id))
