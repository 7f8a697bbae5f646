"""Key services: what they refuse, what they destroy, and what is never used although it is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hvac
import pytest

from core.errors import Damaged, Invalid, Refused, Unavailable
from core.secret import Secret
from keys import Destruction, SecretFile, Typed
from tests.keys.roots.peers import TOKEN, Bao, Kms

AT = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_trimmed_version_is_gone_from_the_server_and_older_ones_with_it(transit: Bao) -> None:
    root = transit.root()
    made = [root.make(), root.make(), root.make()]
    sealed = [opened.encrypt(b"a capsule", associated_data=b"") for _, opened in made]
    assert [record["version"] for record, _ in made] == [1, 2, 3]
    assert root.destroy(made[1][0], at=AT) == AT
    for (record, opened), text in zip(made[:2], sealed[:2], strict=True):
        with pytest.raises(Damaged, match="key_damaged"):
            opened.decrypt(text, associated_data=b"")
        with pytest.raises(Refused, match="wrong_root"):
            root.open(record)
    assert made[2][1].decrypt(sealed[2], associated_data=b"") == b"a capsule"
    assert root.destroy(made[0][0], at=AT) == AT, "again is no error"
    assert root.destroy(made[2][0], at=AT) == AT, "the latest, too"
    with pytest.raises(Refused, match="wrong_root"):
        root.open(made[2][0])


@pytest.mark.parametrize(
    ("options", "destruction", "gone"),
    [
        ("", Destruction.NONE, None),
        ("&snapshots-kept-days=0", Destruction.IMMEDIATE, AT),
        ("&snapshots-kept-days=35", Destruction.DELAYED, AT + timedelta(days=35)),
    ],
)
def test_snapshots_of_the_server_are_copies(
    transit: Bao, options: str, destruction: Destruction, gone: datetime | None
) -> None:
    root = transit.root(options=options)
    record, _ = root.make()
    assert root.destruction is destruction
    assert root.destroy(record, at=AT) == gone


@pytest.mark.parametrize(
    "weak", [{"exportable": True}, {"allow_plaintext_backup": True}, {"key_type": "chacha20-poly1305"}]
)
def test_a_key_that_the_server_would_give_out_is_not_used(transit: Bao, weak: dict[str, object]) -> None:
    transit.client().secrets.transit.create_key(transit.name, **({"key_type": "aes256-gcm96"} | weak))
    with pytest.raises(Invalid, match="root_unusable"):
        transit.root().make()


def test_a_key_that_its_administrator_made_is_taken_and_an_earlier_version_left_alone(transit: Bao) -> None:
    transit.client().secrets.transit.create_key(transit.name, key_type="aes256-gcm96")
    record, _ = transit.root().make()
    assert record["version"] == 2


def test_running_takes_no_more_than_encrypt_and_decrypt(transit: Bao) -> None:
    record, _ = transit.root().make()
    client = transit.client()
    rule = 'path "transit/{act}/{name}" {{ capabilities = ["update"] }}'
    rules = "\n".join(rule.format(act=act, name=transit.name) for act in ("encrypt", "decrypt"))
    client.sys.create_or_update_policy(transit.name, rules)
    token = client.auth.token.create(policies=[transit.name])["auth"]["client_token"]
    narrow = transit.root(given=Typed(Secret(token)))
    assert narrow.open(record)
    for more in (narrow.make, lambda: narrow.rotate(record), lambda: narrow.destroy(record, at=AT)):
        with pytest.raises(Unavailable, match="root_denied"):
            more()


def test_a_token_that_ran_out_is_read_anew_from_its_file(transit: Bao, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text(TOKEN)
    root = transit.root(given=SecretFile(path))
    _, opened = root.make()
    path.write_text("an old one")
    with pytest.raises(Unavailable, match="root_denied") as caught:
        opened.encrypt(b"", associated_data=b"")
    assert "an old one" not in f"{caught.value!r}{caught.value.sentence}{vars(root)!r}"
    path.write_text(TOKEN)
    assert opened.encrypt(b"", associated_data=b"")


def test_the_server_must_show_a_certificate_that_we_trust(transit: Bao, tmp_path: Path) -> None:
    strange = tmp_path / "ca.pem"
    strange.write_bytes(Path(hvac.__file__).parent.parent.joinpath("certifi", "cacert.pem").read_bytes())
    with pytest.raises(Unavailable, match="root_unreachable"):
        Bao(transit.process, transit.address, strange, transit.name).root().make()


def test_aws_deletes_a_key_after_a_week_at_the_soonest(aws: Kms) -> None:
    root = aws.root()
    assert root.destruction is Destruction.DELAYED
    record, _ = root.make()
    at = datetime.now(UTC)
    gone = root.destroy(record, at=at)
    assert gone is not None
    assert timedelta(days=7) <= gone - at < timedelta(days=7, minutes=5)
    assert root.destroy(record, at=at) == gone, "a second time doesn't begin a new wait"
    client = aws.client()
    assert client.describe_key(KeyId=record["arn"])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_an_alias_leads_to_the_newest_key_and_the_old_one_still_opens(aws: Kms) -> None:
    root = aws.root()
    record, opened = root.make()
    sealed = opened.encrypt(b"a capsule", associated_data=b"store 1")
    assert aws.root().make()[0] == record, "an alias that leads to a key is taken as it is"
    new, _ = root.rotate(record)
    assert new != record
    assert aws.root().open(record).decrypt(sealed, associated_data=b"store 1") == b"a capsule"
    with pytest.raises(Damaged, match="key_damaged"):
        opened.decrypt(sealed, associated_data=b"store 2")
    assert aws.client().describe_key(KeyId=f"alias/{aws.name}")["KeyMetadata"]["Arn"] == new["arn"]


def test_a_kms_key_for_signing_is_not_used(aws: Kms) -> None:
    key = aws.client().create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    aws.client().create_alias(AliasName=f"alias/{aws.name}", TargetKeyId=key)
    with pytest.raises(Invalid, match="root_unusable"):
        aws.root().make()


def test_a_service_that_does_not_answer_is_away(aws: Kms, transit: Bao) -> None:
    for root in (replace(aws, address="127.0.0.1:9").root(), replace(transit, address="127.0.0.1:9").root()):
        with pytest.raises(Unavailable, match="root_unreachable"):
            root.make()
