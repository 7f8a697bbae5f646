"""What a sealed object is bound to: the associated data of each kind, in one place (``docs/file-format.md``)."""

from __future__ import annotations

from core.ids import CaseId, ObjectId, UploadId


def object_binding(*, case_id: CaseId, object_id: ObjectId, generation: int) -> bytes:
    """Associated data of a sealed object.

    Args:
        case_id: the case it belongs to.
        object_id: its own id; one object, one key, one ciphertext.
        generation: counts the objects made in one another's place (a re-seal is a new object of the next one).
    """
    return f"vig-vault object v1\ncase={case_id}\nobject={object_id}\ngeneration={generation}\n".encode()


def part_binding(*, upload_id: UploadId, offset: int, length: int) -> bytes:
    """Associated data of one part of an upload: where its plaintext begins in the whole, and its length in bytes."""
    return f"vig-vault part v1\nupload={upload_id}\noffset={offset}\nlength={length}\n".encode()
