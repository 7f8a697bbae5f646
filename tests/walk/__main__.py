"""``python -m tests.walk FOLDER``: pictures of every page in every form, for somebody to look at."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.walk.pictures import VARIABLE

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    command = [sys.executable, "-m", "pytest", "-q", "tests/walk/test_every_page.py"]
    sys.exit(subprocess.call(command, env=os.environ | {VARIABLE: sys.argv[1]}))
