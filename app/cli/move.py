"""`move-store`: the objects to another place, while the service goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import vault
from app.cli import application, say
from app.cli.options import Json, PassphraseFile, Store, opened
from app.cli.progress import left, shown
from app.cli.scrub import until_interrupted
from app.service import Service
from core.errors import Invalid
from vault import MIB, Address, BothStores, KnownStore, Next, ObjectStore, Pace

WORDS = {
    Next.COPY: "Not everything is copied yet. Run it again: it goes on where it was.",
    Next.SWITCH: "Everything that was there is copied. Now set VAULT_OBJECTS to the target and VAULT_OBJECTS_ALSO to "
    "the old place, start every process again, and run this once more.",
    Next.RESTART: "Everything is copied, and a process that was started before the switch still runs, or ran a "
    "minute ago. Start it again, then run this once more.",
    Next.DROP: "Everything lies in the target. Take VAULT_OBJECTS_ALSO away and start the processes again; then the "
    "old place may be dropped.",
}


@application.command("move-store")
def move_store(
    target: Annotated[str, typer.Argument(help="Where to, as VAULT_OBJECTS says it.")],
    *,
    credentials: Annotated[Path | None, typer.Option("--credentials", help="File (mode 0600) for the target.")] = None,
    rate: Annotated[float, typer.Option("--rate", help="MiB a second at most. 0: as fast as it goes.", min=0)] = 0,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Copy every object to another store while the service goes on, and say when the old one may be dropped.

    Each copy is read back and compared by its full hash. Broken off, even by a kill, it goes on where it was. Ends with
    0 when everything is copied, 4 while something isn't, 1 where an object was damaged or missing.
    """
    address = Address.parsed(target)
    with (
        opened(store=store, passphrase_file=passphrase_file) as service,
        until_interrupted() as stop,
        shown("Copying") as on_progress,
    ):
        source, into = _ends(service, address, credentials=credentials)
        done = vault.move(
            service.db,
            keystore=service.keystore,
            source=source,
            target=into,
            address=str(address),
            pace=Pace(rate * MIB or None, stop=stop),
            on_progress=on_progress,
        )
    words = [f"{done.copied} objects were copied and compared, {done.copied_bytes // MIB} MiB."]
    words += left(on_progress) if done.next is Next.COPY else []
    words += [f"  damaged: {name}. It is quarantined, and was copied as it is." for name in done.damaged]
    words += [f"  missing: {name}. Neither place has it: see vig-vault fsck." for name in done.missing]
    say(
        "\n".join([*words, WORDS[done.next]]),
        as_json=as_json,
        copied=done.copied,
        copied_bytes=done.copied_bytes,
        left_bytes=on_progress.left if done.next is Next.COPY else 0,
        seconds_left=on_progress.seconds_left if done.next is Next.COPY else 0,
        damaged=done.damaged,
        missing=done.missing,
        next=done.next.value,
    )
    if done.damaged or done.missing:
        raise typer.Exit(1)
    if done.next in {Next.COPY, Next.RESTART}:
        raise typer.Exit(4)


def _ends(service: Service, target: Address, *, credentials: Path | None) -> tuple[ObjectStore, ObjectStore]:
    """Where from, and where to; the service's own store and the one beside it are what the settings say of them."""
    settings = service.settings
    vault.look_at(service.store)
    ours = service.store.behind if isinstance(service.store, KnownStore) else service.store
    both = ours if isinstance(ours, BothStores) else None
    if str(target) == str(Address.parsed(settings.objects_address)):
        if both is None:
            raise Invalid("nothing_to_move", "The objects are there already. VAULT_OBJECTS_ALSO names no old place.")
        return both.also, both.first
    if both is not None and str(target) == str(Address.parsed(settings.objects_also)):
        return both.first, both.also
    return ours, vault.open_store(target, spool=ours.spool, credentials=credentials)
