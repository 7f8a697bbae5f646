"""Options that several commands have, and how they open a store."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from app.service import Service, open_service
from app.settings import Settings, from_environment
from core.errors import Unavailable
from core.secret import Secret
from keys import read_passphrase_file

Store = Annotated[Path | None, typer.Option("--store", help="Folder of the store. Default: VAULT_STORE.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="File of mode 0600. Default: VAULT_PASSPHRASE_FILE, or a prompt."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]


def settings(**given: Any) -> Settings:
    """The environment's settings with a command's own on top."""
    return from_environment(os.environ, **given)


def passphrase(from_settings: Settings, *, confirm: bool = False) -> Secret[str]:
    """The keyring's passphrase: from the file that the settings name, or asked for.

    Raises:
        Unavailable: there is no file and nobody to ask.
    """
    if from_settings.passphrase_file is not None:
        return read_passphrase_file(from_settings.passphrase_file)
    if not sys.stdin.isatty():
        raise Unavailable(
            "passphrase_missing", "Name the file with the passphrase: --passphrase-file, or VAULT_PASSPHRASE_FILE."
        )
    return Secret(typer.prompt("Passphrase of the keyring", hide_input=True, confirmation_prompt=confirm))


@contextmanager
def opened(**given: Any) -> Iterator[Service]:
    """A store, opened for one command."""
    read = settings(**given)
    service = open_service(read, passphrase=passphrase(read))
    try:
        yield service
    finally:
        service.close()
