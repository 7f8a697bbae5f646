"""A family's clip, from the phone it was filmed with to its end, by four kinds of people at real browsers.

The chapters belong together: each goes on where the one before stopped.
"""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.demo.clock import DemoClock
from app.demo.film import make_second_film
from app.demo.people import PASSCODE, code_from
from app.demo.scene import CHILD, CONTACTS, FATHER, MOTHER, NEUTRAL, STAFF, TITLE
from app.demo.story import Story
from tests.journeys.conftest import House
from tests.journeys.visitors import PHONE, Film, Visitor

pytestmark = pytest.mark.browser

WITHIN_SECONDS = 60
RATE = 25
FIRST, LAST = 30, 130
AS_LONG_AS_THE_CLIP = timedelta(seconds=10)
TALL = 4000
IN_THE_CLIP = (MOTHER, FATHER, CHILD)
WORKER = STAFF["social_worker"][0]
DARK_WITHIN_SECONDS = 3
"""The promise is one second, which the demonstration and the benchmark hold it to. A test that runs beside others on a
busy machine can't, so this is only the bound past which something other than the machine must be wrong."""


def test_a_manager_sees_the_family_and_who_speaks_for_whom(house: House) -> None:
    with house.chapter("opened"):
        manager = house.colleague("manager")
        manager.looks("manager-home")
        manager.follows("Families")
        manager.looks("families")
        manager.follows("Ava and Noah")
        assert "asked, not known" in manager.reads()
        manager.looks("family-manager", height=TALL)


def test_a_guider_sends_the_film_of_a_visit(house: House) -> None:
    with house.chapter("deposited", after="opened"):
        guider, story = house.colleague("guider"), house.story
        guider.looks("guider-home")
        _sends(guider, story.film, to=story)
        guider.presses(re.compile("^I have deleted it"))
        assert "Deleted from the phone" in guider.reads()
        guider.looks("family-before-cutting", height=TALL)


def test_a_guider_finds_the_moment_frame_by_frame_and_cuts_it_by_keyboard(house: House) -> None:
    with house.chapter("cut", after="deposited"):
        guider, story = house.colleague("guider"), house.story
        guider.goes_to(f"/families/{story.case}")
        guider.follows(re.compile("^Film of "))
        film = Film(guider.page)
        film.is_once("video.readyState >= 2")
        guider.page.get_by_label("Speed").select_option("0.25")
        guider.button("Play").click()
        film.is_once("video.currentTime > 0.1")
        assert film.says("video.playbackRate") == 0.25
        guider.button("Pause").click()
        position = guider.page.get_by_label("Position in the film")
        position.fill(str(FIRST - 1))
        guider.button("1 frame on").click()
        assert _frame_shown(film) == FIRST
        guider.button("1 frame back").click()
        assert _frame_shown(film) == FIRST - 1
        position.press(".")
        position.press("[")
        position.fill(str(LAST - 1))
        position.press("]")
        expect(guider.page.get_by_label("First frame")).to_have_value(str(FIRST))
        expect(guider.page.get_by_label("Ends before frame")).to_have_value(str(LAST))
        assert "Your clip is 4.0 seconds long" in guider.reads()
        position.fill("80")
        assert _frame_shown(film) == 80
        guider.types(Title=TITLE)
        guider.page.get_by_label("Turn-taking").check()
        guider.looks("guider-cutting", height=1210)
        guider.presses("Make this clip")
        story.clip = guider.where().split("/")[2].partition("?")[0]
        guider.page.get_by_text("1. Who can be seen?").wait_for(timeout=WITHIN_SECONDS * 1000)
        for name in IN_THE_CLIP:
            guider.page.get_by_label(name, exact=True).check()
        guider.presses("Save who can be seen")
        guider.looks("clip", height=TALL)


def test_a_colleague_off_the_case_looks_for_everyone_who_can_be_seen(house: House) -> None:
    with house.chapter("checked", after="cut"):
        guider, story = house.colleague("guider"), house.story
        guider.page.get_by_label("Who checks it?").select_option(label=STAFF["colleague"][0])
        guider.presses("Ask for the check")
        colleague = house.colleague("colleague")
        colleague.looks("colleague-home")
        colleague.goes_to("/checks")
        colleague.looks("checks")
        colleague.follows(TITLE)
        story.rendition = colleague.where().split("/")[2]
        Film(colleague.page).plays(past=0.2)
        for name in IN_THE_CLIP:
            colleague.page.get_by_label(name, exact=True).check()
        colleague.looks("check", height=TALL)
        DemoClock(story.served.clock).move(AS_LONG_AS_THE_CLIP)
        colleague.presses("Pass: nobody else can be seen")
        assert "No check is waiting for you." in colleague.reads()
        story.nothing_before_consent()


