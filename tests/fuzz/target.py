"""A whole server to fuzz, with its limits opened wide, and what is asked of it afterwards."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import aiohttp
import orjson

from tests.serve_process import ServeProcess, plain_environ

VIEWERS = 12
ROOMS = 3
AUDIT_TIMEOUT_S = 120

WIDE_OPEN = {
    "GIFTSTREAM_FRAMES_PER_SECOND": "10000000",
    "GIFTSTREAM_FRAMES_BURST": "10000000",
    "GIFTSTREAM_BAD_FRAMES_PER_MINUTE": "10000000",
    "GIFTSTREAM_GIFTS_PER_SECOND": "100000",
    "GIFTSTREAM_GIFTS_BURST": "100000",
    "GIFTSTREAM_CONNECTIONS_PER_USER_MAX": "100",
    "GIFTSTREAM_ROOMS_PER_CONNECTION_MAX": "1000",
    "GIFTSTREAM_DEMO_BOTS": "0",
    "GIFTSTREAM_LOG_LEVEL": "info",
    "GIFTSTREAM_LOG_FORMAT": "json",
}
"""Otherwise most of what is sent would be refused for being too much, and read by nobody."""


class Target:
    """A `giftstream serve --demo` with one gateway, some viewers and rooms."""

    def __init__(self, data_dir: Path) -> None:
        self._process = ServeProcess(data_dir, "--demo", "--gateways", "1", **WIDE_OPEN)
        self.tokens: list[str] = []
        self.rooms: list[str] = []

    @property
    def url(self) -> str:
        return self._process.url

    @property
    def address(self) -> str:
        return self.url.rpartition("/")[2]

    async def settle_in(self) -> None:
        """Lets viewers in and opens rooms."""
        async with aiohttp.ClientSession() as http:
            for number in range(VIEWERS):
                self.tokens.append(
                    (await _post(http, f"{self.url}/api/v1/demo/login", {"name": f"Fuzz {number}"}))["token"]
                )
            for token in self.tokens[:ROOMS]:
                self.rooms.append((await _post(http, f"{self.url}/api/v1/rooms", {"title": "Fuzz"}, token))["id"])

    async def problems(self) -> list[str]:
        """What is wrong with the server now."""
        found = [line for line in self._process.lines if _tells_of_a_failure(line)]
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/readyz") as answer:
            if answer.status != 200:
                found.append(f"not ready: {await answer.text()}")
        failed = await asyncio.to_thread(self._audit)
        return [*found, failed] if failed else found

    def _audit(self) -> str:
        """What `giftstream audit` found wrong, or nothing."""
        audit = subprocess.run(
            [sys.executable, "-m", "server", "audit", "--json", "--data-dir", str(self._process.data_dir)],
            env=plain_environ(),
            cwd=self._process.data_dir.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=AUDIT_TIMEOUT_S,
        )
        return f"the audit: {audit.stdout[:2000]} {audit.stderr[:2000]}" if audit.returncode else ""

    def close(self) -> None:
        self._process.close()


def _tells_of_a_failure(line: str) -> bool:
    """Nothing that a client sends is worth a warning."""
    if "Traceback" in line:
        return True
    try:
        said = orjson.loads(line)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("level") in {"warning", "error", "critical"}


async def _post(http: aiohttp.ClientSession, url: str, body: dict[str, str], token: str = "") -> dict[str, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.post(url, json=body, headers=headers) as answer:
        made: dict[str, str] = await answer.json()
        assert answer.status == 201, made
        return made
