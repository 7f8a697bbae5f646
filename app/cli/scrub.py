"""`scrub`: reading every stored object again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

import vault
from app.cli import application, say
from app.cli.options import Json, PassphraseFile, Store, opened
from app.cli.progress import left, shown
from vault import MIB, Pace


@application.command()
def scrub(
    *,
    rate: Annotated[float, typer.Option("--rate", help="MiB a second at most. 0: as fast as it goes.", min=0)] = 0,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Read every stored object and compare its full hash. Quarantines what is damaged. Ends with 1 where it found any.

    It remembers where it was: broken off by Ctrl-C or a crash it goes on there the next time, and a worker goes on with
    it by itself. Broken off, it ends with 4.
    """
    with (
        opened(store=store, passphrase_file=passphrase_file) as service,
        until_interrupted() as stop,
        shown("Reading") as on_progress,
    ):
        pace = Pace(rate * MIB or None, stop=stop)
        done = vault.scrub(service.db, store=service.store, pace=pace, on_progress=on_progress)
    if done is None:
        say("Another process has taken it over.", as_json=as_json, finished=False)
        raise typer.Exit(4)
    words = [f"{one.trouble.value}  {one.subject}\n    {one.sentence}" for one in done.findings]
    words.append(f"{done.objects} objects were read, {done.read_bytes // MIB} MiB.")
    words.append(f"{done.damaged} damaged, {done.missing} missing.")
    words += [] if done.finished_at else ["Broken off. It goes on here the next time.", *left(on_progress)]
    say(
        "\n".join(words),
        as_json=as_json,
        finished=done.finished_at is not None,
        begun_at=done.begun_at,
        objects=done.objects,
        read_bytes=done.read_bytes,
        left_bytes=0 if done.finished_at else on_progress.left,
        seconds_left=0 if done.finished_at else on_progress.seconds_left,
        damaged=done.damaged,
        missing=done.missing,
        findings=[
            {"code": one.trouble.value, "subject": one.subject, "sentence": one.sentence} for one in done.findings
        ],
    )
    if done.damaged or done.missing:
        raise typer.Exit(1)
    if done.finished_at is None:
        raise typer.Exit(4)


@contextmanager
def until_interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, in place of breaking off in the middle of something."""
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
