"""A whole film by a plain form, as a browser without JavaScript sends it, at the real server."""

from __future__ import annotations

import httpx
import pytest

import vault
from tests.app.stage import Stage, cookie_of
from tests.app.uploads.depositor import MOST_BYTES, Depositor, check_sealed, code, wait_until
from tests.vault.films import small_film
from tests.vault.sending import film
from vault.models import UploadRow, UploadState

pytestmark = pytest.mark.journey

PAGE = {"Accept": "text/html"}
EDGE = b"edge"


def send(depositor: Depositor, content: bytes, *, field: str = "film", name: str = "kitchen.mp4") -> httpx.Response:
    files = {field: (name, content, "video/mp4")}
    return depositor.client.post(f"{depositor.place}/film", files=files, headers=PAGE)


def raw(depositor: Depositor, body: bytes) -> httpx.Response:
    headers = {"Content-Type": f"multipart/form-data; boundary={EDGE.decode()}"}
    return depositor.client.post(f"{depositor.place}/film", content=body, headers=headers)


def part(name: str, content: bytes, *, filename: str = "a.mp4") -> bytes:
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def uploads_of(stage: Stage, depositor: Depositor) -> list[UploadRow]:
    with stage.service.db.read() as session:
        return list(session.query(UploadRow).filter(UploadRow.case_id == depositor.family.case_id))


def test_a_film_sent_by_a_plain_form_is_the_film_that_is_sealed(stage: Stage, depositor: Depositor) -> None:
    content = small_film()
    response = send(depositor, content)
    assert response.status_code == 303, response.text
    assert response.headers["location"] == f"{depositor.page}?saved=film"
    check_sealed(stage, depositor, content)
    shown = depositor.client.get(depositor.page, headers=PAGE).text
    assert "kitchen.mp4" in shown
    assert "Now delete it from the phone" in shown


@pytest.mark.parametrize(
    ("content", "name", "status", "sentence"),
    [
        (b"", "", 422, "Choose a film."),
        (b"", "empty.mp4", 422, "This film is empty."),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n" * 30, "holiday.mp4", 422, "This is not a film"),
        (film(MOST_BYTES + 20_000), "long.mp4", 413, "larger than 20 MB, the most that"),
    ],
    ids=["no film", "an empty one", "a text", "too large"],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_kept(
    stage: Stage, depositor: Depositor, content: bytes, name: str, status: int, sentence: str
) -> None:
    response = send(depositor, content, name=name)
    assert response.status_code == status
    assert "<title>Error: Add film" in response.text
    assert response.text.count(sentence) == 2  # in the summary and beside the field
    assert 'href="#film"' in response.text
    assert all(row.key_destroyed_at for row in uploads_of(stage, depositor))


def test_a_form_that_is_none_of_ours_is_refused_and_nothing_of_it_is_kept(stage: Stage, depositor: Depositor) -> None:
    good, end = film(5000), b"--edge--\r\n"
    bodies = {
        "no_film": part("other", good) + end,
        "form_order": part("film", good) + part("film", good) + end,
        "film_not_whole": part("film", good)[:-2] + b"\r\n--edge--\r\n" + b"later" * 9,
        "not_a_form": b"nonsense without an edge\r\n\r\n" + good,
    }
    assert {name: code(raw(depositor, body)) for name, body in bodies.items()} == {name: (422, name) for name in bodies}
    left = uploads_of(stage, depositor)
    assert {row.state for row in left} == {UploadState.CANCELLED}
    assert all(row.key_destroyed_at for row in left)


def test_a_line_that_goes_dead_in_a_form_leaves_nothing_behind(stage: Stage, depositor: Depositor) -> None:
    body = part("film", film(900_000))
    head = [
        f"POST {depositor.place}/film HTTP/1.1",
        f"Host: {stage.served.origin.removeprefix('http://')}",
        f"Origin: {stage.served.origin}",
        f"Cookie: {cookie_of(depositor.family.staff.guider)['Cookie']}",
        "Content-Type: multipart/form-data; boundary=edge",
        f"Content-Length: {len(body) + 10}",
    ]
    line = stage.connect()
    line.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body[:500_000])
    wait_until(lambda: uploads_of(stage, depositor))
    line.close()
    wait_until(lambda: uploads_of(stage, depositor)[0].key_destroyed_at)
    service, actor = stage.service, depositor.family.staff.guider.actor
    assert vault.unfinished_uploads(service.db, keystore=service.keystore, actor=actor) == ()


def test_who_was_signed_out_meanwhile_is_told_to_send_it_again(stage: Stage, depositor: Depositor) -> None:
    depositor.client.headers["Cookie"] = "__Host-none=1"
    response = send(depositor, film(500))
    assert response.status_code == 401
    assert "sign in" in response.text.lower()
