"""Print the part of requirements.lock that a purpose needs, hashes and all: the image must not carry the tests' tools.

    python deploy/locked.py runtime    # what the service imports, with the stores elsewhere
    python deploy/locked.py build      # what makes its wheel

Which package needs which is read from the lock's own "via" lines, so nothing is resolved anew and nothing is fetched.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_ENTRY = re.compile(r"^[A-Za-z0-9]")
_NAME = re.compile(r"^[A-Za-z0-9._-]+")
_VIA = re.compile(r"^    # +(?:via )?([A-Za-z0-9._-]+)")


def wanted(purpose: str, *, project: dict[str, object]) -> set[str]:
    """The packages that pyproject.toml names for a purpose."""
    table = project["project"]
    assert isinstance(table, dict)
    extras = table["optional-dependencies"]
    named = [*table["dependencies"], *extras["objects"]] if purpose == "runtime" else extras[purpose]
    return {_plain(found[0]) for one in named if (found := _NAME.match(one))}


def part(lock: str, *, roots: Iterable[str]) -> str:
    """The entries of these packages and of all that they need.

    Args:
        lock: the text of requirements.lock.
        roots: names.
    """
    entries, needed_by = _read(lock)
    found = set(roots)
    while more := {name for name, parents in needed_by.items() if name not in found and parents & found}:
        found |= more
    return "".join(text for name, text in entries if name in found)


def _read(lock: str) -> tuple[list[tuple[str, str]], dict[str, set[str]]]:
    """Each entry with its text, and who needs it."""
    entries: list[tuple[str, list[str]]] = []
    needed_by: dict[str, set[str]] = {}
    for line in lock.splitlines():
        if _ENTRY.match(line):
            found = _NAME.match(line)
            assert found
            entries.append((_plain(found[0]), [line]))
            needed_by.setdefault(entries[-1][0], set())
        elif entries:
            entries[-1][1].append(line)
            if via := _VIA.match(line):
                needed_by[entries[-1][0]].add(_plain(via[1]))
    return [(name, "\n".join(lines) + "\n") for name, lines in entries], needed_by


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    sys.stdout.write(part(text, roots=wanted(sys.argv[1], project=facts)))
