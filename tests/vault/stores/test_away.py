"""A process that starts while its store doesn't answer: people sign in and withdraw, and no byte goes anywhere.

The store's server is really there (SeaweedFS); what stands before it, at the address that the process knows, is down.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

import vault
from app import doctor
from app.doctor import State
from app.duties import make_worker
from app.main import create_app
from app.service import Service
from consent import Purpose
from core import jobs
from core.errors import Unavailable
from core.ids import ObjectId, UploadId, new_id
from core.jobs import JobRow, JobState
from keys import JobCapability, KeyStanding
from tests.app.asking import ask, save_all
from tests.app.browser import PROGRAM, Browser
from tests.app.keyshop import PASSPHRASE, Shop, make_shop, make_without_staff, settings_in
from tests.families import Family, filming_visit, make_family
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import Clip, add_clip, add_footage
from tests.vault.sending import film
from tests.vault.stores.conftest import address_of, credentials_of
from tests.vault.stores.door import Door
from tests.vault.stores.servers import ask_server, free_port
from vault import Depth, KnownStore
from vault.models import UploadRow
from vault.receiving import PartReceiver

PATIENCE_SECONDS = 30
CONTENT = b"a film, or so it is told"


@dataclass(frozen=True, slots=True)
class Place:
    """A vault whose objects lie behind a port at which there is a server, or nobody."""

    shop: Shop
    server: int
    port: int

    @contextmanager
    def up(self) -> Iterator[Door]:
        with Door(self.server, at=self.port) as door:
            yield door

    def elsewhere(self, prefix: str) -> Place:
        """The same, set to another place by mistake."""
        address = address_of("s3", prefix=prefix, endpoint=f"http://127.0.0.1:{self.port}")
        return replace(self, shop=Shop(replace(self.shop.settings, objects=address)))


@pytest.fixture
def place(tmp_path: Path, seaweed_port: int) -> Place:
    port = free_port()
    credentials = credentials_of("s3", tmp_path, endpoint=f"http://127.0.0.1:{port}")
    shop = Shop(replace(settings_in(tmp_path), objects_credentials=credentials))
    shop.write_passphrase(PASSPHRASE)
    make_without_staff(shop.settings)
    return Place(shop, seaweed_port, port).elsewhere(f"vault/{new_id()}")


def filled(service: Service) -> tuple[Family, Clip]:
    """A family whose mother may watch a clip at home."""
    db, keystore, store = service.db, service.keystore, service.store
    family = make_family(db, keystore)
    agree_to_filming(db, keystore, family)
    footage = add_footage(db, keystore, store, family, filming_visit(db, family))
    clip = add_clip(db, keystore, store, family, footage, content=CONTENT)
    ask(service, family, clip, (Purpose.FAMILY_REVIEW, family.mother), (Purpose.FAMILY_REVIEW, family.father))
    app = create_app(service)
    for parent in (family.mother, family.father):
        save_all(Browser(app, parent.token), clip.rendition_id)
    return family, clip


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.1)


def answers(service: Service) -> bool:
    with suppress(Unavailable):
        vault.look_at(service.store)
        return True
    return False


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Unavailable) as caught:
        act()
    return caught.value.code


def ready(browser: Browser) -> tuple[int, dict[str, str]]:
    answer = browser.get("/readyz", headers=PROGRAM)
    return answer.status_code, answer.json().get("alarms", {})


def film_of(browser: Browser, clip: Clip) -> str:
    found = re.search(r'data-film="(/media/[^"]+)"', browser.get(f"/your-clips/{clip.rendition_id}").text)
    assert found
    return found.group(1)


def test_while_the_store_is_down_a_new_process_serves_pages_and_withdrawals_and_no_film(place: Place) -> None:
    with place.up(), place.shop.opened() as service:
        family, clip = filled(service)
        begun = Browser(create_app(service), family.mother.token)
        assert begun.get(film_of(begun, clip)).content == CONTENT
        assert ready(begun) == (200, {})

    with place.shop.opened() as service:  # nobody is at the address now
        app = create_app(service)
        mother, father = Browser(app, family.mother.token), Browser(app, family.father.token)
        assert mother.get("/sign-in").status_code < 400
        film = film_of(mother, clip)
        refused = mother.get(film)
        assert refused.status_code == 503
        assert "doesn't answer just now" in mother.get(film, headers=PROGRAM).json()["sentence"]
        assert ready(mother) == (200, {"objects": "store_unavailable"})
        for poke in (
            lambda: service.store.writer(new_id()),
            lambda: service.store.read(clip.object_id, start=0, length=1),
            lambda: service.store.size(clip.object_id),
            lambda: service.store.delete(clip.object_id),
            service.store.names,
        ):
            assert code_of(poke) == "store_unavailable"
        assert father.post("/your-clips/stop-all").status_code == 303
        assert mother.code(film) == (403, "not_available")

        worker = make_worker(service, name="worker-1")
        with service.db.begin() as session:
            job = jobs.enqueue(session, vault.CUT, subject=clip.clip_id, case_id=None, at=service.db.clock.now())
        assert code_of(lambda: worker.carry_out(job)) == "store_unavailable"
        with service.db.read() as session:
            row = session.get_one(JobRow, job)
            assert (row.state, row.attempts) == (JobState.WAITING, 0)

        with place.up():
            until(lambda: answers(service))
            assert ready(mother) == (200, {})
            page = f"/your-clips/{clip.rendition_id}"
            assert mother.code(page) == (403, "not_available")  # what was withdrawn meanwhile, is
            report = vault.fsck(service.db, keystore=service.keystore, store=service.store, depth=Depth.EVERYTHING)
            assert report.is_clean


def test_a_night_on_which_the_store_is_away_destroys_and_rolls_all_the_same(place: Place) -> None:
    """And rolls once: its next tries find nothing new to destroy. The bytes go when the store is back."""
    shop = Shop(replace(place.shop.settings, sweep_hour=0))
    with place.up(), shop.opened() as service:
        family = make_family(service.db, service.keystore)
        case_id, kept = family.case_id, ObjectId(new_id())
        key = service.keystore.new_object_key(
            case_id=case_id, object_id=kept, capability=JobCapability("test", case_id)
        )
        left = [left_upload(service, family) for _ in range(2)]
        assert len(names(service)) == 1 + len(left), "the store's mark, and a part of each"
    with shop.opened() as service:  # nobody is at the address now
        duties = {duty.name: duty.do for duty in make_worker(service, name="worker-1")._duties}
        for _ in range(2):
            duties["sweep"]()
            duties["key-night"]()
        standing = service.keystore.standings([*left, kept])
        assert [standing[ObjectId(name)] for name in [*left, kept]] == [KeyStanding.DESTROYED] * 2 + [KeyStanding.ALIVE]
        assert service.keystore.object_key(kept, capability=JobCapability("test", case_id)) == key
        assert (service.keystore.status().epoch, service.keystore.status().pending) == (2, 0)
        with place.up():
            until(lambda: answers(service))
            duties["tidy"]()
            assert len(names(service)) == 1


def names(service: Service) -> list[str]:
    return [stored.name for stored in service.store.names()]


def left_upload(service: Service, family: Family) -> UploadId:
    """One of which a part came, and then nothing for longer than it may wait."""
    upload = vault.begin_deposit(
        service.db,
        keystore=service.keystore,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        visit_id=filming_visit(service.db, family),
        length=2 * len(CONTENT),
    )
    receiver = PartReceiver(
        service.db,
        keystore=service.keystore,
        store=service.store,
        actor=family.staff.guider.actor,
        upload_id=upload,
        offset=0,
        bounds=service.bounds,
    )
    assert list(receiver.runs(film(len(CONTENT)))) == []
    receiver.end()
    with service.db.begin() as session:
        session.get_one(UploadRow, upload).last_byte_at -= timedelta(days=2)
    return upload


def test_a_wrong_store_ends_the_start_where_it_answers(place: Place) -> None:
    with place.up():
        with place.shop.opened() as service:
            filled(service)
        with pytest.raises(Unavailable, match="store_unknown"), place.elsewhere("another").shop.opened():
            pass


def test_a_wrong_store_that_answers_only_later_is_neither_read_nor_written(place: Place) -> None:
    with place.up(), place.shop.opened() as service:
        filled(service)
    with place.elsewhere("another").shop.opened() as service, Door(place.server, at=place.port) as door:
        until(lambda: code_of(lambda: service.store.writer(new_id())) == "store_unknown")
        for poke in (service.store.names, lambda: service.store.delete(new_id())):
            assert code_of(poke) == "store_unknown"
        assert not service.store.read_at_once(new_id(), start=0, into=memoryview(bytearray(1)))
        assert ready(Browser(create_app(service)))[1] == {"objects": "store_unknown"}
        assert {verb for verb, _path in door.asked} <= {"GET", "HEAD"}


def examined(place: Place, **environment: str) -> dict[str, State]:
    """What the doctor says about the objects."""
    found = doctor.examine(place.shop.settings, environment=environment, is_online=True)
    return {one.name: one.state for one in found if one.name.startswith("objects")}


def test_the_doctor_looks_whether_the_bucket_answers_and_is_ours_and_changes_nothing(place: Place) -> None:
    fine = {"objects_environment": State.FINE, "objects": State.FINE}
    with place.up() as door:
        assert examined(place) == fine  # nobody has used it yet
        with place.shop.opened():
            pass
        door.asked.clear()
        assert examined(place) == fine | {"objects_versions": State.FINE}
        assert examined(place.elsewhere("another")) == fine | {"objects": State.FAULT}
        assert {verb for verb, _path in door.asked} <= {"GET", "HEAD"}
    assert examined(place) == fine | {"objects": State.FAULT}
    offline = doctor.examine(place.shop.settings, environment={}, is_online=False)
    assert [one.state for one in offline if one.name == "objects"] == [State.LEFT_OUT]


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "AWS_ENDPOINT_URL"])
def test_the_doctor_warns_of_a_cloud_s_credentials_or_addresses_in_the_environment(place: Place, name: str) -> None:
    found = doctor.examine(place.shop.settings, environment={name: "hunter2"}, is_online=False)
    (one,) = [one for one in found if one.name == "objects_environment"]
    assert one.state is State.WARNING
    assert name in one.advice
    assert "hunter2" not in one.sentence + one.advice


def test_the_doctor_warns_of_a_bucket_that_keeps_former_versions(place: Place) -> None:
    bucket = f"kept-{new_id()}"
    asked = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert ask_server(place.server, "PUT", f"/{bucket}") == 200
    assert ask_server(place.server, "PUT", f"/{bucket}?versioning", body=asked.encode()) == 200
    address = f"s3://{bucket}/vault?endpoint=http://127.0.0.1:{place.port}"
    kept = replace(place, shop=Shop(replace(place.shop.settings, objects=address)))
    with place.up():
        with kept.shop.opened():
            pass
        assert examined(kept)["objects_versions"] is State.WARNING


def test_a_store_that_takes_a_connection_and_never_answers_holds_no_start_up(place: Place) -> None:
    with place.up() as door:
        door.slow.set()
        begun = time.monotonic()
        with place.shop.opened() as service:
            assert time.monotonic() - begun < PATIENCE_SECONDS
            assert code_of(lambda: service.store.size(new_id())) == "store_unavailable"


def test_a_store_that_becomes_another_while_we_run_is_left_alone(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    with shop.opened() as service:
        name = new_id()
        with service.store.writer(name) as writer:
            writer.commit()
        assert isinstance(service.store, KnownStore)
        here = tmp_path / "shop" / "store" / "objects" / "objects"
        here.rename(here.with_name("away"))
        here.mkdir()
        until(lambda: not answers(service))
        assert code_of(lambda: service.store.writer(new_id())) == "store_unknown"
        here.rmdir()
        here.with_name("away").rename(here)
        until(lambda: answers(service))
        assert service.store.size(name) == 0
