"""``make loadtest``, the same as ``python -m loadtests.run``: users by the thousand, then the conservation check.

    USERS=1000                     how many
    PROFILE=steady                 steady, battle, storm or soak
    HOST=https://live.example.org  which server; unset: the `giftstream serve` of this folder (`make run`), or, when
                                   there is none, one that is started for the test
    SECONDS_MAX=60                 shorter than the profile is
    PROCESSES=2                    Locust processes
    LOADTEST_RESULTS=folder        where the report goes instead of loadtests/results
    WEB=1                          Locust's web page on http://127.0.0.1:8089 instead of a run at once

Exits with 0 only when no user met a failure and every acknowledged gift is in the ledger exactly once.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from loadtests.served import serve
from loadtests.swarm.accounts import Cast, CastError, demo_cast, signed_cast, wait_ready
from loadtests.swarm.conservation import check_conservation
from loadtests.swarm.profiles import PROFILES, Profile
from loadtests.swarm.record import read_records
from server.child import die_with_parent
from server.settings import Settings, load_settings
from server.start_error import StartError
from server.stores.data_folder import running_serve
from server.token_key import with_token_secret

RESULTS = Path(os.environ.get("LOADTEST_RESULTS", "") or Path(__file__).resolve().parent / "results")
LOCUSTFILE = Path(__file__).resolve().parent / "locustfile.py"
READY_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 30
WORKERS_TIMEOUT_S = 60.0
GIVERS_SHARE = 0.25
GIVERS_MIN = 16
"""Accounts with coins: a few more than the gifters and probes that Locust makes of the users."""


async def main() -> int:
    """Run one load test; 0 when nothing failed and nothing was lost."""
    try:
        users = _number("USERS", 1000)
        profile = _profile()
        async with AsyncExitStack() as stack:
            url, settings = await stack.enter_async_context(_server())
            await wait_ready(url, READY_TIMEOUT_S)
            cast = await _cast(url, settings, users)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gs-swarm-")))
            failed = await _swarm(folder, url, profile, users, cast)
            conserved = await _conserved(folder, url, cast, settings)
    except (CastError, StartError) as error:
        print(f"loadtest: {error}", file=sys.stderr)
        return 2
    if failed:
        print("loadtest: some users met failures, see the report above", file=sys.stderr)
    if not conserved:
        print("loadtest: NOT CONSERVED, see above", file=sys.stderr)
    return 0 if conserved and not failed else 1


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "") or str(default)
    if not text.isdigit() or int(text) < 1:
        raise CastError(f"{name} must be a whole number, 1 or more, not {text!r}")
    return int(text)


def _profile() -> Profile:
    name = os.environ.get("PROFILE", "") or "steady"
    if name not in PROFILES:
        raise CastError(f"PROFILE must be one of {', '.join(PROFILES)}, not {name!r}")
    return PROFILES[name]


@asynccontextmanager
async def _server() -> AsyncIterator[tuple[str, Settings | None]]:
    """The server's URL, and its settings where its key and ledger are at hand."""
    host = os.environ.get("HOST", "")
    if host.startswith(("http://", "https://")):
        settings = load_settings()
        at_hand = bool(settings.token_secret and settings.database_url)
        yield host.rstrip("/"), settings if at_hand else _settings_of(host.rstrip("/"))
        return
    running = running_serve(load_settings().data_dir)
    if running is not None:
        yield running.url, _settings_of(running.url)
        return
    print("No giftstream serve runs here: one is started for this test, and removed after it.", flush=True)
    async with serve(demo=True, raised=False) as served:
        yield served.running.url, served.settings


def _settings_of(url: str) -> Settings | None:
    """The settings of the `serve` of this folder, if that is what answers at the URL."""
    settings = load_settings()
    running = running_serve(settings.data_dir)
    if running is None or running.url != url:
        return None
    return with_token_secret(replace(settings, redis_url=running.redis_url, database_url=running.database_url))


