"""docker-compose.yml and Dockerfile against the Compose schema, against the code, and against each other."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

import app.cli.store  # noqa: F401 - it registers its commands
from app import ask
from app.cli import application
from app.messages import sender_for
from app.process import GIVES_UP_AFTER
from app.running import GRACE_SECONDS, check_transport
from app.service import consent_policy
from app.settings import Settings, described, from_environment, host_and_port
from tests.deploy.compose import FILE, GIVEN, OURS, compose, environment_of, mounts_of, text_of
from tests.docs.repository import ROOT

WRITABLE = "/var/lib/vig-vault"


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = compose()["services"]
    return read


def test_it_keeps_to_the_compose_schema() -> None:
    schema = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(compose(), json.loads(schema.read_text(encoding="utf-8")))


def test_what_must_be_given_is_asked_for() -> None:
    for name in GIVEN:
        with pytest.raises(KeyError, match=name):
            compose({other: value for other, value in GIVEN.items() if other != name})


@pytest.mark.parametrize("name", OURS)
def test_every_setting_in_it_is_one_that_the_code_reads_and_they_fit_together(
    services: dict[str, dict[str, Any]], name: str
) -> None:
    given = environment_of(services[name])
    known = {setting for setting, _default, _doc in described()}
    assert {one for one in given if one.startswith("VAULT_")} <= known
    settings = from_environment(given)
    check_transport(settings)
    sender_for(settings.messages, sender=settings.messages_from)
    consent_policy(settings)
    assert settings.behind_proxy
    assert settings.public_origin == f"https://{GIVEN['VAULT_HOST']}"
    assert len({settings.address_of(one) for one in ("database", "keys", "workflows")}) == 3


def test_everything_that_lasts_lies_in_a_volume_and_nothing_else_is_writable(
    services: dict[str, dict[str, Any]],
) -> None:
    volumes = compose()["volumes"]
    for name in OURS:
        service = services[name]
        settings = from_environment(environment_of(service))
        mounts = mounts_of(service)
        assert settings.witness
        for path in (settings.store, *settings.places, settings.witness):
            assert any(path.is_relative_to(target) for target in mounts), path
        assert set(mounts.values()) <= set(volumes)
        assert all(target.startswith(WRITABLE) for target in mounts)
        assert f"install -d -m 0700 -o vault -g vault \\\n        {' '.join(mounts)}" in text_of("Dockerfile")
        assert (
            len({mounts[str(path)] for path in (settings.store, *settings.recovery_place, settings.witness.parent)})
            == 3
        )


def test_every_secret_is_a_file_that_somebody_reads(services: dict[str, dict[str, Any]]) -> None:
    secrets = compose()["secrets"]
    used: set[str] = set()
    for service in services.values():
        named = re.findall(r"/run/secrets/(\w+)", json.dumps(service.get("environment", {})))
        assert set(named) == set(service.get("secrets", []))
        used |= set(named)
    assert used == set(secrets)
    assert all(one["file"].startswith("./secrets/") for one in secrets.values())
    assert "secrets/" in text_of(".gitignore").splitlines()
    assert "password" not in re.sub(r"/run/secrets/\w+|POSTGRES_PASSWORD_FILE", "", json.dumps(services)).replace(
        "data_password", ""
    ).replace("keys_password", "")


@pytest.mark.parametrize("name", OURS)
def test_its_commands_are_ours_and_their_options_can_be_read(services: dict[str, dict[str, Any]], name: str) -> None:
    command, *words = services[name]["command"]
    group = typer.main.get_command(application)
    parsed = group.commands[command].make_context(command, list(words))  # type: ignore[attr-defined]  # it is a group
    if command == "worker":
        assert parsed.params["name"] == name
    else:
        assert (command, parsed.params["no_worker"]) == ("serve", True)


def test_each_worker_has_a_name_of_its_own(services: dict[str, dict[str, Any]]) -> None:
    names = [tuple(services[name]["command"]) for name in OURS if name.startswith("worker")]
    assert len(set(names)) == len(names) == 2


def test_every_container_is_closed_as_far_as_it_can_be(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == "unless-stopped", name
        assert "privileged" not in service, name
        assert not [one for one in service.get("volumes", []) if "docker.sock" in one], name
        assert name == "caddy" or not service["user"].startswith("0"), name
        assert all(re.search(r"size=\d+m", one) for one in service.get("tmpfs", [])), name
    assert all(services[name]["ulimits"]["core"] == 0 for name in OURS)


def test_only_caddy_reaches_the_world_and_is_reached(services: dict[str, dict[str, Any]]) -> None:
    networks = compose()["networks"]
    inside = {name for name, network in networks.items() if network and network.get("internal")}
    assert set(networks) - inside == {"world"}
    for name, service in services.items():
        assert ("world" in service["networks"]) == ("ports" in service) == (name == "caddy")
    assert "databases" not in services["caddy"]["networks"]
    for name in ("data", "keys"):
        assert services[name]["networks"] == ["databases"]


def test_addresses_names_and_ports_agree(services: dict[str, dict[str, Any]]) -> None:
    caddyfile, dockerfile = text_of("deploy/Caddyfile"), text_of("Dockerfile")
    settings = [from_environment(environment_of(services[name])) for name in ("web-1", "web-2")]
    port = {host_and_port(one.listen)[1] for one in settings}
    assert port == {8443}
    assert "EXPOSE 8443" in dockerfile
    assert "reverse_proxy web-1:8443 web-2:8443" in caddyfile
    inner = {one.split("/")[0].rpartition(":")[2] for one in services["caddy"]["ports"]}
    assert inner == set(re.findall(r"https?_port (\d+)", caddyfile))
    fixed = services["caddy"]["networks"]["pages"]["ipv4_address"]
    assert {environment_of(services[name])["FORWARDED_ALLOW_IPS"] for name in OURS} == {fixed}
    for name in OURS:
        for url in ("VAULT_DATABASE_URL", "VAULT_WORKFLOWS_URL", "VAULT_KEYS_URL"):
            host, database = re.findall(r"@(\w+)/(\w+)\?", environment_of(services[name])[url])[0]
            made = {
                services[host]["environment"]["POSTGRES_DB"],
                *re.findall(r"CREATE DATABASE (\w+)", text_of("deploy/workflows.sql")),
            }
            assert database in made
    assert services["data"]["volumes"][0] != services["keys"]["volumes"][0]
    for mounted in ("deploy/Caddyfile", "deploy/workflows.sql"):
        assert (ROOT / mounted).is_file()
        assert f"./{mounted}:" in FILE.read_text(encoding="utf-8")


def test_it_waits_for_what_it_needs_and_gives_time_to_end(services: dict[str, dict[str, Any]]) -> None:
    for name in OURS:
        assert services[name]["depends_on"] == {one: {"condition": "service_healthy"} for one in ("data", "keys")}
        assert (
            int(services[name]["stop_grace_period"].removesuffix("s")) > GIVES_UP_AFTER.total_seconds() > GRACE_SECONDS
        )
    assert all("healthcheck" in services[name] for name in ("data", "keys", "worker-1", "worker-2"))
    assert "healthcheck" not in services["web-1"]  # the image's own


def test_the_image_asks_the_server_by_a_program_that_is_in_it(tmp_path: Path) -> None:
    check = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", text_of("Dockerfile"), re.MULTILINE)
    assert yaml.safe_load(check[0]) == ["python", "-m", ask.__name__]
    assert not ask.is_ready(Settings(store=tmp_path, listen="127.0.0.1:1"))


def test_the_dockerfile_keeps_to_the_lock_and_to_the_project() -> None:
    text = text_of("Dockerfile")
    build, final = text.split("\nFROM ")[1:]
    assert build.count("--require-hashes") == 2
    assert "--no-build-isolation" in build
    assert "--no-index" in build
    assert all(word not in final for word in ("pip install", "gcc", "build-essential", "ADD ", "curl", "COPY . "))
    assert "USER 10001:10001" in final
    assert {compose()["services"][name]["user"] for name in OURS} == {"10001:10001"}
    assert re.search(r'ENTRYPOINT \["vig-vault"\]', final)
    assert 'vig-vault = "app.cli:main"' in text_of("pyproject.toml")
    assert "bubblewrap" in final
    assert "libseccomp2" in final
    for image in [
        *re.findall(r"^ARG \w+=(\S+)$", text, re.MULTILINE),
        *re.findall(r"IMAGE:-([^}]+)\}", FILE.read_text("utf-8")),
    ]:
        assert re.search(r":\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$", image), image


def test_what_the_image_is_built_from_is_let_into_the_build() -> None:
    let_in = {line[1:] for line in text_of(".dockerignore").splitlines() if line.startswith("!")}
    packages = re.findall(r"^packages = \[(.*)\]$", text_of("pyproject.toml"), re.MULTILINE)[0]
    needed = {
        *re.findall(r'"(\w+)"', packages),
        "deploy",
        "hatch_build.py",
        "hatch_model.py",
        "pyproject.toml",
        "requirements.lock",
        "web",
    }
    assert needed | {"LICENSE", "README.md"} == let_in
    assert all((ROOT / name).exists() for name in let_in)


def test_caddy_buffers_nothing_logs_no_address_and_passes_no_health_on() -> None:
    caddyfile = text_of("deploy/Caddyfile")
    for words in ("flush_interval -1", "max_header_size 64KB", "respond @machines 404", "exclude http.log.access"):
        assert words in caddyfile
    assert "trusted_proxies" not in caddyfile  # else the world could say where it comes from
    assert caddyfile.count("{") == caddyfile.count("}")
