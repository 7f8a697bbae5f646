"""A film that is playing over a real socket when it may no longer: reset, with nothing more than was under way.

The specification asks for one second. The tests wait up to three, since they share a machine with whatever else runs;
how many *bytes* get through depends on no clock, and is what they bound.
"""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

import pytest
from sqlalchemy import select as query

import vault
from app.demo.serving import Served
from app.streaming import paced
from audit.models import AuditEntryRow
from consent import Purpose
from core.ids import ViewingId
from tests.app.stage import PATIENCE_SECONDS, Stage, cookie_of, staged
from tests.families import Family, Someone
from tests.vault.agreeing import agree_to_filming, share_with_social_worker
from tests.vault.scene import Clip, add_clip, add_footage, noise
from vault.viewing_models import ViewingRow

pytestmark = pytest.mark.journey

FILM_BYTES = 8 * 2**20
BITE = 16 * 1024
RECEIVE_BUFFER = 64 * 1024
CUT_WITHIN_SECONDS = 3.0
MOST_AFTER = 4 * RECEIVE_BUFFER
"""What a reader may still find: its own buffer, which Linux doubles, and one more for what was on the wire."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("served"), "--no-worker") as made:
        yield made


@pytest.fixture(scope="module")
def second(stage: Stage) -> Iterator[str]:
    """Address of a second server process on the same store."""
    other = Served(stage.served.folder / "second")
    other.environment = stage.served.environment | {"VAULT_LISTEN": other.origin.removeprefix("http://")}
    other.start("--no-worker")
    yield other.origin
    other.stop()


@dataclass(frozen=True, slots=True)
class Show:
    """A clip that both parents share with the social worker, who is about to watch it."""

    stage: Stage
    family: Family
    clip: Clip
    viewing: ViewingId

    @property
    def watcher(self) -> Someone:
        return self.family.staff.social_worker

    def father_stops(self) -> None:
        with self.stage.client(self.family.father) as father:
            assert father.post("/your-clips/stop-all").status_code == 303

    def watcher_signs_out(self) -> None:
        with self.stage.client(self.watcher) as elsewhere:
            assert elsewhere.post("/sign-out").status_code == 303

    def status_now(self, *, origin: str = "") -> int:
        with self.stage.client(self.watcher, origin=origin) as client:
            return client.get(f"/media/{self.viewing}").status_code

    def bytes_served(self) -> int:
        with self.stage.service.db.read() as session:
            return session.get_one(ViewingRow, self.viewing).bytes_served

    def entries(self) -> list[str]:
        with self.stage.service.db.read() as session:
            rows = session.scalars(
                query(AuditEntryRow).where(AuditEntryRow.case_id == self.family.case_id).order_by(AuditEntryRow.at)
            )
            return [row.event for row in rows]


@pytest.fixture
def show(stage: Stage) -> Show:
    return make_show(stage, content=noise(FILM_BYTES))


def make_show(stage: Stage, *, content: bytes) -> Show:
    family, service = stage.family(), stage.service
    agree_to_filming(service.db, service.keystore, family)
    footage = add_footage(service.db, service.keystore, stage.store, family, stage.visit(family))
    clip = add_clip(service.db, service.keystore, stage.store, family, footage, content=content)
    share_with_social_worker(service.db, family, clip.rendition_id)
    viewing = vault.begin_viewing(
        service.db,
        actor=family.staff.social_worker.actor,
        rendition_id=clip.rendition_id,
        purpose=Purpose.SOCIAL_WORKER,
    )
    return Show(stage, family, clip, viewing.id)


class SlowReader:
    """A player that takes small bites."""

    def __init__(self, show: Show, *, origin: str = "") -> None:
        origin = origin or show.stage.served.origin
        self._line: socket.socket = show.stage.connect(receive_buffer=RECEIVE_BUFFER, origin=origin)
        head = [
            f"GET /media/{show.viewing} HTTP/1.1",
            f"Host: {origin.removeprefix('http://')}",
            f"Cookie: {cookie_of(show.watcher)['Cookie']}",
        ]
        self._line.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._line.recv(BITE)
        self.head, _, self.body = received.partition(b"\r\n\r\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def read(self, count: int) -> None:
        """Read on, a bite at a time."""
        end = len(self.body) + count
        while len(self.body) < end:
            bite = self._line.recv(BITE)
            assert bite, "the film ended as if it were whole"
            self.body += bite
            time.sleep(0.001)

    def read_until_reset(self) -> int:
        """Read whatever still comes.

        Returns:
            How many bytes that was.
        """
        before = len(self.body)
        while True:
            try:
                bite = self._line.recv(BITE)
            except ConnectionResetError:
                return len(self.body) - before
            assert bite, "the film ended as if it were whole"
            self.body += bite
            time.sleep(0.01)

    def wait_for_reset(self) -> float:
        """Read nothing, and wait for the reset.

        Returns:
            Seconds that it took.
        """
        begun = time.monotonic()
        poll = select.poll()
        poll.register(self._line, 0)  # only what is always told: error and hang-up
        assert poll.poll(PATIENCE_SECONDS * 1000), "the connection was never reset"
        return time.monotonic() - begun


@dataclass(slots=True)
class Listener:
    """A page that listens to its events, in a thread of its own."""

    show: Show
    origin: str = ""
    heard: list[str] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        self.wait_for("beat")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._thread
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the events never ended"

    def wait_for(self, event: str) -> None:
        with self._news:
            assert self._news.wait_for(lambda: event in self.heard, timeout=PATIENCE_SECONDS), f"no {event}"

    def _listen(self) -> None:
        address = f"/events/{self.show.viewing}"
        with (
            self.show.stage.client(self.show.watcher, origin=self.origin) as client,
            client.stream("GET", address) as response,
        ):
            for line in response.iter_lines():
                if line.startswith("event: "):
                    with self._news:
                        self.heard.append(line.removeprefix("event: "))
                        self._news.notify_all()


def is_beats_then_dark(heard: list[str]) -> bool:
    return heard[-1] == "dark" and set(heard[:-1]) == {"beat"}


STOPS: dict[str, Callable[[Show], None]] = {
    "the father stops all sharing": Show.father_stops,
    "the watcher's session ends": Show.watcher_signs_out,
}


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS.keys())
def test_a_slow_reader_gets_no_more_than_was_under_way(show: Show, stop: Callable[[Show], None]) -> None:
    with SlowReader(show) as reader:
        assert b" 200 " in reader.head.splitlines()[0]
        reader.read(2**20)
        stop(show)
        reader.wait_for_reset()
        assert reader.read_until_reset() <= MOST_AFTER
        assert len(reader.body) < FILM_BYTES // 2
        assert reader.body == show.clip.content[: len(reader.body)]
    assert show.status_now() in {401, 403, 404}


def test_a_reader_that_went_on_reading_slowly_is_cut_as_well(show: Show) -> None:
    with SlowReader(show) as reader:
        reader.read(2**20)
        show.father_stops()
        assert reader.read_until_reset() < FILM_BYTES // 8
        assert len(reader.body) < FILM_BYTES // 2


def test_a_reader_that_stopped_reading_is_cut_within_seconds_all_the_same(show: Show) -> None:
    with SlowReader(show) as reader:
        reader.read(100_000)
        time.sleep(0.5)  # until every buffer on the way is full
        show.father_stops()
        assert reader.wait_for_reset() < CUT_WITHIN_SECONDS
        assert reader.read_until_reset() <= MOST_AFTER


def test_the_page_is_told_dark_once_and_last_and_the_log_has_it_in_order(show: Show) -> None:
    with Listener(show) as page:
        begun = time.monotonic()
        show.father_stops()
        page.wait_for("dark")
        assert time.monotonic() - begun < CUT_WITHIN_SECONDS
    assert is_beats_then_dark(page.heard)
    entries = show.entries()
    positions = [entries.index(event) for event in ("viewing.begun", "consent.withdrawn", "viewing.cut")]
    assert positions == sorted(positions)
    assert entries.count("viewing.cut") == 1


def test_the_page_of_someone_whose_session_ended_turns_dark(show: Show) -> None:
    with Listener(show) as page:
        show.watcher_signs_out()
    assert is_beats_then_dark(page.heard)


def test_what_is_said_to_one_server_stops_what_another_plays(show: Show, second: str) -> None:
    with Listener(show, origin=second) as page, SlowReader(show, origin=second) as reader:
        reader.read(2**20)
        show.father_stops()
        reader.wait_for_reset()
        assert reader.read_until_reset() <= MOST_AFTER
        page.wait_for("dark")
    assert is_beats_then_dark(page.heard)
    assert show.status_now(origin=second) in {403, 404}


def test_a_range_that_is_asked_for_afterwards_is_refused(show: Show) -> None:
    with show.stage.client(show.watcher) as client:
        part = {"Range": "bytes=100-199"}
        before = client.get(f"/media/{show.viewing}", headers=part)
        assert (before.status_code, before.content) == (206, show.clip.content[100:200])
        show.father_stops()
        after = client.get(f"/media/{show.viewing}", headers=part)
        assert after.status_code in {403, 404}
        assert client.get(f"/media/{show.viewing}/poster").status_code == 404
        assert client.get(f"/events/{show.viewing}").status_code == 404


def test_a_player_that_went_away_is_not_sent_the_rest_nor_said_to_have_watched_it(show: Show) -> None:
    with SlowReader(show) as reader:
        reader.read(100_000)
    end = time.monotonic() + PATIENCE_SECONDS
    while not (served := show.bytes_served()) and time.monotonic() < end:
        time.sleep(0.1)
    assert 100_000 <= served < FILM_BYTES // 2


def test_the_pace_reads_no_piece_before_its_time() -> None:
    read: list[int] = []

    async def source() -> AsyncGenerator[bytes, None]:
        for number in range(3):
            read.append(number)
            yield bytes(100)

    async def play() -> None:
        film = paced(source(), bytes_per_second=1)
        await anext(film)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(film), 0.3)

    asyncio.run(play())
    assert read == [0]


def test_the_film_goes_on_for_whoever_may_still_watch(show: Show) -> None:
    service, guider = show.stage.service, show.family.staff.guider
    viewing = vault.begin_viewing(
        service.db, actor=guider.actor, rendition_id=show.clip.rendition_id, purpose=Purpose.PREPARE
    )
    with show.stage.client(guider) as client, client.stream("GET", f"/media/{viewing.id}") as response:
        pieces = response.iter_raw(BITE)
        body = next(pieces)
        show.father_stops()
        body += b"".join(pieces)
    assert body == show.clip.content


def test_what_slow_players_get_at_the_same_time_is_each_ones_own_film_byte_for_byte(stage: Stage, show: Show) -> None:
    shows = [show, make_show(stage, content=noise(FILM_BYTES + 1))]
    with ExitStack() as stack:
        readers = [(one, stack.enter_context(SlowReader(one))) for one in [*shows, show]]
        for turn in range(FILM_BYTES // BITE // 8):
            for number, (_, reader) in enumerate(readers):
                reader.read((1, 3, 7)[(turn + number) % 3] * BITE)
        for one, reader in readers:
            assert len(reader.body) > FILM_BYTES // 3
            is_its_own = one.clip.content.startswith(reader.body)
            assert is_its_own


def test_none_of_this_was_a_fault_of_the_server(stage: Stage) -> None:
    """Last in this file: a cut is what the server is for."""
    assert '"error"' not in stage.served.log.read_text(encoding="utf-8")
