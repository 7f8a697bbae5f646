"""`init`, `serve`, `worker`, `upgrade`, `settings`: the life of a store and of the processes on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app import running, unsealing
from app.cli import application, say
from app.cli.options import Json, PassphraseFile, RootUri, Store, root, secret, settings
from app.logs import configure_logs
from app.schema import Tree, upgrade
from app.service import clock_for, databases
from app.settings import described
from app.setup import make_store
from core.errors import Unavailable

Sealed = Annotated[
    bool, typer.Option("--sealed", help="Start without the passphrase; `vig-vault unseal` gives it, and work begins.")
]


@application.command()
def init(
    *,
    admin_name: Annotated[str, typer.Option(prompt="Name of the first administrator")],
    admin_email: Annotated[str, typer.Option(prompt="Their work email address")],
    log_name: Annotated[str, typer.Option(help="Name of the audit log, as in vault.example.gov.uk/log.")] = "vig-vault",
    store: Store = None,
    root_uri: RootUri = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Make a store: keyring, databases, log, first administrator."""
    read = settings(store=store, root=root_uri, passphrase_file=passphrase_file)
    made = make_store(
        read,
        root=root(read, confirm=True),
        log_name=log_name,
        admin_name=admin_name,
        admin_email=admin_email,
    )
    say(
        f"The store is made.\n\n"
        f"  The log's public key (write it down outside this machine):\n    {made.log_key}\n\n"
        f"  The first administrator sets password and second factor here, within 7 days:\n    {made.enrolment}\n\n"
        f"Next: vig-vault serve --store {read.store}",
        as_json=as_json,
        store=read.store,
        log_key=made.log_key,
        enrolment=made.enrolment,
    )


@application.command()
def serve(
    *,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    listen: Annotated[str | None, typer.Option(help="Address and port. Default: 127.0.0.1:8443.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option("--tls-cert", help="Certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its private key (PEM).")] = None,
    behind_proxy: Annotated[bool | None, typer.Option("--behind-proxy", help="A proxy ends TLS.")] = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only the pages: workers run elsewhere.")] = False,
    sealed: Sealed = False,
) -> None:
    """Serve pages and films, and do the background work. Ends cleanly on SIGTERM."""
    configure_logs("serve")
    read = settings(
        store=store,
        passphrase_file=passphrase_file,
        listen=listen,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        behind_proxy=behind_proxy,
    )
    running.check_transport(read)
    parts = running.Parts.PAGES if no_worker else running.Parts.ALL
    running.serve(read, root=None if sealed else root(read), parts=parts)


@application.command()
def worker(
    *,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    name: Annotated[str, typer.Option(help="Stable name of this worker; it takes up what it had begun.")] = "worker-1",
    sealed: Sealed = False,
) -> None:
    """Do the background work only."""
    configure_logs(name)
    read = settings(store=store, passphrase_file=passphrase_file)
    running.work(read, root=None if sealed else root(read), name=name)


@application.command()
def unseal(
    *,
    process: Annotated[
        str, typer.Option(help="Only processes whose name begins so: serve, worker-1. Default: all.")
    ] = "",
    look: Annotated[bool, typer.Option("--look", help="Only say which processes run, and which are sealed.")] = False,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Give the root's passphrase or PIN to the processes of this store that run, here on this machine.

    Only their own user and root are let in. A wrong one is refused and changes nothing; after each the next may be
    tried a little later. Ends with 1 where a process stays sealed.
    """
    read = settings(store=store, passphrase_file=passphrase_file)
    folder = read.store / unsealing.FOLDER
    told = unsealing.ask_all(folder, name=process)
    if not told:
        raise Unavailable("no_process", "No process of this store runs on this machine under that name.")
    if not look:
        told = unsealing.ask_all(folder, name=process, secret=secret(read))
    lines = [
        f"{one.name:<24} {'sealed' if one.is_sealed else 'open'}  {one.code} {one.sentence}".rstrip() for one in told
    ]
    say(
        "\n".join(lines),
        as_json=as_json,
        processes=[
            {"name": one.name, "sealed": one.is_sealed, "code": one.code, "sentence": one.sentence} for one in told
        ],
    )
    if any(one.is_sealed or one.code for one in told):
        raise typer.Exit(1)


@application.command("upgrade")
def upgrade_store(*, store: Store = None, as_json: Json = False) -> None:
    """Bring the databases to this program's version. Make a backup first."""
    read = settings(store=store)
    for db, tree in zip(databases(read, clock=clock_for(read)), (Tree.VAULT, Tree.KEYS), strict=True):
        upgrade(db, tree)
        db.engine.dispose()
    say("The databases are up to date.", as_json=as_json, upgraded=True)


@application.command("settings")
def show_settings(*, as_json: Json = False) -> None:
    """List every setting with its default and what it does."""
    lines = described()
    say(
        "\n".join(f"{name}={default}\n    {doc}" for name, default, doc in lines),
        as_json=as_json,
        settings=[{"name": name, "default": default, "doc": doc} for name, default, doc in lines],
    )
