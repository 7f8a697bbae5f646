"""tus 1.0 over HTTP, header by header, at the real server."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from app.tus import OFFSET_TYPE
from tests.app.stage import Stage, cookie_of
from tests.app.uploads.depositor import (
    MOST_BYTES,
    TUS,
    Depositor,
    check_sealed,
    checksum_of,
    code,
    long_film,
    wait_until,
)
from tests.vault.sending import film

pytestmark = pytest.mark.journey


def test_the_server_says_what_it_speaks_to_anyone(stage: Stage) -> None:
    response = httpx.options(f"{stage.served.origin}/uploads")
    assert response.status_code == 204
    assert response.headers["tus-version"] == "1.0.0"
    assert set(response.headers["tus-extension"].split(",")) == {"creation", "expiration", "checksum", "termination"}
    assert response.headers["tus-checksum-algorithm"] == "sha256"
    assert response.headers["tus-max-size"] == str(MOST_BYTES)


def test_another_version_is_412_and_the_answer_names_ours(depositor: Depositor) -> None:
    address = depositor.create(24)
    for response in (
        depositor.announce(24, Tus_Resumable="0.2.2"),
        depositor.patch(address, film(24), offset=0, Tus_Resumable="0.2.2"),
        depositor.client.delete(address, headers={"Tus-Resumable": "0.2.2"}),
        depositor.client.post(f"{depositor.place}/uploads", headers={"Upload-Length": "24"}),
    ):
        assert code(response) == (412, "tus_version")
        assert response.headers["tus-version"] == "1.0.0"
    assert depositor.client.head(address).status_code == 412
    assert depositor.offset(address) == 0


def test_another_type_is_415(depositor: Depositor) -> None:
    address = depositor.create(24)
    assert code(depositor.patch(address, film(24), offset=0, Content_Type="video/mp4")) == (415, "tus_type")
    assert depositor.offset(address) == 0


def test_a_wrong_offset_is_409_and_moves_nothing(depositor: Depositor) -> None:
    content = film(3000)
    address = depositor.create(3000)
    assert depositor.patch(address, content[:1000], offset=0).headers["upload-offset"] == "1000"
    for wrong in (0, 999, 1001, 3000, 4000):
        response = depositor.patch(address, content[1000:2000], offset=wrong)
        assert code(response) == (409, "wrong_offset")
        assert response.headers["tus-resumable"] == "1.0.0"
        assert depositor.offset(address) == 1000


def test_a_piece_that_was_changed_on_its_way_is_460_and_moves_nothing(depositor: Depositor) -> None:
    content = film(3000)
    address = depositor.create(3000)
    wrong = depositor.patch(address, content[:1000], offset=0, Upload_Checksum=checksum_of(content[:999]))
    assert code(wrong) == (460, "checksum_mismatch")
    assert depositor.offset(address) == 0
    right = depositor.patch(address, content[:1000], offset=0, Upload_Checksum=checksum_of(content[:1000]))
    assert (right.status_code, depositor.offset(address)) == (204, 1000)


@pytest.mark.parametrize("checksum", ["md5 xxxx", "sha256", "sha256 not base64", "sha256 YWJj", ""])
def test_a_checksum_that_is_none_is_refused_before_a_byte_counts(depositor: Depositor, checksum: str) -> None:
    address = depositor.create(24)
    response = depositor.patch(address, film(24), offset=0, Upload_Checksum=checksum)
    assert code(response) == (400, "checksum_unreadable")
    assert depositor.offset(address) == 0


def test_too_long_is_413_announced_or_not(depositor: Depositor) -> None:
    assert code(depositor.announce(MOST_BYTES + 1)) == (413, "film_too_large")
    address = depositor.create(1000)
    assert code(depositor.patch(address, film(1001), offset=0)) == (413, "too_many_bytes")
    assert depositor.offset(address) == 0


@pytest.mark.parametrize("length", ["-1", "1e3", "", "٣", "9" * 19, "0x10", "1 2"])
def test_a_length_that_is_none_is_refused(depositor: Depositor, length: str) -> None:
    given = [(b"Tus-Resumable", b"1.0.0"), (b"Upload-Length", length.encode())]
    response = depositor.client.post(f"{depositor.place}/uploads", headers=given)
    assert code(response) == (400, "number_unreadable")


def test_an_empty_film_is_refused(depositor: Depositor) -> None:
    assert code(depositor.announce(0)) == (422, "empty_film")


@pytest.mark.parametrize(
    ("described", "answer"),
    [
        ("filename !!!", (400, "metadata_unreadable")),
        ("filename /w==", (400, "metadata_unreadable")),
        ("filename YQ==,filename Yg==", (400, "metadata_unreadable")),
        ("filename YQ==,,filetype Yg==", (400, "metadata_unreadable")),
        ("filename " + "QUJD" * 2000, (400, "metadata_too_long")),
        ("fingerprint " + base64.b64encode(b"../../x").decode(), (422, "bad_checksum")),
        ("sha256 " + base64.b64encode(b"nonsense").decode(), (422, "bad_checksum")),
    ],
)
def test_a_description_that_cannot_be_read_is_refused(
    depositor: Depositor, described: str, answer: tuple[int, str]
) -> None:
    assert code(depositor.announce(24, Upload_Metadata=described)) == answer


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.mp4", "-i", "a\0b.mp4", "x" * 2900, "\u202egpm.exe", "=cmd|' /C calc'!A0", "\ud7ff"]
)
def test_no_file_name_breaks_a_deposit(depositor: Depositor, name: str) -> None:
    described = f"filename {base64.b64encode(name.encode()).decode()}"
    assert depositor.announce(24, Upload_Metadata=described).status_code == 201


def test_an_upload_that_is_not_there_and_one_that_is_a_colleagues_answer_alike(
    stage: Stage, depositor: Depositor
) -> None:
    theirs = Depositor(stage)
    address = theirs.create(24)
    for foreign in (address, "/uploads/" + "0" * 32, "/uploads/none"):
        assert depositor.client.head(foreign, headers=TUS).status_code == 404
        assert code(depositor.patch(foreign, film(24), offset=0)) == (404, "not_found")
        assert code(depositor.client.delete(foreign, headers=TUS)) == (404, "not_found")
        assert code(depositor.client.post(f"{foreign}/cancel")) == (404, "not_found")
    assert theirs.offset(address) == 0
    theirs.client.close()


def test_a_text_named_like_a_film_is_refused_at_its_first_bytes_and_nothing_is_kept(depositor: Depositor) -> None:
    text = b"ffconcat version 1.0\nfile '/etc/passwd'\n" * 30
    address = depositor.create(len(text))
    assert code(depositor.patch(address, text, offset=0)) == (422, "not_a_film")
    assert code(depositor.patch(address, text, offset=0)) == (410, "upload_ended")


def test_an_upload_that_was_given_up_takes_nothing_more(depositor: Depositor) -> None:
    address = depositor.create(24)
    assert depositor.client.delete(address, headers=TUS).status_code == 204
    assert code(depositor.patch(address, film(24), offset=0)) == (410, "upload_ended")
    assert depositor.client.head(address, headers=TUS).status_code == 410
    assert code(depositor.client.delete(address, headers=TUS)) == (410, "upload_ended")


def test_a_line_that_goes_dead_in_the_middle_keeps_what_came(stage: Stage, depositor: Depositor) -> None:
    content = film(500_000)
    address = depositor.create(len(content))
    head = [
        f"PATCH {address} HTTP/1.1",
        f"Host: {stage.served.origin.removeprefix('http://')}",
        f"Origin: {stage.served.origin}",
        f"Cookie: {cookie_of(depositor.family.staff.guider)['Cookie']}",
        "Tus-Resumable: 1.0.0",
        "Upload-Offset: 0",
        f"Content-Type: {OFFSET_TYPE}",
        f"Content-Length: {len(content)}",
    ]
    line = stage.connect()
    line.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + content[:300_000])
    line.close()
    reached = wait_until(lambda: depositor.offset(address))
    assert 0 < reached <= 300_000
    assert depositor.patch(address, content[reached:], offset=reached).headers["upload-offset"] == str(len(content))


def test_everything_that_was_said_is_told_again_with_until_when_it_is_kept(stage: Stage, depositor: Depositor) -> None:
    said = {"filename": "Kit im Bad.mp4", "filetype": "video/mp4", "fingerprint": "ab" * 32}
    described = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in said.items())
    created = depositor.announce(3000, Upload_Metadata=described)
    address = created.headers["location"]
    assert depositor.head(address).headers["upload-metadata"] == described
    patched = depositor.patch(address, film(3000)[:1000], offset=0)
    until = parsedate_to_datetime(patched.headers["upload-expires"])
    left = until - stage.service.db.clock.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    assert until >= parsedate_to_datetime(created.headers["upload-expires"])
    assert depositor.head(address).headers["upload-expires"] == patched.headers["upload-expires"]
    assert "upload-expires" not in depositor.patch(address, film(3000)[1000:], offset=1000).headers
    assert depositor.head(address).headers["upload-offset"] == "3000"


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Upload-Defer-Length": "1"}, "length_deferred"),
        ({"Upload-Length": "24", "Upload-Concat": "partial"}, "no_concatenation"),
        ({"Upload-Length": "24", "Content-Type": OFFSET_TYPE}, "creation_with_upload"),
    ],
)
def test_what_we_do_not_speak_is_refused_by_name_and_begins_nothing(
    depositor: Depositor, headers: dict[str, str], said: str
) -> None:
    content = film(24) if "Content-Type" in headers else None
    response = depositor.client.post(f"{depositor.place}/uploads", headers=TUS | headers, content=content)
    assert code(response) == (400, said)
    assert response.headers["tus-resumable"] == "1.0.0"
    assert "Nothing is unfinished" in depositor.client.get("/uploads", headers={"Accept": "text/html"}).text


def test_a_piece_of_nothing_moves_nothing(depositor: Depositor) -> None:
    address = depositor.create(24)
    for checksum in ({}, {"Upload_Checksum": checksum_of(b"")}):
        response = depositor.patch(address, b"", offset=0, **checksum)
        assert (response.status_code, response.headers["upload-offset"]) == (204, "0")
    assert depositor.offset(address) == 0


def test_more_than_the_rest_is_refused_before_any_of_it_counts(depositor: Depositor) -> None:
    size = 9 * 2**20
    content = long_film(size)
    address = depositor.create(size - 1)
    assert code(depositor.patch(address, content, offset=0)) == (413, "too_many_bytes")
    assert depositor.offset(address) == 0


def test_of_two_who_send_the_same_piece_at_once_one_counts_and_the_film_is_whole(
    stage: Stage, depositor: Depositor
) -> None:
    content = long_film(3 * 2**20)
    address = depositor.create(len(content))
    third = len(content) // 3
    for start in range(0, len(content), third):
        piece = content[start : start + third]

        def send(turn: int, start: int = start, piece: bytes = piece) -> httpx.Response:
            headers = {"Upload_Checksum": checksum_of(piece)} if turn else {}
            return depositor.patch(address, piece, offset=start, **headers)

        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(send, (0, 1)))
        assert sorted(answer.status_code for answer in answers) == [204, 409]
        assert depositor.offset(address) == start + len(piece)
    check_sealed(stage, depositor, content, upload_id=address.rsplit("/", 1)[1])


def test_a_film_that_is_whole_takes_nothing_more_and_says_so(depositor: Depositor) -> None:
    content = film(1000)
    address = depositor.create(len(content))
    depositor.patch(address, content, offset=0)
    assert code(depositor.patch(address, b"x", offset=1000)) == (409, "upload_whole")
    assert code(depositor.client.delete(address, headers=TUS)) == (409, "upload_whole")
    assert depositor.offset(address) == 1000


def test_a_post_may_stand_for_patch_head_and_delete_and_nothing_else_may(depositor: Depositor) -> None:
    content = film(1000)
    address = depositor.create(len(content))

    def post(override: str, **headers: str) -> httpx.Response:
        given = TUS | {"X-HTTP-Method-Override": override} | {k.replace("_", "-"): v for k, v in headers.items()}
        return depositor.client.post(address, headers=given, content=content[:400] if override == "PATCH" else b"")

    assert post("PATCH", Upload_Offset="0", Content_Type=OFFSET_TYPE).headers["upload-offset"] == "400"
    assert post("HEAD").headers["upload-offset"] == "400"
    for strange in ("GET", "patch", "PUT", ""):
        assert code(post(strange)) == (404, "not_found")
    read = depositor.client.get(address, headers=TUS | {"X-HTTP-Method-Override": "DELETE"})
    assert read.status_code == 405
    assert depositor.offset(address) == 400
    assert post("DELETE").status_code == 204
    assert depositor.head(address).status_code == 410


def test_another_site_can_neither_announce_nor_override(depositor: Depositor) -> None:
    address = depositor.create(24)
    foreign = TUS | {"Origin": "https://elsewhere.test", "X-HTTP-Method-Override": "DELETE", "Upload-Length": "24"}
    for path in (address, f"{depositor.place}/uploads"):
        assert depositor.client.post(path, headers=foreign).status_code == 403
    assert depositor.offset(address) == 0
