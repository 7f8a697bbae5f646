"""The first chapter: a store, a case, a film that arrives through a lost signal and a power cut, a clip."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx

from app.demo.client import Browser, Tus, Unexpected, find, words_of
from app.demo.film import make_second_film
from app.demo.scene import (
    FILMS,
    PREPARED_WITHIN_SECONDS,
    STAFF,
    Scene,
    expect,
    option,
    person_on,
)

_TRUNCATED = "A part of this film is missing."


class Opening(Scene):
    """From an empty folder to a clip."""

    __slots__ = ()

    def make_store(self) -> str:
        """`vig-vault init`, `serve`, enrolment of everyone."""
        made = self.served.init(admin_name="Ash Administrator", admin_email="admin@example.org")
        self.served.start()
        administrator = self.member("Ash Administrator", "admin@example.org")
        administrator.enrol(made["enrolment"])
        self.staff["administrator"] = administrator
        for key, (name, roles) in STAFF.items():
            address = f"{key.replace('_', '.')}@example.org"
            page = administrator.browser.submit(
                "/accounts/new", {"name": name, "email": address, "roles": roles}, status=200
            )
            member = self.member(name, address)
            member.enrol(find(r"(http[^\s<\"]+/enrol/[^\s<\"]+)", page))
            self.staff[key] = member
        replayed = self.staff["guider"].browser.refused("/accounts")
        return f"{len(self.staff)} people, each with a second factor; a stranger's page answers {replayed[0]}"

    def open_case(self) -> str:
        """Referral, children, holders of parental responsibility, guider, social worker."""
        manager = self.staff["manager"].browser
        page = manager.page("/families/new")
        guider, worker = (option(page, STAFF[key][0]) for key in ("guider", "social_worker"))
        fields: dict[str, str | list[str]] = {
            "referrer": "social_worker",
            "status": "child_protection",
            "reference": self.cast.reference,
            "child-0-name": self.cast.child,
            "child-0-born-day": "14",
            "child-0-born-month": "3",
            "child-0-born-year": "2024",
            "father-0": "listed",
            "child-1-name": self.cast.sibling,
            "child-1-born-day": "2",
            "child-1-born-month": "9",
            "child-1-born-year": "2019",
            "father-1": "not_known",
            "child_index": "0",
            "adult-0-name": self.cast.mother,
            "adult-0-contact": self.cast.contacts[self.cast.mother],
            "adult-0-kind": "mother",
            "adult-0-child": ["0", "1"],
            "adult-1-name": self.cast.father,
            "adult-1-contact": self.cast.contacts[self.cast.father],
            "adult-1-kind": "father",
            "adult-1-child": ["0"],
            "social_worker": worker,
        }
        conflicted = fields | {"guider": guider, "on_caseload_of": [guider]}
        expect(manager.submit("/families/new", conflicted, status=403), "caseload")
        where = manager.submit("/families/new", fields | {"guider": guider, "on_caseload_of": [worker]})
        self.case = find(r"/families/([0-9a-f]{32})", where)
        page = manager.page(f"/families/{self.case}")
        expect(page, "asked, not known")
        return "conflict_of_interest, said with its reason; the missing father is “asked, not known”"

    def agree_to_filming(self) -> str:
        """One answer a person, on paper, the children's assent noted; then the visit."""
        guider = self.staff["guider"].browser
        path = f"/families/{self.case}/filming"
        page = guider.page(path)
        for name in (self.cast.mother, self.cast.father, self.cast.child, self.cast.sibling):
            self.people[name] = person_on(page, name)
        fields: dict[str, str | list[str]] = {"how": "paper", "reference": self.cast.paper}
        for name in self.cast.shown:
            fields[f"filming-{self.people[name]}"] = "yes"
        fields[f"assent-{self.people[self.cast.child]}"] = "too_young"
        guider.submit(path, fields)
        today = self.now().date()
        guider.submit(
            f"/families/{self.case}/visits/new",
            {
                "kind": "filming",
                "on-day": str(today.day),
                "on-month": str(today.month),
                "on-year": str(today.year),
                "present": [self.people[self.cast.mother], self.people[self.cast.father], self.people[self.cast.child]],
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
        upload.create(self.uploads, {"filename": self.film.name, "filetype": _media_type(self.film)})
        first = upload.send(until=size // 3)
        wrong = upload.patch(b"x" * 10, offset=first + 1)
        if wrong.status_code != httpx.codes.CONFLICT or wrong.json()["code"] != "wrong_offset":
            raise Unexpected(wrong.text)
        guider.browser.close()
        guider.browser = self.again(guider.browser)
        upload = self._resumed(upload, guider.browser)
        second = upload.send(until=2 * size // 3)
        self.served.kill()
        self.served.start()
        survived = upload.offset()
        if survived != second:
            message = f"{second} bytes were acknowledged, {survived} survived the power cut"
            raise Unexpected(message)
        upload.send()
        self._deposit_others(guider.browser)
        if self._leaks():
            message = "bytes of the film lie on the disk in clear"
            raise Unexpected(message)
        return f"{size / 1e6:.1f} MB and an HEVC .mov; cut at {first}, killed at {second}, nothing lost or in clear"

    def wait_until_ready(self) -> str:
        """The durable job: assembled, sealed once, normalised with progress."""
        guider = self.staff["guider"].browser
        seen: list[str] = []
        page = self.family_page_when(r"(?s)/jobs/[0-9a-f]{32}.*/jobs/[0-9a-f]{32}|/footage/[0-9a-f]{32}")
        running = set(re.findall(r"/(?:jobs|footage)/([0-9a-f]{32})", page))
        end = time.monotonic() + PREPARED_WITHIN_SECONDS
        lengths: dict[str, int] = {}
        refused = ""
        while len(lengths) < FILMS or not refused:
            if time.monotonic() > end:
                message = "the films were not ready in time"
                raise Unexpected(message)
            for one in running - lengths.keys():
                state = guider.http.get(f"/jobs/{one}", headers={"Accept": "application/json"}).json()
                seen.append(f"{state['percent']} %")
                if state["state"] == "failed" and _TRUNCATED not in state["text"]:
                    raise Unexpected(state["text"])
                if state["state"] == "done":
                    page = guider.page(f"/footage/{one}")
                    lengths[one] = int(find(r'data-frames="(\d+)"', page))
            page = guider.page(f"/families/{self.case}")
            running |= set(re.findall(r"/(?:jobs|footage)/([0-9a-f]{32})", page))
            refused = _TRUNCATED if _TRUNCATED in words_of(page) else ""
            time.sleep(0.5)
        self.footage = max(lengths, key=lambda one: lengths[one])
        frames = " and ".join(map(str, lengths.values()))
        return f"{frames} frames; progress {', '.join(dict.fromkeys(seen))}; of half a film it says “{refused}”"

    def cut(self) -> str:
        """±1 frame: an end before its start is refused; a clip of an exact number of frames is made."""
        guider = self.staff["guider"].browser
        page = guider.page(f"/footage/{self.footage}")
        frames = int(find(r'data-frames="(\d+)"', page))
        first, last = frames // 8, frames // 8 + max(8, frames // 3)
        title, goals = self.cast.title, list(self.cast.goals)
        wrong = {"first_frame": str(last), "last_frame": str(first), "title": title}
        code = guider.refused(f"/footage/{self.footage}", wrong)[1]
        where = guider.submit(
            f"/footage/{self.footage}",
            {
                "first_frame": str(first),
                "last_frame": str(last),
                "title": title,
                "goals": goals,
            },
        )
        self.clip = find(r"/clips/([0-9a-f]{32})", where)
        end = time.monotonic() + PREPARED_WITHIN_SECONDS
        while "data-progress=" in (page := guider.page(f"/clips/{self.clip}")):
            if time.monotonic() > end:
                raise Unexpected(words_of(page))
            time.sleep(0.3)
        shown = [self.people[name] for name in self.cast.shown]
        guider.submit(f"/clips/{self.clip}/persons", {"persons": shown})
        return f"frames {first} to {last}; an end before the start answers {code}"

    def _resumed(self, upload: Tus, browser: Browser) -> Tus:
        again = Tus(browser, self.film)
        again.address = upload.address
        return again

    def _refuse_bad_deposits(self, guider: Browser) -> None:
        text = self.served.folder / "clip.mp4"
        text.write_text("#EXTM3U\nfile:///etc/passwd\n" * 40, encoding="ascii")
        wrong = Tus(guider, text)
        wrong.create(self.uploads, {"filename": "clip.mp4"})
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

    def _deposit_others(self, guider: Browser) -> None:
        """Another film, and the first half of it, by the plain form that works without JavaScript."""
        film = self.served.folder / "second.mov"
        make_second_film(film)
        whole = film.read_bytes()
        path = f"/cases/{self.case}/visits/{self.visit}/film"
        for data in (whole, whole[: len(whole) // 2]):
            response = guider.http.post(path, files={"film": (film.name, data, "video/quicktime")})
            if response.status_code != httpx.codes.SEE_OTHER:
                raise Unexpected(words_of(response.text))

    def _leaks(self) -> bool:
        """Whether any 64 bytes out of the middle of the film lie anywhere in the store."""
        with self.film.open("rb") as film:
            film.seek(self.film.stat().st_size // 2)
            sample = film.read(64)
        return any(sample in path.read_bytes() for path in self.served.folder.rglob("*") if _is_stored(path))


def _is_stored(path: Path) -> bool:
    return path.is_file() and path.suffix not in {".mp4", ".mov"}


def _media_type(film: Path) -> str:
    return "video/quicktime" if film.suffix.lower() == ".mov" else "video/mp4"
