"""A clip with somebody in it who isn't to be seen: blurred, sent back, mended, passed, and watched at home.

The chapters belong together: each goes on where the one before stopped.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.demo.people import PASSCODE, code_from
from app.demo.scene import CHILD, CONTACTS, MOTHER, STAFF
from tests.journeys.conftest import House
from tests.journeys.keys import Keys
from tests.journeys.visitors import DESKTOP, PHONE, TABLET, Film, Visitor
from tests.media.visitors import RATE, WIDTH, film, pictures
from tests.media.visitors import Visitor as Face

pytestmark = pytest.mark.browser

WITHIN_SECONDS = 90
FRAMES, COMES = 100, 25
FIRST, LAST = 10, 90
TALL = 4000
WITHOUT_SCRIPTS = "without scripts"
BEFORE, AFTER = "[data-beside] video >> nth=0", "[data-after] video"
TITLE = "Ava looks up"
NOTE = "The one on the right is seen for a moment at the end."
STAYS = Face(at=lambda frame: (60 + frame / 4, 120.0), size=200)
BYSTANDER = Face(at=lambda frame: (380 - frame / 4, 90.0) if frame >= COMES else None, size=180)


@pytest.fixture(scope="module")
def phone_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A child, and somebody who comes in."""
    phone: Path = tmp_path_factory.mktemp("blur") / "phone.mp4"
    phone.write_bytes(film(pictures(STAYS, BYSTANDER, frames=FRAMES)))
    return phone


def test_a_guider_cuts_a_clip_in_which_somebody_comes_in(house: House) -> None:
    with house.chapter("cut"):
        guider, story = house.colleague("guider"), house.story
        guider.goes_to(f"/families/{story.case}")
        guider.follows(re.compile("^Add film"))
        guider.page.get_by_label("Film from the phone").set_input_files(story.film)
        guider.button("Send film").click()
        guider.page.wait_for_url("**/upload?saved=film")
        _is_seen(guider.page, "It is safe here. Now delete it from the phone.")
        guider.goes_to(f"/families/{story.case}")
        guider.follows(re.compile("^Film of "))
        guider.types(First_frame=str(FIRST), Ends_before_frame=str(LAST), Title=TITLE)
        guider.presses("Make this clip")
        story.clip = guider.where().split("/")[2].partition("?")[0]
        _is_seen(guider.page, "1. Who can be seen?")
        guider.looks("clip-before-blurring", height=TALL)


def test_a_guider_says_with_keys_alone_who_stays_visible(house: House) -> None:
    with house.chapter("chosen", after="cut"):
        guider = house.colleague("guider")
        keys = Keys(guider.page)
        guider.follows("Blur people")
        guider.looks("blur-before", height=TALL)
        keys.presses("Look for faces")
        _is_seen(guider.page, "Who stays visible?")
        Film(guider.page).is_once("video.readyState >= 2")
        people = guider.page.locator("[data-person]")
        expect(people).to_have_count(2)
        assert "Everyone is blurred in every frame, unless you say who they are." in guider.reads()
        keys.reaches(guider.page.locator("[data-position]"))
        keys.types(*["PageUp"] * 5)
        Film(guider.page, of=BEFORE).is_once(_at(40))
        expect(guider.page.locator(".vault-face")).to_have_count(2)
        guider.looks("blur-nobody-chosen", height=TALL)
        keys.reaches(guider.page.locator(".vault-face").first)
        keys.types("Enter")
        kept = guider.page.locator("#person-1")
        assert kept.locator(":focus").count() == 1
        keys.presses(f"{CHILD} is person 1")
        _said(guider.page, "Saved.")
        expect(kept.get_by_text("Visible", exact=True)).to_be_visible()
        keys.presses("Undo")
        expect(kept.get_by_text("Blurred", exact=True)).to_be_visible()
        keys.presses("Redo")
        expect(kept.get_by_text("Visible", exact=True)).to_be_visible()


def test_a_guider_merges_and_parts_people_with_keys_alone(house: House) -> None:
    with house.chapter("parted", after="chosen"):
        page = house.colleague("guider").page
        keys, people = Keys(page), page.locator("[data-person]")
        for number in (1, 2):
            keys.reaches(page.get_by_label(f"Person {number}", exact=True))
            keys.types("Space")
        keys.presses("One person, blurred")
        expect(people).to_have_count(1)
        assert page.locator("#people:focus").count() == 1, "what had the focus is gone: it goes to the heading"
        keys.presses("Undo")
        expect(people).to_have_count(2)
        keys.reaches(page.locator("#person-2 summary"))
        keys.types("Enter")
        keys.reaches(page.locator("#from-2"))
        assert page.locator("#from-2").input_value() == "40"
        keys.types("Enter")
        expect(people).to_have_count(3)
        assert page.locator("#person-2:focus").count() == 1
        keys.presses("Undo")
        expect(people).to_have_count(2)


