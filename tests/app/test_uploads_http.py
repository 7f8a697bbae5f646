"""Deposits over HTTP, as a client that has only read tus 1.0 sends them, to the real server."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from io import BytesIO

import httpx
import pytest
from sqlalchemy import select
from tusclient.client import TusClient

import vault
from app.tus import OFFSET_TYPE
from core.ids import CaseId, FootageId, ObjectId, UploadId, VisitId
from keys import JobCapability
from tests.app.stage import PATIENCE_SECONDS, Stage, cookie_of, staged
from tests.families import Family
from tests.vault.films import small_film
from tests.vault.sending import film
from vault import FootageState, sealed
from vault.models import FootageRow, ObjectRow

pytestmark = pytest.mark.journey

TUS = {"Tus-Resumable": "1.0.0"}
MOST_BYTES = 20_000_000


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("served"), max_upload_bytes=str(MOST_BYTES)) as made:
        yield made


class Depositor:
    """A guider with a visit to add film to."""

    def __init__(self, stage: Stage) -> None:
        self.family: Family = stage.family()
        self.visit: VisitId = stage.visit(self.family)
        self.client = stage.client(self.family.staff.guider)
        self.place = f"/cases/{self.family.case_id}/visits/{self.visit}"

    def announce(self, length: int, **headers: str) -> httpx.Response:
        given = TUS | {"Upload-Length": str(length)} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.client.post(f"{self.place}/uploads", headers=given)

    def create(self, length: int) -> str:
        response = self.announce(length)
        assert response.status_code == 201, response.text
        assert response.headers["tus-resumable"] == "1.0.0"
        return str(response.headers["location"])

    def patch(self, address: str, content: bytes, *, offset: int, **headers: str) -> httpx.Response:
        given = TUS | {"Upload-Offset": str(offset), "Content-Type": OFFSET_TYPE}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.patch(address, content=content, headers=given)

    def offset(self, address: str) -> int:
        response = self.client.head(address, headers=TUS)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        return int(response.headers["upload-offset"])


@pytest.fixture
def depositor(stage: Stage) -> Iterator[Depositor]:
    made = Depositor(stage)
    yield made
    made.client.close()


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def checksum_of(content: bytes) -> str:
    return f"sha256 {base64.b64encode(hashlib.sha256(content).digest()).decode()}"


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
    assert code(response) == (422, "checksum_unreadable")
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
    assert code(response) == (422, "number_unreadable")


def test_an_empty_film_is_refused(depositor: Depositor) -> None:
    assert code(depositor.announce(0)) == (422, "empty_film")


@pytest.mark.parametrize(
    ("described", "answer"),
    [
        ("filename !!!", (422, "metadata_unreadable")),
        ("filename /w==", (422, "metadata_unreadable")),
        ("filename " + "QUJD" * 2000, (422, "metadata_too_long")),
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
    assert code(depositor.patch(address, text, offset=0)) == (409, "upload_ended")
    form = {"film": ("holiday.mp4", text, "video/mp4")}
    assert code(depositor.client.post(f"{depositor.place}/film", files=form)) == (422, "not_a_film")


def test_an_upload_that_was_given_up_takes_nothing_more(depositor: Depositor) -> None:
    address = depositor.create(24)
    assert depositor.client.delete(address, headers=TUS).status_code == 204
    assert code(depositor.patch(address, film(24), offset=0)) == (409, "upload_ended")


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


def test_a_film_resumed_by_tuspy_is_the_film_that_is_sealed(stage: Stage, depositor: Depositor) -> None:
    content = small_film()
    headers = {"Origin": stage.served.origin} | cookie_of(depositor.family.staff.guider)
    speaking = TusClient(f"{stage.served.origin}{depositor.place}/uploads", headers=headers)
    first = speaking.uploader(file_stream=BytesIO(content), chunk_size=20_000, metadata={"filename": "film.mp4"})
    first.upload_chunk()
    assert 0 < first.offset < len(content)
    second = speaking.uploader(file_stream=BytesIO(content), url=first.url, chunk_size=50_000)
    assert second.offset == first.offset
    second.upload()
    check_sealed(stage, depositor, content, upload_id=UploadId(str(second.url).rsplit("/", 1)[1]))


def test_a_film_sent_by_a_plain_form_is_the_film_that_is_sealed(stage: Stage, depositor: Depositor) -> None:
    content = small_film()
    form = {"film": ("kitchen.mp4", content, "video/mp4")}
    response = depositor.client.post(f"{depositor.place}/film", files=form)
    assert response.status_code == 303, response.text
    assert response.headers["location"] == f"/families/{depositor.family.case_id}"
    check_sealed(stage, depositor, content)


@pytest.mark.parametrize(
    ("name", "content", "answer"),
    [
        ("other", film(24), (422, "no_film")),
        ("film", b"", (422, "empty_film")),
        ("film", film(MOST_BYTES + 20_000), (413, "film_too_large")),
    ],
)
def test_a_form_without_a_film_of_fitting_size_is_refused(
    depositor: Depositor, name: str, content: bytes, answer: tuple[int, str]
) -> None:
    response = depositor.client.post(f"{depositor.place}/film", files={name: ("a.mp4", content, "video/mp4")})
    assert code(response) == answer


def test_none_of_this_was_an_error_of_the_server(stage: Stage) -> None:
    """Last in this file: a sender that goes away is not worth a line, let alone a traceback."""
    assert [line for line in stage.served.tail().splitlines() if '"level": "info"' not in line] == []


def check_sealed(stage: Stage, depositor: Depositor, content: bytes, *, upload_id: UploadId | None = None) -> None:
    """The one footage of this case is sealed, is exactly this film, and nothing of it lies in clear anywhere."""
    service, guider = stage.service, depositor.family.staff.guider.actor
    case_id = CaseId(depositor.family.case_id)
    listed = vault.footage_of(service.db, keystore=service.keystore, actor=guider, case_id=case_id)
    assert len(listed) == 1
    if upload_id:
        assert vault.complete_deposit(service.db, actor=guider, upload_id=upload_id) == listed[0].id
    row = wait_until(lambda: original_of(stage, listed[0].id))
    use = JobCapability(job="test", case_id=case_id, objects=frozenset({ObjectId(row.id)}))
    reader = sealed.opened(row, key=service.keystore.object_key(ObjectId(row.id), capability=use), store=stage.store)
    assert reader.read(0, reader.plain_size) == content
    assert nothing_in_clear(stage, content)


def original_of(stage: Stage, footage_id: FootageId) -> ObjectRow | None:
    with stage.service.db.read() as session:
        row = session.get_one(FootageRow, footage_id)
        assert row.state in {FootageState.PREPARING, FootageState.READY}
        if row.state is not FootageState.READY:
            return None
        return session.scalars(select(ObjectRow).where(ObjectRow.id == row.original_id)).one()


def nothing_in_clear(stage: Stage, content: bytes) -> bool:
    needles = [content[at : at + 64] for at in range(0, len(content) - 64, len(content) // 20)]
    files = [one.read_bytes() for one in stage.served.folder.rglob("*") if one.is_file()]
    return len(files) > 5 and not any(needle in data for data in files for needle in needles)


def wait_until(found):  # noqa: ANN001, ANN201 - whatever it finds
    """What is found, as soon as it is."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    pytest.fail("it never came")
