"""Plays the story and says how each step went; then serves, and tells how to sign in as everyone."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

import httpx
import typer

from app.demo.client import Unexpected
from app.demo.film import make_phone_film
from app.demo.serving import NotReady, Served
from app.demo.story import STAFF, Story
from core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Played:
    """How one step went."""

    step: str
    held: bool
    seconds: float
    remark: str


class Afterwards(Enum):
    """What happens once every step held."""

    SERVE = "serve on, where there is a terminal"
    END = "end"


class Told(Enum):
    """How it is told."""

    IN_LINES = "a line as each step is done"
    AS_JSON = "one object at the end"


def play(*, footage: Path | None, afterwards: Afterwards, told: Told) -> int:
    """Play it all on a throwaway store.

    Args:
        footage: a film, or nothing to make one.
        afterwards: whether to serve on.
        told: in lines, or as JSON.

    Returns:
        The exit status: 0 if every step held.
    """
    if footage is not None and not footage.is_file():
        raise Invalid("no_film", "There is no film at that place.")
    folder = Path(tempfile.mkdtemp(prefix="vig-vault-demo-"))
    served = Served(folder)
    story: Story | None = None
    try:
        film = footage or folder / "phone.mp4"
        if footage is None:
            make_phone_film(film)
        story = Story(served, film)
        held = _play_steps(story, told=told)
        if held and afterwards is Afterwards.SERVE and sys.stdin.isatty():
            _serve_on(story)
    except KeyboardInterrupt:
        return 130
    finally:
        if story is not None:
            story.close()
        served.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if held else 1


def _play_steps(story: Story, *, told: Told) -> bool:
    done: list[Played] = []
    for what, do in story.steps:
        begun = time.monotonic()
        try:
            held, remark = True, do()
        except (Unexpected, NotReady, httpx.HTTPError, LookupError, ValueError) as error:
            held, remark = False, f"{type(error).__name__}: {error}"
        played = Played(what, held, round(time.monotonic() - begun, 2), remark)
        done.append(played)
        if told is Told.IN_LINES:
            typer.echo(f" {'✔' if held else '✘'} {played.seconds:6.1f} s  {what}\n             {remark}")
        if not held:
            if told is Told.IN_LINES:
                typer.echo(f"\nThe server's last words:\n{story.served.tail()}", err=True)
            break
    everything = done[-1].held
    if told is Told.AS_JSON:
        typer.echo(json.dumps({"held": everything, "steps": [asdict(played) for played in done]}))
    else:
        total = sum(played.seconds for played in done)
        typer.echo(f"\n{sum(p.held for p in done)} of {len(story.steps)} steps held in {total:.0f} s.")
    return everything


def _serve_on(story: Story) -> None:
    typer.echo(f"\nLook around: {story.served.origin}   (Ctrl-C ends it and throws everything away)\n")
    for role, member in story.staff.items():
        name = STAFF.get(role, (member.name, []))[0]
        typer.echo(f"  {role.replace('_', ' '):15} {name:20} {member.address:30} password {member.password}")
    for name, link in story.new_invitations().items():
        typer.echo(f"  {'parent':15} {name:20} {link.address}\n{'':18}code {link.code}; you choose a passcode yourself")
    typer.echo("\nStaff need a code too. The service's clock is sixty days ahead by now, so no authenticator knows it:")
    try:
        while True:
            input("press Enter for a code of each (good for half a minute, once each). ")
            for role, member in story.staff.items():
                typer.echo(f"  {role.replace('_', ' '):15} {member.shown_code()}")
    except (EOFError, KeyboardInterrupt):
        typer.echo("")
