"""The whole story of a family whose every word can be told from chance, searched after each step."""

from __future__ import annotations

import io
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import ffmpeg
import httpx
import psutil
import pyotp
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from app.demo.client import Browser
from app.demo.scene import STAFF, Cast
from app.demo.serving import Served
from app.demo.story import Story
from app.settings import Settings, from_environment
from tests.canary.insider import Insider
from tests.canary.needles import Needles
from tests.canary.search import Allowed, Onlooker, Search

CAST = Cast(
    mother="Wilhelmina Quillfeather",
    father="Bartholomew Quillfeather",
    child="Philomena Quillfeather",
    sibling="Zebediah Quillfeather",
    contacts={
        "Wilhelmina Quillfeather": "kettledrum.w@safe-contact.example.org",
        "Bartholomew Quillfeather": "kettledrum.b@safe-contact.example.org",
    },
    title="Philomena hums to the kettle",
    goals=("Kettle-humming",),
    reference="CP-KETTLE-77341",
    paper="the mauve binder, page 112",
    reason="The mauve films have served their purpose.",
    passcode="902716354817",
)
BIRTHS = {"the child's birth": "2024-03-14", "the sibling's birth": "2019-09-02"}
FILM_NAME = "Philomena-in-the-kitchen.mp4"
PICTURES = 5
TAKEN_AFTER = "withdraw"
"""The step after which a thief takes a copy: films, answers and keys are all there."""


class Overheard(Story):
    """The story, whose secrets are overheard on their way: addresses that open something, and cookies."""

    def __init__(self, served: Served, film: Path, *, needles: Needles) -> None:
        super().__init__(served, film, cast=CAST)
        self.needles = needles

    def browser(self) -> Browser:
        made = super().browser()
        made.http.event_hooks["request"].append(self._overhear)
        return made

    def _overhear(self, request: httpx.Request) -> None:
        kind, _, rest = request.url.path.lstrip("/").partition("/")
        if kind in {"enrol", "invitation"}:
            self.needles.text(f"the address of an {kind}", rest.partition("/")[0])
        for one in filter(None, request.headers.get("cookie", "").split("; ")):
            name, _, value = one.partition("=")
            self.needles.text(f"the cookie {name}", value)


