"""`audit`: check the log, prove an entry, with the public key that `init` printed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import audit
from app.cli import application, say
from app.cli.options import Json, PassphraseFile, Store, opened
from core.errors import Invalid
from core.ids import EntryId, well_formed

commands = typer.Typer(no_args_is_help=True, help="The audit log: verify it, prove an entry.")
application.add_typer(commands, name="audit")


@commands.command()
def verify(
    *,
    log_key: Annotated[
        str | None, typer.Option(help="The log's public key as `init` printed it. Default: the keyring's.")
    ] = None,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Recompute the whole log. Ends with 1 and the first bad index where something was changed."""
    with opened(store=store, passphrase_file=passphrase_file) as service:
        verdict = audit.verify(
            service.db,
            verifier=audit.Verifier.parse(log_key) if log_key else service.signer.verifier,
            writer_key=service.keystore.audit_mac_key(),
            known=audit.witnessed_checkpoints(service.witness) if service.witness else (),
        )
    say(
        verdict.sentence,
        as_json=as_json,
        sound=verdict.finding is None,
        entries=verdict.size,
        waiting=verdict.waiting,
        disposed=verdict.disposed,
        first_bad=verdict.finding.index if verdict.finding else None,
        fault=verdict.finding.fault if verdict.finding else None,
        sentence=verdict.sentence,
    )
    if verdict.finding is not None:
        raise typer.Exit(1)


@commands.command()
def export(
    to: Annotated[Path, typer.Argument(help="A new folder.")],
    *,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Write the sealed log as C2SP tiles, entries and checkpoint: they verify offline, with tools that aren't ours."""
    with opened(store=store, passphrase_file=passphrase_file) as service:
        made = audit.export(service.db, to=to)
    say(f"{made.size} entries are in {to}.", as_json=as_json, entries=made.size, to=to)


@commands.command()
def prove(
    entry: Annotated[str, typer.Argument(help="Id of the entry, as the audit page and receipts show it.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write the C2SP tlog-proof here.")] = None,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Prove that an entry stands in the signed log."""
    if not well_formed(entry):
        raise Invalid("not_an_id", "That is not the id of an entry.")
    with opened(store=store, passphrase_file=passphrase_file) as service:
        proof = audit.prove(service.db, EntryId(entry))
    if out is not None:
        out.write_text(proof.text(), encoding="utf-8")
    body = (proof.entry or b"").decode()
    say(f"{body}\n\n{proof.text()}", as_json=as_json, entry=body, index=proof.index, proof=proof.text())
