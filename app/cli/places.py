"""`key places`: the registered places of the keyring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import keys
from app import keylog
from app.cli import say
from app.cli.keys import commands as key_commands
from app.cli.keys import places_of
from app.cli.options import Json, PassphraseFile, Store, opened

commands = typer.Typer(no_args_is_help=True, help="The registered places of the keyring.")
key_commands.add_typer(commands, name="places")
PlaceId = Annotated[str, typer.Argument(help="The place's id, as `key places list` shows it.")]


@commands.command("list")
def list_places(*, store: Store = None, passphrase_file: PassphraseFile = None, as_json: Json = False) -> None:
    """Every place that holds, or may still hold, the keyring."""
    with opened(store=store, passphrase_file=passphrase_file) as service:
        said, values = places_of(service.keystore.status())
    say(said, as_json=as_json, places=values)


@commands.command()
def add(
    folder: Annotated[Path, typer.Argument(help="A new folder, on a disk without snapshots or versions.")],
    *,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Register one more recovery place and write the keyring there.

    Then add the folder to VAULT_RECOVERY_PLACE and start every process again: until then no roll goes through.
    """
    folder = folder.absolute()
    with opened(store=store, passphrase_file=passphrase_file) as service:
        keylog.catch_up(service)
        place = keys.add_recovery(service.keystore.db, keyring=service.keystore.keyring, folder=folder)
        keylog.catch_up(service)
    say(
        f"{folder} is place {place} and holds the keyring.\n"
        f"Now add it to VAULT_RECOVERY_PLACE (with a colon between), start every process again, and run\n"
        f"`vig-vault key backup`, which writes the key rows there. Until then no roll goes through.",
        as_json=as_json,
        place=place,
        folder=folder,
    )


@commands.command()
def lost(place: PlaceId, *, store: Store = None, passphrase_file: PassphraseFile = None, as_json: Json = False) -> None:
    """Note that a recovery place can't be written any more: stolen, broken, taken away.

    It may hold the keyring as it was. What is destroyed from now on is called irrecoverable only when its end is
    attested. Then take its folder out of VAULT_RECOVERY_PLACE and start every process again.
    """
    with opened(store=store, passphrase_file=passphrase_file) as service:
        keys.require_known(service.keystore.db, place_id=place, lost=keys.Loss.TO_NOTE)
        keys.lose(service.keystore.db, place_id=place)
        keylog.catch_up(service)
    say(
        f"Place {place} is noted as lost. Take its folder out of VAULT_RECOVERY_PLACE and start every process again.\n"
        f"When you know that it was physically destroyed: vig-vault key places gone {place}",
        as_json=as_json,
        place=place,
        lost=True,
    )


@commands.command()
def gone(
    place: PlaceId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Attest that a lost place was physically destroyed. Certificates rely on it, so be sure."""
    with opened(store=store, passphrase_file=passphrase_file) as service:
        keys.require_known(service.keystore.db, place_id=place, lost=keys.Loss.NOTED)
        if not yes and not typer.confirm("Do you know, from whoever did it, that this disk was physically destroyed?"):
            raise typer.Exit(1)
        keys.attest_gone(service.keystore.db, place_id=place)
        keylog.catch_up(service)
    say(f"It is attested that place {place} is gone.", as_json=as_json, place=place, gone=True)
