from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import Checkpoint, Signer, Verifier, open_checkpoint, open_note
from core.errors import Damaged, Invalid

# From the documentation of Go's golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The key of Go's checksum database, with the tree head that c2sp.org/tlog-checkpoint borrows for its example.
SUMDB_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB_NOTE = (
    "go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
SIGNER = Signer("vault.example/audit", Ed25519PrivateKey.from_private_bytes(b"7" * 32))
ROOT = bytes(range(32))
NOTE = SIGNER.sign(size=42, root=ROOT)


@pytest.mark.parametrize(("key", "note"), [(GO_KEY, GO_NOTE), (SUMDB_KEY, SUMDB_NOTE)])
def test_notes_that_other_tools_signed_open(key: str, note: str) -> None:
    verifier = Verifier.parse(key)
    assert verifier.vkey == key
    assert open_note(note, verifier=verifier) == note.partition("\n\n")[0] + "\n"


def test_our_checkpoint_opens_with_its_verifier_key() -> None:
    verifier = Verifier.parse(SIGNER.verifier.vkey)
    assert open_checkpoint(NOTE, verifier=verifier) == Checkpoint("vault.example/audit", 42, ROOT)


def test_signatures_of_others_beside_ours_are_ignored() -> None:
    both = NOTE + "— witness.example " + "AAAAAAAA" * 8 + "\n"
    assert open_checkpoint(both, verifier=SIGNER.verifier).size == 42


BAD = {
    "empty": "",
    "without signature": Checkpoint("vault.example/audit", 42, ROOT).text(),
    "size changed": NOTE.replace("\n42\n", "\n43\n"),
    "root changed": NOTE.replace("AAEC", "BAEC"),
    "signature cut": NOTE[:-6] + "\n",
    "line feed lost": NOTE[:-1],
    "text added": "more\n" + NOTE,
    "false signature before ours": NOTE.replace(
        "— vault", "— vault.example/audit " + SIGNER.sign(size=1, root=ROOT).split(" ")[-1] + "— vault"
    ),
    "another log's key under our name": Signer("vault.example/audit", Ed25519PrivateKey.generate()).sign(
        size=42, root=ROOT
    ),
    "another log's name under our key": Signer("other.example", SIGNER.key).sign(size=42, root=ROOT),
    "not base64": NOTE.replace("— vault.example/audit ", "— vault.example/audit !"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_checkpoint_that_is_not_ours_is_refused(name: str) -> None:
    with pytest.raises(Damaged, match="checkpoint_forged"):
        open_checkpoint(BAD[name], verifier=SIGNER.verifier)


@pytest.mark.parametrize("size", ["042", "-1", "4.2", "", "9" * 20, "٤٢"])
def test_a_signed_size_that_is_not_plain_decimal_is_refused(size: str) -> None:
    text = f"{SIGNER.name}\n{size}\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    import base64  # noqa: PLC0415 - only this forger needs it

    signature = base64.b64encode(SIGNER.verifier.key_id + SIGNER.key.sign(text.encode())).decode()
    with pytest.raises(Damaged, match="checkpoint_forged"):
        open_checkpoint(f"{text}\n— {SIGNER.name} {signature}\n", verifier=SIGNER.verifier)


@pytest.mark.parametrize("text", ["", "name", "name+00000000+AAAA", GO_KEY.replace("c74f", "c74e"), GO_KEY + "="])
def test_what_is_not_a_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="verifier_key_invalid"):
        Verifier.parse(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nfeed", "x" * 256])
def test_a_log_s_name_has_no_spaces_and_no_plus(name: str) -> None:
    with pytest.raises(Invalid, match="audit_name_invalid"):
        Signer(name, SIGNER.key)


def test_a_signer_s_repr_says_nothing_of_its_key() -> None:
    assert repr(SIGNER) == "Signer(name='vault.example/audit')"