def test_a_guider_watches_it_with_the_family_and_asks_them(house: House) -> None:
    with house.chapter("asked", after="checked"):
        guider, story = house.colleague("guider"), house.story
        guider.goes_to(f"/clips/{story.clip}")
        guider.presses("Watch together")
        Film(guider.page).plays(past=0.2)
        guider.looks("watch-together")
        for who in (f"{WORKER}, social worker", f"{MOTHER}, at home on their own phone"):
            guider.goes_to(f"/clips/{story.clip}")
            guider.page.get_by_label(who).check()
            guider.presses("Ask them")
        guider.looks("clip-asked", height=TALL)
        guider.goes_to(f"/families/{story.case}")
        guider.looks("family-asked", height=TALL)


def test_a_mother_answers_one_question_a_page_on_her_phone_and_keeps_a_receipt(house: House) -> None:
    with house.chapter("mother answered", after="asked"):
        mother = _opens_the_invitation(house, MOTHER, device=PHONE)
        mother.looks("your-clips-before-phone", height=TALL)
        mother.follows(TITLE)
        assert NEUTRAL in mother.reads(), "the father is in it too, and hasn't said that she may watch it at home"
        mother.forgives("403")
        mother.looks("not-yet-phone")
        mother.goes_to("/your-clips")
        mother.taps(re.compile("^Answer [0-9]+ question"))
        while "/questions/" in mother.where():
            assert mother.page.locator("input:checked").count() == 0, "an answer is preselected"
            mother.looks("parent-question-phone", height=TALL)
            mother.page.get_by_label(re.compile("Yes, ")).check()
            mother.taps("Continue")
        mother.looks("check-answers-phone")
        mother.taps("Save my answers")
        assert f"You said yes for {WORKER}" in mother.reads()
        mother.looks("saved-phone")
        mother.follows(mother.page.locator("a[href^='/receipts/']"))
        mother.looks("receipt-phone", height=TALL)


def test_a_father_answers_the_same_with_javascript_switched_off(house: House) -> None:
    with house.chapter("answered", after="mother answered"):
        father = _opens_the_invitation(house, FATHER, device=PHONE | {"java_script_enabled": False})
        father.taps(re.compile("^Answer [0-9]+ question"))
        while "/questions/" in father.where():
            father.taps("Continue")
            assert "Choose yes or no" in father.reads(), "an answer was preselected"
            father.forgives("422")
            father.page.get_by_label(re.compile("Yes, ")).check()
            father.taps("Continue")
        father.taps("Save my answers")
        assert f"You said yes for {WORKER}" in father.reads()
        father.follows(father.page.locator("a[href^='/receipts/']"))
        assert "You said yes" in father.reads()
        father.looks("receipt-without-javascript-phone")
        state = father.context.storage_state()
        father.context.close()
        house.visitor(FATHER, device=PHONE | {"storage_state": state})


def test_a_social_workers_screen_goes_dark_when_the_father_taps_stop(house: House) -> None:
    with house.chapter("stopped", after="answered"):
        worker, father, mother = house.colleague("social_worker"), house.visitors[FATHER], house.visitors[MOTHER]
        worker.follows("Shared with me")
        worker.looks("shared")
        worker.follows(TITLE)
        film = Film(worker.page)
        film.plays(past=0.4)
        film.says("(video.currentTime = 2.5, true)")
        film.is_once("!video.seeking && video.currentTime > 2.6")
        worker.looks("social-worker-watching", height=1010)
        mother.goes_to("/your-clips")
        hers = mother.reads()
        mother.looks("your-clips-phone", height=TALL)
        father.goes_to("/your-clips")
        father.looks("fathers-clips-phone", height=TALL)
        _keep_playing(film)
        worker.page.evaluate(
            "document.addEventListener('vault:dark', () => { document.body.dataset.darkAt = Date.now(); })"
        )
        stop = father.button(f"Stop sharing with {WORKER}")
        begun = time.time()
        stop.tap()
        expect(worker.page.locator("[data-dark]")).to_have_text(NEUTRAL)
        took = worker.page.evaluate("Number(document.body.dataset.darkAt)") / 1000 - begun
        print(f"dark {took * 1000:.0f} ms after the tap")  # noqa: T201 - measured here, asserted in the demonstration
        assert took < DARK_WITHIN_SECONDS
        expect(worker.page.locator("video")).to_have_count(0)
        assert worker.reads().replace("Not available", "").strip() == NEUTRAL
        worker.forgives("net::ERR_")  # the film was cut off
        worker.looks("dark")
        worker.goes_to("/shared")
        assert TITLE not in worker.reads()
        worker.looks("shared-nothing")
        assert "You stopped it" in father.reads()
        father.looks("stopped-phone")
        mother.goes_to("/your-clips")
        assert mother.reads() == hers
        mother.follows(TITLE)
        Film(mother.page).plays(past=0.2)
        mother.looks("watching-at-home-phone")
        mother.goes_to("/who-watched")
        assert WORKER in mother.reads()
        mother.looks("who-watched-phone")


