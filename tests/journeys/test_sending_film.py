"""A guider sends film over a bad line: tus-js-client in real Chromium, against the real server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app import cookies
from app.demo.clock import DemoClock
from tests.app.stage import Stage, staged
from tests.app.uploads.depositor import MOST_BYTES, Depositor, check_sealed, code, long_film
from tests.families import again
from tests.journeys.guider import PATIENCE_MS, Guider
from tests.journeys.visitors import DESKTOP

pytestmark = [pytest.mark.journey, pytest.mark.browser]

FILM_BYTES = 9_000_000


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("served"), max_upload_bytes=str(MOST_BYTES)) as made:
        yield made


@pytest.fixture
def depositor(stage: Stage) -> Iterator[Depositor]:
    made = Depositor(stage)
    yield made
    made.client.close()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "Kit at breakfast.mp4"
    path.write_bytes(long_film(FILM_BYTES))
    return path


def unfinished(guider: Guider) -> list[str]:
    found = guider.page.locator("[data-unfinished]")
    return [found.nth(at).get_attribute("data-unfinished") or "" for at in range(found.count())]


def test_a_film_survives_everything_that_a_bad_day_does_to_it(
    chromium: Browser, stage: Stage, depositor: Depositor, film: Path, tmp_path: Path
) -> None:
    """Offline and back, the page loaded anew, the server killed, signed out, and the next day another device."""
    guider = Guider(chromium, stage, depositor)
    guider.opens()
    guider.visitor.looks("upload-phone")
    guider.is_slow()
    guider.chooses(film)
    guider.sends_past(15)
    guider.looks_while_it_moves("upload-sending-phone")
    assert guider.page.evaluate("held") == 1

    guider.visitor.context.set_offline(offline=True)
    expect(guider.says).to_contain_text("Waiting for the internet. It goes on by itself", timeout=PATIENCE_MS)
    guider.visitor.looks("upload-offline-phone", height=1500)
    before = guider.percent()
    guider.visitor.context.set_offline(offline=False)
    guider.is_slow()
    guider.sends_past(before + 5)

    guider.page.get_by_role("button", name="Pause").click()
    expect(guider.says).to_contain_text("Paused. What has arrived is kept until", timeout=PATIENCE_MS)
    assert guider.page.evaluate("held") == 0
    guider.visitor.looks("upload-paused-phone", height=1500)
    guider.page.get_by_role("button", name="Go on").click()
    guider.sends_past(before + 10)

    guider.page.reload()
    assert guider.dialogs == ["beforeunload"]
    assert guider.page.evaluate("JSON.stringify([localStorage.length, sessionStorage.length])") == "[0,0]"
    [address] = unfinished(guider)
    arrived = depositor.offset(address)
    assert 0 < arrived < FILM_BYTES
    guider.visitor.looks("upload-unfinished-phone", height=1500)
    guider.chooses(film)
    guider.sends_past(100 * arrived // FILM_BYTES + 5)

    stage.served.kill()
    expect(guider.says).to_contain_text("Waiting for the internet", timeout=PATIENCE_MS)
    stage.served.start()
    now = guider.percent()
    guider.sends_past(now + 2)

    DemoClock(stage.served.clock).move(timedelta(hours=1))
    expect(guider.page.get_by_text("You have been signed out")).to_be_visible(timeout=PATIENCE_MS)
    guider.visitor.complaints.clear()
    guider.visitor.looks("upload-signed-out-phone", height=1500)
    back = again(stage.service.db, depositor.family.staff.guider)
    guider.signs_in(back)
    guider.page.get_by_role("button", name="Go on").click()
    guider.sends_past(guider.percent() + 2)
    guider.closes()

    DemoClock(stage.served.clock).move(timedelta(hours=20))
    depositor.client.headers["Cookie"] = f"{cookies.SESSION}={again(stage.service.db, back).token.reveal()}"
    assert arrived < depositor.offset(address) < FILM_BYTES
    copied = film.rename(tmp_path / "IMG_0412.mp4")
    desk = Guider(chromium, stage, depositor, **DESKTOP, device_scale_factor=1, is_mobile=False, has_touch=False)
    desk.signs_in(again(stage.service.db, back))
    desk.opens()
    assert unfinished(desk) == [address]
    desk.visitor.looks("upload-desktop", height=1500)
    desk.chooses(copied)
    desk.is_done()
    desk.visitor.looks("upload-here-desktop", height=1500)
    assert unfinished(desk) == []
    check_sealed(stage, depositor, copied.read_bytes(), upload_id=address.rsplit("/", 1)[1])
    desk.visitor.context.close()


def test_films_are_sent_one_after_the_other_and_what_is_none_is_said_without_stopping_the_rest(
    chromium: Browser, stage: Stage, depositor: Depositor, tmp_path: Path
) -> None:
    text, empty, large = tmp_path / "holiday.mp4", tmp_path / "empty.mp4", tmp_path / "large.mp4"
    text.write_bytes(b"ffconcat version 1.0\nfile '/etc/passwd'\n" * 30)
    empty.touch()
    with large.open("wb") as sparse:
        sparse.truncate(MOST_BYTES + 1)
    film = tmp_path / "kitchen.mp4"
    film.write_bytes(long_film(700_000))
    guider = Guider(chromium, stage, depositor)
    guider.opens()
    guider.page.get_by_role("button", name="Send film").click()
    expect(guider.page.locator("#film-error")).to_have_text("Error: Choose a film.", timeout=PATIENCE_MS)
    guider.visitor.looks("upload-none-chosen-phone")
    guider.chooses(text, empty, large, film)
    expect(guider.page.get_by_role("link", name="Show what is here")).to_be_visible(timeout=PATIENCE_MS)
    troubles = guider.page.locator("[data-trouble]:visible").all_inner_texts()
    assert [each.split(".")[0] for each in troubles] == [
        "This is not a film, so nothing of it was kept",
        "This film is empty",
        "This film is larger than 20 MB, the most that the service takes",
    ]
    guider.visitor.forgives("422")
    guider.visitor.looks("upload-several-phone", height=2200)
    guider.visitor.follows("Show what is here")
    check_sealed(stage, depositor, film.read_bytes())
    guider.closes()


def test_a_film_that_is_given_up_is_kept_nowhere(
    chromium: Browser, stage: Stage, depositor: Depositor, film: Path
) -> None:
    guider = Guider(chromium, stage, depositor, viewport={"width": 320, "height": 700})
    guider.opens()
    guider.is_slow()
    guider.chooses(film)
    guider.sends_past(15)
    guider.looks_while_it_moves("upload-sending-320")
    guider.page.get_by_role("button", name="Give it up: Kit at breakfast.mp4").click()
    expect(guider.says).to_contain_text("Nothing of this film was kept", timeout=PATIENCE_MS)
    expect(guider.page.get_by_role("button", name="Send film")).to_be_visible(timeout=PATIENCE_MS)
    guider.visitor.goes_to("/uploads")
    assert "Nothing is unfinished" in guider.visitor.reads()
    guider.visitor.looks("uploads-none-320")
    guider.closes()


def test_what_nobody_went_on_with_for_a_day_is_gone_and_begins_anew_only_when_it_is_chosen_again(
    chromium: Browser, stage: Stage, depositor: Depositor, tmp_path: Path
) -> None:
    film = tmp_path / "kitchen.mp4"
    film.write_bytes(long_film(3_000_000))
    guider = Guider(chromium, stage, depositor)
    guider.opens()
    guider.is_slow()
    guider.limit(200_000)
    guider.chooses(film)
    guider.sends_past(30)
    guider.page.reload()
    [address] = unfinished(guider)
    DemoClock(stage.served.clock).move(timedelta(hours=25))
    guider.signs_in(again(stage.service.db, depositor.family.staff.guider))
    guider.limit(-1)
    guider.chooses(film)
    expect(guider.page.locator("[data-trouble]")).to_contain_text(
        "What had arrived of this film was erased.", timeout=PATIENCE_MS
    )
    assert unfinished(guider) == []
    guider.visitor.forgives("410")
    guider.visitor.looks("upload-erased-phone", height=1500)
    guider.opens()
    assert unfinished(guider) == []
    assert "Nothing more of it came for 24 hours" in guider.visitor.reads()
    guider.visitor.looks("upload-lapsed-phone", height=1500)
    cookie = f"{cookies.SESSION}={again(stage.service.db, depositor.family.staff.guider).token.reveal()}"
    depositor.client.headers["Cookie"] = cookie
    assert depositor.head(address).status_code == 410
    assert code(depositor.patch(address, b"x", offset=1)) == (410, "upload_expired")
    guider.chooses(film)
    guider.is_done()
    check_sealed(stage, depositor, film.read_bytes())
    guider.closes()


def test_without_javascript_a_film_is_sent_in_one_go_and_what_is_wrong_is_said_in_words(
    chromium: Browser, stage: Stage, depositor: Depositor, tmp_path: Path
) -> None:
    guider = Guider(chromium, stage, depositor, java_script_enabled=False)
    text, large, film = tmp_path / "holiday.mp4", tmp_path / "large.mp4", tmp_path / "kitchen.mp4"
    text.write_bytes(b"ffconcat version 1.0\nfile '/etc/passwd'\n" * 30)
    with large.open("wb") as sparse:
        sparse.truncate(MOST_BYTES + 2**20)
    film.write_bytes(long_film(400_000))
    guider.opens()
    for chosen, sentence in (
        (None, "Choose a film."),
        (text, "This is not a film, so nothing of it was kept."),
        (large, "This film is larger than 20 MB, the most that the service takes."),
    ):
        if chosen:
            guider.page.get_by_label("Film from the phone").set_input_files(chosen)
        guider.visitor.presses("Send film")
        assert sentence in guider.visitor.reads()
        guider.visitor.complaints.clear()
        guider.visitor.looks(f"upload-without-javascript-{'wrong' if chosen else 'none'}-phone", height=1800)
    guider.page.get_by_label("Film from the phone").set_input_files(film)
    guider.visitor.presses("Send film")
    assert "All of the film is here. We are getting it ready." in guider.visitor.reads()
    guider.visitor.looks("upload-without-javascript-here-phone", height=1800)
    check_sealed(stage, depositor, film.read_bytes())
    guider.closes()
