"""`key`: how the keys stand, rolling them, their root, and bringing them back."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

import audit
import vault
from app import keeping, restoring
from app.cli import application, say
from app.cli.options import Json, PassphraseFile, Store, opened, root, settings
from app.cli.progress import shown
from app.service import Service
from audit import Event
from core.errors import Unavailable
from keys import (
    MOST_AT_ONCE,
    LocalRoot,
    PlaceKind,
    PlaceStanding,
    RollReport,
    RootStanding,
    Standing,
)

commands = typer.Typer(no_args_is_help=True, help="The keys: how they stand, rolls, root, places, copies.")
application.add_typer(commands, name="key")
AGAIN_SECONDS = 1.0


@commands.command()
def status(*, store: Store = None, passphrase_file: PassphraseFile = None, as_json: Json = False) -> None:
    """Epochs, places, copies, rolls and the root. Changes nothing. Ends with 1 where something needs doing."""
    with opened(store=store, passphrase_file=passphrase_file) as service:
        standing = service.keystore.status()
        found = list(keeping.troubles(service, standing))
        unsaved = service.keystore.unsaved_since()
        facts, roots = service.keystore.root, service.keystore.roots()
        now = service.db.clock.now()
    window = None if unsaved is None else round((now - unsaved).total_seconds())
    lines = [
        f"epoch        {standing.epoch}, "
        + (f"rolled last at {standing.rolled_at:%Y-%m-%d %H:%M} UTC" if standing.rolled_at else "never rolled"),
        f"roll         {_roll_words(standing.roll) if standing.roll else 'none under way'}",
        f"destroyed    {standing.pending} keys that no roll covers yet",
        f"root         {facts.uri}  assurance {facts.assurance}, destroys {facts.destruction}",
        *(f"former root  {_former_words(one)}" for one in roots if not one.is_live),
        "copies       " + ("hold every key" if window is None else f"lack what was made in the last {window} seconds"),
        f"processes    {max(0, standing.processes - 1)} beside this one",
        *(_place_words(place) for place in standing.places),
        *(f"{one.code}: {one.sentence}" for one in found),
    ]
    say(
        "\n".join(lines),
        as_json=as_json,
        sound=not found,
        epoch=standing.epoch,
        rolled_at=standing.rolled_at,
        roll=_roll_values(standing.roll) if standing.roll else None,
        pending=standing.pending,
        pending_since=standing.pending_since,
        root={"uri": facts.uri, "assurance": facts.assurance, "destruction": facts.destruction},
        roots=[asdict(one) for one in roots],
        loss_window_seconds=window,
        processes=max(0, standing.processes - 1),
        places=[_place_values(place) for place in standing.places],
        troubles=[{"code": one.code, "sentence": one.sentence} for one in found],
    )
    if found:
        raise typer.Exit(1)


@commands.command("roll-epoch")
def roll_epoch(
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Until every process has forgotten the old key.")] = False,
    leave_damaged: Annotated[
        bool, typer.Option("--leave-damaged", help="Leave keys behind that don't open, however many. For good.")
    ] = False,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Give the store a new epoch key and destroy the old one, or go on with a roll that was stopped.

    The service goes on meanwhile. It may be broken off at any time; the worker or the next call goes on. Ends with 1
    where it waits for processes that must still forget the old key, and where keys don't open: those are named and left
    behind, so that all others roll; of more than a hundred none is, and it ends with 5.
    """
    with opened(store=store, passphrase_file=passphrase_file) as service:
        report = None
        try:
            with shown("Wrapping keys again") as on_progress:
                most = sys.maxsize if leave_damaged else MOST_AT_ONCE
                report = keeping.roll(service, on_progress=on_progress, most_damaged=most)
            while wait and not report.is_done:
                time.sleep(AGAIN_SECONDS)
                report = _gone_on(service, report)
        except KeyboardInterrupt:
            typer.echo("Stopped. What was done stays done: the same command goes on, and so does the worker.", err=True)
            raise typer.Exit(1) from None
    left = [keeping.damaged_words(key) for key in report.left_behind]
    said = "\n".join([_roll_words(report), *(f"{one.code}: {one.sentence}" for one in left)])
    say(said, as_json=as_json, **_roll_values(report))
    if not report.is_done or left:
        raise typer.Exit(1)


@commands.command()
def backup(*, store: Store = None, passphrase_file: PassphraseFile = None, as_json: Json = False) -> None:
    """Write keyring and key rows to the recovery places now, and read them back. The service does so by itself too."""
    with opened(store=store, passphrase_file=passphrase_file) as service:
        written = service.keystore.back_up()  # outside of the transaction: it takes seconds where there are many rows
        with service.db.begin() as session:
            audit.record(session, Event.KEYS_BACKED_UP, actor=None)
        standing = service.keystore.status()
    places = [place for place in standing.places if place.kind is PlaceKind.RECOVERY and place.lost_at is None]
    say(
        f"Recovery places that hold the keyring and every key row, read back: {len(places)}; with older rows before: "
        f"{written}.",
        as_json=as_json,
        written=written,
        places=[_place_values(place) for place in places],
    )