async def _cast(url: str, settings: Settings | None, users: int) -> Cast:
    givers = GIVERS_MIN + round(users * GIVERS_SHARE)
    if settings is None:
        print(f"Logging in at {url} as the demo allows; several watchers share an account.", flush=True)
        return await demo_cast(url, givers, users)
    print(f"Making {givers} givers with coins and {users} watchers on {url} ...", flush=True)
    return await signed_cast(settings, url, givers, users)


async def _swarm(folder: Path, url: str, profile: Profile, users: int, cast: Cast) -> bool:
    """Let Locust do its work in processes of its own; answers whether a user met a failure."""
    _write_cast(folder, cast)
    RESULTS.mkdir(exist_ok=True)
    report = RESULTS / f"loadtest-{profile.name}-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.html"
    seconds = min(profile.seconds, _number("SECONDS_MAX", int(profile.seconds)))
    processes, port = _number("PROCESSES", 2), _free_port()
    environ = {
        **os.environ,
        "LOADTEST_FOLDER": str(folder),
        "LOADTEST_PROFILE": profile.name,
        "LOADTEST_USERS": str(users),
        "LOADTEST_PROCESSES": str(processes),
        "LOADTEST_SECONDS": str(seconds),
        "PYTHONPATH": str(LOCUSTFILE.parent.parent),
    }
    master = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
    master += ["--expect-workers", str(processes), "--host", url, "--stop-timeout", str(STOP_TIMEOUT_S)]
    if len(profile.stages) == 1:
        master += ["-u", str(users), "-r", str(max(1, round(users / profile.ramp_s))), "-t", f"{seconds:.0f}s"]
    if os.environ.get("WEB", "") not in {"", "0"}:
        master += ["--web-host", "127.0.0.1"]
    else:
        master += ["--headless", "--only-summary", "--html", str(report)]
    worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", str(port), "--loglevel", "WARNING"]
    print(f"{users} users, profile {profile.name}, {seconds:.0f} s ...", flush=True)
    # Each started by itself, not by Locust's --processes: so the end of each can be waited for.
    workers = [await _locust(worker, environ) for _ in range(processes)]
    leader = await _locust(master, environ)
    failed = await leader.wait() != 0
    for process in workers:
        try:
            await asyncio.wait_for(process.wait(), WORKERS_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            raise CastError("a Locust process did not end") from None
    if report.exists():
        print(f"Report: {report}")
    return failed


def _write_cast(folder: Path, cast: Cast) -> None:
    held = {
        "givers": [asdict(account) for account in cast.givers],
        "watchers": [asdict(account) for account in cast.watchers],
        "rooms": cast.rooms,
    }
    (folder / "cast.json").write_text(json.dumps(held))


async def _locust(flags: list[str], environ: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(LOCUSTFILE),
        *flags,
        env=environ,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _conserved(folder: Path, url: str, cast: Cast, settings: Settings | None) -> bool:
    """Say whether every acknowledgement is in the ledger, and nothing else."""
    sent, counts = read_records(folder)
    print(
        f"Checking {sum(len(record.acked) for record in sent):,} acknowledged gifts of {len(sent)} givers ...",
        flush=True,
    )
    verdict = await check_conservation(url, sent, cast.givers)
    for name, count in counts.items():
        print(f"  {name.replace('_', ' ')}: {count:,}")
    for fault in verdict.faults[:20]:
        print(f"  NOT CONSERVED: {fault}", file=sys.stderr)
    if not sent or not verdict.gifts:
        print("  NOT CONSERVED: nobody gave anything", file=sys.stderr)
        return False
    if verdict.faults:
        print(f"NOT CONSERVED: {len(verdict.faults)} faults", file=sys.stderr)
        return False
    print(
        f"Conserved: {verdict.gifts:,} gifts for {verdict.coins:,} coins, each acknowledged and settled exactly once"
        f" ({verdict.asked_again} were asked about again at the end)."
    )
    return settings is None or await _audited(settings)


async def _audited(settings: Settings) -> bool:
    """The server's own audit of every money invariant, where its stores are at hand."""
    from server.ledger.audit import audit

    report = await audit(settings)
    print(report.render())
    return report.ok


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
