"""What a document names is there: files, tests, things of the rooms, commands with their options, settings, codes."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

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
from app.settings import PREFIX, described
from bench.__main__ import COMMANDS
from tests.docs.repository import ROOT, documents, fenced_and_spans, tracked_files

OPERATIONS = ROOT / "docs" / "operations.md"
ROOMS = frozenset({"app", "audit", "consent", "core", "identity", "keys", "media", "redaction", "retention", "vault"})
NOT_BUILT = frozenset({"restore"})
"""Commands that the documents name to say that they aren't there."""
NOT_OURS = frozenset({"VAULT_HOST"})
"""Variables of docker-compose.yml alone."""
OTHERS_WORDS = frozenset({"no_new_privs", "driver_opts", "pg_dump"})
"""Of the kernel, of container engines, of PostgreSQL."""
OURS_TO_MEND = frozenset({"Unavailable", "OutOfRoom", "Damaged"})
"""Errors that tell an administrator something, whatever raised them."""
ONLY_FOR_PROGRAMS = frozenset({"proof_malformed", "clock_missing", "job_failed"})
"""Codes of wrong calls, and one that only says that another one is in the log."""


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


each_document = pytest.mark.parametrize("document", documents(), ids=_named)


@cache
def _tests() -> frozenset[str]:
    """Names of files of tests, and of tests."""
    files = [path for path in tracked_files() if path.suffix == ".py" and ROOT / "tests" in path.parents]
    found = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)
    return frozenset(
        {path.stem for path in files}
        | {name for path in files for name in found.findall(path.read_text(encoding="utf-8"))}
    )


@cache
def _words_of_the_code() -> frozenset[str]:
    suffixes = {".py", ".toml", ".js", ".html", ".yml", ".sql"}
    files = [path for path in tracked_files() if path.suffix in suffixes and ROOT / "docs" not in path.parents]
    return frozenset(word for path in files for word in re.findall(r"\w+", path.read_text(encoding="utf-8")))


@each_document
def test_every_file_that_is_named_is_there(document: Path) -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked_files() if path.parent != ROOT}
    missing = []
    for span in fenced_and_spans(document):
        for path in re.findall(r"(?<![\w/.<{-])\.?[a-z]\w*(?:/[\w.-]+)+(?![\w/<{*…])", span):
            there = ROOT / path.rstrip(".")
            if path.split("/")[0] in folders and not there.exists() and not there.with_suffix(".py").exists():
                missing.append(path)
    assert missing == []


@each_document
def test_every_test_that_is_named_is_there(document: Path) -> None:
    named = {name for span in fenced_and_spans(document) for name in re.findall(r"\btest_\w+", span)}
    assert named - _tests() == set()


@each_document
def test_everything_that_is_named_in_a_room_is_there(document: Path) -> None:
    missing = []
    for span in fenced_and_spans(document):
        for room, name in re.findall(r"^([a-z]+)\.(\w+)(?:\.\w+)?(?:\(\))?$", span):
            if room not in ROOMS or name in {"py", "toml", "db", "json"}:
                continue
            if not hasattr(importlib.import_module(room), name) and not (ROOT / room / f"{name}.py").exists():
                missing.append(f"{room}.{name}")
    assert [name for name in missing if name not in _events()] == []


@cache
def _events() -> frozenset[str]:
    """Kinds of log entries have dots too."""
    from audit import Event  # noqa: PLC0415 - the rest of this file needs no room

    return frozenset(event.value for event in Event)


def test_every_document_that_the_code_names_is_there() -> None:
    named = {
        (_named(path), name)
        for path in tracked_files()
        if path.suffix in {".py", ".yml", ".toml", ".html"}
        for name in re.findall(r"(?<![\w/])docs/[\w./-]+\.(?:md|py)\b", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert [one for one in sorted(named) if not (ROOT / one[1]).exists()] == []


def _command(words: list[str]) -> tuple[TyperGroup | TyperCommand, list[str]]:
    """The command that some words begin with, and what follows it."""
    command = typer.main.get_command(application)
    while words and isinstance(command, TyperGroup) and words[0] in command.commands:
        command = command.commands[words.pop(0)]  # type: ignore[assignment]  # typer makes all of them
    assert isinstance(command, TyperGroup | TyperCommand)
    return command, words


@each_document
def test_every_command_that_is_shown_is_there_with_its_options(document: Path) -> None:
    wrong = []
    for span in fenced_and_spans(document):
        for line in re.findall(r"(?:^|\s|/)vig-vault ([a-z].*?)(?:$|#|  )", span, re.MULTILINE):
            if " v1" in line:  # what keys are bound to begins with our name as well
                continue
            command, rest = _command(line.split())
            known = {option for one in command.params for option in one.opts}
            unknown = [word for word in rest if word.startswith("--") and word not in known]
            if isinstance(command, TyperGroup) and rest:
                unknown += [word for word in rest[:1] if word not in NOT_BUILT]
            wrong += [f"vig-vault {line}: {word}" for word in unknown]
    assert wrong == []


def test_what_is_said_not_to_be_built_is_not_built() -> None:
    group = typer.main.get_command(application)
    assert isinstance(group, TyperGroup)
    assert not NOT_BUILT & set(group.commands)


@each_document
def test_every_measurement_that_is_shown_is_there(document: Path) -> None:
    for span in fenced_and_spans(document):
        for dot, name in re.findall(r"python -m bench([. ])([a-z][\w-]*)", span):
            assert name in COMMANDS if dot == " " else (ROOT / "bench" / f"{name}.py").exists()


def test_every_measurement_is_in_the_operations_document() -> None:
    text = OPERATIONS.read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"`python -m bench {name}`" not in text] == []


@each_document
def test_every_setting_that_is_named_is_one(document: Path) -> None:
    known = {name for name, _, _ in described()} | NOT_OURS
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+[A-Z]\b", document.read_text(encoding="utf-8")))
    assert named - known == set()


@each_document
def test_every_code_and_column_that_is_named_is_a_word_of_the_code(document: Path) -> None:
    named = {span for span in fenced_and_spans(document) if re.fullmatch(r"(?!test_)[a-z0-9]+(_[a-z0-9]+)+", span)}
    assert named - _words_of_the_code() - OTHERS_WORDS == set()


def _codes() -> set[str]:
    """Codes of the errors that say that something of ours doesn't work."""
    found = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                kind = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                code = node.args[0]
                if kind in OURS_TO_MEND and isinstance(code, ast.Constant):
                    found.add(str(code.value))
    return found


def test_every_code_that_an_administrator_can_meet_is_in_the_operations_document() -> None:
    codes = _codes()
    assert len(codes) > 30
    assert codes >= ONLY_FOR_PROGRAMS
    named = set(re.findall(r"`(\w+)`", OPERATIONS.read_text(encoding="utf-8")))
    assert sorted(codes - ONLY_FOR_PROGRAMS - named) == []
