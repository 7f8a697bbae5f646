"""``hcvault:``: a root key in the Transit engine of OpenBao or HashiCorp Vault (``hvac``).

Each root is one *version* of a Transit key. To destroy one, the versions up to it are forbidden and trimmed, which is
for good in the server's live storage. Its snapshots and backups are copies: how long those are kept only their owner
can say (``snapshots-kept-days``). Said, a destruction is delayed by that long; unsaid, it is never claimed.

The token is read from its file for each use, so an agent may renew it (OpenBao Agent's file sink).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from datetime import datetime, timedelta
from typing import Any

from core.errors import Damaged, Refused, Unavailable
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
from keys.roots.uris import RootUri, bad_uri, days
from keys.wrap import key_damaged

EXTRA = "hcvault"
KIND = "aes256-gcm96"
TIMEOUT_SECONDS = 10
_CHECK = b"vig-vault root check v1"
_NAME = re.compile(r"(?P<host>[^/\s@]+)/(?P<mount>[\w.-]+)/keys/(?P<key>[\w.-]+)")
_FORM = re.compile(rb"vault:v[0-9]+:[A-Za-z0-9+/=]+")


class TransitRoot:
    """A version of a Transit key.

    Args:
        uri: names server, mount and key.
        token: one whose policy allows the key's ``encrypt`` and ``decrypt``; for making, rotating and destroying
            also reading, configuring, rotating and trimming it.

    Raises:
        Invalid: ``root_uri``, or ``root_extra_missing``.
    """

    assurance = Assurance.FILE

    def __init__(self, uri: RootUri, *, token: Given) -> None:
        named = _NAME.fullmatch(uri.name)
        if named is None:
            raise bad_uri("hcvault: names a key as in hcvault://vault.example.gov.uk:8200/transit/keys/vig-vault")
        self.uri = uri.kept
        self._mount, self.key = named["mount"], named["key"]
        self._snapshots = days(uri, "snapshots-kept-days")
        self._url = f"{_scheme(uri, host=named['host'])}://{named['host']}"
        self._verify: str | bool = uri.options.get("ca", True)
        self._token = token
        self._api = extra("hvac", name=EXTRA)

    @property
    def destruction(self) -> Destruction:
        """What the policy about snapshots makes of it."""
        if self._snapshots is None:
            return Destruction.NONE
        return Destruction.DELAYED if self._snapshots else Destruction.IMMEDIATE

    def make(self) -> tuple[RootRecord, OpenTransit]:
        """Make the key, or a further version where there is one of that name.

        Raises:
            Invalid: ``root_unusable``: there is one of that name that the server would give out.
            Unavailable: ``root_unreachable``, ``root_denied``.
        """
        if self._facts() is None:
            self.call("create_key", key_type=KIND, exportable=False, allow_plaintext_backup=False)
        else:
            self.call("rotate_key")
        return self._latest()

    def open(self, record: RootRecord) -> OpenTransit:
        """Find the version and try it.

        Raises:
            Refused: ``wrong_root``: there is no such key, it is another of that name, or its version was trimmed.
            Unavailable: ``root_unreachable``, ``root_denied``.
        """
        opened = OpenTransit(self, _version(record))
        try:
            opened.decrypt(str(record.get("check", "")).encode(), associated_data=_CHECK)
        except Damaged:
            raise wrong_root() from None
        prove(opened)
        return opened

    def rotate(self, record: RootRecord) -> tuple[RootRecord, OpenTransit]:
        """A further version of the key."""
        self.open(record)
        self.call("rotate_key")
        return self._latest()

    def destroy(self, record: RootRecord, *, at: datetime) -> datetime | None:
        """Trim this version, and all before it, out of the server's live storage."""
        first = _version(record) + 1
        facts = self._facts()
        if facts is not None and int(facts["min_available_version"]) < first:
            if int(facts["latest_version"]) < first:
                self.call("rotate_key")  # the latest can't be trimmed
            lowest = max(first, int(facts["min_decryption_version"]))
            self.call("update_key_configuration", min_encryption_version=lowest)
            self.call("update_key_configuration", min_decryption_version=lowest)
            self.call("trim_key", min_version=first)
            facts = self._facts()
            if facts is None or int(facts["min_available_version"]) < first:
                raise unreachable("The key service did not trim the key.")
        return None if self._snapshots is None else at + timedelta(days=self._snapshots)

    def reference(self, record: RootRecord) -> RootRecord:
        """The version's number."""
        return {"version": _version(record)}

    def call(self, name: str, **arguments: Any) -> Any:
        """Ask the server.

        Raises:
            Refused: ``wrong_root``: it has no such key or version.
            Unavailable: ``root_unreachable``, ``root_denied``.
        """
        errors, requests = self._api.exceptions, extra("requests", name=EXTRA)
        client = self._api.Client(
            url=self._url, token=self._token.read().reveal(), verify=self._verify, timeout=TIMEOUT_SECONDS
        )
        try:
            return getattr(client.secrets.transit, name)(self.key, mount_point=self._mount, **arguments)
        except (errors.Forbidden, errors.Unauthorized):
            raise _denied() from None
        except (errors.InvalidRequest, errors.InvalidPath):
            raise wrong_root() from None
        except (errors.VaultError, requests.RequestException) as error:
            raise unreachable(f"The key service that holds the root can't be used ({type(error).__name__}).") from None
        finally:
            client.adapter.close()

    def _facts(self) -> Any:
        try:
            return self.call("read_key")["data"]
        except Refused:
            return None

    def _latest(self) -> tuple[RootRecord, OpenTransit]:
        facts = self._facts() or {}
        if facts.get("type") != KIND or facts.get("exportable") or facts.get("allow_plaintext_backup"):
            raise unusable(f"The key must be of type {KIND}, neither exportable nor open to plaintext backup.")
        version = int(facts["latest_version"])
        opened = OpenTransit(self, version)
        prove(opened)
        return {"version": version, "check": opened.encrypt(b"", associated_data=_CHECK).decode()}, opened


