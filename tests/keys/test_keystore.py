from __future__ import annotations

from core.ids import CaseId, ObjectId, new_id
from keys import JobCapability, KeyStore


def test_an_objects_key_comes_back(keystore: KeyStore) -> None:
    case_id, object_id = CaseId(new_id()), ObjectId(new_id())
    may = JobCapability("test", case_id)
    made = keystore.new_object_key(case_id=case_id, object_id=object_id, capability=may)
    assert keystore.object_key(object_id, capability=may) == made
