"""Buckets and containers as ``obstore`` opens them, with bounded patience."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obstore.store import AzureStore, GCSStore, S3Store

from core.errors import Invalid
from vault.addresses import Address, Scheme
from vault.asking import Patience, Remote

_AWS_REGION = "eu-west-2"


def remote(address: Address, credentials: Mapping[str, str], *, patience: Patience | None = None) -> Remote:
    """Open a bucket or container; nothing is asked of it yet.

    Args:
        address: where it is.
        credentials: by ``obstore``'s names; none of them: the platform's own.
        patience: how long it may take.

    Raises:
        Invalid: ``store_address``, ``credentials_unreadable``.
    """
    options, patience = address.options, patience or Patience()
    client: dict[str, Any] = {**patience.client(), "allow_http": options.get("endpoint", "").startswith("http://")}
    if "ca" in options:
        try:
            client["root_certificate"] = Path(options["ca"]).read_bytes()
        except OSError:
            raise Invalid("store_address", "The certificate file in the store's address can't be read.") from None
    common: dict[str, Any] = {
        "prefix": address.prefix or None,
        "client_options": client,
        "retry_config": patience.retry(),
    }
    config: dict[str, Any] = {**credentials}
    try:
        match address.scheme:
            case Scheme.S3:
                config |= {"region": options.get("region", _AWS_REGION)}
                config |= {"endpoint": options["endpoint"]} if "endpoint" in options else {}
                return S3Store(address.place, config=config, **common)  # type: ignore[arg-type]  # checked names
            case Scheme.AZURE:
                config |= {"account_name": options["account"]} if "account" in options else {}
                config |= {"endpoint": options["endpoint"]} if "endpoint" in options else {}
                return AzureStore(address.place, config=config, **common)  # type: ignore[arg-type]  # checked names
            case _:
                config |= {"base_url": options["endpoint"]} if "endpoint" in options else {}
                return GCSStore(address.place, config=config, **common)  # type: ignore[arg-type]  # checked names
    except Exception:  # noqa: BLE001 - whatever it says may quote a credential
        raise Invalid(
            "credentials_unreadable", "The store's address and its credentials don't fit together, or one is missing."
        ) from None
