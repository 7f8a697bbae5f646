from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.running import check_transport
from app.settings import Settings, described, from_environment, is_loopback
from core.errors import Invalid


def test_a_setting_that_does_not_exist_is_refused_rather_than_ignored() -> None:
    with pytest.raises(Invalid, match="VAULT_PASSPRASE_FILE"):
        from_environment({"VAULT_STORE": "/s", "VAULT_PASSPRASE_FILE": "/p"})


def test_the_store_must_be_said() -> None:
    with pytest.raises(Invalid, match="setting_missing"):
        from_environment({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VAULT_LISTEN", "8443"),
        ("VAULT_LISTEN", "127.0.0.1:99999"),
        ("VAULT_SWEEP_HOUR", "late"),
        ("VAULT_BEHIND_PROXY", "perhaps"),
        ("VAULT_PR_NOTICE", "soon"),
    ],
)
def test_a_value_that_can_not_work_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        from_environment({"VAULT_STORE": "/s", name: value})


def test_what_a_command_says_wins_over_the_environment() -> None:
    read = from_environment({"VAULT_STORE": "/environment"}, store=Path("/command"), listen=None)
    assert read.store == Path("/command")


def test_every_setting_is_explained_and_none_of_them_is_a_secret() -> None:
    lines = described()
    assert all(doc for _, _, doc in lines)
    assert not [name for name, _, _ in lines if "PASSWORD" in name or name.endswith(("PASSPHRASE", "SECRET", "PIN"))]


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("vault", False)]
)
def test_only_addresses_of_this_machine_count_as_loopback(host: str, expected: bool) -> None:  # noqa: FBT001
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    "address", ["http://example.org", "javascript:alert(1)", "https://", "/weather", "https://a b"]
)
def test_the_way_out_is_a_web_address_of_another_site(address: str) -> None:
    with pytest.raises(Invalid, match="VAULT_EXIT_ADDRESS"):
        Settings(store=Path("store"), exit_address=address)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"listen": "0.0.0.0:8443"}, "tls_missing"),
        ({"listen": "[2001:db8::1]:8443"}, "tls_missing"),
        ({"listen": "127.0.0.1:8443", "tls_certificate": Path("chain.pem")}, "tls_incomplete"),
        ({"listen": "0.0.0.0:8443", "tls_key": Path("key.pem")}, "tls_incomplete"),
    ],
)
def test_film_goes_over_no_network_in_clear(given: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid, match=code):
        check_transport(Settings(store=Path("store"), **given))


def test_a_certificate_a_proxy_or_this_machine_alone_will_do() -> None:
    check_transport(Settings(store=Path("store")))
    check_transport(Settings(store=Path("store"), listen="0.0.0.0:8443", behind_proxy=True))
    pair = {"tls_certificate": Path("chain.pem"), "tls_key": Path("key.pem")}
    check_transport(Settings(store=Path("store"), listen="0.0.0.0:443", **pair))
