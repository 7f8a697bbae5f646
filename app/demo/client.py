"""One person's browser, as far as the demonstration needs one: cookies, forms, links and tus over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from pathlib import Path

import httpx

CHUNK_BYTES = 1024 * 1024
_TIMEOUT_SECONDS = 60


class Unexpected(Exception):
    """The service answered otherwise than the story says."""


class Browser:
    """A browser of one person.

    Args:
        origin: of the service, as in http://127.0.0.1:8443.
    """

    def __init__(self, origin: str) -> None:
        # Browsers send Secure cookies to loopback, which they trust. httpx's own jar doesn't, so ours is used.
        self.cookies: dict[str, str] = {}
        self._http = httpx.Client(
            base_url=origin,
            timeout=_TIMEOUT_SECONDS,
            headers={"Accept": "text/html", "Origin": origin},
            event_hooks={"request": [self._send_cookies], "response": [self._keep_cookies]},
        )

    @property
    def http(self) -> httpx.Client:
        """The client underneath, for what is not a page."""
        return self._http

    def page(self, path: str, *, status: int = 200) -> str:
        """Open a page, following redirects.

        Raises:
            Unexpected: another status.
        """
        response = self._http.get(path, follow_redirects=True)
        self._check(response, status)
        return response.text

    def submit(self, path: str, fields: Mapping[str, str | list[str]], *, status: int = 303) -> str:
        """Post a form.

        Returns:
            The address of the page that follows, or the body where there is no redirect.

        Raises:
            Unexpected: another status.
        """
        response = self._http.post(path, data=dict(fields))
        self._check(response, status)
        return str(response.headers.get("location", response.text))

    def refused(self, path: str, fields: Mapping[str, str | list[str]] | None = None) -> tuple[int, str]:
        """Ask for something that must not be had, as a program would.

        Returns:
            Status and stable code.
        """
        accept = {"Accept": "application/json"}
        if fields is None:
            response = self._http.get(path, headers=accept)
        else:
            response = self._http.post(path, data=dict(fields), headers=accept)
        if response.is_success or response.is_redirect:
            message = f"{path} was allowed"
            raise Unexpected(message)
        return response.status_code, str(response.json()["code"])

    def _check(self, response: httpx.Response, status: int) -> None:
        if response.status_code != status:
            message = (
                f"{response.request.method} {response.request.url.path}: {response.status_code} instead of {status}. "
                + " ".join(words_of(response.text).split())[:400]
            )
            raise Unexpected(message)

    def _send_cookies(self, request: httpx.Request) -> None:
        if self.cookies:
            request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _keep_cookies(self, response: httpx.Response) -> None:
        for line in response.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def words_of(page: str) -> str:
    """The words of a page's main part, without its tags."""
    main = re.search(r"<main.*?</main>", page, re.DOTALL)
    text = re.sub(r"<(script|style|svg).*?</\1>", " ", main.group() if main else page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def find(pattern: str, page: str) -> str:
    """The first group of a pattern in a page.

    Raises:
        Unexpected: it isn't there.
    """
    match = re.search(pattern, page)
    if match is None:
        message = f"nothing on the page like {pattern}"
        raise Unexpected(message)
    return html.unescape(match.group(1))


class Tus:
    """A tus 1.0 client that can be broken off and go on.

    Args:
        browser: who uploads.
        film: which file.
    """

    def __init__(self, browser: Browser, film: Path) -> None:
        self._browser = browser
        self._film = film
        self.address = ""

    def create(self, path: str, metadata: Mapping[str, str]) -> None:
        """Announce the film."""
        described = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in metadata.items())
        response = self._browser.http.post(
            path,
            headers={
                "Tus-Resumable": "1.0.0",
                "Upload-Length": str(self._film.stat().st_size),
                "Upload-Metadata": described,
                "Accept": "application/json",
            },
        )
        if response.status_code != httpx.codes.CREATED:
            raise Unexpected(response.text)
        self.address = response.headers["location"]

    def offset(self) -> int:
        """How much the service has."""
        response = self._browser.http.head(self.address, headers={"Tus-Resumable": "1.0.0"})
        if response.status_code != httpx.codes.OK:
            message = f"HEAD answered {response.status_code}"
            raise Unexpected(message)
        return int(response.headers["upload-offset"])

    def send(self, *, until: int | None = None, after_each: Callable[[int], None] = lambda _: None) -> int:
        """Send from the service's offset on.

        Args:
            until: stop there, as when the signal is lost.
            after_each: told the offset after each piece.

        Returns:
            The offset reached.
        """
        offset, end = self.offset(), min(until or 2**63, self._film.stat().st_size)
        with self._film.open("rb") as film:
            while offset < end:
                film.seek(offset)
                piece = film.read(min(CHUNK_BYTES, end - offset))
                response = self.patch(piece, offset=offset)
                if response.status_code != httpx.codes.NO_CONTENT:
                    raise Unexpected(response.text)
                offset = int(response.headers["upload-offset"])
                after_each(offset)
        return offset

    def patch(self, piece: bytes, *, offset: int, checksum_of: bytes | None = None) -> httpx.Response:
        """Send one piece."""
        digest = hashlib.sha256(piece if checksum_of is None else checksum_of).digest()
        return self._browser.http.patch(
            self.address,
            content=piece,
            headers={
                "Tus-Resumable": "1.0.0",
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
                "Upload-Checksum": f"sha256 {base64.b64encode(digest).decode()}",
                "Accept": "application/json",
            },
        )
