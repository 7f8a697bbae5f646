"""A program: brings every file of a folder to the media room, one after the other, and writes down how each fared.

It stands for the worker, and runs under ``strace``: so it loads little and starts no threads.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from datetime import timedelta
from pathlib import Path

from core.errors import VaultError
from media.launcher import Bounds, Normalise, run, self_test
from tests.media.shelf import Object

BEGIN = "parade-begins"
"""Made when the self-test is over, whose children try what is forbidden: what a trace shows later must be clean."""
PATIENCE = Bounds(stall=timedelta(seconds=60), grace=timedelta(seconds=120))


def main(folder: Path) -> None:
    """Leave ``outcomes.json``, and beside each file that became a film its working copy (``.out``)."""
    self_test()
    (folder / BEGIN).touch()
    outcomes = {}
    for path in sorted(folder.glob("*.film")):
        made = Object()
        try:
            result = run(
                Normalise(),
                source=Object.of(path.read_bytes()).source(),
                sink=made.sink(),
                bounds=PATIENCE,
                spool=folder,
            )
        except VaultError as error:
            outcome = {"code": error.code, "sentence": error.sentence, "kind": type(error).__name__}
        else:
            made.header = result.sealed.header
            path.with_suffix(".out").write_bytes(made.plain())
            outcome = {"code": "fine", "sentence": "", "kind": "", "frames": result.frames}
        outcomes[path.stem] = outcome | {
            "written": len(made.data),
            "left": _children(),
            "memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        }
    (folder / "outcomes.json").write_text(json.dumps(outcomes), encoding="utf-8")


def _children() -> int:
    """How many processes were left behind."""
    left = 0
    try:
        while os.waitpid(-1, os.WNOHANG) == (0, 0):
            return 1
        left += 1
    except ChildProcessError:
        return left
    return left


if __name__ == "__main__":
    main(Path(sys.argv[1]))