def test_two_windows_cannot_overwrite_each_other(house: House) -> None:
    with house.chapter("two windows", after="parted"):
        guider = house.colleague("guider")
        other = guider.context.new_page()
        other.goto(guider.where())
        guider.page.get_by_role("button", name="Use one solid colour").click()
        expect(guider.page.get_by_text("Now: one solid colour.")).to_be_visible()
        other.get_by_role("button", name="Undo").click()
        expect(other.locator("[data-problem]")).to_contain_text("These choices were changed in another window.")
        expect(other.get_by_text("Now: one solid colour.")).to_be_visible()
        other.close()
        guider.forgives("409")
        guider.button("Undo").click()
        expect(guider.page.get_by_text("Now: a strong blur.")).to_be_visible()
        guider.button("Use boxes").click()
        expect(guider.page.get_by_text("Now: boxes over heads.")).to_be_visible()
        guider.button("Use round covers").click()
        expect(guider.page.get_by_text("Now: round covers over heads.")).to_be_visible()


def test_a_cover_is_drawn_with_a_pointer_and_with_keys(house: House) -> None:
    with house.chapter("drawn", after="two windows"):
        guider = house.colleague("guider")
        page, keys = guider.page, Keys(guider.page)
        _jumps(page, 5)
        guider.button("Draw a cover").click()
        overlay = page.locator(".vault-overlay").bounding_box()
        assert overlay
        page.mouse.move(overlay["x"] + overlay["width"] * 0.7, overlay["y"] + overlay["height"] * 0.1)
        page.mouse.down()
        page.mouse.move(overlay["x"] + overlay["width"] * 0.9, overlay["y"] + overlay["height"] * 0.3, steps=4)
        page.mouse.up()
        guider.looks("blur-drawing", height=TALL)
        guider.button("Save this cover").click()
        cover = page.locator("[data-region='1']")
        expect(cover).to_contain_text("It is there only in that frame")
        _jumps(page, 50)
        keys.presses(re.compile("^Place it in this frame"))
        keys.types("ArrowLeft", "ArrowDown", "Shift+ArrowRight", "Enter")
        expect(cover).to_contain_text("It moves evenly in between.")
        keys.presses("Draw a cover")
        keys.types("ArrowUp", "Escape")
        assert page.locator("#draw:focus").count() == 1
        keys.presses("Draw a cover")
        keys.types("ArrowUp", "Shift+ArrowLeft")
        keys.presses("Save this cover")
        expect(page.locator("[data-region='2']")).to_contain_text("It is there only in that frame")
        keys.presses("Undo")
        expect(page.locator("[data-region='2']")).to_have_count(0)
        keys.writes(page.get_by_label("From frame", exact=True), "10")
        keys.presses(re.compile("^This one.*up to frame"), key="Space")
        keys.presses("Silence this")
        expect(page.get_by_text("Silent from")).to_be_visible()


def test_what_is_made_shows_the_child_and_nobody_else(house: House) -> None:
    with house.chapter("made", after="drawn"):
        guider = house.colleague("guider")
        keys = Keys(guider.page)
        keys.writes(guider.page.get_by_label("Why are people blurred?"), "A visitor came in")
        with guider.page.expect_navigation():
            keys.presses("Make the blurred version")
        guider.looks("blur-making", height=TALL)
        guider.page.locator(AFTER).wait_for(timeout=WITHIN_SECONDS * 1000)
        _jumps(guider.page, 60)
        Film(guider.page, of=AFTER).is_once(_at(60))
        _is_covered(Film(guider.page, of=AFTER), frame=60 + FIRST)  # before axe holds the page up: it may go dark by it
        guider.looks("blur-made", height=TALL)
        guider.looks("blur-side-by-side", height=900)
        state = guider.context.storage_state()
        other = house.visitor("guider on a tablet", device=TABLET | {"storage_state": state})
        other.goes_to(guider.where().partition("?")[0])
        Film(other.page, of=BEFORE).is_once("video.readyState >= 2")
        other.button("Next moment").tap()
        Film(other.page, of=AFTER).is_once("!video.seeking && video.readyState >= 2 && video.currentTime > 0.3")
        other.looks("blur-tablet", height=TALL)
        house.leaves("guider on a tablet")


