"""The epoch capsule: the epoch keys and the service's own seed, sealed under the root, and its file (PURE of disks).

The file is JSON: format, store, place, sequence (counts the changes), the root's record in clear, and the capsule in
base64. It lives only in registered erasable places; never in a general backup.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Container
from dataclasses import dataclass, replace

from core.secret import Secret
from keys.roots import OpenRoot, Root, RootRecord, keyring_damaged, wrong_root

FORMAT = "vig-vault-keyring/1"


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch key.

    Attributes:
        number: counts from 1.
    """

    id: str
    number: int
    key: Secret[bytes]


@dataclass(frozen=True, slots=True)
class Capsule:
    """What the root seals.

    Attributes:
        store: id of the store it belongs to.
        sequence: how often it has been changed.
        seed: what the service's own secrets are derived from; it doesn't roll.
        epochs: one, or two during a roll.
        remembered: the audit log's last noted checkpoint, a signed note; empty where none was noted yet.
    """

    store: str
    sequence: int
    seed: Secret[bytes]
    epochs: tuple[Epoch, ...]
    remembered: str = ""

    def with_epoch(self, epoch: Epoch) -> Capsule:
        """With one more epoch, or as it is where that is in it already."""
        if any(e.id == epoch.id for e in self.epochs):
            return self
        return replace(self, epochs=(*self.epochs, epoch))

    def without(self, *, through: int) -> Capsule:
        """Without the epochs up to a number."""
        return replace(self, epochs=tuple(e for e in self.epochs if e.number > through))

    def only(self, known: Container[str]) -> Capsule:
        """With the epochs of these ids alone."""
        return replace(self, epochs=tuple(e for e in self.epochs if e.id in known))

    def remembering(self, note: str) -> Capsule:
        """With another checkpoint noted."""
        return replace(self, remembered=note)


@dataclass(frozen=True, slots=True)
class KeyringFile:
    """A keyring file as it lies at one place.

    Attributes:
        place: id of the place.
        root_uri: which kind of root opens it.
        root: the root's record.
        sealed: the sealed capsule.
    """

    store: str
    place: str
    sequence: int
    root_uri: str
    root: RootRecord
    sealed: bytes

    def to_bytes(self) -> bytes:
        """As JSON."""
        content = {
            "format": FORMAT,
            "store": self.store,
            "place": self.place,
            "sequence": self.sequence,
            "root": {"uri": self.root_uri, **self.root},
            "capsule": base64.b64encode(self.sealed).decode(),
        }
        return json.dumps(content, indent=1).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> KeyringFile:
        """From JSON.

        Raises:
            Damaged: it isn't a keyring file of this format.
        """
        try:
            content = json.loads(data)
            if content["format"] != FORMAT:
                raise keyring_damaged()
            root = dict(content["root"])
            return cls(
                store=str(content["store"]),
                place=str(content["place"]),
                sequence=int(content["sequence"]),
                root_uri=str(root.pop("uri")),
                root=root,
                sealed=base64.b64decode(content["capsule"], validate=True),
            )
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise keyring_damaged() from None


def seal_capsule(capsule: Capsule, *, root: OpenRoot) -> bytes:
    """Seal a capsule under the root."""
    content = {
        "seed": _text(capsule.seed.reveal()),
        "epochs": [{"id": e.id, "number": e.number, "key": _text(e.key.reveal())} for e in capsule.epochs],
        "log": capsule.remembered,
    }
    plain = json.dumps(content).encode()
    return root.encrypt(plain, associated_data=_binding(capsule.store, capsule.sequence))


def open_capsule(file: KeyringFile, *, root: OpenRoot) -> Capsule:
    """Open the capsule of a file.

    Raises:
        Damaged: the root doesn't open it, though it opened itself.
    """
    content = json.loads(root.decrypt(file.sealed, associated_data=_binding(file.store, file.sequence)))
    epochs = tuple(Epoch(e["id"], e["number"], _secret(e["key"])) for e in content["epochs"])
    return Capsule(file.store, file.sequence, _secret(content["seed"]), epochs, str(content.get("log", "")))


def open_root(root: Root, *, file: KeyringFile) -> OpenRoot:
    """Open the root of a file.

    Raises:
        Refused: ``wrong_root``: it is another kind of root, or another passphrase.
    """
    if root.uri != file.root_uri:
        raise wrong_root()
    return root.open(file.root)


def _binding(store: str, sequence: int) -> bytes:
    return f"vig-vault capsule v1\nstore={store}\nsequence={sequence}\n".encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _secret(text: str) -> Secret[bytes]:
    return Secret(base64.b64decode(text))
