"""A real SIGKILL at every single call that changes the disk: ``python -m bench.crash --folder /dev/shm/drill``.

The tests check the state before each call and kill at a few; this kills at each, one process for each kill. It prints
how many calls there were and ends with 1 where something wasn't as it must be.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.faults.drill import drill
from tests.faults.stories import STORIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to work; memory is quicker than a disk")
    parser.add_argument("--story", choices=STORIES, action="append", help="only this one")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="drill", dir=asked.folder))
    bad = 0
    try:
        for number, story in enumerate(asked.story or STORIES):
            found = drill(STORIES[story](), folder / str(number), kills=0)
            problems = found["problems"]
            assert isinstance(problems, list)
            numbers = ", ".join(f"{found[name]} {name}" for name in ("calls", "kills", "states", "cuts"))
            print(f"{story:28} {numbers}, {len(problems)} problems, {found['cpu_seconds']} s")
            for problem in problems[:3]:
                print(problem)
            bad += len(problems)
    finally:
        shutil.rmtree(folder)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
