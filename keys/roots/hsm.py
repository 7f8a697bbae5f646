"""``pkcs11:``: a root key that was made inside a hardware security module and never leaves it (PKCS #11 v2.40, 3.0).

Sealed form: one byte with the nonce's length, the nonce, then what the token gave for AES-GCM. A token may choose the
nonce itself, by writing it over the one that it was handed (AWS CloudHSM) or behind the ciphertext (Luna in FIPS mode):
what it gives is kept as it came and handed back the same way, and the round trip at every opening proves that it works.

Each use signs in, works and signs out again, under one lock of the process: a token that was taken out and put back
works again, and a sealed vault is no longer signed in. When a PIN is tried is in ``keys.roots.pins``.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from keys.roots import (
    Assurance,
    Destruction,
    RootRecord,
    extra,
    keyring_damaged,
    prove,
    unreachable,
    unusable,
    wrong_root,
)
from keys.roots.given import Given
from keys.roots.pins import Pin, pin_locked, pin_refused
from keys.roots.uris import RootUri, attributes, bad_uri
from keys.wrap import KEY_SIZE, NONCE_SIZE, key_damaged

EXTRA = "hsm"
ID_SIZE = 16
TAG_BITS = 128
_IN_PROCESS = threading.Lock()  # a token's sign-in belongs to the whole process
T = TypeVar("T")


class _To(Enum):
    """What a session is for."""

    USE = False
    CHANGE = True


class HsmRoot:
    """A key in a token.

    Args:
        uri: names token and object, and the module (a library of the token's maker).
        pin: of the token's ordinary user.

    Raises:
        Invalid: ``root_uri``, or ``root_extra_missing``.
    """

    destruction = Destruction.IMMEDIATE
    assurance = Assurance.HSM

    def __init__(self, uri: RootUri, *, pin: Given) -> None:
        if "module-path" not in uri.options:
            raise bad_uri("pkcs11: needs ?module-path=, the library of the token's maker")
        self.uri = uri.kept
        self._module = uri.options["module-path"]
        self._named = attributes(uri)
        self._pin = Pin(pin)
        self._api = extra("pkcs11", name=EXTRA)

    def make(self) -> tuple[RootRecord, OpenHsm]:
        """Make a key in the token: AES-256, sensitive, never extractable.

        Raises:
            Refused: ``pin_refused``.
            Invalid: ``root_unusable``: the token would give the key out.
            Unavailable: ``root_unreachable``.
        """
        key_id = secrets.token_bytes(ID_SIZE)
        api = self._api
        with self._signed_in(_To.CHANGE) as session:
            key = session.generate_key(
                api.KeyType.AES,
                KEY_SIZE * 8,
                id=key_id,
                label=self._named["object"],
                store=True,
                capabilities=api.MechanismFlag.ENCRYPT | api.MechanismFlag.DECRYPT,
                template={
                    api.Attribute.PRIVATE: True,
                    api.Attribute.SENSITIVE: True,
                    api.Attribute.EXTRACTABLE: False,
                },
            )
            if not self._stays_inside(key):
                key.destroy()
                raise _comes_out()
        opened = OpenHsm(self, key_id)
        prove(opened)
        return {"key_id": key_id.hex()}, opened

    def open(self, record: RootRecord) -> OpenHsm:
        """Find the key in the token and try it.

        Raises:
            Refused: ``wrong_root``: this token has no such key; ``pin_refused``.
            Invalid: ``root_unusable``: the key can be taken out.
            Unavailable: ``root_unreachable``, ``pin_held_back``.
        """
        opened = OpenHsm(self, _key_id(record))

        def look(session: Any) -> bool:
            return self._stays_inside(opened.find(session))

        if not self.with_session(look):
            raise _comes_out()
        prove(opened)
        return opened

    def rotate(self, record: RootRecord) -> tuple[RootRecord, OpenHsm]:
        """A further key in the same token."""
        self.open(record)
        return self.make()

    def destroy(self, record: RootRecord, *, at: datetime) -> datetime:
        """Destroy the key in the token, which is the only place where it ever was.

        A backup of the token that its owner made by the maker's own tools is beyond what can be known here.
        """
        key_id = _key_id(record)
        with self._signed_in(_To.CHANGE) as session:
            for key in self.keys(session, key_id=key_id):
                key.destroy()
            if self.keys(session, key_id=key_id):
                raise unreachable("The token did not destroy the key.")
        return at

    def reference(self, record: RootRecord) -> RootRecord:
        """The key's id in the token."""
        return record

    def keys(self, session: Any, *, key_id: bytes) -> list[Any]:
        """The keys of this id (one, or none)."""
        attribute = self._api.Attribute
        wanted = {
            attribute.CLASS: self._api.ObjectClass.SECRET_KEY,
            attribute.LABEL: self._named["object"],
            attribute.ID: key_id,
        }
        return list(session.get_objects(wanted))

    def gcm(self, nonce: bytes, associated_data: bytes) -> tuple[Any, Any]:
        """Mechanism and parameters."""
        return self._api.Mechanism.AES_GCM, self._api.GCMParams(nonce, associated_data, TAG_BITS)

    def with_session(self, act: Callable[[Any], T]) -> T:
        """Sign in, act, sign out."""
        with self._signed_in(_To.USE) as session:
            return act(session)

    def _stays_inside(self, key: Any) -> bool:
        attribute = self._api.Attribute
        return (
            bool(key[attribute.SENSITIVE]) and not key[attribute.EXTRACTABLE] and bool(key[attribute.NEVER_EXTRACTABLE])
        )

    @contextmanager
    def _signed_in(self, to: _To) -> Iterator[Any]:
        errors = self._api.exceptions
        with _IN_PROCESS:
            try:
                with self._session(to) as session:
                    yield session
            except (errors.PinIncorrect, errors.PinInvalid, errors.PinLenRange):
                raise pin_refused() from None
            except (errors.PinLocked, errors.PinExpired, errors.UserPinNotInitialized):
                raise pin_locked() from None
            except errors.PKCS11Error as error:
                raise unreachable(f"The token that holds the root can't be used ({type(error).__name__}).") from None

    def _session(self, to: _To) -> Any:
        token = self._token()
        pin = self._pin.read(token.flags, meaning=self._api.constants.TokenFlag)
        try:
            return token.open(rw=to.value, user_pin=pin.reveal())
        except self._api.exceptions.PKCS11Error as error:
            if type(error).__name__.startswith("Pin"):
                self._pin.was_refused(pin)
            raise

    def _token(self) -> Any:
        wanted: dict[str, Any] = {"token_label": self._named["token"]}
        if "serial" in self._named:
            wanted["token_serial"] = self._named["serial"].encode()
        module = self._api.lib(self._module)
        try:
            return module.get_token(**wanted)
        except self._api.exceptions.PKCS11Error:  # a token that came later shows only to a module that starts over
            module.reinitialize()
            return module.get_token(**wanted)


class OpenHsm:
    """A key in a token, ready for use; nothing of it is in memory.

    Args:
        root: signs in for it.
        key_id: which key.
    """

    def __init__(self, root: HsmRoot, key_id: bytes) -> None:
        self._root = root
        self._key_id = key_id

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        """Seal in the token."""
        return self._root.with_session(lambda session: self._seal(self.find(session), plaintext, associated_data))

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        """Open in the token.

        Raises:
            Damaged: ``key_damaged``.
            Unavailable: ``root_unreachable``.
        """

        def act(session: Any) -> bytes:
            key = self.find(session)
            try:
                return self._open(key, ciphertext, associated_data)
            except _pkcs11_error(self._root):
                probe = secrets.token_bytes(KEY_SIZE)  # tokens disagree on how they say "forged": does it still work?
                if self._open(key, self._seal(key, probe, b""), b"") != probe:
                    raise
                raise key_damaged() from None

        return self._root.with_session(act)

    def find(self, session: Any) -> Any:
        """The key.

        Raises:
            Refused: ``wrong_root``: this token has none of this id.
        """
        found = self._root.keys(session, key_id=self._key_id)
        if len(found) != 1:
            raise wrong_root()
        return found[0]

    def _seal(self, key: Any, plaintext: bytes, associated_data: bytes) -> bytes:
        mechanism, parameters = self._root.gcm(secrets.token_bytes(NONCE_SIZE), associated_data)
        given = key.encrypt(plaintext, mechanism=mechanism, mechanism_param=parameters)
        nonce = bytes(memoryview(parameters.nonce))  # as the token left it
        return bytes([len(nonce)]) + nonce + bytes(given)

    def _open(self, key: Any, sealed: bytes, associated_data: bytes) -> bytes:
        size = sealed[0] if sealed else 0
        if not 1 <= size <= NONCE_SIZE or len(sealed) <= 1 + size:
            raise key_damaged()
        mechanism, parameters = self._root.gcm(sealed[1 : 1 + size], associated_data)
        return bytes(key.decrypt(sealed[1 + size :], mechanism=mechanism, mechanism_param=parameters))


def _pkcs11_error(root: HsmRoot) -> type[Exception]:
    kind: type[Exception] = root._api.exceptions.PKCS11Error  # noqa: SLF001 - the two classes are one adapter
    return kind


def _key_id(record: RootRecord) -> bytes:
    try:
        return bytes.fromhex(str(record["key_id"]))
    except (KeyError, ValueError):
        raise keyring_damaged() from None


def _comes_out() -> Exception:
    return unusable(
        "The token would give its key out, so it isn't used: the key must be sensitive and never extractable."
    )
