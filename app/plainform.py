"""One film out of a multipart form, as a stream: nothing is spooled to a disk, nothing is held beyond a piece.

Starlette's own form parser writes large files to temporary files in clear, so the parser underneath
(``python-multipart``) is used directly. The film's length is known only at its end; a form's own length and the size of
what frames the film give it beforehand, since the film is the form's last field.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app.pages.words import megabytes
from core.errors import Invalid, TooLarge

_MAX_HEAD = 16 * 1024
logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it would write down what bytes it stumbled over


@dataclass(frozen=True, slots=True)
class FilmPart:
    """The film in a form.

    Attributes:
        length: bytes of the film.
        chunks: the film itself, to be read once.
    """

    filename: str = field(repr=False)
    media_type: str
    length: int
    chunks: AsyncIterator[bytes]


class _Head:
    """Collects what stands before the film's first byte."""

    def __init__(self) -> None:
        self.name = self.filename = ""
        self.media_type = ""
        self._header, self._value = bytearray(), bytearray()
        self.data: list[bytes] = []

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": lambda data, start, end: self.data.append(bytes(data[start:end])),
        }

    def _begin(self) -> None:
        if self.name:
            raise Invalid("form_order", "Choose one film only.", field="film")

    def _header_end(self) -> None:
        name = self._header.decode("latin-1").lower()
        if name == "content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self.name = options.get(b"name", b"").decode("utf-8", "replace")
            self.filename = options.get(b"filename", b"").decode("utf-8", "replace")
        elif name == "content-type":
            self.media_type = self._value.decode("latin-1")
        self._header.clear()
        self._value.clear()


async def film_part(request: Request, *, most_bytes: int) -> FilmPart:
    """Find the film in a posted form whose only field it is.

    Args:
        request: its body is read once, as ``chunks`` is.
        most_bytes: the largest film.

    Raises:
        Invalid: not such a form.
        TooLarge: more than ``most_bytes``, or of unstated length.
    """
    boundary, total = _announced(request, most_bytes=most_bytes)
    head = _Head()
    parser = MultipartParser(boundary, head.callbacks())  # type: ignore[arg-type]  # a TypedDict of optional callables
    body = request.stream()
    begun = b""
    async for chunk in body:
        begun += chunk
        if b"\r\n\r\n" in begun or len(begun) > _MAX_HEAD:
            break
    before, found, _ = begun.partition(b"\r\n\r\n")
    _write(parser, begun)
    if not found or head.name != "film" or not head.filename:
        raise Invalid("no_film", "Choose a film.", field="film")
    length = total - len(before) - 4 - len(b"\r\n--" + boundary + b"--\r\n")
    if length <= 0:
        raise Invalid("empty_film", "This film is empty. Choose the film that you made at the visit.", field="film")

    async def film() -> AsyncIterator[bytes]:
        while True:
            for piece in head.data:
                yield piece
            head.data.clear()
            following = await anext(body, None)
            if following is None:
                return
            _write(parser, following)

    return FilmPart(head.filename, head.media_type, length, film())


def _write(parser: MultipartParser, data: bytes) -> None:
    try:
        parser.write(data)
    except FormParserError:
        raise Invalid("not_a_form", "The film didn't come as a form sends it. Send it again.", field="film") from None


def _announced(request: Request, *, most_bytes: int) -> tuple[bytes, int]:
    """Boundary and length of the form, if it is one and not too long."""
    kind, options = parse_options_header(request.headers.get("content-type", "").encode())
    boundary = options.get(b"boundary", b"")
    total = request.headers.get("content-length", "")
    if kind != b"multipart/form-data" or not boundary or not total.isdecimal():
        raise Invalid("not_a_form", "Choose a film and send the form again.", field="film")
    if int(total) > most_bytes + _MAX_HEAD:
        most = megabytes(most_bytes)
        raise TooLarge("film_too_large", f"This film is larger than {most}, the most that the service takes.")
    return boundary, int(total)
