"""`scrub`: reading every stored object again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

import vault
from app.cli import application, say
from app.cli.options import Json, PassphraseFile, Store, opened
from app.cli.progress import left, shown
from app.running import check_witness
from vault import MIB, Finding, Pace


@application.command()
def scrub(
    *,
    rate: Annotated[float, typer.Option("--rate", help="MiB a second at most. 0: as fast as it goes.", min=0)] = 0,
    quarantined: Annotated[
        bool,
        typer.Option("--quarantined", help="Read what is quarantined, and lift that of what is right. Logged."),
    ] = False,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Read every stored object and compare its full hash. Quarantines what is damaged. Ends with 1 where it found any.

    It remembers where it was: broken off by Ctrl-C or a crash it goes on there the next time, and a worker goes on with
    it by itself. Broken off, it ends with 4.

    --quarantined reads what is quarantined whole, with its key, and compares all that was pinned when it was sealed.
    What is right is used again, as far as people may see it now; ends with 1 where something isn't.
    """
    if quarantined:
        _lift(rate, store=store, passphrase_file=passphrase_file, as_json=as_json)
        return
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
    words = _words(done.findings)
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
        findings=_told(done.findings),
    )
    if done.damaged or done.missing:
        raise typer.Exit(1)
    if done.finished_at is None:
        raise typer.Exit(4)


def _lift(rate: float, *, store: Path | None, passphrase_file: Path | None, as_json: bool) -> None:
    with (
        opened(store=store, passphrase_file=passphrase_file) as service,
        until_interrupted() as stop,
        shown("Reading") as on_progress,
    ):
        check_witness(service)  # an older database calls that damaged, or whole, which isn't any more
        pace = Pace(rate * MIB or None, stop=stop)
        done = vault.lift_quarantines(
            service.db, keystore=service.keystore, store=service.store, pace=pace, on_progress=on_progress
        )
    words = [f"lifted  {one}\n    All of it is as it was sealed: its quarantine is lifted." for one in done.lifted]
    words += _words(done.findings)
    words += [f"deposit.finish  {one}\n    Its preparation had stopped at that, and goes on." for one in done.going_on]
    words += [f"{one.kind}  {one.subject}\n    {one.sentence}" for one in done.stopped]
    words.append(f"{len(done.lifted)} lifted, {len(done.findings)} not.")
    words += [f"Broken off: {done.left} weren't looked at. Run it again."] if done.left else []
    say(
        "\n".join(words),
        as_json=as_json,
        finished=not done.left,
        objects=done.objects,
        read_bytes=done.read_bytes,
        lifted=done.lifted,
        left=done.left,
        going_on=done.going_on,
        findings=_told(done.findings),
        stopped=[
            {"job": one.job_id, "kind": one.kind, "subject": one.subject, "sentence": one.sentence}
            for one in done.stopped
        ],
    )
    if done.findings:
        raise typer.Exit(1)
    if done.left:
        raise typer.Exit(4)


def _words(findings: Sequence[Finding]) -> list[str]:
    return [f"{one.trouble.value}  {one.subject}\n    {one.sentence}" for one in findings]


def _told(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [{"code": one.trouble.value, "subject": one.subject, "sentence": one.sentence} for one in findings]


@contextmanager
def until_interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, in place of breaking off in the middle of something."""
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
