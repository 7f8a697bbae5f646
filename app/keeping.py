"""Keeping the keys: rolls with their entry in the log, what the keyring remembers, and what somebody must look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import audit
import retention
from app import keylog
from app.service import Service
from core.clock import ENGLAND
from keys import MOST_AT_ONCE, DamagedKey, Pulse, RollReport, Standing, WrapKind

NOTE_EVERY = timedelta(minutes=5)
"""How often the keyring notes how far the log has come, where it has: a file at each place is written for it."""
ROLL_EVERY = timedelta(days=1, hours=2)
"""Nightly, with some patience."""
ROLL_TAKES = timedelta(minutes=15)
NOT_AGAIN_WITHIN = timedelta(hours=1)
"""A night on which something fails again and again doesn't roll at every try; and how long a roll waits for a sweep."""
NIGHT = timedelta(hours=6)
"""How long after its hour what is destroyed is still that night's."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something about the keys that somebody should look at.

    Attributes:
        code: a word of ours, stable.
        sentence: what it is and what to do.
    """

    code: str
    sentence: str


def roll(
    service: Service,
    *,
    on_progress: Callable[[int, int], object] = lambda _done, _of: None,
    most_damaged: int = MOST_AT_ONCE,
) -> RollReport:
    """Roll the epoch as far as it goes now; note in the log that it was done.

    Raises:
        Unavailable: another process rolls, or a registered place can't be reached.
        Damaged: ``keys_damaged``: more keys than ``most_damaged`` don't open.
    """
    report = service.keystore.roll_epoch(on_progress=on_progress, most_damaged=most_damaged)
    _tell(service, report)
    return report


def night_of(at: datetime, *, hour: int) -> datetime:
    """When the night began that this moment belongs to: the sweep's hour, today's or yesterday's."""
    here = at.astimezone(ENGLAND)
    begun = here.replace(hour=hour, minute=0, second=0, microsecond=0)
    return begun if begun <= here else begun - timedelta(days=1)


def is_due(
    *, at: datetime, night: datetime, swept_at: datetime | None, begun_at: datetime | None, waits: Callable[[], bool]
) -> bool:
    """Whether to roll now: once a night whatever the disposal did, and again for what was destroyed after that.

    Args:
        at: now.
        night: when it began.
        swept_at: when the last sweep was done.
        begun_at: when the last roll was begun.
        waits: whether destroyed keys wait for a roll; asked only where it counts.
    """
    if begun_at is not None and timedelta(0) <= at - begun_at < NOT_AGAIN_WITHIN:
        return False
    if begun_at is None or begun_at < night:  # the sweep goes first, while it can still be expected
        return (swept_at is not None and swept_at >= night) or at >= night + NOT_AGAIN_WITHIN
    came_later = swept_at is not None and swept_at > begun_at
    return (came_later or at < night + NIGHT) and waits()


def roll_if_due(service: Service) -> None:
    """The night's roll. Decided by what is on record, so that no crash and no sweep that fails can skip it."""
    at, keystore = service.db.clock.now(), service.keystore
    if is_due(
        at=at,
        night=night_of(at, hour=service.settings.sweep_hour),
        swept_at=retention.health(service.db).last_done_at,
        begun_at=keystore.roll_last_begun(),
        waits=keystore.waits_for_roll,
    ):
        roll(service)


def go_on(service: Service, roll_id: str) -> RollReport | None:
    """Go on with a roll that waits for others; nothing where it is done already."""
    report = service.keystore.go_on_rolling(roll_id)
    if report is not None:
        _tell(service, report)
    return report


def finishing(service: Service) -> Callable[[], None]:
    """A duty: tell the log what is new of the keys, and go on with whatever roll was begun, here or elsewhere.

    So none is left half-way until night, and what a process that was killed couldn't tell any more is told. The first
    look of a process goes through everything; where nothing is new since the last one, a look costs one query.
    """
    told: Pulse | None = None

    def look() -> None:
        nonlocal told
        pulse = service.keystore.pulse()
        if pulse == told and pulse.roll is None:
            return
        keylog.catch_up(service)
        if pulse.roll is not None:
            go_on(service, pulse.roll)
        told = pulse

    return look


