"""A second reader of sealed objects, written from file-format.md alone: it imports nothing of VIG Vault.

It shows that the film never depends on this program. Needs the packages ``cryptography`` and ``argon2-cffi``.

    python reader.py KEYRING.JSON PASSPHRASE_FILE KEYS.DB DATABASE.DB OBJECTS OBJECT_ID > film.mp4

It goes round every decision and writes no log: whoever holds the passphrase and a keyring file can do that, which is
why they are kept apart from everything else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEGMENT, HEADER, TAG, NONCE = 262_144, 40, 16, 12


@dataclass(frozen=True, slots=True)
class Pinned:
    """What the main database keeps about an object."""

    id: str
    case: str
    generation: int
    header: bytes
    sealed_length: int
    plain_sha256: str

    @property
    def associated_data(self) -> bytes:
        """What binds the ciphertext to its place."""
        return f"vig-vault object v1\ncase={self.case}\nobject={self.id}\ngeneration={self.generation}\n".encode()


def open_box(key: bytes, sealed: bytes, associated_data: str) -> bytes:
    """AES-256-GCM with its nonce in front."""
    return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], associated_data.encode())


def epoch_keys(keyring: dict[str, str], root: dict[str, str | int], passphrase: bytes) -> dict[str, bytes]:
    """Passphrase, root key, capsule, and in it the epoch keys by their ids."""
    salt = base64.b64decode(str(root["salt"]))
    passes, memory, lanes = (int(root[name]) for name in ("passes", "memory_kib", "lanes"))
    by_passphrase = hash_secret_raw(passphrase, salt, passes, memory, lanes, 32, Type.ID)
    cost = f"{salt.hex()} {passes} {memory} {lanes}"
    root_key = open_box(by_passphrase, base64.b64decode(str(root["sealed_key"])), f"vig-vault local root v1\n{cost}\n")
    bound = f"vig-vault capsule v1\nstore={keyring['store']}\nsequence={keyring['sequence']}\n"
    capsule = json.loads(open_box(root_key, base64.b64decode(keyring["capsule"]), bound))
    return {epoch["id"]: base64.b64decode(epoch["key"]) for epoch in capsule["epochs"]}


def unwrap(parent: bytes, wrapped: bytes, *, kind: str, parent_id: str, own_id: str, owner: str) -> bytes:
    """Open a wrapped key."""
    bound = f"vig-vault wrap v1\nkind={kind}\nparent={parent_id}\nid={own_id}\nowner={owner}\n"
    return open_box(parent, wrapped, bound)


def object_key(keys: sqlite3.Connection, epochs: dict[str, bytes], pinned: Pinned) -> bytes:
    """Epoch key, case key, object key."""
    wrapped, case_key_id, case_wrapped, epoch_id = keys.execute(
        "SELECT o.wrapped, c.id, c.wrapped, c.epoch_id FROM keys_object_key o"
        " JOIN keys_case_key c ON c.id = o.case_key_id WHERE o.object_id = ?",
        [pinned.id],
    ).fetchone()
    if wrapped is None or case_wrapped is None:
        sys.exit("The key of this object was destroyed. Nobody can open it.")
    case_key = unwrap(
        epochs[epoch_id], case_wrapped, kind="case_media", parent_id=epoch_id, own_id=case_key_id, owner=pinned.case
    )
    return unwrap(case_key, wrapped, kind="object", parent_id=case_key_id, own_id=pinned.id, owner=pinned.case)


def plaintext(sealed: bytes, pinned: Pinned, key: bytes) -> Iterator[bytes]:
    """The segments of an object, each one opened before it is given out."""
    if len(sealed) != pinned.sealed_length or sealed[:HEADER] != pinned.header:
        sys.exit("These aren't the bytes that were sealed.")
    salt, prefix = sealed[1:33], sealed[33:HEADER]
    cipher = AESGCM(HKDF(SHA256(), 32, salt=salt, info=pinned.associated_data).derive(key))
    segments = math.ceil(pinned.sealed_length / SEGMENT)
    for number in range(segments):
        start, end = max(HEADER, number * SEGMENT), (number + 1) * SEGMENT
        last = b"\x01" if number == segments - 1 else b"\x00"
        yield cipher.decrypt(prefix + number.to_bytes(4, "big") + last, sealed[start:end], None)


def main(keyring_file: Path, passphrase_file: Path, keys_db: Path, database: Path, objects: Path, wanted: str) -> None:
    """Write an object's plaintext to standard output."""
    keyring = json.loads(keyring_file.read_text(encoding="utf-8"))
    passphrase = passphrase_file.read_bytes().rstrip(b"\r\n")
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as main_db:
        columns = "id, case_id, generation, header, sealed_length, plain_sha256"
        query = f"SELECT {columns} FROM vault_object WHERE id = ?"  # noqa: S608 - the columns are ours
        pinned = Pinned(*main_db.execute(query, [wanted]).fetchone())
    with closing(sqlite3.connect(f"file:{keys_db}?mode=ro", uri=True)) as keys:
        key = object_key(keys, epoch_keys(keyring, keyring["root"], passphrase), pinned)
    whole = hashlib.sha256()
    for piece in plaintext((objects / wanted[:2] / wanted).read_bytes(), pinned, key):
        whole.update(piece)
        sys.stdout.buffer.write(piece)
    if whole.hexdigest() != pinned.plain_sha256:
        sys.exit("This isn't what was sealed.")


if __name__ == "__main__":
    try:
        *files, wanted_id = sys.argv[1:]
        keyring_path, passphrase_path, keys_path, database_path, objects_path = map(Path, files)
    except ValueError:
        sys.exit(__doc__)
    main(keyring_path, passphrase_path, keys_path, database_path, objects_path, wanted_id)
