"""What comes over the wire before any application sees it, and what every answer carries, on the real server."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from sqlalchemy import select

import identity
import vault
from app.headers import FIXED
from app.transport import MOST_HEAD_BYTES
from consent import Purpose
from identity import Role
from identity.access_models import TriesRow
from tests.app.stage import Stage, cookie_of, staged
from tests.families import Family
from tests.vault.agreeing import agree_to_filming
from tests.vault.scene import add_clip, add_footage, noise

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("served"), "--no-worker") as made:
        yield made


@pytest.fixture(scope="module")
def family(stage: Stage) -> Family:
    return stage.family()


@pytest.fixture(scope="module")
def film(stage: Stage, family: Family) -> str:
    """The number of a viewing by the guider, who may look at what they filmed."""
    service = stage.service
    agree_to_filming(service.db, service.keystore, family)
    footage = add_footage(service.db, service.keystore, stage.store, family, stage.visit(family))
    clip = add_clip(service.db, service.keystore, stage.store, family, footage, content=noise(300_000))
    guider = family.staff.guider.actor
    made = vault.begin_viewing(service.db, actor=guider, rendition_id=clip.rendition_id, purpose=Purpose.PREPARE)
    return made.id


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def send(stage: Stage, raw: bytes) -> Answer:
    """Send exactly these bytes; read one answer."""
    with stage.connect() as line:
        with suppress(ConnectionError):  # it may have answered and hung up in the middle
            line.sendall(raw)
        return answer_on(line)


def answer_on(line: socket.socket, *, body: bool = True) -> Answer:
    response = http.client.HTTPResponse(line)
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read() if body else b"")


def request(stage: Stage, path: str, *lines: str, method: str = "GET", body: str = "") -> bytes:
    """A request with a right ``Host``, and whatever lines else."""
    head = [f"{method} {path} HTTP/1.1", f"Host: {stage.served.origin.removeprefix('http://')}", *lines]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode("latin-1")


UNPARSABLE = {
    "length and chunks at once": ("Content-Length: 5", "Transfer-Encoding: chunked"),
    "two lengths": ("Content-Length: 5", "Content-Length: 6"),
    "a length with a sign": ("Content-Length: +5",),
    "a length below zero": ("Content-Length: -5",),
    "a length in hexadecimal": ("Content-Length: 0x5",),
    "chunks, and something else": ("Transfer-Encoding: chunked, identity",),
    "a space before the colon": ("Content-Length : 5",),
    "a line that goes on": ("X-A: b", " c: d"),
    "NUL in a header": ("X-A: b\0c",),
    "a header without a name": (": b",),
}


@pytest.mark.parametrize("lines", UNPARSABLE.values(), ids=UNPARSABLE.keys())
def test_a_request_that_could_be_read_in_two_ways_is_not_read_at_all(stage: Stage, lines: tuple[str, ...]) -> None:
    found = send(stage, request(stage, "/sign-in", *lines, method="POST", body="0\r\n\r\n"))
    assert (found.status, found.body.partition(b":")[0]) == (400, b"bad_request")
    assert_armoured(found, numbered=False)


@pytest.mark.parametrize(
    "raw", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"FOO / HTTP/1.1\r\n\r\n", b"\0" * 100]
)
def test_what_is_no_request_is_refused(stage: Stage, raw: bytes) -> None:
    found = send(stage, raw)
    assert (found.status, found.body.partition(b":")[0]) == (400, b"bad_request")


TOO_LONG = {
    "a cookie of two mebibytes": ("/", "Cookie: a=" + "b" * 2 * 2**20),
    "an address": ("/" + "a" * (MOST_HEAD_BYTES + 1), "X-A: b"),
    "ten thousand headers": ("/", "\r\n".join(f"X-{number}: a" for number in range(10_000))),
    "one byte too many": ("/", "X-A: " + "b" * MOST_HEAD_BYTES),
}


@pytest.mark.parametrize(("path", "line"), TOO_LONG.values(), ids=TOO_LONG.keys())
def test_a_head_that_is_too_long_is_431_and_the_server_goes_on(stage: Stage, path: str, line: str) -> None:
    found = send(stage, request(stage, path, line))
    assert (found.status, found.body.partition(b":")[0]) == (431, b"head_too_large")
    assert_armoured(found, numbered=False)
    assert send(stage, request(stage, "/healthz")).status == 200


def test_a_head_that_never_ends_is_given_up(stage: Stage) -> None:
    with stage.connect() as line:
        line.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        with suppress(ConnectionError):
            for _ in range(64):
                line.sendall(b"b" * 16_384)
        assert answer_on(line).status == 431


def test_another_host_is_refused_however_it_is_named(stage: Stage) -> None:
    ours = stage.served.origin.removeprefix("http://")
    for hosts in (["evil.example"], [ours, "evil.example"], ["evil.example", ours], [f"{ours}.evil.example"], [""], []):
        lines = "".join(f"Host: {host}\r\n" for host in hosts)
        found = send(stage, f"GET /sign-in HTTP/1.1\r\n{lines}\r\n".encode())
        assert (hosts, found.status in {400, 403}) == (hosts, True)
        assert found.body.partition(b":")[0] in {b"bad_request", b"wrong_host"}
    absolute = send(stage, f"GET http://evil.example/families/ HTTP/1.1\r\nHost: {ours}\r\n\r\n".encode())
    assert b"evil" not in absolute.body
    assert "evil" not in str(absolute.headers)


FORGED = (
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Proto: https",
    "Forwarded: for=198.51.100.7;host=evil.example;proto=https",
    "X-Original-URL: /accounts",
    "X-Rewrite-URL: /accounts",
    "X-HTTP-Method-Override: DELETE",
)


def test_forged_forwarding_changes_nothing(stage: Stage) -> None:
    plain, forged = (send(stage, request(stage, "/families", *lines)) for lines in ((), FORGED))
    assert forged.status == plain.status == 401
    assert forged.body == plain.body
    page = send(stage, request(stage, "/families/", "Accept: text/html", *FORGED))
    assert "evil" not in str(page.headers)
    assert "strict-transport-security" not in page.headers
    administrator = stage.staff.administrator
    with stage.client(administrator) as client:
        fields = {"name": "New One", "email": "forged@example.gov.uk", "roles": Role.GUIDER.value}
        headers = dict(line.split(": ", 1) for line in FORGED)
        made = client.post("/accounts/new", data=fields, headers=headers)
    assert f"{stage.served.origin}/enrol/" in made.text
    assert "evil" not in made.text


def test_a_forged_address_does_not_start_the_count_of_tries_anew(stage: Stage) -> None:
    def counted() -> int:
        with stage.service.db.read() as session:
            return max(session.scalars(select(TriesRow.tries)), default=0)

    before = counted()
    with stage.client(None) as client:
        for number in range(3):
            fields = {"email": f"nobody{number}@example.org", "password": "wrong"}
            client.post("/sign-in", data=fields, headers={"X-Forwarded-For": f"198.51.100.{number}"})
    assert counted() == before + 3


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_post_from_another_site_does_nothing(stage: Stage, family: Family, headers: dict[str, str]) -> None:
    with stage.client(family.mother) as client:
        for path in ("/sign-out", "/your-clips/stop-all"):
            refused = client.post(path, headers=headers)
            assert (refused.status_code, refused.text.partition(":")[0]) == (403, "cross_origin")
        assert client.get("/your-clips").status_code == 200


ODD_PATHS = [
    "/static/../../../../etc/passwd",
    "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/static/..%2f..%2fetc%2fpasswd",
    "/static/%00",
    "/static/vault.css%00.html",
    "/static/" + "a" * 5000,
    "/static/",
    "/static",
    "//evil.example/",
    "/%2f%2fevil.example",
    "/families/%00",
    "/families/%ff",
    "/enrol/%ED%A0%80",
    "/enrol/" + "a" * 10_000,
    "/jobs/%2e%2e",
    "/media/%00/poster",
    "/media/" + "0" * 32 + "/original",
    "/.git/config",
    "/openapi.json",
    "/docs",
]


@pytest.mark.parametrize("path", ODD_PATHS, ids=lambda path: path[:40])
def test_an_odd_address_leads_nowhere(stage: Stage, family: Family, path: str) -> None:
    found = send(stage, request(stage, path, f"Cookie: {cookie_of(family.staff.guider)['Cookie']}"))
    assert found.status in {307, 404, 422}, found
    assert b"root:" not in found.body
    assert "evil" not in found.headers.get("location", "")
    assert_armoured(found, is_static=path.startswith("/static/"))


def test_an_upgrade_is_not_taken_up(stage: Stage) -> None:
    for protocol in ("websocket", "h2c"):
        lines = (f"Upgrade: {protocol}", "Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
        assert send(stage, request(stage, "/healthz", *lines)).status in {200, 400}


def test_every_kind_of_answer_wears_the_armour(stage: Stage, family: Family, film: str) -> None:
    guider = f"Cookie: {cookie_of(family.staff.guider)['Cookie']}"
    html = "Accept: text/html"
    kinds = {
        "page": (200, request(stage, "/sign-in", html)),
        "signed in": (200, request(stage, "/families", html, guider)),
        "json": (200, request(stage, "/readyz")),
        "redirect": (303, request(stage, "/families", html)),
        "slash": (307, request(stage, "/families/", guider)),
        "not signed in": (401, request(stage, "/families")),
        "another site": (403, request(stage, "/sign-in", "Sec-Fetch-Site: cross-site", method="POST")),
        "not there": (404, request(stage, "/families/" + "0" * 32, html, guider)),
        "wrong method": (405, request(stage, "/families", guider, method="DELETE")),
        "too large": (413, request(stage, "/sign-in", "Content-Length: 999999", method="POST")),
        "wrong version": (412, request(stage, "/uploads/0", guider, method="PATCH")),
        "invalid": (422, request(stage, "/sign-in", "Content-Length: 0", method="POST")),
        "film": (200, request(stage, f"/media/{film}", guider)),
        "range": (206, request(stage, f"/media/{film}", guider, "Range: bytes=5-9")),
        "no range": (416, request(stage, f"/media/{film}", guider, "Range: bytes=-0")),
        "still": (200, request(stage, f"/media/{film}/poster", guider)),
    }
    for kind, (status, raw) in kinds.items():
        found = send(stage, raw)
        assert (kind, found.status) == (kind, status)
        assert_armoured(found)
    static = send(stage, request(stage, "/static/vault.css"))
    assert static.status == 200
    assert_armoured(static, is_static=True)
    with stage.connect() as line:
        line.sendall(request(stage, f"/events/{film}", guider))
        events = answer_on(line, body=False)
    assert (events.status, events.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    assert_armoured(events)


def test_the_head_of_a_film_is_that_of_the_film(stage: Stage, family: Family, film: str) -> None:
    with stage.client(family.staff.guider) as client:
        head, whole = client.head(f"/media/{film}"), client.get(f"/media/{film}")
    assert int(head.headers["content-length"]) == len(whole.content) == 300_000
    told = ("content-type", "accept-ranges", "cache-control", "content-disposition")
    assert [head.headers[name] for name in told] == [whole.headers[name] for name in told]


def test_every_legal_range_of_a_film_is_answered_with_exactly_its_bytes(
    stage: Stage, family: Family, film: str
) -> None:
    with stage.client(family.staff.guider) as client:
        whole = client.get(f"/media/{film}")
        content, etag = whole.content, whole.headers["etag"]
        assert etag.startswith('"')
        legal = {
            "bytes=0-0": (0, 1),
            "bytes=5-9": (5, 10),
            "bytes=262080-262099": (262_080, 262_100),
            "bytes=1000-": (1000, 300_000),
            "bytes=299999-999999999999999999999": (299_999, 300_000),
            "bytes=-1": (299_999, 300_000),
            "bytes=-300001": (0, 300_000),
            "bytes=5-9,": (5, 10),
        }
        for asked, (start, end) in legal.items():
            for condition in ({}, {"If-Range": etag}):
                found = client.get(f"/media/{film}", headers={"Range": asked, **condition})
                assert (asked, found.status_code) == (asked, 206)
                assert found.content == content[start:end]
                assert found.headers["content-range"] == f"bytes {start}-{end - 1}/300000"
                assert int(found.headers["content-length"]) == end - start
                assert found.headers["etag"] == etag


def test_what_is_no_range_gets_the_whole_and_what_lies_outside_gets_416(
    stage: Stage, family: Family, film: str
) -> None:
    with stage.client(family.staff.guider) as client:
        content, etag = (whole := client.get(f"/media/{film}")).content, whole.headers["etag"]
        date = "Sun, 22 Nov 2026 19:00:00 GMT"
        ignored = (
            *({"Range": asked} for asked in ("bytes=5-4", "bytes=a-b", "bytes=", "items=0-1", "bytes=0-1,x")),
            *({"Range": "bytes=0-9", "If-Range": other} for other in (f"W/{etag}", '"other"', date)),
        )
        for headers in ignored:
            found = client.get(f"/media/{film}", headers=headers)
            assert (headers, found.status_code, "content-range" in found.headers) == (headers, 200, False)
            assert found.content == content
        for asked in ("bytes=300000-", "bytes=-0", "bytes=0-1,5-9", "bytes=" + ",".join(["0-1"] * 5000)):
            found = client.get(f"/media/{film}", headers={"Range": asked})
            assert (found.status_code, found.headers["content-range"]) == (416, "bytes */300000")
            assert found.content == b""
        head = client.head(f"/media/{film}", headers={"Range": "bytes=0-9"})  # ranges are of GET alone
        assert (head.status_code, head.headers["content-length"]) == (200, "300000")


def test_a_session_that_was_signed_out_is_dead_everywhere(stage: Stage) -> None:
    someone = stage.colleague(Role.GUIDER)
    with stage.client(someone) as client:
        assert client.get("/families").status_code == 200
        identity.sign_out(stage.service.db, token=someone.token)
        assert client.get("/families").status_code == 401


def test_none_of_this_was_a_fault_of_the_server(stage: Stage) -> None:
    """Last in this file."""
    assert '"error"' not in stage.served.log.read_text(encoding="utf-8")


def assert_armoured(found: Answer, *, is_static: bool = False, numbered: bool = True) -> None:
    for name, value in FIXED.items():
        assert found.headers[name.lower()] == value
    assert "server" not in found.headers
    assert ("x-request-id" in found.headers) == numbered
    if not is_static:
        assert found.headers["cache-control"] == "no-store"