def copy_if_due(service: Service) -> None:
    """Copy the key rows to the recovery places every quarter of an hour, however often processes start anew."""
    if service.keystore.copy_is_due():
        service.keystore.copy_rows()


def note_log(service: Service) -> None:
    """Have the keyring note the log's latest checkpoint: the third voice.

    Raises:
        Damaged: ``log_rolled_back``: the store is older than the keyring remembers. The older note stays.
    """
    keystore = service.keystore
    note = audit.to_remember(service.db, verifier=service.signer.verifier, remembered=keystore.remembered)
    if note is not None:
        keystore.remember(note)


def troubles(service: Service, standing: Standing) -> Iterator[Trouble]:
    """What somebody must look at; nothing in good order."""
    if not service.keystore.agrees():
        yield Trouble("keys_behind", "Key rows and keyring are not of one time: see Restore in docs/operations.md.")
    yield from _rolls(standing, at=service.db.clock.now())
    yield from _places(standing, configured=len(service.keystore.keyring.places))
    yield from map(damaged_words, service.keystore.damaged_keys())
    if service.keystore.copy_is_overdue():
        yield Trouble("key_copy_overdue", "The key rows weren't copied to a recovery place: `vig-vault key backup`.")


def damaged_words(key: DamagedKey) -> Trouble:
    """Which key doesn't open, and what that means."""
    whose = f"{key.owner_kind.value} {key.owner_id}"
    what = {
        WrapKind.CASE_MEDIA: f"The media key of {whose} doesn't open, and so none of its films that it locks.",
        WrapKind.OBJECT: f"The key of object {key.id} of {whose} doesn't open.",
        WrapKind.RECORD: f"The key of the personal fields of {whose} doesn't open.",
    }[key.kind]
    then = (
        "The next roll leaves it behind for good; until then it can be mended: see What is damaged."
        if key.left_at is None
        else f"It was left behind on {key.left_at:%Y-%m-%d}. It can still be deleted: see What is damaged."
    )
    return Trouble("key_damaged", f"{what} {then}")


def _rolls(standing: Standing, *, at: datetime) -> Iterator[Trouble]:
    if standing.roll is not None and standing.roll.started_at < at - ROLL_TAKES:
        yield Trouble("roll_unfinished", "A roll was begun and isn't done: `vig-vault key roll-epoch --wait`.")
    if standing.pending_since is not None and standing.pending_since < at - ROLL_EVERY:
        yield Trouble("roll_overdue", "Destroyed keys wait for a roll: `vig-vault key roll-epoch`. Does a worker run?")


def _places(standing: Standing, *, configured: int) -> Iterator[Trouble]:
    used = [place for place in standing.places if place.lost_at is None]
    all_read = sum(place.folder is not None for place in standing.places) == configured
    for place in used:
        if place.folder is None and all_read:
            said = f"Place {place.id} is registered, and VAULT_RECOVERY_PLACE doesn't name it: no roll goes through."
            yield Trouble("place_unset", f"{said} Where it is gone: `vig-vault key places lost {place.id}`.")
        elif place.problem is not None:
            yield Trouble("place_unreadable", f"Place {place.id} can't be read ({place.problem}). Mount or mend it.")
    if standing.roll is None and len({place.sequence for place in used if place.sequence is not None}) > 1:
        yield Trouble("places_differ", "The places hold different keyrings: `vig-vault key backup` makes them level.")
    for place in standing.places:
        if place.lost_at is not None and place.gone_at is None:
            said = f"Place {place.id} ({place.kind}) is noted as lost. Certificates wait until its end is attested."
            yield Trouble("place_lost", said)


def _tell(service: Service, report: RollReport) -> None:
    if not report.is_done:
        return
    keylog.catch_up(service)
    note_log(service)