@dataclass(slots=True)
class Drill:
    """What was played, and what was found.

    Attributes:
        found: by step.
        stolen: a thief's copy of everything but the root.
    """

    story: Overheard
    search: Search
    insider: Insider
    onlooker: Onlooker = field(default_factory=Onlooker)
    found: dict[str, list[str]] = field(default_factory=dict)
    stolen: Path = Path()

    @property
    def served(self) -> Served:
        return self.story.served

    @property
    def stolen_settings(self) -> Settings:
        """Of somebody who has the copy, and no passphrase."""
        store, recovery = self.stolen / "store", self.stolen / "recovery"
        read = from_environment(self.served.environment)
        return replace(read, store=store, recovery_place=(recovery,), witness=None, passphrase_file=None)

    @property
    def needles(self) -> Needles:
        return self.story.needles

    def play(self, steps: int | None = None) -> None:
        """Play the story, and look everywhere after each step."""
        for sentence, step in self.story.steps[:steps]:  # what is sealed by now is told before each look
            step()
            process = self.served._process
            assert process
            self.onlooker.watch(process.pid)
            self.tell_all()
            self.found[sentence] = self.search.look() + self.search.look_at_open_files(psutil.Process(process.pid))
            if step.__name__ == TAKEN_AFTER:
                self.found[f"{sentence}: all of it again"] = self.search.look_again()
                self.stolen = steal(self.served)
        self.found["All of it once more"] = self.search.look_again()

    def tell_all(self) -> None:
        """Say what is to be looked for, as far as it exists by now."""
        self.insider.tell_keys(self.needles)
        if self.served.on_sqlite:
            self.insider.tell_films(self.needles)
        for path in self.served.folder.glob("*.mov"):
            self.needles.film("the second film", path.read_bytes())
        for role, member in self.story.staff.items():
            self.needles.text(f"the {role}'s password", member.password)
            if member.key:
                self.needles.text(f"the {role}'s authenticator", member.key)
                self.needles.key(f"the {role}'s authenticator", pyotp.TOTP(member.key).byte_secret())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of noise with a name and a place in its metadata, where nothing that serves ever comes."""
    path = tmp_path_factory.mktemp("phone") / FILM_NAME
    picture = ffmpeg.input("testsrc2=size=320x180:rate=25:duration=2", format="lavfi").filter(
        "noise", alls=40, allf="t", all_seed=77341
    )
    sound = ffmpeg.input("anoisesrc=duration=2:amplitude=0.2:seed=77341", format="lavfi")
    options = {"vcodec": "libx264", "preset": "ultrafast", "pix_fmt": "yuv420p", "acodec": "aac"}
    made = ffmpeg.output(picture, sound, str(path), metadata=f"title={CAST.title}", **options)
    made.run(cmd=get_ffmpeg_exe(), quiet=True)
    return path


@pytest.fixture(scope="module")
def drill(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """The whole story on SQLite, played and searched. The server still runs."""
    made = prepare(Served(tmp_path_factory.mktemp("drill") / "service"), film)
    try:
        made.play()
        yield made
    finally:
        made.onlooker.stop()
        made.story.close()
        made.served.stop()


def prepare(served: Served, film: Path) -> Drill:
    """Set the search up before anything has been made."""
    temporary = served.folder / "tmp"
    temporary.mkdir()
    served.environment["TMPDIR"] = str(temporary)
    needles = Needles()
    for name, value in words().items():
        needles.text(name, value)
    needles.film("the film", film.read_bytes())
    needles.film("pictures of the film", pictures_of(film))
    contacts = frozenset(name for name in words() if name.endswith("contact"))
    allowed = [
        Allowed(served.folder / "passphrase", frozenset({"the passphrase"}), "it is the root itself"),
        Allowed(served.messages, contacts, "stands for the mail server: a message has an address and a code"),
        Allowed(served.folder / "second.mov", frozenset(), "is on the guider's phone"),
    ]
    search = Search(needles, [served.folder], allowed)
    settings = from_environment(served.environment)
    assert settings.passphrase_file
    insider = Insider(settings, passphrase=settings.passphrase_file.read_text(encoding="ascii"))
    return Drill(Overheard(served, film, needles=needles), search, insider)


def words() -> dict[str, str]:
    """Everything that people write down in this story, by what it is."""
    family = {
        "the mother's name": CAST.mother,
        "the father's name": CAST.father,
        "the child's name": CAST.child,
        "the sibling's name": CAST.sibling,
        "the family's name": "Quillfeather",
        "the mother's contact": CAST.contacts[CAST.mother],
        "the father's contact": CAST.contacts[CAST.father],
        "the clip's title": CAST.title,
        "the clip's goal": CAST.goals[0],
        "the case's reference": CAST.reference,
        "where the agreement lies": CAST.paper,
        "the officer's reason": CAST.reason,
        "the parents' passcode": CAST.passcode,
        "the film's file name": FILM_NAME.removesuffix(".mp4"),
    }
    staff = {f"the {key}'s name": name for key, (name, _) in STAFF.items()}
    addresses = {f"the {key}'s address": f"{key.replace('_', '.')}@example.org" for key in STAFF}
    first = {"the administrator's name": "Ash Administrator", "the administrator's address": "admin@example.org"}
    return family | BIRTHS | staff | addresses | first


def pictures_of(film: Path) -> bytes:
    """The first pictures as they lie in memory once they are decoded."""
    with av.open(io.BytesIO(film.read_bytes())) as opened:
        frames = [frame for frame, _ in zip(opened.decode(video=0), range(PICTURES), strict=False)]
        return b"".join(frame.to_ndarray().tobytes() for frame in frames)


def steal(served: Served) -> Path:
    """Copy everything but the passphrase; the databases so that they are whole."""
    copy = served.folder.parent / "stolen"
    left_out = shutil.ignore_patterns("run", "passphrase", "*.db", "*.db-*", "*.lock", "second.mov")
    shutil.copytree(served.folder, copy, ignore=left_out)
    for path in (served.folder / "store").glob("*.db"):
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy / "store" / path.name)) as target:
            source.backup(target)
    return copy
