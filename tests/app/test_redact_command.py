"""`vig-vault redact` on plain files, as somebody uses it who wants nothing but the redactor."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from typer.testing import CliRunner

import app.cli.redact  # noqa: F401 - it registers its command
from app.cli import STATUS, application
from core.errors import VaultError
from media.detections import Face
from tests.media.visitors import HEIGHT, WIDTH, Visitor, film, pictures

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 24
LEFT = Visitor(lambda frame: (20 + 2 * frame, 60))
RIGHT = Visitor(lambda frame: (420 - 2 * frame, 90))
Planes = list[npt.NDArray[np.int16]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a film of two people, and what was found in it."""
    made = tmp_path_factory.mktemp("redact")
    (made / "film.mp4").write_bytes(film(pictures(LEFT, RIGHT, frames=FRAMES)))
    asked("film.mp4", "--list", "--sheet", "people.jpg", "--detections", "faces", "--json", folder=made)
    found = bytearray((made / "faces").read_bytes())
    found[8 + 32] ^= 1  # after the mark and the hash of the film
    (made / "renumbered").write_bytes(found)
    return made


def asked(*words: str, folder: Path, status: int = 0) -> str:
    """Run the command; gives what it printed."""
    command = [sys.executable, "-m", "app", "redact", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def lumas(place: Path) -> Planes:
    with av.open(io.BytesIO(place.read_bytes())) as container:
        return [frame.to_ndarray(format="gray").astype(np.int16) for frame in container.decode(video=0)]


def detail(luma: npt.NDArray[np.int16], face: Face | None) -> float:
    """How much neighbouring pixels differ within a face."""
    assert face is not None
    place = luma[round(face.y) : round(face.y + face.height), round(face.x) : round(face.x + face.width)]
    return float(np.abs(np.diff(place, axis=1)).mean() + np.abs(np.diff(place, axis=0)).mean())


def test_the_redactor_of_plain_files_loads_no_database() -> None:
    told = "import sys, app.redactor; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "redaction" in done.stdout.split()
    assert {"sqlalchemy", "alembic", "dbos", "scipy"}.isdisjoint(done.stdout.split())


def test_the_list_says_who_is_in_the_film_and_the_sheet_shows_them(folder: Path) -> None:
    told = json.loads(asked("film.mp4", "--list", "--detections", "faces", "--json", folder=folder))
    assert (told["frames"], told["width"], told["height"], told["fps"]) == (FRAMES, WIDTH, HEIGHT, 25.0)
    assert [person["track"] for person in told["people"]] == [1, 2]
    assert [person["frames"] for person in told["people"]] == [FRAMES, FRAMES]
    with Image.open(folder / "people.jpg") as sheet:
        assert sheet.size == (320, 160)
    words = asked("film.mp4", "--list", "--detections", "faces", folder=folder)
    assert words.splitlines()[0] == f"2 people in 1.0 seconds ({WIDTH} by {HEIGHT} pixels)."


def test_who_is_kept_is_shown_and_everybody_else_covered_in_every_frame(folder: Path) -> None:
    asked("film.mp4", "kept.mp4", "--keep", "1", "--detections", "faces", folder=folder)
    was, now = lumas(folder / "film.mp4"), lumas(folder / "kept.mp4")
    assert len(now) == FRAMES
    for number, (before, after) in enumerate(zip(was, now, strict=True)):
        assert detail(after, LEFT.face(number)) > 0.7 * detail(before, LEFT.face(number))
        assert detail(after, RIGHT.face(number)) < 0.25 * detail(before, RIGHT.face(number))


def test_nobody_is_kept_unless_it_is_said(folder: Path) -> None:
    asked("film.mp4", "all.mp4", "--solid", "--region", "0,0,40,40@0.2-0.6", folder=folder)
    was, now = lumas(folder / "film.mp4"), lumas(folder / "all.mp4")
    for number, (before, after) in enumerate(zip(was, now, strict=True)):
        for somebody in (LEFT, RIGHT):
            assert detail(after, somebody.face(number)) < 0.2 * detail(before, somebody.face(number))
        assert (np.abs(after[:40, :40] - 64).max() < 12) == (5 <= number < 15)


def test_nothing_is_replaced_unless_it_is_said(folder: Path) -> None:
    place = folder / "there.mp4"
    place.write_bytes(b"mine")
    said = asked("film.mp4", "there.mp4", "--detections", "faces", folder=folder, status=2)
    assert "output_exists" in said
    assert place.read_bytes() == b"mine"
    asked("film.mp4", "there.mp4", "--detections", "faces", "--force", folder=folder)
    assert len(lumas(place)) == FRAMES


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("film.mp4", "out.mp4", "--keep", "3", "--detections", "faces"), "person_unknown"),
        (("film.mp4", "out.mp4", "--keep", "1", "--detections", "renumbered"), "people_renumbered"),
        (("film.mp4", "out.mp4", "--keep", "me", "--detections", "faces"), "track_unreadable"),
        (("film.mp4", "out.mp4", "--mute", "3-2", "--detections", "faces"), "stretch_unreadable"),
        (("film.mp4", "out.mp4", "--region", "1,2,3@0-1", "--detections", "faces"), "region_unreadable"),
        (("people.jpg", "out.mp4"), "not_a_film"),
        (("people.jpg", "out.mp4", "--detections", "faces"), "detections_unfit"),
        (("gone.mp4", "out.mp4"), "input_unreadable"),
        (("film.mp4", "gone/out.mp4"), "output_unwritable"),
        (("film.mp4",), "redact_what"),
        (("film.mp4", "out.mp4", "--list"), "redact_what"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(
    folder: Path, words: tuple[str, ...], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    refused = CliRunner().invoke(application, ["redact", *words]).exception
    assert isinstance(refused, VaultError)
    assert refused.code == code
    assert next(status for kind, status in STATUS if isinstance(refused, kind)) == 2
    assert sorted(folder.iterdir()) == before


def test_a_refusal_is_one_line_and_a_status(folder: Path) -> None:
    said = asked("gone.mp4", "out.mp4", folder=folder, status=2)
    assert said == "input_unreadable: gone.mp4 can't be read: No such file or directory.\n"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_redaction_that_is_broken_off_leaves_nothing_behind(
    tmp_path: Path, folder: Path, sent: signal.Signals
) -> None:
    (tmp_path / "film.mp4").write_bytes((folder / "film.mp4").read_bytes())
    command = [sys.executable, "-m", "app", "redact", "film.mp4", "out.mp4"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as process:
        end = time.monotonic() + 60
        while not _children(process.pid) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(sent)
        assert process.wait(60) not in {0, 4}
    assert list(tmp_path.iterdir()) == [tmp_path / "film.mp4"]


def _children(process: int) -> str:
    return Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
