"""The command `vig-vault`. Every command has ``--help``, most have ``--json``, and each ends with a useful status.

Status: 0 done, 1 found something wrong, 2 wrong use, 3 refused, 4 not possible now, 5 damaged.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import typer

from app.logs import JsonLines
from app.process import hide_memory
from core import errors

STATUS: tuple[tuple[type[errors.VaultError], int], ...] = (
    (errors.Invalid, 2),
    (errors.NotFound, 2),
    (errors.Conflict, 2),
    (errors.TooLarge, 2),
    (errors.Refused, 3),
    (errors.NotSignedIn, 3),
    (errors.RateLimited, 4),
    (errors.Unavailable, 4),
    (errors.Damaged, 5),
)

application = typer.Typer(
    name="vig-vault",
    help="Keeps family films sealed. A clip is shown only while everyone who has a say agrees.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def say(text: str, *, as_json: bool, **values: Any) -> None:
    """Print a result: words for people, one JSON object for programs."""
    typer.echo(json.dumps(values, default=str) if as_json else text)


@application.callback()
def _commands() -> None:
    """That there are several, even where only one has been loaded."""


def main() -> None:
    """Run a command; an error is one line with its stable code, never a traceback."""
    if sys.argv[1:2] == ["redact"]:  # it needs no store, and starting all the others takes longer than a short film
        from app.cli import redact  # noqa: PLC0415 - it registers its command
    else:
        hide_memory()  # most of them are given the root
        from app.cli import (  # noqa: F401, PLC0415 - likewise
            audit,
            clock,
            demo,
            doctor,
            fsck,
            keys,
            move,
            places,
            records,
            redact,
            roots,
            scrub,
            store,
        )

    try:
        application()
    except errors.VaultError as error:
        sys.stderr.write(f"{error.code}: {error.sentence}\n")
        raise SystemExit(next(status for kind, status in STATUS if isinstance(error, kind))) from None
    except Exception as error:  # noqa: BLE001 - its text may quote what is stored, and this may be a shared screen
        seen = logging.makeLogRecord({"name": "vault.cli", "levelno": logging.ERROR, "msg": "failed"})
        seen.exc_info = (type(error), error, error.__traceback__)
        sys.stderr.write(f"failed: Something went wrong. What we know of it:\n{JsonLines('cli').format(seen)}\n")
        raise SystemExit(4) from None
