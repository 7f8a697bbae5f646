"""The search finds what it is to find: in every form, at every place, and nothing else."""

from __future__ import annotations

import base64
import json
import secrets
from urllib.parse import quote

import pytest

from tests.canary.needles import Needles

NAME = "Zoë Quillfeather-Ó Briain"
KEY = secrets.token_bytes(32)

FORMS = {
    "as it is": NAME.encode(),
    "as Windows writes it": NAME.encode("utf-16-le"),
    "in JSON": json.dumps({"name": NAME}).encode(),
    "in an address": quote(NAME).encode(),
    "in hex": NAME.encode().hex().encode(),
    "in base64": base64.b64encode(NAME.encode()),
    "in the middle of something in base64": base64.b64encode(b"Subject: " + NAME.encode() + b" and others"),
    "in base64 for addresses": base64.urlsafe_b64encode(b"?" + NAME.encode() + b"?"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("before", range(5))
def test_a_name_is_found(form: bytes, before: int) -> None:
    needles = Needles()
    needles.text("the child's name", NAME)
    noise = secrets.token_bytes(5000)
    assert needles.find(noise[:before] + form + noise) == {"the child's name"}
    assert needles.find(noise) == set()


@pytest.mark.parametrize(
    "form",
    [KEY, KEY.hex().encode(), base64.b64encode(KEY), base64.b64encode(b"=" + KEY)],
    ids=["as it is", "in hex", "in base64", "in the middle of something in base64"],
)
def test_a_key_is_found(form: bytes) -> None:
    needles = Needles()
    needles.key("the root key", KEY)
    assert needles.find(b"..." + form) == {"the root key"}


def test_any_kilobyte_of_a_film_is_found_and_a_film_that_is_sealed_is_not() -> None:
    film = secrets.token_bytes(300_000)
    needles = Needles()
    needles.film("the film", film)
    for at in (0, 1, 77_777, 298_976):
        assert needles.find(bytes(13) + film[at : at + 1024]) == {"the film"}
    assert needles.find(secrets.token_bytes(3_000_000)) == set()


def test_what_could_be_anything_is_no_needle() -> None:
    needles = Needles()
    needles.film("zeros", bytes(100_000))
    assert len(needles) == 0
