"""A stolen tablet: its sign-in is ended, then what it kept is played again. Nothing opens, nothing arrives."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

import identity
import vault
from app import cookies
from app.main import create_app
from app.service import Service
from app.tus import OFFSET_TYPE, VERSION
from consent import Purpose
from core.ids import VisitId
from core.secret import Secret
from identity import Whence
from tests.app.browser import ORIGIN, PROGRAM
from tests.app.conftest import ClientFor
from tests.app.walk import ON_SQLITE
from tests.families import Family, again
from tests.vault.scene import Clip
from tests.vault.sending import film

FILM = film(3000)


@dataclass(frozen=True, slots=True)
class Kept:
    """A request as the tablet sent it, word for word."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


def play(service: Service, cookie: str, *requests: Kept) -> list[int]:
    async def run() -> list[int]:
        transport = httpx.ASGITransport(app=create_app(service), client=("192.0.2.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            answers = [
                await client.request(
                    one.method, one.path, headers=PROGRAM | one.headers | {"Cookie": cookie}, content=one.body
                )
                for one in requests
            ]
            return [one.status_code for one in answers]

    return asyncio.run(run())


@ON_SQLITE
def test_nothing_that_a_stolen_tablet_kept_is_worth_anything_once_its_sign_in_has_ended(
    service: Service, family: Family, visit: VisitId, clip: Clip, client_for: ClientFor
) -> None:
    guider, tablet = family.staff.guider, again(service.db, family.staff.guider)
    cookie = f"{cookies.SESSION}={tablet.token.reveal()}"
    upload = vault.begin_deposit(
        service.db,
        keystore=service.keystore,
        actor=tablet.actor,
        case_id=family.case_id,
        visit_id=visit,
        length=len(FILM),
    )
    viewing = vault.begin_viewing(
        service.db, actor=tablet.actor, rendition_id=clip.rendition_id, purpose=Purpose.PREPARE
    )
    tus, place = {"Tus-Resumable": VERSION}, f"/cases/{family.case_id}/visits/{visit}"
    more = tus | {"Content-Type": OFFSET_TYPE}
    first = Kept("PATCH", f"/uploads/{upload}", more | {"Upload-Offset": "0"}, FILM[:1000])
    edge = {"Content-Type": "multipart/form-data; boundary=edge"}
    head = b'--edge\r\nContent-Disposition: form-data; name="film"; filename="a.mp4"\r\n\r\n'
    kept = (
        Kept("PATCH", f"/uploads/{upload}", more | {"Upload-Offset": "1000"}, FILM[1000:]),
        Kept("HEAD", f"/uploads/{upload}", tus),
        Kept("DELETE", f"/uploads/{upload}", tus),
        Kept("POST", f"{place}/uploads", tus | {"Upload-Length": "3000"}),
        Kept("POST", f"{place}/film", edge, head + FILM + b"\r\n--edge--\r\n"),
        Kept("GET", f"/media/{viewing.id}", {"Range": "bytes=0-"}),
        Kept("GET", f"/media/{viewing.id}/poster", {}),
        Kept("GET", f"/events/{viewing.id}", {}),
        Kept("GET", f"/families/{family.case_id}", {}),
        Kept("POST", f"/your-sessions/{tablet.actor.session}/end", {}),
        Kept("POST", "/your-sessions/end", {}),
        Kept("POST", "/sign-in/code", {"Content-Type": "application/x-www-form-urlencoded"}, b"code=123456"),
    )
    assert play(service, cookie, first, kept[5], kept[6]) == [204, 206, 200]

    manager = client_for(family.staff.manager.token)
    assert manager.post(f"/accounts/{guider.id}/sessions/{tablet.actor.session}/end").status_code == 303
    assert play(service, cookie, first, *kept) == [401] * len(kept) + [303]
    assert play(service, f"{cookie}; {cookies.MARK}=x", *kept) == [401] * (len(kept) - 1) + [303]

    at_work = f"{cookies.SESSION}={guider.token.reveal()}"
    state = vault.upload(service.db, keystore=service.keystore, actor=guider.actor, upload_id=upload)
    assert state.offset == 1000
    assert play(service, at_work, *kept[5:8]) == [404] * 3, "a viewing belongs to the session that began it"
    assert play(service, at_work, kept[0]) == [204], "and its owner goes on with the film elsewhere"


@ON_SQLITE
def test_a_familys_lost_phone_opens_nothing_even_with_the_passcode(
    service: Service, family: Family, client_for: ClientFor
) -> None:
    made = identity.invite(service.db, actor=family.staff.guider.actor, case_id=family.case_id, person=family.mother.id)
    code = identity.issue_code(service.db, keystore=service.keystore, invitation_id=made.id)[1].reveal()
    passcode = Secret("271828")
    bound = identity.activate(
        service.db,
        keystore=service.keystore,
        token=made.token,
        code=code,
        passcode=passcode,
        whence=Whence("192.0.2.7"),
    )
    thief = f"{cookies.SESSION}={bound.signed_in.token.reveal()}; {cookies.DEVICE}={bound.device.reveal()}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    kept = (
        Kept("GET", "/your-clips", {}),
        Kept("GET", "/your-phone", {}),
        Kept("POST", "/your-clips/stop-all", {}),
        Kept("POST", "/family/sign-in", form, f"passcode={passcode.reveal()}".encode()),
        Kept("POST", f"/invitation/{made.token.reveal()}/activate", form, f"code={code}".encode()),
    )
    assert play(service, thief, *kept[:4]) == [200, 200, 303, 303]
    guider, at = client_for(family.staff.guider.token), f"/families/{family.case_id}/people/{family.mother.id}/phone"
    assert guider.post(at).status_code == 303
    assert play(service, thief, *kept) == [401, 401, 401, 401, 409]
