"""`retention`: what is due and why, and the state of the sweeps."""

from __future__ import annotations

import typer

import retention
from app.cli import application, say
from app.cli.options import Json, PassphraseFile, Store, opened

commands = typer.Typer(no_args_is_help=True, help="What is kept how long, and what was destroyed.")
application.add_typer(commands, name="retention")


@commands.command()
def due(*, store: Store = None, passphrase_file: PassphraseFile = None, as_json: Json = False) -> None:
    """What is due to be destroyed, and why. Changes nothing."""
    with opened(store=store, passphrase_file=passphrase_file) as service:
        lines = retention.due(service.db, actor=None, schedule=service.schedule)
    say(
        "\n".join(f"{line.due_on}  {line.record_class}  {line.record}  {line.reason}" for line in lines) or "Nothing.",
        as_json=as_json,
        due=[
            {"record": one.record, "class": one.record_class, "on": one.due_on, "rule": one.rule, "why": one.reason}
            for one in lines
        ],
    )


@commands.command()
def health(*, store: Store = None, passphrase_file: PassphraseFile = None, as_json: Json = False) -> None:
    """Whether sweeps run. Ends with 1 where an officer should look."""
    with opened(store=store, passphrase_file=passphrase_file) as service:
        state = retention.health(service.db)
    words = [
        f"last sweep  {state.last_done_at:%Y-%m-%d %H:%M} UTC" if state.last_done_at else "no sweep yet",
        "a sweep waits for an officer" if state.halted else "",
        "the clock has leapt: vig-vault clock accept" if state.clock_leapt else "",
        "no sweep for a day" if state.overdue else "",
    ]
    say(
        "\n".join(filter(None, words)),
        as_json=as_json,
        last=state.last_done_at,
        halted=state.halted,
        clock_leapt=state.clock_leapt,
        overdue=state.overdue,
    )
    if state.halted or state.clock_leapt or state.overdue:
        raise typer.Exit(1)
