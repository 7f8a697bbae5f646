"""`doctor`: whether everything that the service stands on is as it should be."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Annotated

import typer

from app import doctor as doctors
from app.cli import application, say
from app.cli.options import Json, PassphraseFile, Store, settings
from app.doctor import Finding, State
from core.errors import Invalid

MARKS = {State.FINE: "✓", State.WARNING: "!", State.FAULT: "✗", State.LEFT_OUT: "-"}
PLAIN_MARKS = {State.FINE: "ok", State.WARNING: "!!", State.FAULT: "XX", State.LEFT_OUT: "--"}
"""Where the terminal can't write the others."""


@application.command()
def doctor(
    *,
    no_network: Annotated[bool, typer.Option("--no-network", help="Ask neither the mail server nor a bucket.")] = False,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Look at all that the service stands on, and say what to do. Changes nothing. Ends with 1 where there is a fault.

    Works before `init`, beside a running service, and without the passphrase: what can't be looked at is said.
    """
    found: list[Finding] = []
    for one in _findings(store=store, passphrase_file=passphrase_file, is_online=not no_network):
        found.append(one)
        if not as_json:
            typer.echo(_words(one))
    counts = Counter(one.state for one in found)
    summary = f"\n{counts[State.FAULT]} faults, {counts[State.WARNING]} warnings, {counts[State.FINE]} fine."
    say(
        summary,
        as_json=as_json,
        sound=not counts[State.FAULT],
        findings=[
            {"name": one.name, "state": one.state, "sentence": one.sentence, "advice": one.advice} for one in found
        ],
    )
    if counts[State.FAULT]:
        raise typer.Exit(1)


def _findings(*, is_online: bool, **given: object) -> Iterator[Finding]:
    yield from doctors.examine_machine()
    try:
        read = settings(**given)
    except Invalid as error:
        yield Finding("settings", State.FAULT, error.sentence, "`vig-vault settings` lists them all.")
        return
    yield from doctors.examine(read, environment=os.environ, is_online=is_online)


def _words(one: Finding) -> str:
    encoding = (sys.stdout.encoding or "ascii").lower()
    mark = (MARKS if encoding.startswith("utf") else PLAIN_MARKS)[one.state]
    return f"{mark} {one.name:<24} {one.sentence}" + (f"\n  {'':<24} → {one.advice}" if one.advice else "")
