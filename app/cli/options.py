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
from keys import Needs, Root, SecretFile, Typed, root_from, root_needs

Store = Annotated[Path | None, typer.Option("--store", help="Folder of the store. Default: VAULT_STORE.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="File of mode 0600. Default: VAULT_PASSPHRASE_FILE, or a prompt."),
]
RootUri = Annotated[str | None, typer.Option("--root", help="Name of the root key. Default: VAULT_ROOT, or local:.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]


def settings(**given: Any) -> Settings:
    """The environment's settings with a command's own on top."""
    return from_environment(os.environ, **given)


def root(from_settings: Settings, *, confirm: bool = False) -> Root:
    """The root that the settings name, with what opens it: from the file that they name, or asked for.

    Args:
        from_settings: ``root`` and ``passphrase_file``.
        confirm: have a new passphrase typed twice.

    Raises:
        Invalid: there is no such root, or a library for it isn't installed.
        Unavailable: there is no file and nobody to ask.
    """
    if root_needs(from_settings.root) is Needs.NOTHING:
        return root_from(from_settings.root)
    if from_settings.passphrase_file is not None:
        return root_from(from_settings.root, given=SecretFile(from_settings.passphrase_file))
    return root_from(from_settings.root, given=Typed(_asked(from_settings.root, is_new=confirm)))


def secret(from_settings: Settings) -> Secret[str]:
    """What opens the root that the settings name, as text, for a process that runs; empty where it needs nothing.

    Raises:
        Unavailable: there is no file and nobody to ask.
    """
    if root_needs(from_settings.root) is Needs.NOTHING:
        return Secret("")
    if from_settings.passphrase_file is not None:
        return SecretFile(from_settings.passphrase_file).read()
    return _asked(from_settings.root)


def _asked(uri: str, *, is_new: bool = False) -> Secret[str]:
    if not sys.stdin.isatty():
        raise Unavailable(
            "passphrase_missing", "Name the file with the passphrase: --passphrase-file, or VAULT_PASSPHRASE_FILE."
        )
    needs = root_needs(uri)
    twice = is_new and needs is Needs.PASSPHRASE
    return Secret(typer.prompt(needs.value, hide_input=True, confirmation_prompt=twice))


def new_secret(uri: str, *, file: Path | None) -> Secret[str]:
    """What opens a root to change to: from a file of its own, or asked for, twice where it is chosen now.

    Raises:
        Invalid: there is no such root.
        Unavailable: there is no file and nobody to ask.
    """
    needs = root_needs(uri)
    if needs is Needs.NOTHING:
        return Secret("")
    if file is not None:
        return SecretFile(file).read()
    if not sys.stdin.isatty():
        raise Unavailable("passphrase_missing", "Name the file with the new passphrase: --new-passphrase-file.")
    return Secret(typer.prompt(f"New: {needs.value}", hide_input=True, confirmation_prompt=needs is Needs.PASSPHRASE))


@contextmanager
def opened(**given: Any) -> Iterator[Service]:
    """A store, opened for one command."""
    read = settings(**given)
    service = open_service(read, root=root(read))
    try:
        yield service
    finally:
        service.close()
