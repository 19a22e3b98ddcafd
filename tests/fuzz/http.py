"""Fuzzes HTTP with schemathesis: requests made from our own OpenAPI document, and the answers held against it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.serve_process import plain_environ

EXCLUDED = "positive_data_acceptance"
"""What the document cannot say, such as which cursors are ours or that a title must be readable, is a 400."""

RUN_TIMEOUT_S = 3600.0
SHOWN_CHARS_MAX = 6000


async def fuzz(url: str, token: str, *, room: str | None, examples: int, phases: str, seed: int) -> list[str]:
    """One run; what was found wrong. room: goes into every address that names one; else any text does."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "schemathesis.toml"
        config.write_text("" if room is None else f'[parameters]\n"path.room" = "{room}"\n')
        options = ("--max-examples", str(examples), "--phases", phases, "--seed", str(seed))
        code, said = await _run(url, token, config, options)
    return [] if code == 0 else [f"schemathesis, exit code {code}:\n{said[-SHOWN_CHARS_MAX:]}"]


async def _run(url: str, token: str, config: Path, options: tuple[str, ...]) -> tuple[int | None, str]:
    """One run in a process of its own, as it brings plugins that the other tests should not have."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(config), "run", f"{url}/api/v1/openapi.json", "--no-color"),
        *("--header", f"Authorization: Bearer {token}", "--checks", "all", "--exclude-checks", EXCLUDED),
        *options,
        env=plain_environ(),
        cwd=config.parent,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(RUN_TIMEOUT_S):
            said, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return process.returncode, said.decode(errors="replace")
