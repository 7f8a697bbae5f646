"""Names of roots (PURE): a scheme, what identifies the key, and how to get there.

    local:
    pkcs11:token=vault;object=vig-vault-root?module-path=/usr/lib/softhsm/libsofthsm2.so     (RFC 7512)
    hcvault://vault.example.gov.uk/transit/keys/vig-vault?ca=/etc/ssl/vault.pem&snapshots-kept-days=35
    aws-kms:alias/vig-vault?region=eu-west-2&waits-days=7

What stands before the question mark is kept in the keyring and must stay; what comes after may differ from machine to
machine. No secret is ever part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from core.errors import Invalid


@dataclass(frozen=True, slots=True)
class RootUri:
    """A root's name, taken apart.

    Attributes:
        scheme: the kind of root.
        name: what identifies the key, as it stands in the URI.
        options: how to get there.
    """

    scheme: str
    name: str
    options: Mapping[str, str]

    @property
    def kept(self) -> str:
        """What the keyring keeps."""
        return f"{self.scheme}:{self.name}"


_OPTIONS = {
    "local": frozenset[str](),
    "pkcs11": frozenset({"module-path"}),
    "hcvault": frozenset({"ca", "snapshots-kept-days", "tls"}),
    "aws-kms": frozenset({"region", "endpoint", "profile", "waits-days"}),
}
_ATTRIBUTES = frozenset({"token", "serial", "object"})


def parse(uri: str) -> RootUri:
    """Take a name apart.

    Raises:
        Invalid: ``root_uri``: no such kind, or an option that it doesn't have.
    """
    before, _, query = uri.partition("?")
    scheme, colon, name = before.partition(":")
    if not colon or scheme not in _OPTIONS or not uri.isprintable() or " " in uri:
        raise bad_uri("it begins with local:, pkcs11:, hcvault: or aws-kms:")
    try:
        pairs = parse_qsl(query, keep_blank_values=False, strict_parsing=bool(query))
    except ValueError:
        raise bad_uri("options follow a question mark, as in ?name=value&name=value") from None
    options = dict(pairs)
    if "pin-value" in query or "pin-value" in name:
        raise bad_uri("a PIN never stands in it: name the file that holds it")
    if len(options) != len(pairs) or not options.keys() <= _OPTIONS[scheme]:
        raise bad_uri(f"{scheme}: takes {', '.join(sorted(_OPTIONS[scheme])) or 'no option'}, each once")
    if scheme == "local" and name:
        raise bad_uri("local: stands alone")
    return RootUri(scheme, name.removeprefix("//") if scheme != "local" else "", options)


def attributes(uri: RootUri) -> Mapping[str, str]:
    """The attributes of a ``pkcs11:`` name (RFC 7512, section 2.3).

    Raises:
        Invalid: ``root_uri``.
    """
    pairs = [part.partition("=") for part in uri.name.split(";")]
    found = {key: unquote(value) for key, _, value in pairs}
    if len(found) != len(pairs) or not found.keys() <= _ATTRIBUTES or not all(found.values()):
        raise bad_uri("pkcs11: takes token, serial and object, each once, separated by semicolons")
    if not {"token", "object"} <= found.keys():
        raise bad_uri("pkcs11: needs token and object")
    return found


def days(uri: RootUri, option: str) -> int | None:
    """An option that is a number of days.

    Raises:
        Invalid: ``root_uri``.
    """
    text = uri.options.get(option)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):  # noqa: PLR2004 - up to 27 years
        raise bad_uri(f"{option} is a number of days")
    return int(text)


def quoted(attribute: str) -> str:
    """An attribute's value as it may stand in a name."""
    return quote(attribute, safe="")


def bad_uri(wanted: str) -> Invalid:
    """The answer to a name that can't be used."""
    return Invalid("root_uri", f"The root's name can't be used: {wanted}.")