@commands.command()
def restore(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Bring back a lost live keyring or a lost key database from a recovery place, while no process runs.

    Nothing that is there is overwritten: move a damaged file or database away first. What was made after the copy of
    the rows is lost. What was destroyed after it has its key again, and loses it again at once, as far as the database
    knows of it; certificates then wait for the next roll.
    """
    read = settings(store=store, passphrase_file=passphrase_file)
    given = root(read)
    if not yes and not typer.confirm("Is every process of the service stopped?"):
        raise typer.Exit(1)
    found = restoring.restore(read, root=given)
    with opened(store=store, passphrase_file=passphrase_file) as service:
        with service.db.begin() as session:
            what = {"keyring": str(found.keyring).lower(), "rows": str(found.rows).lower()}
            audit.record(session, Event.KEYS_RESTORED, actor=None, details=what)
        again = vault.destroy_again(service.db, keystore=service.keystore)
        standing = service.keystore.status()
    back = " and ".join(
        name for name, is_back in (("the live keyring", found.keyring), ("the key rows", found.rows)) if is_back
    )
    lines = [f"Back from {found.place}: {back}."]
    if found.rows:
        since = f"{found.rows_of:%Y-%m-%d %H:%M:%S} UTC" if found.rows_of else "the copy"
        lines.append(f"The rows are of {since}. What was made since is lost.")
        lines.append(f"{again} keys that had been destroyed since came back, and are destroyed again.")
    if found.keyring:
        lines.append("The old live place is noted as lost: attest its end with `vig-vault key places gone`.")
    lines.append("Now: vig-vault fsck, vig-vault key status; then start the service, and roll the epoch.")
    say(
        "\n".join(lines),
        as_json=as_json,
        place=found.place,
        keyring=found.keyring,
        rows=found.rows,
        rows_of=found.rows_of,
        destroyed_again=again,
        epoch=standing.epoch,
    )


def _gone_on(service: Service, report: RollReport) -> RollReport:
    """Go on, unless another process is just at it, or has finished it."""
    try:
        again = keeping.go_on(service, report.id)
    except Unavailable as error:
        if error.code != "keyring_busy":
            raise
        return report
    if again is not None:
        return again
    return service.keystore.roll_report(report.id)


def _former_words(one: RootStanding) -> str:
    if one.gone_at is not None:
        return f"{one.id}  {one.uri}, gone from {one.gone_at:%Y-%m-%d} on"
    if one.uri == LocalRoot.uri:
        return f"{one.id}  {one.uri} lay in the keyring alone: only copies of that open with it"
    return f"{one.id}  {one.uri}" + (", destroyed, nobody knows from when on it is gone" if one.destroyed_at else "")


def _roll_words(report: RollReport) -> str:
    said = f"epoch {report.from_number} → {report.to_number}: {report.state}"
    if report.waiting_for:
        said += f", waits for {len(report.waiting_for)} processes to forget the old key (a minute at most if they died)"
    return said


def _roll_values(report: RollReport) -> dict[str, Any]:
    return {
        "id": report.id,
        "from": report.from_number,
        "to": report.to_number,
        "state": report.state,
        "done": report.is_done,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "waiting_for": list(report.waiting_for),
        "left_behind": [asdict(key) for key in report.left_behind],
    }


def _place_words(place: PlaceStanding) -> str:
    said = f"{place.kind:<12} {place.id}  {place.folder or '(not set)'}"
    if place.lost_at is not None:
        ended = f", attested gone {place.gone_at:%Y-%m-%d}" if place.gone_at else ", not attested gone"
        return f"{said}  lost {place.lost_at:%Y-%m-%d}{ended}"
    if place.problem is not None:
        return f"{said}  {place.problem}"
    copied = f", rows of {place.copied_at:%Y-%m-%d %H:%M:%S} UTC" if place.copied_at else ""
    return f"{said}  epochs {', '.join(map(str, place.epochs or ()))}, sequence {place.sequence}{copied}"


def _place_values(place: PlaceStanding) -> dict[str, Any]:
    return {
        "id": place.id,
        "kind": place.kind,
        "folder": place.folder,
        "epochs": place.epochs,
        "sequence": place.sequence,
        "problem": place.problem,
        "copied_at": place.copied_at,
        "lost_at": place.lost_at,
        "gone_at": place.gone_at,
    }


def places_of(standing: Standing) -> tuple[str, list[dict[str, Any]]]:
    """The places, in words and as values."""
    return "\n".join(map(_place_words, standing.places)), [_place_values(place) for place in standing.places]
