"""The main job, step by step over HTTP, as the README tells it. Each step either holds or raises ``Unexpected``."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from app.demo.client import Browser, Tus, Unexpected, find, words_of
from app.demo.clock import DemoClock
from app.demo.film import make_second_film
from app.demo.people import StaffMember, activate, code_from
from app.demo.serving import Served

STAFF = {
    "manager": ("Morgan Reed", ["manager"]),
    "guider": ("Robin Hale", ["guider"]),
    "colleague": ("Kim Lowe", ["guider", "supervisor"]),
    "social_worker": ("Sam Okafor", ["social_worker"]),
    "officer": ("Alex Byrne", ["ig_officer"]),
    "second_officer": ("Jo Marsh", ["ig_officer"]),
    "chair": ("Pat Quinn", ["chair"]),
}
MOTHER, FATHER, CHILD, SIBLING = "Dana", "Lee", "Ava", "Noah"
CONTACTS = {MOTHER: "dana.home@example.org", FATHER: "lee.home@example.org"}
TITLE = "Ava reaches for the spoon"
NEUTRAL = "This clip is not available."
PREPARED_WITHIN_SECONDS = 240
DARK_WITHIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """A link, and the code that went to the person's own phone."""

    address: str
    code: str


@dataclass(slots=True)
class Story:
    """Everyone in the story and what they have made so far.

    Args:
        served: a fresh folder, nothing started yet.
        film: what the guider filmed.
    """

    served: Served
    film: Path
    staff: dict[str, StaffMember] = field(default_factory=dict)
    family: dict[str, Browser] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    case: str = ""
    visit: str = ""
    footage: str = ""
    clip: str = ""
    rendition: str = ""
    _opened: list[Browser] = field(default_factory=list)

    @property
    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """What happens, in order: a sentence, and what does it (which returns a remark)."""
        return [
            ("A store is made and the first administrator signs in", self.make_store),
            ("A manager opens a case; a guider with the family on their caseload is refused", self.open_case),
            ("The family agrees to be filmed", self.agree_to_filming),
            ("The guider deposits the film, through a lost signal and a power cut", self.deposit),
            ("The film is made ready in a sandbox", self.wait_until_ready),
            ("The guider cuts a clip to the frame and says who can be seen", self.cut),
            ("A colleague off the case checks who can be recognised", self.check),
            ("Guider and parents watch together", self.watch_together),
            ("The social worker sees nothing yet, not even the title", self.nothing_before_consent),
            ("The family is asked, each parent on their own phone", self.ask),
            ("Mother and father say yes, one question a page, each with a receipt", self.answer),
            ("The social worker watches, with seeking; a conference can't", self.watch),
            ("The father stops sharing while the social worker watches", self.withdraw),
            ("The clock moves on; what is due is shown, and the brake halts it", self.retain),
            ("A second look, the officer approves, keys are gone, certificates made", self.destroy),
            ("Every step is in the audit log, which an outsider can verify", self.audit),
        ]

    def make_store(self) -> str:
        """`vig-vault init`, `serve`, enrolment of everyone."""
        made = self.served.init(admin_name="Ash Administrator", admin_email="admin@example.org")
        self.served.start()
        administrator = self._member("Ash Administrator", "admin@example.org")
        administrator.enrol(made["enrolment"])
        self.staff["administrator"] = administrator
        for key, (name, roles) in STAFF.items():
            address = f"{key.replace('_', '.')}@example.org"
            page = administrator.browser.submit(
                "/accounts/new", {"name": name, "email": address, "roles": roles}, status=200
            )
            member = self._member(name, address)
            member.enrol(find(r"(http[^\s<\"]+/enrol/[^\s<\"]+)", page))
            self.staff[key] = member
        replayed = self.staff["guider"].browser.refused("/accounts")
        return f"{len(self.staff)} people, each with a second factor; a stranger's page answers {replayed[0]}"

    def open_case(self) -> str:
        """Referral, children, holders of parental responsibility, guider, social worker."""
        manager = self.staff["manager"].browser
        page = manager.page("/families/new")
        guider, worker, colleague = (_option(page, STAFF[key][0]) for key in ("guider", "social_worker", "colleague"))
        fields: dict[str, str | list[str]] = {
            "referrer": "social_worker",
            "status": "child_protection",
            "reference": "CP-1024",
            "child-0-name": CHILD,
            "child-0-born-day": "14",
            "child-0-born-month": "3",
            "child-0-born-year": "2024",
            "father-0": "listed",
            "child-1-name": SIBLING,
            "child-1-born-day": "2",
            "child-1-born-month": "9",
            "child-1-born-year": "2019",
            "father-1": "not_known",
            "child_index": "0",
            "adult-0-name": MOTHER,
            "adult-0-contact": CONTACTS[MOTHER],
            "adult-0-kind": "mother",
            "adult-0-child": ["0", "1"],
            "adult-1-name": FATHER,
            "adult-1-contact": CONTACTS[FATHER],
            "adult-1-kind": "father",
            "adult-1-child": ["0"],
            "social_worker": worker,
        }
        conflicted = fields | {"guider": guider, "on_caseload_of": [guider]}
        _expect(manager.submit("/families/new", conflicted, status=403), "caseload")
        where = manager.submit("/families/new", fields | {"guider": guider, "on_caseload_of": [worker]})
        self.case = find(r"/families/([0-9a-f]{32})", where)
        page = manager.page(f"/families/{self.case}")
        _expect(page, "asked, not known")
        _ = colleague
        return "conflict_of_interest, said with its reason; the missing father is “asked, not known”"

    def agree_to_filming(self) -> str:
        """One answer a person, on paper, the children's assent noted; then the visit."""
        guider = self.staff["guider"].browser
        path = f"/families/{self.case}/filming"
        page = guider.page(path)
        for name in (MOTHER, FATHER, CHILD, SIBLING):
            self.people[name] = _person(page, name)
        fields: dict[str, str | list[str]] = {"how": "paper", "reference": "binder 3, page 12"}
        for name in (MOTHER, FATHER, CHILD):
            fields[f"filming-{self.people[name]}"] = "yes"
        fields[f"assent-{self.people[CHILD]}"] = "too_young"
        guider.submit(path, fields)
        today = self._now().date()
        guider.submit(
            f"/families/{self.case}/visits/new",
            {
                "kind": "filming",
                "on-day": str(today.day),
                "on-month": str(today.month),
                "on-year": str(today.year),
                "present": [self.people[MOTHER], self.people[FATHER], self.people[CHILD]],
            },
        )
        page = guider.page(f"/families/{self.case}")
        self.visit = find(rf"/families/{self.case}/visits/([0-9a-f]{{32}})/upload", page)
        return "mother, father, child"

    def deposit(self) -> str:
        """tus, cut off, resumed, the server killed in the middle, resumed."""
        guider = self.staff["guider"]
        size = self.film.stat().st_size
        self._refuse_bad_deposits(guider.browser)
        upload = Tus(guider.browser, self.film)
        upload.create(self._uploads, {"filename": self.film.name, "filetype": _media_type(self.film)})
        first = upload.send(until=size // 3)
        wrong = upload.patch(b"x" * 10, offset=first + 1)
        if wrong.status_code != httpx.codes.CONFLICT or wrong.json()["code"] != "wrong_offset":
            raise Unexpected(wrong.text)
        guider.browser.close()
        guider.browser = self._again(guider.browser)
        upload = self._resumed(upload, guider.browser)
        second = upload.send(until=2 * size // 3)
        self.served.kill()
        self.served.start()
        survived = upload.offset()
        if survived != second:
            message = f"{second} bytes were acknowledged, {survived} survived the power cut"
            raise Unexpected(message)
        upload.send()
        self._deposit_second(guider.browser)
        if self._leaks():
            message = "bytes of the film lie on the disk in clear"
            raise Unexpected(message)
        return f"{size / 1e6:.1f} MB and an HEVC .mov; cut at {first}, killed at {second}, nothing lost or in clear"

    def wait_until_ready(self) -> str:
        """The durable job: assembled, sealed once, normalised with progress."""
        guider = self.staff["guider"].browser
        seen: list[str] = []
        page = self._family_page_when(r"(?s)/jobs/[0-9a-f]{32}.*/jobs/[0-9a-f]{32}|/footage/[0-9a-f]{32}")
        running = set(re.findall(r"/(?:jobs|footage)/([0-9a-f]{32})", page))
        end = time.monotonic() + PREPARED_WITHIN_SECONDS
        lengths: dict[str, int] = {}
        while len(lengths) < 2:  # noqa: PLR2004 - two films were deposited
            if time.monotonic() > end:
                message = "the films were not ready in time"
                raise Unexpected(message)
            for one in running - lengths.keys():
                state = guider.http.get(f"/jobs/{one}", headers={"Accept": "application/json"}).json()
                seen.append(f"{state['percent']} %")
                if state["state"] == "failed":
                    raise Unexpected(state["text"])
                if state["state"] == "done":
                    page = guider.page(f"/footage/{one}")
                    lengths[one] = int(find(r'data-frames="(\d+)"', page))
            time.sleep(0.5)
        self.footage = max(lengths, key=lambda one: lengths[one])
        return f"{' and '.join(map(str, lengths.values()))} frames; progress seen: {', '.join(dict.fromkeys(seen))}"

    def cut(self) -> str:
        """±1 frame: an end before its start is refused; a clip of an exact number of frames is made."""
        guider = self.staff["guider"].browser
        page = guider.page(f"/footage/{self.footage}")
        frames = int(find(r'data-frames="(\d+)"', page))
        first, last = frames // 8, frames // 8 + max(8, frames // 3)
        wrong = {"first_frame": str(last), "last_frame": str(first), "title": TITLE}
        code = guider.refused(f"/footage/{self.footage}", wrong)[1]
        where = guider.submit(
            f"/footage/{self.footage}",
            {"first_frame": str(first), "last_frame": str(last), "title": TITLE, "goals": ["Turn-taking"]},
        )
        self.clip = find(r"/clips/([0-9a-f]{32})", where)
        end = time.monotonic() + PREPARED_WITHIN_SECONDS
        while "data-progress=" in (page := guider.page(f"/clips/{self.clip}")):
            if time.monotonic() > end:
                raise Unexpected(words_of(page))
            time.sleep(0.3)
        shown = [self.people[name] for name in (MOTHER, FATHER, CHILD)]
        guider.submit(f"/clips/{self.clip}/persons", {"persons": shown})
        return f"frames {first} to {last}; an end before the start answers {code}"

    def check(self) -> str:
        """The author can't check; a colleague who has nothing else to do with the case can, and only this one."""
        guider, colleague = self.staff["guider"].browser, self.staff["colleague"].browser
        page = guider.page(f"/clips/{self.clip}")
        self_check = guider.refused(f"/clips/{self.clip}/check", {"checker": self._own_id(page)})
        guider.submit(f"/clips/{self.clip}/check", {"checker": _option(page, STAFF["colleague"][0])})
        page = colleague.page("/checks")
        self.rendition = find(r"/checks/([0-9a-f]{32})", page)
        page = colleague.page(f"/checks/{self.rendition}")
        everyone = [self.people[name] for name in (MOTHER, FATHER, CHILD)]
        passed: dict[str, str | list[str]] = {"persons": everyone, "remark": "", "decision": "pass"}
        not_watched = colleague.refused(f"/checks/{self.rendition}", passed)[1]
        colleague.http.get(find(r'data-film="([^"]+)"', page)).raise_for_status()
        colleague.submit(f"/checks/{self.rendition}", passed)
        return f"the author's own check answers {self_check[1]}, one without watching {not_watched}"

    def watch_together(self) -> str:
        """Shared review, before anybody is asked about anybody else."""
        guider = self.staff["guider"].browser
        served = self._read_some(guider, guider.page(f"/clips/{self.clip}/review"))
        return f"{served} bytes played"

    def nothing_before_consent(self) -> str:
        """Not in the list, and its address is a 404 like any other."""
        worker = self.staff["social_worker"].browser
        page = worker.page("/shared")
        if TITLE in page or self.rendition in page:
            message = "the title is shown"
            raise Unexpected(message)
        status, code = worker.refused(f"/watch/{self.rendition}")
        foreign, _ = worker.refused(f"/watch/{'0' * 32}")
        if status != foreign:
            message = f"a clip that isn't shared answers {status}, one that doesn't exist {foreign}"
            raise Unexpected(message)
        return f"{status} {code}, the same as for a clip that doesn't exist"

    def ask(self) -> str:
        """Invitations with two things, and the questions."""
        guider = self.staff["guider"].browser
        page = guider.page(f"/clips/{self.clip}")
        for value in re.findall(r'name="audience"[^>]*value="([^"]+)"', page):
            guider.submit(f"/clips/{self.clip}/ask", {"audience": value})
        used = ""
        for name in (MOTHER, FATHER):
            page = guider.submit(f"/families/{self.case}/invitations", {"person": self.people[name]}, status=200)
            link = find(r"(http[^\s<\"]+/invitation/[^\s<\"]+)", page)
            code = code_from(self.served.messages, to=CONTACTS[name])
            browser = self._browser()
            wrong = browser.refused(f"/invitation/{link.rsplit('/', 1)[1]}/activate", _activation("000000", code))
            activate(browser, link=link, code=code)
            self.family[name] = browser
            used = self._browser().refused(f"/invitation/{link.rsplit('/', 1)[1]}")[1]
        return f"a wrong code answers {wrong[1]}, a used link {used}"

    def answer(self) -> str:
        """Each parent answers each question; nothing is preselected."""
        receipts = 0
        for name in (MOTHER, FATHER):
            self._answer_all(self.family[name])
        for name in (MOTHER, FATHER):
            page = self.family[name].page(f"/your-clips/{self.rendition}")
            self._read_some(self.family[name], page)
            page = self.family[name].page(f"/your-clips/{self.rendition}/saved")
            for receipt in set(re.findall(r"/receipts/([0-9a-f]{32})", page)):
                response = self.family[name].http.get(f"/receipts/{receipt}.json")
                receipts += len(response.json()["services"]) > 0
        return f"{receipts} receipts, and each parent can watch at home"

    def watch(self) -> str:
        """In the list, playing, seeking; a range past the end; nothing for a conference."""
        worker = self.staff["social_worker"].browser
        page = worker.page("/shared")
        _expect(page, TITLE)
        page = worker.page(f"/watch/{self.rendition}")
        film = find(r'data-film="([^"]+)"', page)
        whole = int(worker.http.head(film).headers["content-length"])
        middle = worker.http.get(film, headers={"Range": f"bytes={whole // 2}-{whole // 2 + 99_999}"})
        beyond = worker.http.get(film, headers={"Range": f"bytes={whole}-"})
        if (middle.status_code, beyond.status_code) != (206, 416):
            message = f"ranges answered {middle.status_code} and {beyond.status_code}"
            raise Unexpected(message)
        manager, chair = self.staff["manager"].browser, self.staff["chair"].browser
        places = f"/families/{self.case}/staff"
        person = _option(manager.page(places), STAFF["chair"][0])
        manager.submit(places, {"staff": person, "role": "chair"})
        status, _ = chair.refused(f"/watch/{self.rendition}")
        if TITLE in chair.page("/shared"):
            message = "the chair sees the title"
            raise Unexpected(message)
        return f"{whole} bytes, seeking by range; for the conference's chair {status}"

    def withdraw(self) -> str:
        """One tap; the stream breaks off, the page is told, the mother's page says nothing."""
        worker, father, mother = self.staff["social_worker"].browser, self.family[FATHER], self.family[MOTHER]
        before = words_of(mother.page("/your-clips"))
        page = worker.page(f"/watch/{self.rendition}")
        events = find(r'data-events="([^"]+)"', page)
        listening = _Listener(worker, events)
        listening.wait_for("beat")
        own = father.page("/your-clips")
        stop = re.search(
            r'name="purpose" value="(social_worker)">\s*<input type="hidden" name="audience" value="([^"]+)"', own
        )
        if stop is None:
            raise Unexpected(words_of(own))
        begun = time.monotonic()
        father.submit(f"/your-clips/{self.rendition}/stop", {"purpose": stop.group(1), "audience": stop.group(2)})
        dark = listening.wait_for("dark") - begun
        film = find(r'data-film="([^"]+)"', page)
        status = worker.http.get(film, headers={"Accept": "application/json"}).status_code
        after = words_of(mother.page("/your-clips"))
        if status == httpx.codes.OK or after != before:
            message = "the film is still served, or the mother's page changed"
            raise Unexpected(message)
        worker.refused(f"/watch/{self.rendition}")
        if dark > DARK_WITHIN_SECONDS:
            message = f"dark only after {dark:.2f} s"
            raise Unexpected(message)
        return f"dark after {dark * 1000:.0f} ms; the mother's page shows no difference"

    def retain(self) -> str:
        """Sixty days later: the leap is not believed by itself, and a mass disposal isn't either."""
        DemoClock(self.served.clock).move(timedelta(days=60))
        officer = self.staff["officer"]
        officer.sign_in()
        page = officer.browser.page("/retention")
        _expect(page, "The time is right")
        why = find(r'data-label="Why">\s*([^<]+?)\s*<', page)
        status = self.served.command("clock", "show", check=False).returncode
        officer.browser.submit("/retention/accept-clock", {})
        officer.browser.submit("/retention/plan", {})
        _expect(officer.browser.page("/retention"), "A sweep has stopped and asks you")
        if "/certificates/" in officer.browser.page("/certificates").partition("<main")[2]:
            message = "something was destroyed before anybody approved"
            raise Unexpected(message)
        return f"“{why}”; `clock show` ended with {status} until the leap was accepted"

    def destroy(self) -> str:
        """Approve with a reason, see it done, look at a certificate."""
        officer = self.staff["officer"].browser
        page = officer.page("/retention")
        sweep = {"sweep": find(r'name="sweep" value="([0-9a-f]{32})"', page)}
        empty = officer.refused("/retention/approve", sweep | {"reason": ""})[1]
        officer.submit("/retention/approve", sweep | {"reason": "The visits' films have served their purpose."})
        end = time.monotonic() + PREPARED_WITHIN_SECONDS
        while True:
            found = set(re.findall(r"/certificates/([0-9a-f]{32})", officer.page("/certificates")))
            if len(found) == 2:  # noqa: PLR2004 - two films were deposited
                break
            if time.monotonic() > end:
                message = f"{len(found)} certificates"
                raise Unexpected(message)
            time.sleep(0.5)
        certificate = officer.http.get(f"/certificates/{found.pop()}.json").json()
        guider = self.staff["guider"]
        guider.sign_in()
        gone = guider.browser.refused(f"/footage/{self.footage}")[1]
        said = ", ".join(sorted(certificate))
        return f"without a reason {empty}; 2 certificates ({said}); the film's page answers {gone}"

    def audit(self) -> str:
        """The officer's search, the verifier, and a row edited by hand, which the verifier names."""
        officer = self.staff["officer"].browser
        for event in ("consent.granted", "consent.withdrawn", "viewing.begun", "key.destroyed"):
            page = officer.page(f"/audit?event={event}")
            if "No entries" in words_of(page):
                message = f"no {event} in the log"
                raise Unexpected(message)
        sound = self.served.command("audit", "verify", "--json", check=False)
        if sound.returncode:
            raise Unexpected(sound.stdout + sound.stderr)
        entries = json.loads(sound.stdout)["entries"]
        if not self.served.on_sqlite:
            return f"{entries} entries verified"
        copy = self.served.copy()
        edited = copy.edit_entry("consent.withdrawn")
        verdict = json.loads(copy.command("audit", "verify", "--json", check=False).stdout)
        if verdict["first_bad"] != edited:
            message = f"entry {edited} was edited, the verifier says {verdict['sentence']}"
            raise Unexpected(message)
        return f"{entries} entries verified; in a copy: {verdict['sentence']}"

    def close(self) -> None:
        """Close every browser."""
        for browser in self._opened:
            browser.close()

    def new_invitations(self) -> dict[str, NewInvitation]:
        """Fresh invitations for whoever looks around afterwards: the parents' devices were the demonstration's."""
        guider = self.staff["guider"]
        guider.sign_in()
        made = {}
        for name in (MOTHER, FATHER):
            page = guider.browser.submit(
                f"/families/{self.case}/invitations", {"person": self.people[name]}, status=200
            )
            link = find(r"(http[^\s<\"]+/invitation/[^\s<\"]+)", page)
            made[name] = NewInvitation(link, code_from(self.served.messages, to=CONTACTS[name]))
        return made

    @property
    def _uploads(self) -> str:
        return f"/cases/{self.case}/visits/{self.visit}/uploads"

    def _now(self) -> datetime:
        return DemoClock(self.served.clock).now().astimezone(UTC)

    def _browser(self) -> Browser:
        self._opened.append(Browser(self.served.origin))
        return self._opened[-1]

    def _member(self, name: str, address: str) -> StaffMember:
        return StaffMember(name, address, self._browser(), self._now)

    def _again(self, browser: Browser) -> Browser:
        fresh = self._browser()
        fresh.cookies.update(browser.cookies)
        return fresh

    def _resumed(self, upload: Tus, browser: Browser) -> Tus:
        again = Tus(browser, self.film)
        again.address = upload.address
        return again

    def _refuse_bad_deposits(self, guider: Browser) -> None:
        text = self.served.folder / "clip.mp4"
        text.write_text("#EXTM3U\nfile:///etc/passwd\n" * 40, encoding="ascii")
        wrong = Tus(guider, text)
        wrong.create(self._uploads, {"filename": "clip.mp4"})
        answer = wrong.patch(text.read_bytes(), offset=0)
        if answer.status_code != httpx.codes.UNPROCESSABLE_ENTITY or answer.json()["code"] != "not_a_film":
            raise Unexpected(answer.text)
        text.unlink()
        foreign = Tus(guider, self.film)
        foreign_case = f"/cases/{'0' * 32}/visits/{self.visit}/uploads"
        try:
            foreign.create(foreign_case, {})
        except Unexpected as refusal:
            if "not_found" in str(refusal):
                return
        message = "a deposit to another case was not refused as not found"
        raise Unexpected(message)

    def _deposit_second(self, guider: Browser) -> None:
        """Another film, by the plain form that works without JavaScript."""
        film = self.served.folder / "second.mov"
        make_second_film(film)
        path = f"/cases/{self.case}/visits/{self.visit}/film"
        with film.open("rb") as data:
            response = guider.http.post(path, files={"film": (film.name, data, "video/quicktime")})
        if response.status_code != httpx.codes.SEE_OTHER:
            raise Unexpected(words_of(response.text))

    def _leaks(self) -> bool:
        """Whether any 64 bytes out of the middle of the film lie anywhere in the store."""
        with self.film.open("rb") as film:
            film.seek(self.film.stat().st_size // 2)
            sample = film.read(64)
        return any(sample in path.read_bytes() for path in self.served.folder.rglob("*") if _is_stored(path))

    def _family_page_when(self, pattern: str) -> str:
        guider = self.staff["guider"].browser
        end = time.monotonic() + PREPARED_WITHIN_SECONDS
        while time.monotonic() < end:
            page = guider.page(f"/families/{self.case}")
            if re.search(pattern, page):
                return page
            time.sleep(0.3)
        raise Unexpected(words_of(page))

    def _own_id(self, _page: str) -> str:
        page = self.staff["manager"].browser.page("/families/new")
        return _option(page, STAFF["guider"][0])

    def _read_some(self, browser: Browser, page: str) -> int:
        film = find(r'data-film="([^"]+)"', page)
        response = browser.http.get(film, headers={"Range": "bytes=0-65535"})
        if response.status_code != httpx.codes.PARTIAL_CONTENT or b"ftyp" not in response.content[:32]:
            message = f"{film} answered {response.status_code}"
            raise Unexpected(message)
        return len(response.content)

    def _answer_all(self, browser: Browser) -> None:
        address = f"/your-clips/{self.rendition}/questions/1"
        while "/questions/" in address:
            page = browser.page(address)
            if " checked" in page:
                message = "an answer is preselected"
                raise Unexpected(message)
            version = find(r'name="version" value="(\d+)"', page)
            address = browser.submit(address, {"answer": "yes", "version": version})
        page = browser.page(address)
        browser.submit(address, {"version": find(r'name="version" value="(\d+)"', page)})


class _Listener:
    """Listens to a page's events in a thread, and knows when each kind came first."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._heard: dict[str, float] = {}
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._listen, args=(browser, address), daemon=True)
        self._thread.start()

    def wait_for(self, kind: str, *, seconds: float = 10) -> float:
        with self._news:
            if not self._news.wait_for(lambda: kind in self._heard, timeout=seconds):
                message = f"no event {kind}"
                raise Unexpected(message)
            return self._heard[kind]

    def _listen(self, browser: Browser, address: str) -> None:
        with browser.http.stream("GET", address, headers={"Accept": "text/event-stream"}) as response:
            for line in response.iter_lines():
                if line.startswith("event:"):
                    with self._news:
                        self._heard.setdefault(line.removeprefix("event:").strip(), time.monotonic())
                        self._news.notify_all()


def _activation(code: str, right: str) -> dict[str, str | list[str]]:
    wrong = code if code != right else "000001"
    return {"code": wrong, "passcode": "735102", "passcode_again": "735102"}


def _expect(page: str, words: str) -> None:
    if words.lower() not in words_of(page).lower():
        message = f"“{words}” isn't on the page: {' '.join(words_of(page).split())[:300]}"
        raise Unexpected(message)


def _option(page: str, name: str) -> str:
    return find(rf'<option value="([0-9a-f]{{32}})"[^>]*>\s*{re.escape(name)}', page)


def _person(page: str, name: str) -> str:
    return find(rf"filming-([0-9a-f]{{32}})(?:(?!filming-).)*?{re.escape(name)}", page.replace("\n", " "))


def _is_stored(path: Path) -> bool:
    return path.is_file() and path.suffix not in {".mp4", ".mov"}


def _media_type(film: Path) -> str:
    return "video/quicktime" if film.suffix.lower() == ".mov" else "video/mp4"
