"""The compose file and the image agree with the settings, and hold no secret."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.dotenv import read_dotenv
from server.setting import variable
from server.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
VARIABLES = {variable(field) for field in fields(Settings)}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_every_setting_that_the_compose_file_passes_on_exists(compose: dict[str, Any]) -> None:
    for name in ("gateway", "worker", "migrate"):
        assert set(compose["services"][name]["environment"]) <= VARIABLES


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    text = (ROOT / "compose.yaml").read_text()
    uses = dict(re.findall(r"\$\{(\w*(?:SECRET|PASSWORD|TOKEN)\w*)(.*?)\}", text))
    assert uses.pop("GIFTSTREAM_METRICS_TOKEN") == ":-"  # empty: nobody outside of the container reads the metrics
    assert set(uses) == {"GIFTSTREAM_TOKEN_SECRET", "POSTGRES_PASSWORD"}
    assert all(rest.startswith(":?") for rest in uses.values())
    example = read_dotenv(ROOT / ".env.example")
    assert example == {"GIFTSTREAM_TOKEN_SECRET": "", "POSTGRES_PASSWORD": ""}


def test_the_stores_keep_what_they_acknowledge_and_start_before_the_roles(compose: dict[str, Any]) -> None:
    services = compose["services"]
    command = " ".join(services["valkey"]["command"])
    assert "--appendonly yes --appendfsync always --maxmemory-policy noeviction" in command
    for name in ("valkey", "postgres"):
        assert services[name]["volumes"]
        assert services[name]["healthcheck"]["test"]
    for name in ("gateway", "worker"):
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "valkey": {"condition": "service_healthy"},
            "postgres": {"condition": "service_healthy"},
        }


def test_the_image_runs_as_an_ordinary_user_and_checks_its_readiness() -> None:
    stages = re.split(r"^FROM .*$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    final = stages[-1]
    assert re.search(r"^USER 10001$", final, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\"server\.readiness\"\]$", final, re.MULTILINE)
    assert set(re.findall(r"(GIFTSTREAM_\w+)=", final)) <= VARIABLES


def test_the_example_of_a_dotenv_file_names_only_settings_that_exist() -> None:
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named - {"POSTGRES_PASSWORD"} <= VARIABLES
