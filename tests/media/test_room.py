"""When the disk for what a job puts aside is full, that is said, whatever the moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import OutOfRoom
from media.launcher import Normalise, run
from tests.media import chart
from tests.media.helpers import Object

ROOT = Path(__file__).parents[2]
PROGRAM = """
import resource, sys
from pathlib import Path
from core.errors import OutOfRoom
from media.launcher import Normalise, run, self_test
from tests.media.helpers import Object

self_test()
film, made = Object.of(Path(sys.argv[1]).read_bytes()), Object()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    run(Normalise(), source=film.source(), sink=made.sink(), spool=Path(sys.argv[3]))
except OutOfRoom as error:
    print(error.code, len(made.data))
"""


@pytest.mark.parametrize(("room", "noise"), [(1500, 3), (9000, 60)])
def test_a_full_disk_is_told_as_such_and_nothing_comes_out(tmp_path: Path, room: int, noise: int) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(chart.film("-vf", f"noise=alls={noise}:allf=t", *chart.H264, "-an"))
    command = [sys.executable, "-c", PROGRAM, str(film), str(room), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["media_no_room", "0"]
    assert list(tmp_path.iterdir()) == [film]


def test_a_folder_that_is_not_there_is_no_room_either(tmp_path: Path) -> None:
    with pytest.raises(OutOfRoom, match="media_no_room"):
        run(Normalise(), source=Object.of(b"").source(), sink=Object().sink(), spool=tmp_path / "gone")
