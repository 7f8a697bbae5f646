"""`demo`: the main job on a throwaway store, then a running service to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli import application
from app.cli.options import Json
from app.demo.play import Afterwards, Told, play


@application.command()
def demo(
    *,
    footage: Annotated[
        Path | None, typer.Option(help="A film of yours (MP4 or MOV) instead of one that is made.")
    ] = None,
    leave: Annotated[bool, typer.Option("--exit", help="End afterwards instead of serving.")] = False,
    as_json: Json = False,
) -> None:
    """Play the main job step by step over HTTP, with a tick and a time for each, on a store that is thrown away."""
    afterwards = Afterwards.END if leave else Afterwards.SERVE
    raise typer.Exit(play(footage=footage, afterwards=afterwards, told=Told.AS_JSON if as_json else Told.IN_LINES))
