from __future__ import annotations

from collections.abc import Iterator

import typer
from typer.core import TyperGroup

import app.cli.audit
import app.cli.clock
import app.cli.demo
import app.cli.doctor
import app.cli.fsck
import app.cli.keys
import app.cli.move
import app.cli.places
import app.cli.records
import app.cli.redact
import app.cli.roots
import app.cli.scrub
import app.cli.store  # noqa: F401 - each registers its commands
from app.cli import application
from tests.docs.repository import ROOT, table

README = ROOT / "README.md"


def _commands(group: TyperGroup, name: str) -> Iterator[tuple[str, str]]:
    for each, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, f"{name} {each}")
        else:
            yield f"`{name} {each}`", (command.help or "").split("\n\n", maxsplit=1)[0].replace("\n", " ").strip()


def test_the_readmes_table_of_commands_is_what_help_says() -> None:
    group = typer.main.get_command(application)
    assert isinstance(group, TyperGroup)
    said = {(name, text) for name, text in table(README, first_heading="command")}
    assert said == set(_commands(group, "vig-vault"))


def test_the_readme_begins_with_the_sentence_that_the_command_says_too() -> None:
    head = README.read_text(encoding="utf-8").split("\n\n")[1]
    assert head == f"**{application.info.help}**"


def test_the_first_screen_says_what_it_does_not_protect_against() -> None:
    first_screen = README.read_text(encoding="utf-8").split("\n## ", maxsplit=1)[0]
    for words in ("not end-to-end encrypted", "camera", "make demo", "make test", "docs/threat-model.md"):
        assert words in first_screen


def test_both_commands_of_the_first_screen_are_in_the_makefile() -> None:
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\ndemo:" in rules
    assert "\ntest:" in rules