class OpenTransit:
    """A version of a Transit key, ready for use; the key never leaves the server.

    Args:
        root: asks the server for it.
        version: of the key.
    """

    def __init__(self, root: TransitRoot, version: int) -> None:
        self._root = root
        self._version = version

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        """Seal on the server."""
        answer = self._root.call(
            "encrypt_data",
            plaintext=_text(plaintext),
            associated_data=_text(associated_data),
            key_version=self._version,
        )
        sealed = str(answer["data"]["ciphertext"]).encode()
        if not sealed.startswith(b"vault:v%d:" % self._version):
            raise wrong_root()
        return sealed

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        """Open on the server.

        Raises:
            Damaged: ``key_damaged``: it isn't what this version sealed for these associated data.
        """
        if not _FORM.fullmatch(ciphertext) or not ciphertext.startswith(b"vault:v%d:" % self._version):
            raise key_damaged()
        try:
            answer = self._root.call(
                "decrypt_data", ciphertext=ciphertext.decode(), associated_data=_text(associated_data)
            )
            return base64.b64decode(answer["data"]["plaintext"], validate=True)
        except (Refused, binascii.Error):
            raise key_damaged() from None


def _scheme(uri: RootUri, *, host: str) -> str:
    tls = uri.options.get("tls", "yes")
    if tls == "yes":
        return "https"
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    try:
        is_here = ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        is_here = name == "localhost"
    if tls != "no" or not is_here:
        raise bad_uri("tls=no is for a server or an agent on this machine only")
    return "http"


def _version(record: RootRecord) -> int:
    version = record.get("version")
    if not isinstance(version, int) or version < 1:
        raise keyring_damaged()
    return version


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _denied() -> Unavailable:
    return Unavailable(
        "root_denied", "The key service doesn't accept our token, or its policy doesn't allow this. Nothing was lost."
    )
