from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import audit
from audit import Fault
from audit.export import tile_path
from audit.merkle import leaf_hash
from audit.models import AuditLeafRow
from core.db import Database
from core.errors import Conflict, Damaged, Unavailable
from core.ids import CertificateId, new_id
from tests.audit.desk import SIGNER, VERIFIER, act, intrude, sealed


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        (0, 256, "tile/0/000"),
        (7, 12, "tile/0/007.p/12"),
        (999, 256, "tile/0/999"),
        (1000, 256, "tile/0/x001/000"),
        (1234067, 256, "tile/0/x001/x234/067"),
    ],
)
def test_tiles_stand_where_the_specification_says(number: int, width: int, path: str) -> None:
    assert tile_path("0", number, width=width) == path


@pytest.fixture
def exported(db: Database, tmp_path: Path) -> Path:
    """A log of 270 entries under two checkpoints, number 5 disposed of; two more wait."""
    sealed(db, times=7)
    sealed(db, times=263)
    with db.read() as session:
        gone = session.get_one(AuditLeafRow, 5).entry_id
    with db.begin() as session:
        audit.dispose(session, [gone], certificate_id=CertificateId(new_id()), clock=db.clock)
    act(db, times=2)
    summary = audit.export(db, to=tmp_path / "export")
    assert (summary.size, summary.disposed) == (270, 1)
    return tmp_path / "export"


def test_an_export_verifies_with_the_public_key_alone_and_every_tampering_is_named(exported: Path) -> None:
    verdict = audit.verify_export(exported, verifier=VERIFIER)
    assert verdict.finding is None
    assert (verdict.size, verdict.disposed) == (270, 1)
    names = {path.relative_to(exported).as_posix() for path in exported.rglob("*") if path.is_file()}
    assert {name for name in names if name.startswith(("tile/0", "tile/1"))} == {
        "tile/0/000",
        "tile/0/001.p/14",
        "tile/1/000.p/1",
    }
    for name, change, expected in TAMPERINGS:
        file = exported / name
        before = file.read_bytes()
        if (after := change(before)) is None:
            file.unlink()
        else:
            file.write_bytes(after)
        finding = audit.verify_export(exported, verifier=VERIFIER).finding
        assert finding is not None, name
        assert (finding.index, finding.fault) == expected, name
        file.write_bytes(before)
    assert audit.verify_export(exported, verifier=VERIFIER).finding is None


def gone(_: bytes) -> None:
    return None


def emptied(_: bytes) -> bytes:
    return b""


TAMPERINGS: list[tuple[str, Callable[[bytes], bytes | None], tuple[int, Fault]]] = [
    ("tile/entries/000", lambda data: data.replace(b"sign_in.done", b"sign_in.gone", 1), (0, Fault.ENTRY_EDITED)),
    ("tile/entries/000", lambda data: data[:-5], (0, Fault.ENTRY_EDITED)),
    ("tile/entries/001.p/14", gone, (256, Fault.ENTRY_DROPPED)),
    ("tile/0/001.p/14", gone, (256, Fault.ENTRY_DROPPED)),
    ("tile/0/001.p/14", lambda data: data[32:], (256, Fault.HASH_EDITED)),
    ("tile/0/001.p/14", lambda data: data[:32] + bytes(32) + data[64:], (257, Fault.ENTRY_EDITED)),
    ("tile/1/000.p/1", lambda data: data[::-1], (0, Fault.HASH_EDITED)),
    ("disposed.jsonl", emptied, (5, Fault.ENTRY_DROPPED)),
    ("disposed.jsonl", lambda data: data.replace(b"5}", b"6}"), (5, Fault.ENTRY_DROPPED)),
    ("disposed.jsonl", lambda data: data + b'{"index":900}\n', (270, Fault.SMUGGLED)),
    ("details.jsonl", lambda data: data.replace(b'"turn":8}', b'"turn":9}', 1), (15, Fault.ENTRY_EDITED)),
    ("details.jsonl", lambda data: b"[]\n" + data, (0, Fault.ENTRY_EDITED)),
    ("details.jsonl", gone, (0, Fault.ENTRY_EDITED)),
    ("checkpoints.jsonl", emptied, (0, Fault.CHECKPOINT_FORGED)),
    ("checkpoints.jsonl", lambda data: data.replace(b"\\n7\\n", b"\\n8\\n"), (0, Fault.CHECKPOINT_FORGED)),
    ("checkpoints.jsonl", lambda data: b"not json\n" + data, (0, Fault.ENTRY_EDITED)),
]


def test_an_export_under_another_key_or_without_its_checkpoint_is_no_export(db: Database, tmp_path: Path) -> None:
    sealed(db, times=1)
    exported = tmp_path / "export"
    audit.export(db, to=exported)
    other = audit.Signer(SIGNER.name, Ed25519PrivateKey.generate()).verifier
    with pytest.raises(Damaged, match="checkpoint_forged"):
        audit.verify_export(exported, verifier=other)
    (exported / "checkpoint").unlink()
    with pytest.raises(Damaged, match="checkpoint_missing"):
        audit.verify_export(exported, verifier=VERIFIER)


def test_an_export_rewritten_with_its_hashes_doesn_t_reach_the_signed_root(db: Database, tmp_path: Path) -> None:
    sealed(db, times=2)
    sealed(db, times=2)
    audit.export(db, to=tmp_path / "export")
    bundle, tile = (tmp_path / "export" / tile_path(level, 0, width=4) for level in ("entries", "0"))
    data = bundle.read_bytes().replace(b"sign_in.done", b"sign_in.gone")
    bundle.write_bytes(data)
    hashes, at = b"", 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2])
        hashes += leaf_hash(data[at + 2 : at + 2 + length])
        at += 2 + length
    tile.write_bytes(hashes)
    finding = audit.verify_export(tmp_path / "export", verifier=VERIFIER).finding
    assert finding == audit.Finding(0, Fault.REWRITTEN, until=2)


def test_a_log_with_a_gap_is_not_exported(db: Database, tmp_path: Path) -> None:
    sealed(db, times=4)
    intrude(db, "DELETE FROM audit_entry WHERE number = 2")
    with pytest.raises(Damaged, match="entry 1 is gone"):
        audit.export(db, to=tmp_path / "export")


def test_an_export_needs_an_empty_folder_and_something_to_export(db: Database, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="audit_nothing_sealed"):
        audit.export(db, to=tmp_path / "export")
    sealed(db, times=1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    with pytest.raises(Conflict, match="export_folder_not_empty"):
        audit.export(db, to=tmp_path / "full")
    with pytest.raises(Unavailable, match="export_unwritable"):
        audit.export(db, to=tmp_path / "full" / "something")
