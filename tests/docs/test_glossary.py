"""The glossary has each word once, and the words that it banishes name nothing in the rooms and stand on no page."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.repository import ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
ROOMS = ("app", "audit", "consent", "core", "identity", "keys", "media", "redaction", "retention", "vault")
BANISHED = frozenset({"user", "users", "asset", "assets", "permission", "permissions", "helper", "helpers", "utils"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MARKUP = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>", re.DOTALL)


def test_each_word_stands_once() -> None:
    rows = re.findall(r"^\| ([a-z][^|]*?) \|", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    words = [word for row in rows for word in row.split(", ") if word != "word"]
    assert len(words) > 70
    assert sorted(set(words)) == sorted(words)


def test_the_glossary_says_which_words_are_not_used() -> None:
    last = GLOSSARY.read_text(encoding="utf-8").rstrip().rsplit("\n\n", maxsplit=1)[-1]
    assert set(re.findall(r"\w+", last)) >= {"user", "asset", "permission", "helper", "utils"}


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_in_a_room_has_a_banished_name(room: str) -> None:
    found = []
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                words = {word.lower() for word in _WORD.findall(node.name)}
                found += [f"{path.name}: {node.name}"] if words & BANISHED else []
        found += [path.name] if set(path.stem.split("_")) & BANISHED else []
    assert found == []


def test_no_page_has_a_banished_word() -> None:
    found = []
    for path in sorted((ROOT / "app/pages/templates").rglob("*.html")):
        words = re.findall(r"[a-z]+", _MARKUP.sub(" ", path.read_text(encoding="utf-8")).lower())
        found += [f"{path.name}: {word}" for word in BANISHED.intersection(words)]
    assert found == []
