from __future__ import annotations

import pytest

from core.errors import Invalid
from core.secret import Secret
from identity import passwords

REFUSED = {
    "eleven characters": ("tyre-swing7", "password_too_short"),
    "eleven characters and spaces around, which count": ("          a", "password_too_short"),
    "longer than anybody types": ("long walk " * 30, "password_too_long"),
    "half a character": ("tyre swing \ud800 oak", "password_form"),
    "a line of its own": ("tyre swing\nunder oak", "password_form"),
    "a common word with digits": ("password123456", "password_too_common"),
    "a common word in disguise": ("P@ssw0rd!2026", "password_too_common"),
    "common words in a row": ("Summer-Council-2026", "password_too_common"),
    "the service's own name": ("vigvault-2026!!", "password_too_common"),
    "the owner's name and work": ("GwenGuide1990!", "password_too_common"),
    "one letter over and over": ("aaaaaaaaaaaaaaa", "password_too_common"),
    "a run": ("abcdefghijklmnop", "password_too_common"),
    "three letters repeated": ("xyzxyzxyzxyz", "password_too_common"),
    "digits only, whatever they are": ("194719661998", "password_too_common"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_password_is_refused_that_is(what: str) -> None:
    text, code = REFUSED[what]
    with pytest.raises(Invalid) as error:
        passwords.check_password(Secret(text), context=("Gwen Guide", "gwen.guide@example.gov.uk"))
    assert error.value.code == code
    assert text not in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["correct horse battery staple", "tyre swing under oak", "twelve chars", "\u0175yth o'r gloch heno"],
)
def test_a_long_password_needs_neither_digits_nor_signs(text: str) -> None:
    passwords.check_password(Secret(text), context=("Gwen Guide",))


@pytest.mark.parametrize(
    "digits",
    [
        "12345",
        "1234567890123",
        "12 34 56",
        " 123457",
        "12a456",
        "\u0967\u0968\u0969\u096a\u096b\u096d",
        "\uff11\uff12\uff13\uff14\uff15\uff17",
    ],
)
def test_a_passcode_is_six_to_twelve_plain_digits(digits: str) -> None:
    with pytest.raises(Invalid, match="passcode_form"):
        passwords.check_passcode(Secret(digits))


@pytest.mark.parametrize("digits", ["000000", "123456", "987654", "121212", "123123"])
def test_a_passcode_that_anybody_would_try_is_refused(digits: str) -> None:
    with pytest.raises(Invalid, match="passcode_too_easy"):
        passwords.check_passcode(Secret(digits))


def test_only_the_same_words_match_however_the_keyboard_wrote_them() -> None:
    kept = passwords.hashed(Secret("caf\u00e9 under the oak"))
    assert kept.startswith("$argon2id$")
    assert passwords.matches(Secret("cafe\u0301 under the oak"), kept)
    assert not passwords.matches(Secret("cafe under the oak"), kept)
    assert not passwords.matches(Secret("nobody has this password"), None)
    assert not passwords.matches(Secret("anything"), "not a hash")
    assert not passwords.matches(Secret("\ud800"), kept)
