"""``aws-kms:``: a root key in AWS Key Management Service (``boto3``); it never leaves it.

Each root is one KMS key; an alias names the present one. AWS destroys a key at the end of a waiting time of at least
seven days, so a destruction is always delayed, and whoever may administer the key can cancel it until then. Who may use
the key is AWS's matter (a role of the machine; boto3's own chain finds it), and each use stands in CloudTrail.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from core.errors import Refused, Unavailable
from keys.roots import (
    Assurance,
    Destruction,
    RootRecord,
    extra,
    keyring_damaged,
    prove,
    unreachable,
    unusable,
    wrong_root,
)
from keys.roots.uris import RootUri, bad_uri, days
from keys.wrap import key_damaged

EXTRA = "aws"
SHORTEST_WAIT, LONGEST_WAIT = 7, 30
TIMEOUT_SECONDS = 10
_GONE = frozenset({"NotFoundException", "KMSInvalidStateException", "DisabledException"})
_NOT_IT = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_DENIED = frozenset({"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException"})
_SYMMETRIC = "SYMMETRIC_DEFAULT"


class AwsRoot:
    """A KMS key.

    Args:
        uri: names it by alias, or by the key's own name (ARN), and says the region.

    Raises:
        Invalid: ``root_uri``, or ``root_extra_missing``.
    """

    destruction = Destruction.DELAYED
    assurance = Assurance.HSM

    def __init__(self, uri: RootUri) -> None:
        if not uri.name.startswith(("alias/", "arn:")):
            raise bad_uri("aws-kms: names a key as in aws-kms:alias/vig-vault?region=eu-west-2")
        self.uri, self._name = uri.kept, uri.name
        wait = days(uri, "waits-days")
        self._wait = LONGEST_WAIT if wait is None else wait
        if not SHORTEST_WAIT <= self._wait <= LONGEST_WAIT:
            raise bad_uri(f"waits-days is from {SHORTEST_WAIT} to {LONGEST_WAIT}")
        self._options = uri.options
        self._errors = extra("botocore.exceptions", name=EXTRA)
        self._client: Any = None

    def make(self) -> tuple[RootRecord, OpenAws]:
        """Use the key that the name leads to; make one where an alias leads nowhere.

        Raises:
            Invalid: ``root_unusable``: it isn't an enabled symmetric key for encryption.
            Unavailable: ``root_unreachable``, ``root_denied``.
        """
        facts = self._facts(self._name)
        return self._ready(facts) if facts is not None else self._new(self._make_alias)

    def open(self, record: RootRecord) -> OpenAws:
        """Find the key and try it.

        Raises:
            Refused: ``wrong_root``: it is gone, or waits for its deletion.
            Unavailable: ``root_unreachable``, ``root_denied``.
        """
        opened = OpenAws(self, _arn(record))
        prove(opened)
        return opened

    def rotate(self, record: RootRecord) -> tuple[RootRecord, OpenAws]:
        """A new key under the same alias (KMS's own rotation keeps the old material for good, so it destroys nothing).

        Raises:
            Invalid: ``root_unusable``: the root is named by a key's own name, which another key can't take.
        """
        if not self._name.startswith("alias/"):
            raise unusable("A root that is named by a key's ARN can't be rotated. Name it by an alias.")
        self.open(record)
        return self._new(self._move_alias)

    def destroy(self, record: RootRecord, *, at: datetime) -> datetime:
        """Have AWS delete the key after the waiting time."""
        facts = self._facts(_arn(record))
        if facts is None:
            return at
        if facts["KeyState"] == "PendingDeletion":
            return _utc(facts["DeletionDate"])
        answer = self.call("schedule_key_deletion", KeyId=facts["KeyId"], PendingWindowInDays=self._wait)
        return max(_utc(answer["DeletionDate"]), at + timedelta(days=SHORTEST_WAIT))

    def reference(self, record: RootRecord) -> RootRecord:
        """The key's ARN."""
        return record

    def call(self, name: str, **arguments: Any) -> Any:
        """Ask KMS.

        Raises:
            Refused: ``wrong_root``: it has no such key.
            Damaged: ``key_damaged``: the ciphertext isn't that key's.
            Unavailable: ``root_unreachable``, ``root_denied``.
        """
        try:
            return getattr(self._kms(), name)(**arguments)
        except self._errors.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _GONE:
                raise wrong_root() from None
            if code in _NOT_IT:
                raise key_damaged() from None
            if code in _DENIED:
                raise _denied() from None
            raise unreachable(f"AWS KMS can't be used ({code}).") from None
        except self._errors.NoCredentialsError:
            raise _denied() from None
        except self._errors.BotoCoreError as error:
            raise unreachable(f"AWS KMS can't be used ({type(error).__name__}).") from None

    def _kms(self) -> Any:
        if self._client is None:
            config = extra("botocore.config", name=EXTRA).Config(
                connect_timeout=TIMEOUT_SECONDS, read_timeout=TIMEOUT_SECONDS, retries={"max_attempts": 2}
            )
            session = extra("boto3", name=EXTRA).Session(
                region_name=self._options.get("region"), profile_name=self._options.get("profile")
            )
            self._client = session.client("kms", endpoint_url=self._options.get("endpoint"), config=config)
        return self._client

    def _facts(self, key: str) -> Any:
        try:
            return self.call("describe_key", KeyId=key)["KeyMetadata"]
        except Refused:
            return None

    def _new(self, name_it: Any) -> tuple[RootRecord, OpenAws]:
        facts = self.call("create_key", Description="VIG Vault: root of the keyring", KeySpec=_SYMMETRIC)["KeyMetadata"]
        made = self._ready(facts)
        name_it(facts["Arn"])
        return made

    def _make_alias(self, arn: str) -> None:
        self.call("create_alias", AliasName=self._name, TargetKeyId=arn)

    def _move_alias(self, arn: str) -> None:
        self.call("update_alias", AliasName=self._name, TargetKeyId=arn)

    def _ready(self, facts: Any) -> tuple[RootRecord, OpenAws]:
        if facts.get("KeySpec") != _SYMMETRIC or facts.get("KeyState") != "Enabled" or facts.get("MultiRegion"):
            raise unusable("The key must be an enabled, symmetric KMS key of one region.")
        opened = OpenAws(self, facts["Arn"])
        prove(opened)
        return {"arn": str(facts["Arn"])}, opened


class OpenAws:
    """A KMS key, ready for use.

    Args:
        root: asks KMS for it.
        arn: of the key.
    """

    def __init__(self, root: AwsRoot, arn: str) -> None:
        self._root = root
        self._arn = arn

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        """Seal in KMS."""
        answer = self._root.call(
            "encrypt", KeyId=self._arn, Plaintext=plaintext, EncryptionContext=_context(associated_data)
        )
        return bytes(answer["CiphertextBlob"])

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        """Open in KMS.

        Raises:
            Damaged: ``key_damaged``.
        """
        answer = self._root.call(
            "decrypt", KeyId=self._arn, CiphertextBlob=ciphertext, EncryptionContext=_context(associated_data)
        )
        return bytes(answer["Plaintext"])


def _context(associated_data: bytes) -> dict[str, str]:
    return {"vig-vault": sha256(associated_data).hexdigest()}  # stands in CloudTrail: a fingerprint says nothing


def _arn(record: RootRecord) -> str:
    arn = record.get("arn")
    if not isinstance(arn, str) or not arn.startswith("arn:"):
        raise keyring_damaged()
    return arn


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _denied() -> Unavailable:
    return Unavailable("root_denied", "AWS doesn't let this machine use the key. Nothing was lost.")
