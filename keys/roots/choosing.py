"""Which root a name means."""

from __future__ import annotations

from core.errors import Invalid
from keys.roots import Root
from keys.roots.awskms import AwsRoot
from keys.roots.given import Given, Needs
from keys.roots.hsm import HsmRoot
from keys.roots.local import Cost, LocalRoot
from keys.roots.transit import TransitRoot
from keys.roots.uris import parse

_NEEDS = {"local": Needs.PASSPHRASE, "pkcs11": Needs.PIN, "hcvault": Needs.TOKEN, "aws-kms": Needs.NOTHING}


def root_needs(uri: str) -> Needs:
    """What a root of this name must be given before it opens.

    Raises:
        Invalid: ``root_uri``: there is no such root.
    """
    return _NEEDS[parse(uri).scheme]


def root_from(uri: str, *, given: Given | None = None, cost: Cost | None = None) -> Root:
    """The root of this name. Nothing is asked of it yet, and nothing is made.

    Args:
        uri: as in ``keys.roots.uris``.
        given: its passphrase, PIN or token; none where it needs nothing (``root_needs``).
        cost: of guessing the passphrase of a new ``local:`` root.

    Raises:
        Invalid: ``root_uri``: it can't be read; ``root_extra_missing``: a library for it isn't installed;
            ``root_secret_missing``: it needs something that isn't given.
    """
    parsed = parse(uri)
    if parsed.scheme == "aws-kms":
        return AwsRoot(parsed)
    if given is None:
        raise _nothing_given()
    if parsed.scheme == "pkcs11":
        return HsmRoot(parsed, pin=given)
    if parsed.scheme == "hcvault":
        return TransitRoot(parsed, token=given)
    return LocalRoot(given.read(), cost=cost)


def _nothing_given() -> Invalid:
    return Invalid("root_secret_missing", "Name the file that holds the root's passphrase, PIN or token.")
