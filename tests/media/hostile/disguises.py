"""What is called a film and is something else, or is a film and something else at once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.media.hostile.boxes import behind, box
from tests.media.hostile.small import film

Make = Callable[[], bytes]
SCRIPT = b"<!doctype html><script>document.title='PARSED'</script>"
BOMB_NAME = "family-canary.txt"


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(BOMB_NAME, "x" * 100)
    return out.getvalue()


def _pdf_in_front() -> bytes:
    """Readers look for ``%PDF`` in the first thousand bytes, so a film may be a document too."""
    document = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj trailer<</Root 1 0 R>>\n%%EOF\n"
    return behind(box(b"free", document), film())


def disguises(decoy: Path, *, port: int) -> Mapping[str, tuple[Make, str]]:
    """By name: how to make it, and the code that it must meet; ``fine`` where a film must come out.

    Args:
        decoy: another family's film, which some of them name.
        port: of a server on this machine, which some of them name.
    """
    address = f"http://127.0.0.1:{port}/film.mp4"
    texts = {
        "a text": "This is only called clip.mp4.\n" * 20,
        "a list that names another file": f"ffconcat version 1.0\nfile '{decoy}'\n",
        "a list that names a file next to it": f"ffconcat version 1.0\nfile {decoy.name}\n",
        "a playlist that names another file": (
            f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://{decoy}\n#EXT-X-ENDLIST\n"
        ),
        "a playlist that names an address": f"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:3,\n{address}\n#EXT-X-ENDLIST\n",
        "a playlist with a key elsewhere": (
            f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{address}"\n#EXTINF:3,\nconcat:{decoy}|{decoy}\n#EXT-X-ENDLIST\n'
        ),
        "an SDP description": f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\n",
        "a DASH manifest": (
            "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'><Period><AdaptationSet>"
            f"<Representation><BaseURL>file://{decoy}</BaseURL></Representation></AdaptationSet></Period></MPD>"
        ),
        "a stylesheet of subtitles": f"1\n00:00:00,000 --> 00:00:01,000\n<img src='{address}'>\n",
        "subtitles of the web": "WEBVTT\n\n00:00.000 --> 00:01.000\n<script>x</script>\n",
        "subtitles with fonts": "[Script Info]\nScriptType: v4.00+\n[Fonts]\nfontname: x.ttf\n[Events]\n",
        "a web page": SCRIPT.decode(),
        "a drawing with a script": (
            f"<svg xmlns='http://www.w3.org/2000/svg'><script/><image href='file://{decoy}'/></svg>"
        ),
        "a script of AviSynth": f'AVISource("{decoy}")\n',
        "a picture that fetches another": f"push graphic-context\nfill 'url({address})'\npop graphic-context\n",
    }
    refused: dict[str, Make] = {name: lambda text=text: text.encode() for name, text in texts.items()}  # type: ignore[misc]
    refused |= {
        "nothing at all": lambda: b"",
        "one byte": lambda: b"\0",
        "zeros": lambda: bytes(100_000),
        "a PDF": lambda: b"%PDF-1.7\n" + bytes(500),
        "a ZIP": _zip,
        "a program": lambda: b"\x7fELF\x02\x01\x01" + bytes(500),
        "a photograph of a phone": lambda: box(b"ftyp", b"heic\0\0\0\0mif1heic") + box(b"meta", bytes(40)),
        "a photograph": lambda: b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(500),
        "a moving picture of the web": lambda: b"GIF89a" + bytes(500),
        "a list behind four bytes": lambda: b"\0\0\0\x20" + texts["a list that names another file"].encode(),
    }
    made = {name: (make, "not_a_film") for name, make in refused.items()}
    return made | {
        "a list in a film's clothes": (
            lambda: box(b"ftyp", b"isom\0\0\2\0") + texts["a list that names another file"].encode(),
            "film_truncated",
        ),
        "a playlist in a film's box": (
            lambda: box(b"ftyp", b"isom\0\0\2\0") + box(b"moov", texts["a playlist that names an address"].encode()),
            "film_unreadable",
        ),
        "a film that is a web page too": (lambda: behind(box(b"free", SCRIPT), film()), "fine"),
        "a film that is a PDF too": (_pdf_in_front, "fine"),
        "a film that is a ZIP too": (lambda: film() + _zip(), "fine"),
        "a film with a program behind it": (lambda: film() + b"\x7fELF" + bytes(500), "fine"),
    }