def test_a_colleague_looks_where_it_may_be_wrong_and_sends_it_back(house: House) -> None:
    with house.chapter("sent back", after="made"):
        guider, story = house.colleague("guider"), house.story
        guider.goes_to(f"/clips/{story.clip}")
        assert "This is the blurred version" in guider.reads()
        assert guider.page.get_by_label(CHILD, exact=True).is_checked()
        assert not guider.page.get_by_label(MOTHER, exact=True).is_checked()
        _asks_colleague(guider)
        guider.looks("clip-blurred", height=TALL)
        colleague = house.colleague("colleague")
        colleague.goes_to("/checks")
        colleague.follows(TITLE)
        story.rendition = colleague.where().split("/")[2]
        Film(colleague.page).is_once("video.readyState >= 2")
        keys = Keys(colleague.page)
        keys.presses("Next moment")
        _is_seen(colleague.page, "Moment 1 of 1: Person 2 appears.")
        at = int(colleague.page.locator("[data-position]").input_value())
        assert abs(at - (COMES - FIRST)) <= 3, "the first moment is when somebody comes in"
        colleague.looks("check-blurred", height=TALL)
        keys.types("Tab", ".", ".", ",")
        keys.writes(colleague.page.get_by_label("If you send it back: why?"), NOTE)
        with colleague.page.expect_navigation():
            keys.presses("Send back")
        colleague.goes_to("/checks")
        assert "No check is waiting for you." in colleague.reads()


def test_its_author_cannot_pass_their_own(house: House) -> None:
    with house.chapter("not by its author", after="sent back"):
        guider, story = house.colleague("guider"), house.story
        guider.goes_to(f"/clips/{story.clip}/blur")
        assert NOTE in guider.reads(), "why it came back stands where it is mended"
        guider.goes_to(f"/clips/{story.clip}")
        assert NOTE in guider.reads()
        names = guider.page.get_by_label("Who checks it?").locator("option").all_inner_texts()
        assert STAFF["guider"][0] not in names
        _asks_colleague(guider)
        answer = guider.page.goto(f"/checks/{story.rendition}")
        assert answer
        assert answer.status == 404
        refused = guider.context.request.post(
            f"/checks/{story.rendition}",
            form={"decision": "pass", "persons": story.people[CHILD]},
            headers={"Origin": story.served.origin},
        )
        assert refused.status == 404
        guider.forgives("404")


def test_without_javascript_the_guider_mends_it_and_asks_again(house: House) -> None:
    with house.chapter("mended", after="not by its author"):
        story = house.story
        guider = _without_scripts(house, "guider")
        guider.goes_to(f"/clips/{story.clip}/blur")
        guider.presses(f"Blur {CHILD}, person 1")
        assert "Nobody stays visible." in guider.reads()
        guider.presses(f"{CHILD} is person 1")
        guider.presses("Use one solid colour")
        guider.presses("Use boxes")
        guider.types(From_frame="30", Up_to_frame="40")
        guider.presses("Silence this")
        said = guider.reads()
        assert f"Visible: {CHILD} (person 1)" in said
        assert "Silent from 0:01.20 to 0:01.60" in said
        assert "Now: one solid colour." in said
        assert "Now: boxes over heads." in said
        guider.looks("blur-without-scripts", height=TALL)
        guider.presses("Make the blurred version")
        progress = guider.page.locator("progress")
        for _ in range(WITHIN_SECONDS):
            if not progress.count():
                break
            guider.page.wait_for_timeout(1000)
            guider.goes_to(f"/clips/{story.clip}/blur")
        expect(progress).to_have_count(0)
        guider.goes_to(f"/clips/{story.clip}")
        assert "has been asked" not in guider.reads(), "the check of the former version goes on"
        _asks_colleague(guider)
        house.leaves(WITHOUT_SCRIPTS)


def test_the_colleague_watches_all_of_it_and_passes_it_by_a_plain_form(house: House) -> None:
    with house.chapter("passed", after="mended"):
        story, plain = house.story, _without_scripts(house, "colleague")
        plain.goes_to("/checks")
        plain.follows(TITLE)
        assert plain.where().split("/")[2] != story.rendition
        story.rendition = plain.where().split("/")[2]
        assert "You can watch only with JavaScript switched on." in plain.reads()
        plain.page.get_by_label(CHILD, exact=True).check()
        plain.presses("Pass: nobody else can be seen")
        assert "Watch the clip to its end first, at its normal speed." in plain.reads()
        plain.forgives("409")
        colleague = house.colleague("colleague")
        colleague.goes_to(f"/checks/{story.rendition}")
        seen = Film(colleague.page)
        seen.plays(past=0.2)
        seen.is_once("video.ended")
        keys = Keys(plain.page)
        keys.reaches(plain.page.get_by_label(CHILD, exact=True))
        if not plain.page.get_by_label(CHILD, exact=True).is_checked():
            keys.types("Space")
        with plain.page.expect_navigation():
            keys.presses("Pass: nobody else can be seen")
        assert "No check is waiting for you." in plain.reads()
        house.leaves(WITHOUT_SCRIPTS)


