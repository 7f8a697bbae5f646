from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    StoredHash,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from core.errors import Damaged

# The test vectors of Google's certificate-transparency project for RFC 6962.
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATH_OF_LEAF_0_IN_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
FROM_6_TO_8 = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
SIZES = st.integers(min_value=1, max_value=130)


def plant(leaves: list[bytes]) -> StoredHash:
    hashes = {(0, position): leaf for position, leaf in enumerate(leaves)}
    frontier = Frontier()
    for leaf in leaves:
        hashes |= {(level, position): made for level, position, made in frontier.append(leaf)}
    return lambda level, position: hashes[level, position]


def by_definition(leaves: list[bytes]) -> bytes:
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(by_definition(leaves[:half]), by_definition(leaves[half:]))


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(index.to_bytes(2)) for index in range(size)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_published_vectors(size: int) -> None:
    leaves = [leaf_hash(data) for data in INPUTS[:size]]
    assert root(size, plant(leaves)).hex() == ROOTS[size]


def test_proofs_are_those_of_the_published_vectors() -> None:
    stored = plant([leaf_hash(data) for data in INPUTS])
    assert [step.hex() for step in inclusion_proof(0, 8, stored)] == PATH_OF_LEAF_0_IN_8
    assert [step.hex() for step in consistency_proof(6, 8, stored)] == FROM_6_TO_8
    assert consistency_proof(8, 8, stored) == []


@given(size=st.integers(min_value=0, max_value=130))
def test_the_root_is_what_the_definition_says(size: int) -> None:
    leaves = leaves_of(size)
    assert root(size, plant(leaves)) == by_definition(leaves)


@given(size=SIZES, data=st.data())
def test_every_leaf_is_proved_and_no_other_leaf_by_its_proof(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    proof = inclusion_proof(index, size, plant(leaves))
    verify_inclusion(leaves[index], index=index, size=size, proof=proof, root=by_definition(leaves))
    for other in {(index + 1) % size, 0, size - 1} - {index}:
        with pytest.raises(Damaged, match="inclusion_proof_wrong"):
            verify_inclusion(leaves[other], index=index, size=size, proof=proof, root=by_definition(leaves))
        with pytest.raises(Damaged, match="inclusion_proof_wrong"):
            verify_inclusion(leaves[index], index=other, size=size, proof=proof, root=by_definition(leaves))


@given(size=SIZES, data=st.data())
def test_every_beginning_is_proved_and_a_rewritten_one_is_not(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    leaves = leaves_of(size)
    proof = consistency_proof(old, size, plant(leaves))
    verify_consistency(
        old=old, old_root=by_definition(leaves[:old]), size=size, root=by_definition(leaves), proof=proof
    )
    rewritten = [leaf_hash(b"another"), *leaves[1:]]
    with pytest.raises(Damaged, match="consistency_proof_wrong"):
        verify_consistency(
            old=old, old_root=by_definition(rewritten[: old or 1]), size=size, root=by_definition(leaves), proof=proof
        )


@given(size=st.integers(2, 130), data=st.data())
def test_a_proof_with_one_step_changed_lost_or_added_is_wrong(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    proof = inclusion_proof(index, size, plant(leaves))
    at = data.draw(st.integers(0, len(proof) - 1))
    for bad in (
        [*proof[:at], leaf_hash(b"x"), *proof[at + 1 :]],
        [*proof[:at], *proof[at + 1 :]],
        [*proof, proof[at]],
    ):
        with pytest.raises(Damaged):
            verify_inclusion(leaves[index], index=index, size=size, proof=bad, root=by_definition(leaves))


@given(old=st.integers(-1, 5), size=st.integers(-1, 5), steps=st.integers(0, 4))
def test_nonsense_is_refused_and_never_a_traceback(old: int, size: int, steps: int) -> None:
    proof = [bytes([step]) * 32 for step in range(steps)]
    with pytest.raises(Damaged):
        verify_consistency(old=old, old_root=b"1" * 32, size=size, root=b"2" * 32, proof=proof)
    with pytest.raises(Damaged):
        verify_inclusion(b"3" * 32, index=old, size=size, proof=proof, root=b"2" * 32)
