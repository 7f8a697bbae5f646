"""docker-compose.yml as Docker would read it, with the variables filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.docs.repository import ROOT

FILE = ROOT / "docker-compose.yml"
GIVEN = {"VAULT_HOST": "vault.example.gov.uk", "VAULT_AUTHORITY": "Example Council"}
OURS = ("web-1", "web-2", "worker-1", "worker-2")
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([-?])([^}]*))?\}")


def filled_in(text: str, given: dict[str, str]) -> str:
    """Variables as Compose fills them in: ``${A:-default}``, ``${A:?must be given}``."""

    def value(found: re.Match[str]) -> str:
        name, kind, word = found.groups()
        if given.get(name):
            return given[name]
        if kind == "?":
            raise KeyError(name)
        return word or ""

    return _VARIABLE.sub(value, text)


def compose(given: dict[str, str] | None = None) -> dict[str, Any]:
    """The file, read."""
    read: dict[str, Any] = yaml.safe_load(filled_in(FILE.read_text(encoding="utf-8"), given or GIVEN))
    return read


def environment_of(service: dict[str, Any]) -> dict[str, str]:
    given: dict[str, str] = service["environment"]
    assert all(isinstance(value, str) for value in given.values()), "an unquoted value is read as something else"
    return given


def mounts_of(service: dict[str, Any]) -> dict[str, str]:
    """Source by target."""
    return {one.split(":")[1]: one.split(":")[0] for one in service.get("volumes", [])}


def text_of(name: str) -> str:
    return Path(ROOT / name).read_text(encoding="utf-8")