def test_an_officer_finds_the_withdrawal_and_sees_to_what_is_due(house: House) -> None:
    with house.chapter("ended", after="stopped"):
        guider, officer, story = house.colleague("guider"), house.colleague("officer"), house.story
        guider.goes_to(f"/families/{story.case}")
        guider.looks("family", height=2010)
        another = story.film.with_name("another.mov")
        make_second_film(another)
        _sends(guider, another, to=story)
        officer.looks("officer-home")
        officer.goes_to("/records")
        officer.looks("records", height=TALL)
        officer.goes_to("/holds")
        officer.looks("holds")
        officer.goes_to("/audit")
        officer.page.get_by_label("What", exact=True).select_option("consent.withdrawn")
        officer.presses("Search")
        assert FATHER in officer.reads()
        officer.looks("audit", height=TALL)
        officer.presses("Check the whole log")
        assert "Whole" in officer.reads()
        DemoClock(story.served.clock).move(timedelta(days=60))
        house.leaves("officer")
        officer = house.colleague("officer")
        officer.goes_to("/retention")
        officer.looks("retention-leap", height=TALL)
        officer.presses("The time is right")
        officer.presses("Plan a sweep now")
        assert "A sweep has stopped and asks you" in officer.reads()
        officer.looks("retention", height=TALL)
        officer.goes_to("/certificates")
        assert "Nothing has been destroyed yet." in officer.reads()
        officer.goes_to("/retention")
        officer.types(**{"Why is it right?": "The visit's film has served its purpose."})
        officer.presses("Approve this sweep")
        certificate = officer.page.locator("main a[href^='/certificates/']")
        for _ in range(WITHIN_SECONDS):
            officer.goes_to("/certificates")
            if certificate.count():
                break
            officer.page.wait_for_timeout(1000)
        officer.looks("certificates")
        officer.follows(certificate)
        officer.looks("certificate", height=TALL)


def _sends(guider: Visitor, film: Path, *, to: Story) -> None:
    """The guider adds a film to the visit, and stays at its page until it is ready."""
    guider.goes_to(f"/families/{to.case}")
    guider.follows(re.compile("^Add film"))
    guider.looks("upload")
    guider.page.get_by_label("Film from the phone").set_input_files(film)
    guider.button("Send film").click()
    guider.page.wait_for_url("**/upload?saved=film")
    safe = guider.page.get_by_text("It is safe here. Now delete it from the phone.")
    expect(safe).to_be_visible(timeout=WITHIN_SECONDS * 1000)


def _opens_the_invitation(house: House, name: str, *, device: dict[str, object]) -> Visitor:
    """The guider invites somebody, whose own phone gets the code; the link is opened there and a passcode chosen."""
    guider, story = house.colleague("guider"), house.story
    guider.goes_to(f"/families/{story.case}")
    guider.presses(f"Invite {name}")
    guider.looks(f"invited-{name.lower()}")
    link = guider.page.locator(".vault-code").inner_text()
    person = house.visitor(name, device=device)
    person.goes_to(link.removeprefix(story.served.origin))
    person.looks(f"invitation-{name.lower()}-phone")
    person.taps("Start")
    person.looks(f"activate-{name.lower()}-phone")
    code = code_from(story.served.messages, to=CONTACTS[name])
    person.types(Your_code=code, Choose_a_passcode=PASSCODE, The_same_passcode_again=PASSCODE)
    person.taps("Continue")
    return person


def _frame_shown(film: Film) -> int:
    film.is_once("!video.seeking && video.paused")
    return int(film.says(f"Math.floor(video.currentTime * {RATE})"))


def _keep_playing(film: Film) -> None:
    film.says("(video.loop = true, video.paused && video.play(), true)")
    film.is_once("!video.paused")
