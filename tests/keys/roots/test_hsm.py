"""A token: what its key lets out, and how few wrong PINs it is ever given."""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import Damaged, Invalid, Refused, Unavailable
from core.secret import Secret
from keys import SecretFile, Typed
from keys.roots import prove
from keys.roots.hsm import OpenHsm
from tests.keys.roots.peers import PIN, WRONG_PIN, Tokens

AT = datetime(2026, 3, 2, tzinfo=UTC)
Flag = pkcs11.constants.TokenFlag


def pin_file(folder: Path, pin: str) -> SecretFile:
    path = folder / "pin"
    path.touch(mode=0o600)
    path.write_text(pin + "\n")
    return SecretFile(path)


def flags(hsm: Tokens) -> int:
    return int(pkcs11.lib(hsm.module).get_token(token_label="first").flags)


def test_the_key_was_made_in_the_token_and_never_comes_out(hsm: Tokens) -> None:
    record, _ = hsm.root().make()
    assert set(record) == {"key_id"}
    (key,) = hsm.keys()
    assert key == {
        "SENSITIVE": True,
        "EXTRACTABLE": False,
        "NEVER_EXTRACTABLE": True,
        "ALWAYS_SENSITIVE": True,
        "LOCAL": True,
        "TOKEN": True,
        "PRIVATE": True,
    }


def test_a_key_that_could_be_taken_out_is_not_used(hsm: Tokens) -> None:
    key_id = b"0123456789abcdef"
    with pkcs11.lib(hsm.module).get_token(token_label="first").open(user_pin=PIN, rw=True) as session:
        session.generate_key(
            pkcs11.KeyType.AES,
            256,
            id=key_id,
            label="vig-vault-root",
            store=True,
            template={pkcs11.Attribute.EXTRACTABLE: True, pkcs11.Attribute.SENSITIVE: False},
        )
    with pytest.raises(Invalid, match="root_unusable"):
        hsm.root().open({"key_id": key_id.hex()})


def test_what_it_sealed_opens_only_whole_and_for_what_it_was_sealed_for(hsm: Tokens) -> None:
    _, opened = hsm.root().make()
    sealed = opened.encrypt(b"a capsule", associated_data=b"store 1")
    assert opened.decrypt(sealed, associated_data=b"store 1") == b"a capsule"
    assert opened.encrypt(b"a capsule", associated_data=b"store 1") != sealed
    for bad in (sealed[:-1], b"", b"\xff" + sealed):
        with pytest.raises(Damaged, match="key_damaged"):
            opened.decrypt(bad, associated_data=b"store 1")
    for bound in (b"store 2", b""):
        with pytest.raises(Damaged, match="key_damaged"):
            opened.decrypt(sealed, associated_data=bound)


def test_a_wrong_pin_is_given_once_however_often_the_service_starts(hsm: Tokens, tmp_path: Path) -> None:
    record, _ = hsm.root().make()
    wrong = pin_file(tmp_path, WRONG_PIN)
    root = hsm.root(given=wrong)
    with pytest.raises(Refused, match="pin_refused"):
        root.open(record)
    assert flags(hsm) & Flag.USER_PIN_COUNT_LOW, "the token remembers the one try"
    for again in (root, hsm.root(given=wrong)):  # this process, and one that a service manager started anew
        with pytest.raises((Refused, Unavailable), match=r"pin_refused|pin_held_back"):
            again.open(record)
    with pytest.raises(Unavailable, match="pin_held_back"):
        hsm.root(given=pin_file(tmp_path, PIN)).open(record)
    assert hsm.root(given=Typed(Secret(PIN))).open(record), "a person at a terminal may try"
    assert not flags(hsm) & Flag.USER_PIN_COUNT_LOW
    assert hsm.root(given=pin_file(tmp_path, PIN)).open(record)


def test_no_pin_stands_in_a_message_or_a_repr(hsm: Tokens) -> None:
    root = hsm.root(given=Typed(Secret(WRONG_PIN)))
    with pytest.raises(Refused) as caught:
        root.make()
    assert WRONG_PIN not in f"{caught.value!r} {caught.value.sentence} {root!r} {vars(root)!r}"
    assert caught.value.__cause__ is None


def test_a_module_or_a_token_that_is_not_there_is_said_to_be_away(hsm: Tokens) -> None:
    with pytest.raises(Unavailable, match="root_unreachable"):
        Tokens(hsm.folder, "/usr/lib/no such module.so".replace(" ", "-")).root().make()
    with pytest.raises(Unavailable, match="root_unreachable"):
        hsm.root(token="third").make()


def test_a_token_taken_out_while_it_is_used_is_away_and_works_when_it_is_back(hsm: Tokens) -> None:
    _, opened = hsm.root().make()
    sealed = opened.encrypt(b"a capsule", associated_data=b"")
    with hsm.away():
        for _ in range(2):
            with pytest.raises(Unavailable, match="root_unreachable"):
                opened.decrypt(sealed, associated_data=b"")
    assert opened.decrypt(sealed, associated_data=b"") == b"a capsule"


def test_a_destroyed_key_is_gone_from_the_token_and_from_its_folder(hsm: Tokens) -> None:
    root = hsm.root()
    record, opened = root.make()
    sealed = opened.encrypt(b"a capsule", associated_data=b"")
    before = set((hsm.folder / "tokens").rglob("*.object"))
    assert root.destroy(record, at=AT) == AT
    assert hsm.keys() == []
    assert set((hsm.folder / "tokens").rglob("*.object")) < before
    with pytest.raises(Refused, match="wrong_root"):
        opened.decrypt(sealed, associated_data=b"")


class OwnMind:
    """A key in a token that chooses the nonce itself, by real AES-GCM: written over the given one, or appended."""

    def __init__(self, how: str) -> None:
        self._key = AESGCM(AESGCM.generate_key(256))
        self._how = how
        self._count = 0

    def encrypt(self, plaintext: bytes, *, mechanism: Any, mechanism_param: Any) -> bytes:  # noqa: ARG002 - as a key is called
        self._count += 1
        own = self._count.to_bytes(12, "big")
        sealed = self._key.encrypt(own, plaintext, mechanism_param.aad)
        if self._how == "appended":
            return sealed + own
        ctypes.memmove(mechanism_param.nonce, own, 12)
        return sealed

    def decrypt(self, ciphertext: bytes, *, mechanism: Any, mechanism_param: Any) -> bytes:  # noqa: ARG002 - as a key is called
        nonce = mechanism_param.nonce
        if self._how == "appended":
            ciphertext, nonce = ciphertext[:-12], ciphertext[-12:]
        try:
            return self._key.decrypt(nonce, ciphertext, mechanism_param.aad)
        except InvalidTag:
            raise pkcs11.exceptions.EncryptedDataInvalid from None


@pytest.mark.parametrize("how", ["overwritten", "appended"])
def test_a_token_may_choose_the_nonce_itself(hsm: Tokens, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record, opened = hsm.root().make()
    own = OwnMind(how)
    monkeypatch.setattr(OpenHsm, "find", lambda _self, _session: own)
    prove(opened)
    sealed = opened.encrypt(b"a capsule", associated_data=b"store 1")
    again = OpenHsm(hsm.root(), bytes.fromhex(str(record["key_id"])))  # type: ignore[arg-type]  # an HsmRoot
    assert again.decrypt(sealed, associated_data=b"store 1") == b"a capsule"
