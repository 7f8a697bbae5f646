"""`clock`: what the service believes about the time, and accepting a leap."""

from __future__ import annotations

from typing import Annotated

import typer

import audit
from app.cli import application, say
from app.cli.options import Json, PassphraseFile, Store, opened
from audit import Event
from core.clock import Leap, judge
from core.errors import Invalid
from core.mark import mark, raise_to

commands = typer.Typer(no_args_is_help=True, help="The clock that never goes back.")
application.add_typer(commands, name="clock")


@commands.command()
def show(*, store: Store = None, passphrase_file: PassphraseFile = None, as_json: Json = False) -> None:
    """The time, the highest time that was believed, and whether it has leapt. Ends with 1 where it has."""
    with opened(store=store, passphrase_file=passphrase_file) as service, service.db.read() as session:
        now, highest = service.db.clock.now(), mark(session)
    leap = judge(mark=highest, now=now)
    say(
        f"now       {now:%Y-%m-%d %H:%M:%S} UTC\nbelieved  {highest:%Y-%m-%d %H:%M:%S} UTC\n{leap}",
        as_json=as_json,
        now=now,
        believed=highest,
        state=leap,
    )
    if leap is Leap.AHEAD:
        raise typer.Exit(1)


@commands.command()
def accept(
    *,
    reason: Annotated[
        str, typer.Option(prompt="Why is this time right?", help="Why; it is not kept, only that it was.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    store: Store = None,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Believe the machine's time although it has leapt. Everything that is due by it can then be disposed of."""
    if not reason.strip():
        raise Invalid("missing", "Say why this time is right.")
    with opened(store=store, passphrase_file=passphrase_file) as service:
        now = service.db.clock.now()
        if not yes and not typer.confirm(f"Is it {now:%d %B %Y, %H:%M} UTC?"):
            raise typer.Exit(1)
        with service.db.begin() as session:
            raise_to(session, at=now)
            audit.record(session, Event.CLOCK_ACCEPTED, actor=None, details={"at": now.isoformat()})
    say("The time is believed.", as_json=as_json, believed=now)
