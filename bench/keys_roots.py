"""The roots that this machine has, each opened on a key of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.secret import Secret
from keys import Cost, Typed, root_from
from keys.roots import OpenRoot

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
PIN = "314159"
QUICK = Cost(passes=1, memory_kib=64, lanes=1)


@contextmanager
def roots(folder: Path) -> Iterator[dict[str, OpenRoot]]:
    """By name. SoftHSM is left out, with a word, where it isn't installed."""
    found = {"local": root_from("local:", given=Typed(Secret("correct horse battery")), cost=QUICK).make()[1]}
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        sys.stderr.write("pkcs11 is left out: apt install softhsm2\n")
        yield found
        return
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n", "utf-8")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    words = ["softhsm2-util", "--init-token", "--free", "--label", "bench", "--so-pin", "12345678", "--pin", PIN]
    subprocess.run(words, check=True, capture_output=True)
    uri = f"pkcs11:token=bench;object=bench-root?module-path={module}"
    found["pkcs11"] = root_from(uri, given=Typed(Secret(PIN))).make()[1]
    yield found
