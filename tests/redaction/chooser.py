from __future__ import annotations

import redaction
from core.ids import ClipId, FootageId
from identity import Actor
from redaction import Step
from redaction.chosen import Choosing
from tests.redaction.faces import add_detections, footage_of, two_people
from tests.vault.cinema import Cinema
from tests.vault.scene import add_clip
from vault.models import ClipRow


class Chooser:
    """A guider at the page of choices of one clip."""

    def __init__(self, cinema: Cinema) -> None:
        self.cinema, self.clip_id = cinema, cinema.clip.clip_id
        self.footage_id = footage_of(cinema.db, cinema.clip.clip_id)
        self.family = cinema.family

    def looks(self, *, actor: Actor | None = None, clip_id: ClipId | None = None) -> Choosing:
        return redaction.choosing(
            self.cinema.db,
            keystore=self.cinema.keystore,
            store=self.cinema.store,
            actor=actor or self.cinema.guider.actor,
            clip_id=self.clip_id if clip_id is None else clip_id,
        )

    def takes(self, step: Step, *, looked_at: int | None = None, actor: Actor | None = None) -> int:
        return redaction.choose(
            self.cinema.db,
            keystore=self.cinema.keystore,
            store=self.cinema.store,
            actor=actor or self.cinema.guider.actor,
            clip_id=self.clip_id,
            looked_at=self.looks().version if looked_at is None else looked_at,
            step=step,
        )

    def begins(self, beside: ClipId, *, looked_at: int, actor: Actor | None = None) -> int:
        """Begin from what was chosen for another clip."""
        return redaction.begin_from(
            self.cinema.db,
            keystore=self.cinema.keystore,
            store=self.cinema.store,
            actor=actor or self.cinema.guider.actor,
            clip_id=self.clip_id,
            looked_at=self.looks().version,
            beside=beside,
            beside_looked_at=looked_at,
        )

    def undoes(self) -> int:
        cinema = self.cinema
        return redaction.undo(
            cinema.db,
            keystore=cinema.keystore,
            actor=cinema.guider.actor,
            clip_id=self.clip_id,
            looked_at=self.looks().version,
        )

    def also_cut(self, *, first_frame: int, last_frame: int, footage_id: FootageId | None = None) -> Chooser:
        """The same guider at another clip of the same footage."""
        cinema = self.cinema
        footage = footage_id or self.footage_id
        clip = add_clip(cinema.db, cinema.keystore, cinema.store, cinema.family, footage, content=b"another")
        with cinema.db.begin() as session:
            row = session.get_one(ClipRow, clip.clip_id)
            row.first_frame, row.last_frame = first_frame, last_frame
        other = Chooser(cinema)
        other.clip_id, other.footage_id = clip.clip_id, footage
        return other

    def finds(self, *, right_from: int = 0) -> None:
        found = two_people(right_from=right_from)
        cinema = self.cinema
        add_detections(cinema.db, cinema.keystore, cinema.store, cinema.family, self.footage_id, found)
