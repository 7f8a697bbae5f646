"""``python -m tests.walk FOLDER``: pictures of every page in every form, for somebody to look at."""

from __future__ import annotations

import os
import sys

import pytest

from tests.walk.pictures import VARIABLE

if __name__ == "__main__":
    os.environ[VARIABLE] = sys.argv[1]
    raise SystemExit(pytest.main(["-q", "tests/walk/test_every_page.py"]))
