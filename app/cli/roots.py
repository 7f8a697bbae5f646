"""`key rotate-root`, `key destroy-root`: another root key over the keyring, and the end of a former one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from app import keylog, unsealing
from app.cli import say
from app.cli.keys import commands
from app.cli.options import Json, PassphraseFile, Store, new_secret, opened, root, secret, settings
from audit import Event
from keys import Needs, Typed, root_from, root_needs


@commands.command("rotate-root")
def rotate_root(
    *,
    new_root_uri: Annotated[
        str | None, typer.Option("--new-root", help="Name of another root. Default: the next key of the same one.")
    ] = None,
    new_passphrase_file: Annotated[
        Path | None, typer.Option(help="File of mode 0600 with what opens the new root. Default: a prompt.")
    ] = None,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Seal the keyring under a new root, at every place. Copies made before still open with the old one.

    A `local:` root takes a new passphrase; a token or a key service makes its next key. The processes that run on this
    machine are given it at once; others must be started again, or `vig-vault unseal` gives it to them there.
    """
    read = settings(store=store, passphrase_file=passphrase_file)
    with opened(store=store, passphrase_file=passphrase_file) as service:
        is_next = new_root_uri is None and root_needs(read.root) is not Needs.PASSPHRASE
        name = new_root_uri or read.root
        given = secret(read) if is_next else new_secret(name, file=new_passphrase_file)
        new = root_from(name, given=Typed(given))
        keylog.intend(service, Event.ROOT_CHANGE_BEGUN, uri=new.uri)
        made = service.keystore.rotate_root(new) if is_next else service.keystore.change_root(new)
        keylog.catch_up(service)
        former = [one for one in service.keystore.roots() if not one.is_live and one.gone_at is None]
    told = unsealing.ask_all(read.store / unsealing.FOLDER, secret=given if name == read.root else None)
    stay = [one for one in told if one.is_sealed or one.code]
    lines = [
        f"The keyring is under its new root key ({made.uri}, {made.id[:12]}) at every place.",
        "Copies of the keyring that somebody made before still open with the OLD one: that can't be taken back.",
        "The same PIN or token opens it as before."
        if is_next
        else "Now put what opens the new root where the service finds it when it starts.",
    ]
    if name != read.root:
        lines.append(f"Set VAULT_ROOT to {name}, and start every process again at once.")
    elif told:
        lines.append(f"{len(told) - len(stay)} of {len(told)} processes on this machine have the new one already.")
    lines += [f"{one.name}: {one.code} {one.sentence} Start it again." for one in stay]
    say(
        "\n".join(lines),
        as_json=as_json,
        root=made.uri,
        id=made.id,
        former=[one.id for one in former],
        processes=[{"name": one.name, "sealed": one.is_sealed, "code": one.code} for one in told],
        old_copies_open_with_the_old_root=True,
    )


@commands.command("destroy-root")
def destroy_root(
    root_id: Annotated[str, typer.Argument(help="The former root key's id, as `key status` shows it.")],
    *,
    former_root_uri: Annotated[
        str | None, typer.Option("--former-root", help="Its name, where that isn't the one that is set.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Destroy a former root key in its token or key service; every copy of the keyring under it is then noise.

    A `local:` root lay in the keyring alone and went with it. Nothing opens what a destroyed root key sealed.
    """
    read = settings(store=store, passphrase_file=passphrase_file)
    with opened(store=store, passphrase_file=passphrase_file) as service:
        if not yes and not typer.confirm("Destroy it for good?"):
            raise typer.Exit(1)
        former = root(replace(read, root=former_root_uri or read.root))
        service.keystore.require_former(root_id)
        keylog.intend(service, Event.ROOT_DESTRUCTION_BEGUN, uri=former.uri, root_id=root_id)
        found = service.keystore.destroy_root(root_id, root=former)
        keylog.catch_up(service)
    end = (
        f"gone from {found.gone_at:%Y-%m-%d %H:%M} UTC on" if found.gone_at else "nobody knows from when on it is gone"
    )
    say(f"Root key {root_id[:12]} is destroyed: {end}.", as_json=as_json, id=root_id, gone_at=found.gone_at)