def test_a_mother_watches_the_blurred_version_at_home(house: House) -> None:
    with house.chapter("watched", after="passed"):
        guider, story = house.colleague("guider"), house.story
        guider.goes_to(f"/clips/{story.clip}")
        _is_accounted_for(guider.page)
        worker = f"{STAFF['social_worker'][0]}, social worker"
        guider.page.get_by_label(worker).check()
        guider.presses("Ask them")
        assert "Nobody could be asked yet." in guider.reads()  # only the child is in it
        guider.forgives("409")
        guider.presses(re.compile(f"^It is safe to ask.*{MOTHER}"))
        guider.page.get_by_label(worker).check()
        guider.presses("Ask them")
        mother = _opens_the_invitation(house)
        assert "Some people in it are blurred." in mother.reads()
        mother.taps(re.compile("^Answer [0-9]+ question"))
        mother.follows("Watch the clip first")
        assert story.rendition in mother.where()
        seen = Film(mother.page)
        seen.plays(past=0.2)
        seen.says(f"(video.pause(), video.currentTime = {60.5 / RATE}, true)")
        seen.is_once(_at(60))
        _is_covered(seen, frame=60 + FIRST)
        assert f"You can see {CHILD}. Other people are blurred." in mother.reads()
        mother.looks("blurred-at-home-phone")


def _is_accounted_for(page: Page) -> None:
    """The page leads to a statement which film this was made of, that only hashes and numbers stand in."""
    link = page.get_by_role("link", name="Proof of which film it was made from")
    answer = page.request.get(link.evaluate("link => link.href"))
    assert answer.ok
    assert "attachment" in answer.headers["content-disposition"]
    statement = answer.json()
    assert statement["manifest_sha256"] == sha256(statement["manifest"].encode()).hexdigest()
    assert statement["audit"]["proof"]
    assert not [name for name in (CHILD, MOTHER, TITLE) if name in answer.text()]


def _is_covered(seen: Film, *, frame: int) -> None:
    """The child's face has its detail, and the other's has none: looked at in the picture that the browser shows."""
    kept, hidden = STAYS.face(frame), BYSTANDER.face(frame)
    assert kept
    assert hidden
    found = [
        seen.video.evaluate(
            """(video, [x, y, width, height, whole]) => {
                const canvas = document.createElement("canvas");
                canvas.width = whole;
                canvas.height = Math.round(whole * video.videoHeight / video.videoWidth);
                const brush = canvas.getContext("2d");
                brush.drawImage(video, 0, 0, canvas.width, canvas.height);
                const { data } = brush.getImageData(x, y, width, height);
                let sum = 0;
                for (let at = 0; at + 4 < data.length; at += 4) sum += Math.abs(data[at] - data[at + 4]);
                return sum / (data.length / 4);
            }""",
            [face.x, face.y, face.width, face.height, WIDTH],
        )
        for face in (kept, hidden)
    ]
    assert found[0] > 3 * found[1], f"detail of the face that stays, and of the one that doesn't: {found}"


def _without_scripts(house: House, role: str) -> Visitor:
    """The same person, signed in already, in a browser that runs no script."""
    state = house.colleague(role).context.storage_state()
    return house.visitor(WITHOUT_SCRIPTS, device=DESKTOP | {"java_script_enabled": False, "storage_state": state})


def _asks_colleague(guider: Visitor) -> None:
    guider.page.get_by_label("Who checks it?").select_option(label=STAFF["colleague"][0])
    guider.presses("Ask for the check")


def _jumps(page: Page, frame: int) -> None:
    page.locator("[data-position]").fill(str(frame))
    Film(page, of=BEFORE).is_once(_at(frame))


def _at(frame: int) -> str:
    """That a frame of the clip is the one that is shown: sought, decoded, and not its neighbour."""
    where = f"Math.abs(video.currentTime - {(frame + 0.5) / RATE}) < {0.4 / RATE}"
    return f"!video.seeking && video.readyState >= 2 && {where}"


def _said(page: Page, words: str) -> None:
    expect(page.locator("[data-said]")).to_have_text(words)


def _is_seen(page: Page, words: str) -> None:
    page.get_by_text(words).first.wait_for(timeout=WITHIN_SECONDS * 1000)


def _opens_the_invitation(house: House) -> Visitor:
    guider, story = house.colleague("guider"), house.story
    guider.goes_to(f"/families/{story.case}")
    guider.presses(f"Invite {MOTHER}")
    link = guider.page.locator(".vault-code").inner_text()
    mother = house.visitor(MOTHER, device=PHONE)
    mother.goes_to(link.removeprefix(story.served.origin))
    mother.taps("Start")
    code = code_from(story.served.messages, to=CONTACTS[MOTHER])
    mother.types(Your_code=code, Choose_a_passcode=PASSCODE, The_same_passcode_again=PASSCODE)
    mother.taps("Continue")
    return mother
