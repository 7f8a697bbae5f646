"""What keeps the keys in order: rolling the epoch, copying the key rows, and how all of it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from core.ids import ObjectId
from keys import changes, copies, damage, heartbeat, inventory, objects, records, roll, rooting, standing
from keys.changes import Change, Pulse
from keys.custody import Custody
from keys.damage import DamagedKey
from keys.fields import RecordOwner
from keys.inventory import KeyLine, KeyStanding
from keys.models import ObjectKeyRow, RecordKeyRow
from keys.roll import RollReport
from keys.standing import Erasure, Standing

Progress = Callable[[int, int], object]


class Upkeep(Custody):
    """The keyring and its rows, kept in order."""

    def roll_epoch(
        self,
        *,
        on_progress: Progress = lambda _done, _of: None,
        most_damaged: int = damage.MOST_AT_ONCE,
    ) -> RollReport:
        """Roll the epoch, or go on with a roll that was stopped. A second call is needed while it waits for others.

        Args:
            on_progress: told how many keys were looked at, of how many.
            most_damaged: so many keys that don't open are left behind at most.

        Raises:
            Unavailable: another process rolls, or a registered place can't be reached.
            Damaged: ``keys_damaged``: more than that don't open; the old epoch stays.
        """
        self._ready()
        return roll.roll_epoch(roll.Roller(self.db, self.keyring, self.process, on_progress, most_damaged))

    def go_on_rolling(self, roll_id: str) -> RollReport | None:
        """Go on with a roll that was begun. Nothing happens, and nothing is returned, where it is done already.

        Raises:
            Unavailable: another process rolls, or a registered place can't be reached.
        """
        self._ready()
        return roll.go_on(roll.Roller(self.db, self.keyring, self.process), roll_id)

    def roll_under_way(self) -> RollReport | None:
        """The roll that was begun and isn't done, if there is one."""
        return roll.unfinished(self.db)

    def roll_report(self, roll_id: str) -> RollReport:
        """How far a roll has come."""
        return roll.report_of(self.db, roll_id)

    def roll_last_begun(self) -> datetime | None:
        """When the latest roll was begun, done or not; nothing where there was none yet."""
        with self.db.read() as session:
            return roll.last_begun(session)

    def waits_for_roll(self) -> bool:
        """Whether destroyed keys wait for a roll that puts their copies beyond use."""
        with self.db.read() as session:
            return roll.pending_since(session) is not None

    def pulse(self) -> Pulse:
        """What differs as soon as ``changes`` or ``roots`` may have more to tell. One query, and a look at the keyring.

        Raises:
            Unavailable: ``keyring_missing``.
        """
        root = rooting.live_id(self.keyring)
        with self.db.read() as session:
            return changes.pulse(session, root=root)

    def changes(self, *, since: datetime) -> tuple[Change, ...]:
        """What was rolled, destroyed, added, lost and attested gone since a time, the oldest first."""
        with self.db.read() as session:
            return tuple(changes.changes(session, since=since))

    def copy_rows(self) -> int:
        """Copy the key rows to the recovery places where they have changed; call it every quarter of an hour.

        Returns:
            How many places were written.
        """
        self._ready()
        with self.keyring.writer():
            return copies.write_copies(self.db, keyring=self.keyring)

    def back_up(self) -> int:
        """Write keyring and key rows to the recovery places at once, where they aren't those, and read them back.

        Returns:
            How many places were given other rows.

        Raises:
            Unavailable: ``keyring_busy``, or a registered place can't be reached.
        """
        self._ready()
        with self.keyring.writer():
            copies.require_places(self.db, keyring=self.keyring)
            self.keyring.level()
            return copies.write_copies(self.db, keyring=self.keyring)

    def unsaved_since(self) -> datetime | None:
        """Since when what was made or destroyed lies in no recovery copy; nothing where each copy has it all."""
        return copies.unsaved_since(self.db)

    def copy_is_due(self) -> bool:
        """Whether it is time for ``copy_rows``; quick, for a look each minute."""
        return copies.older_than(self.db, copies.COPY_AFTER)

    def copy_is_overdue(self) -> bool:
        """Whether a recovery place wasn't given the key rows for half an hour, changed or not."""
        return copies.older_than(self.db, copies.COPY_OVERDUE)

    def erasure_of(self, object_id: ObjectId) -> Erasure | None:
        """What may be promised of a destroyed object's key; nothing while it lives.

        Raises:
            NotFound: ``key_gone``: there never was one.
        """
        return self._erasure(lambda session: session.get(ObjectKeyRow, object_id))

    def erasure_of_record(self, owner: RecordOwner) -> Erasure | None:
        """What may be promised of a destroyed record key; nothing while it lives.

        Raises:
            NotFound: ``key_gone``: there never was one.
        """
        return self._erasure(lambda session: records.find_all(session, owners=[owner]).get(owner))

    def status(self) -> Standing:
        """How the keys stand."""
        return standing.standing(self.db, keyring=self.keyring)

    def oldest_process(self) -> datetime | None:
        """When the live process that runs for longest was started; nothing where none was heard of lately."""
        with self.db.read() as session:
            return heartbeat.oldest(session, at=self.db.clock.now())

    def standings(self, object_ids: Iterable[str]) -> dict[ObjectId, KeyStanding]:
        """How the keys of these objects (or uploads) stand, each live one tried; who never had one is left out."""
        self._ready()
        with self.db.read() as session:
            return inventory.standings(session, keyring=self.keyring, object_ids=object_ids)

    def damaged_keys(self) -> tuple[DamagedKey, ...]:
        """Keys that rolls left behind, and those of cases and records that don't open now: each is tried."""
        return damage.every(self.db, keyring=self.keyring)

    def left_behind(self) -> tuple[DamagedKey, ...]:
        """Keys that rolls left behind since they didn't open, and whose film or record isn't destroyed since."""
        with self.db.read() as session:
            return tuple(damage.left_behind(session))

    def live_keys(self, *, after: str = "", most: int = 500) -> list[KeyLine]:
        """The live keys of objects and uploads, by id, a page at a time."""
        with self.db.read() as session:
            return inventory.live_keys(session, after=after, most=most)

    def _erasure(self, find: Callable[[Session], ObjectKeyRow | RecordKeyRow | None]) -> Erasure | None:
        with self.db.read() as session:
            row = find(session)
            if row is None:
                raise objects.key_gone()
            return standing.erasure(session, row, at=self.db.clock.now())
