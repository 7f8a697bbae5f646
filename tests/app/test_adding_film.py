"""The pages on which film is added, and what becomes of an upload that nobody goes on with."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

import identity
import retention
import vault
from app.service import Service
from audit.models import AuditEntryRow
from core.errors import Gone
from core.ids import UploadId, VisitId
from tests.app.browser import main_of
from tests.app.conftest import ClientFor
from tests.app.walk import ON_SQLITE
from tests.families import Family, Someone, again
from tests.vault.sending import Sender, film
from vault import DiskStore, UploadState
from vault.models import PartRow, UploadRow

pytestmark = ON_SQLITE
WAIT = timedelta(hours=24)


@pytest.fixture
def sender(service: Service, family: Family, visit: VisitId) -> Sender:
    assert isinstance(service.store, DiskStore)
    return Sender(service.db, service.keystore, service.store, family, visit)


def page_of(family: Family, visit: VisitId) -> str:
    return f"/families/{family.case_id}/visits/{visit}/upload"


def expire(service: Service) -> int:
    return retention.expire_uploads(
        service.db, keystore=service.keystore, store=service.store, schedule=service.schedule
    )


def signed_in_later(service: Service, someone: Someone, *, by: timedelta) -> Someone:
    service.db.clock.move(by)  # type: ignore[attr-defined]  # the tests' clock
    return again(service.db, someone)


def test_an_upload_is_listed_at_its_visit_and_over_all_families_until_it_is_given_up(
    service: Service, family: Family, visit: VisitId, sender: Sender, client_for: ClientFor
) -> None:
    upload = sender.begin(200_000)
    sender.send(upload, film(100_000), offset=0)
    guider = client_for(family.staff.guider.token)
    for path in (page_of(family, visit), "/uploads", f"/families/{family.case_id}"):
        shown = main_of(guider.get(path).text)
        assert "100 KB of 200 KB" in shown, path
        assert f"/uploads/{upload}/cancel" in shown, path
    assert "Kit in the bath.mp4" in guider.get("/uploads").text
    given_up = guider.post(f"/uploads/{upload}/cancel?from=uploads")
    assert given_up.headers["location"] == "/uploads?saved=cancelled"
    assert "Nothing is unfinished" in guider.get("/uploads").text
    assert list(service.store.names()) == []


def test_nobody_else_sees_what_a_guider_has_begun_not_even_the_next_guider(
    service: Service, family: Family, visit: VisitId, sender: Sender, client_for: ClientFor
) -> None:
    upload = sender.begin(200_000)
    sender.send(upload, film(100_000), offset=0)
    colleague, guider = client_for(family.staff.colleague.token), client_for(family.staff.guider.token)
    assert upload not in colleague.get("/uploads").text
    assert colleague.code(page_of(family, visit)) == (404, "not_found")
    for someone in (family.mother, family.staff.social_worker, family.staff.administrator):
        assert client_for(someone.token).get("/uploads").status_code == 404
    assert "1 unfinished" in guider.get("/").text
    identity.change_guider(
        service.db,
        keystore=service.keystore,
        actor=family.staff.manager.actor,
        case_id=family.case_id,
        staff=family.staff.colleague.id,
        reason="Left the team",
    )
    for former_or_next in (guider, colleague):
        for path in ("/", "/uploads"):
            assert "Kit in the bath" not in former_or_next.get(path).text
            assert "1 unfinished" not in former_or_next.get(path).text
    assert upload not in colleague.get(page_of(family, visit)).text


def test_an_upload_whose_time_has_run_out_is_gone_at_once_and_the_page_says_why(
    service: Service, family: Family, visit: VisitId, sender: Sender, client_for: ClientFor
) -> None:
    upload = sender.begin(200_000)
    sender.send(upload, film(100_000), offset=0)
    sender.guider = signed_in_later(service, sender.guider, by=WAIT)
    assert state_of(service, sender, upload) is UploadState.RECEIVING
    sender.guider = signed_in_later(service, sender.guider, by=timedelta(seconds=1))
    with pytest.raises(Gone, match="upload_expired"):
        sender.send(upload, film(200_000)[100_000:], offset=100_000)
    assert state_of(service, sender, upload) is UploadState.EXPIRED
    guider = client_for(sender.guider.token)
    for path in (page_of(family, visit), "/uploads"):
        shown = main_of(guider.get(path).text)
        assert "24 hours" in shown
        assert "was erased" in shown
        assert f"/uploads/{upload}" not in shown
    assert expire(service) == 1
    assert list(service.store.names()) == []
    with service.db.read() as session:
        row = session.get_one(UploadRow, upload)
        assert (row.filename, row.fingerprint) == (None, None)
        assert row.key_destroyed_at
        entry = session.scalars(select(AuditEntryRow).where(AuditEntryRow.event == "upload.expired")).one()
        assert entry.actor is None
    assert "was erased" in main_of(guider.get(page_of(family, visit)).text)


def test_what_was_given_up_is_no_longer_told_of_once_the_film_is_sent_again(
    service: Service, family: Family, visit: VisitId, sender: Sender, client_for: ClientFor
) -> None:
    sender.begin(200_000)
    sender.guider = signed_in_later(service, sender.guider, by=2 * WAIT)
    expire(service)
    guider = client_for(sender.guider.token)
    assert "was erased" in guider.get("/uploads").text
    sender.begin(200_000)
    assert "was erased" not in guider.get("/uploads").text


def test_a_byte_that_comes_between_the_list_and_the_lock_saves_an_upload(service: Service, sender: Sender) -> None:
    upload = sender.begin(200_000)
    sender.guider = signed_in_later(service, sender.guider, by=WAIT)
    stale_before = service.db.clock.now() + timedelta(seconds=1) - WAIT
    sender.send(upload, film(100_000), offset=0)
    vault.expire_upload(service.db, keystore=sender.keystore, store=sender.store, upload_id=upload, before=stale_before)
    assert state_of(service, sender, upload) is UploadState.RECEIVING
    with service.db.read() as session:
        assert session.scalars(select(PartRow).where(PartRow.upload_id == upload)).all()


def test_the_service_keeps_uploads_as_long_as_the_schedule_says(service: Service) -> None:
    assert retention.uploads_wait(service.schedule) == service.bounds.life == WAIT


def state_of(service: Service, sender: Sender, upload: UploadId) -> UploadState:
    actor = sender.guider.actor
    return vault.upload(
        service.db, keystore=service.keystore, actor=actor, upload_id=upload, bounds=service.bounds
    ).state
