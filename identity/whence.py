"""Where somebody asks from: address, browser, and whether an account signed in on that browser before.

A count per account keeps guessers out, and would let them keep the owner out as well, for as long as they go on. So a
browser on which an account signed in whole keeps a mark (OWASP's "device cookie"): tries that show it are counted by
themselves, and nothing that happens elsewhere uses them up. The mark opens nothing.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address

from core.secret import Secret
from identity.sealing import keyed_hash
from keys import KeyStore

_MARK = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})")
_ONE_LINE = 64
"""Bits of an IPv6 address that name a network; whoever has a line has all addresses of one."""
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_MACHINES = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "an Android phone or tablet"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("CrOS", "a Chromebook"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Whence:
    """Where a try comes from.

    Attributes:
        address: the network address.
        agent: what the browser calls itself, however long.
        mark: what this browser kept from an earlier sign-in.
    """

    address: str = field(repr=False)
    agent: str = field(default="", repr=False)
    mark: Secret[str] = field(default_factory=lambda: Secret(""))

    @property
    def network(self) -> str:
        """What tries are counted by: the address, or of IPv6 its network, else one guesser would be 2^64 of them."""
        try:
            address = ip_address(self.address.partition("%")[0])
        except ValueError:
            return self.address
        if not isinstance(address, IPv6Address):
            return str(address)
        return str(address.ipv4_mapped or IPv6Network((address, _ONE_LINE), strict=False))

    @property
    def browser(self) -> str:
        """The browser in a few words of ours, "Firefox on Windows"; nothing that was sent is repeated."""
        program = next((name for sign, name in _PROGRAMS if sign in self.agent), "A browser")
        machine = next((name for sign, name in _MACHINES if sign in self.agent), "")
        return f"{program} on {machine}" if machine else program


def new_mark(keystore: KeyStore, *, account: bytes) -> Secret[str]:
    """What a browser keeps once an account has signed in on it.

    Args:
        keystore: the key store.
        account: blind index of the account.
    """
    number = secrets.token_hex(16)
    return Secret(f"{number}.{_proof(keystore, number, account)}")


def known_as(keystore: KeyStore, whence: Whence, *, account: bytes) -> str:
    """The number of a browser that this account has signed in on before; empty for any other."""
    found = _MARK.fullmatch(whence.mark.reveal())
    if found is None:
        return ""
    number, proof = found.groups()
    return number if hmac.compare_digest(proof, _proof(keystore, number, account)) else ""


def _proof(keystore: KeyStore, number: str, account: bytes) -> str:
    return keyed_hash(keystore, "browser", number, account.hex()).hex()
