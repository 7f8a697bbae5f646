"""Names of roots: what can be read, what is kept, and that no secret has a place in them."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from core.errors import Invalid
from core.secret import Secret
from keys import Needs, Typed, root_from, root_needs
from keys.roots import uris

GIVEN = Typed(Secret("246810"))
HSM = "pkcs11:token=my%20vault;object=root?module-path=/usr/lib/x.so"
BAO = "hcvault://keys.example.gov.uk/transit/keys/vig-vault?ca=/etc/ca.pem"
AWS = "aws-kms:alias/vig-vault?region=eu-west-2"


@pytest.mark.parametrize(
    ("uri", "kept", "needs"),
    [
        ("local:", "local:", Needs.PASSPHRASE),
        (HSM, "pkcs11:token=my%20vault;object=root", Needs.PIN),
        (BAO, "hcvault:keys.example.gov.uk/transit/keys/vig-vault", Needs.TOKEN),
        (AWS, "aws-kms:alias/vig-vault", Needs.NOTHING),
        ("aws-kms://arn:aws:kms:eu-west-2:1:key/2", "aws-kms:arn:aws:kms:eu-west-2:1:key/2", Needs.NOTHING),
    ],
)
def test_what_differs_from_machine_to_machine_is_not_kept(uri: str, kept: str, needs: Needs) -> None:
    assert root_needs(uri) is needs
    assert root_from(uri, given=GIVEN).uri == kept


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "local",
        "local:somewhere",
        "file:/etc/key",
        "pkcs11:token=vault;object=root",
        "pkcs11:token=vault?module-path=/usr/lib/x.so",
        "pkcs11:token=vault;object=root;object=other?module-path=/usr/lib/x.so",
        "pkcs11:token=vault;object=root?module-path=/usr/lib/x.so&pin-value=1234",
        "pkcs11:token=vault;object=root;pin-value=1234?module-path=/usr/lib/x.so",
        "pkcs11:token=vault;object=root?module-path=/a&module-path=/b",
        "hcvault://keys.example.gov.uk/vig-vault",
        "hcvault://keys.example.gov.uk/transit/keys/vig-vault?tls=no",
        "hcvault://keys.example.gov.uk/transit/keys/vig-vault?tls=perhaps",
        "hcvault://keys.example.gov.uk/transit/keys/vig-vault?snapshots-kept-days=-1",
        "hcvault://keys.example.gov.uk/transit/keys/../../sys?ca=/x",
        "hcvault://me:1234@keys.example.gov.uk/transit/keys/vig-vault",
        "aws-kms:vig-vault",
        "aws-kms:alias/vig-vault?waits-days=6",
        "aws-kms:alias/vig-vault?waits-days=31",
        "aws-kms:alias/vig vault",
        "local:\n",
    ],
)
def test_a_name_that_can_not_be_meant_is_refused(uri: str) -> None:
    with pytest.raises(Invalid, match="root_uri") as caught:
        root_from(uri, given=GIVEN)
    assert "1234" not in caught.value.sentence


def test_without_tls_only_this_machine_is_spoken_to() -> None:
    for host in ("127.0.0.1:8200", "localhost:8200", "[::1]:8200"):
        assert root_from(f"hcvault://{host}/transit/keys/vig-vault?tls=no", given=GIVEN)


def test_a_root_that_needs_something_says_so() -> None:
    for uri in ("local:", HSM, BAO):
        with pytest.raises(Invalid, match="root_secret_missing"):
            root_from(uri)


@pytest.mark.parametrize(
    ("uri", "module", "extra"), [(HSM, "pkcs11", "hsm"), (BAO, "hvac", "hcvault"), (AWS, "botocore", "aws")]
)
def test_a_library_that_is_not_installed_is_named_with_what_to_install(
    uri: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.import_module

    def without(name: str) -> ModuleType:
        if name.partition(".")[0] == module:
            raise ModuleNotFoundError(name=name)
        return real(name)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(Invalid, match="root_extra_missing") as caught:
        root_from(uri, given=GIVEN)
    assert f"vig-vault[{extra}]" in caught.value.sentence


def test_every_name_in_the_explanation_is_one() -> None:
    words = (uris.__doc__ or "").split()
    named = [word for word in words if word.startswith(("local:", "pkcs11:", "hcvault:", "aws-kms:"))]
    assert len(named) == 4
    for name in named:
        assert root_from(name, given=GIVEN)
