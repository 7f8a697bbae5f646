"""One bit of a film turns over on the real server's disk: nobody sees what isn't the film, and an officer is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

import vault
from audit.models import AuditEntryRow
from consent import Purpose
from core.ids import ObjectId, RenditionId, ViewingId
from tests.app.stage import Stage, staged
from tests.families import Family
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import Clip, add_clip, add_footage, noise
from vault.models import ObjectRow, ObjectState

pytestmark = pytest.mark.journey

SEGMENT = 256 * 1024


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("served"), "--no-worker") as made:
        yield made


@pytest.fixture
def family(stage: Stage) -> Family:
    family = stage.family()
    agree_to_filming(stage.service.db, stage.service.keystore, family)
    return family


@pytest.fixture
def clip(stage: Stage, family: Family) -> Clip:
    service = stage.service
    footage = add_footage(service.db, service.keystore, stage.store, family, stage.visit(family))
    return add_clip(service.db, service.keystore, stage.store, family, footage, content=noise(3 * SEGMENT))


def begin(stage: Stage, family: Family, rendition_id: RenditionId) -> ViewingId:
    guider = family.staff.guider.actor
    return vault.begin_viewing(stage.service.db, actor=guider, rendition_id=rendition_id, purpose=Purpose.PREPARE).id


def stored(stage: Stage, object_id: ObjectId) -> Path:
    (found,) = stage.served.folder.rglob(object_id)
    return found


def turn_a_bit(path: Path, *, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def state_of(stage: Stage, object_id: ObjectId) -> ObjectState:
    with stage.service.db.read() as session:
        return session.get_one(ObjectRow, object_id).state


def told_of(stage: Stage, object_id: ObjectId) -> int:
    query = select(AuditEntryRow).where(
        AuditEntryRow.event == "object.quarantined", AuditEntryRow.object_id == object_id
    )
    with stage.service.db.read() as session:
        return len(session.scalars(query).all())


def officers_page(stage: Stage) -> str:
    with stage.client(stage.staff.officer) as officer:
        return officer.get("/records", headers={"Accept": "text/html"}).text


def test_a_film_with_a_bit_turned_over_stops_is_quarantined_and_alarms_the_officer(
    stage: Stage, family: Family, clip: Clip
) -> None:
    viewing, other = begin(stage, family, clip.rendition_id), begin(stage, family, clip.rendition_id)
    path = stored(stage, clip.object_id)
    turn_a_bit(path, at=2 * SEGMENT + 99)
    with stage.client(family.staff.guider) as guider:
        got = bytearray()
        with pytest.raises(httpx.TransportError), guider.stream("GET", f"/media/{viewing}") as answer:
            for piece in answer.iter_raw():
                got += piece
        assert clip.content.startswith(bytes(got))
        assert len(got) <= 2 * SEGMENT  # nothing of the segment that fails, and no polite end
        assert state_of(stage, clip.object_id) is ObjectState.QUARANTINED
        assert told_of(stage, clip.object_id) == 1
        path.unlink()  # so whoever still looked for its bytes would find nothing, and say so
        for ticket in (viewing, other):
            again = guider.get(f"/media/{ticket}", headers={"Range": "bytes=0-99"})
            assert (again.status_code, again.json()["code"]) in {(403, "not_available"), (404, "not_found")}
        page = guider.get(f"/clips/{clip.clip_id}", headers={"Accept": "text/html"})
        assert page.status_code == 200
    assert "1 stored object failed a check" in officers_page(stage)
    assert told_of(stage, clip.object_id) == 1


def test_a_film_whose_first_bytes_are_damaged_is_answered_with_an_error_in_words(
    stage: Stage, family: Family, clip: Clip
) -> None:
    viewing = begin(stage, family, clip.rendition_id)
    turn_a_bit(stored(stage, clip.object_id), at=35)
    with stage.client(family.staff.guider) as guider:
        answer = guider.get(f"/media/{viewing}")
    assert (answer.status_code, answer.json()["code"]) == (500, "object_damaged")
    assert "tell your administrator" in answer.text
    assert state_of(stage, clip.object_id) is ObjectState.QUARANTINED


def test_a_still_with_a_bit_turned_over_is_quarantined_and_never_read_again(
    stage: Stage, family: Family, clip: Clip
) -> None:
    viewing = begin(stage, family, clip.rendition_id)
    path = stored(stage, clip.poster_id)
    turn_a_bit(path, at=45)
    with stage.client(family.staff.guider) as guider:
        first = guider.get(f"/media/{viewing}/poster")
        path.unlink()
        fresh = begin(stage, family, clip.rendition_id)
        second = guider.get(f"/media/{fresh}/poster")
        assert [(one.status_code, one.json()["code"]) for one in (first, second)] == [(500, "object_damaged")] * 2
        assert state_of(stage, clip.poster_id) is ObjectState.QUARANTINED
        assert told_of(stage, clip.poster_id) == 1
        film = guider.get(f"/media/{fresh}")
        assert film.content == clip.content  # the film itself is sound
