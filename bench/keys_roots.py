"""The roots that this machine has, each opened on a key of its own: OpenBao and moto's KMS are started for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from core.secret import Secret
from keys import Cost, Typed, root_from
from keys.roots import OpenRoot
from tests.keys.roots.peers import MODULES, PIN, bao, kms

KINDS = ("local", "pkcs11", "hcvault", "aws-kms")
QUICK = Cost(passes=1, memory_kib=64, lanes=1)


@contextmanager
def roots(folder: Path, *, kinds: Collection[str] = KINDS) -> Iterator[dict[str, OpenRoot]]:
    """By name. What isn't installed is left out, with a word."""
    found: dict[str, OpenRoot] = {}
    with ExitStack() as stack:
        if "local" in kinds:
            found["local"] = root_from("local:", given=Typed(Secret("correct horse battery")), cost=QUICK).make()[1]
        if "pkcs11" in kinds:
            module = next((path for path in MODULES if Path(path).exists()), None)
            if module is None or shutil.which("softhsm2-util") is None:
                sys.stderr.write("pkcs11 is left out: apt install softhsm2\n")
            else:
                found["pkcs11"] = _in_a_token(folder, module)
        if "hcvault" in kinds:
            found["hcvault"] = stack.enter_context(bao(_made(folder / "bao"))).root().make()[1]
        if "aws-kms" in kinds:
            os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
            found["aws-kms"] = stack.enter_context(kms(_made(folder / "kms"))).root().make()[1]
        yield found


def _in_a_token(folder: Path, module: str) -> OpenRoot:
    configuration = folder / "softhsm2.conf"
    tokens = _made(folder / "tokens")
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n", "utf-8")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    words = ["softhsm2-util", "--init-token", "--free", "--label", "bench", "--so-pin", "12345678", "--pin", PIN]
    subprocess.run(words, check=True, capture_output=True)
    uri = f"pkcs11:token=bench;object=bench-root?module-path={module}"
    return root_from(uri, given=Typed(Secret(PIN))).make()[1]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
