"""What each command does, once its settings are read. Each returns an exit code, or raises one of START_FAILURES."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
import uvloop

from server.ledger.migrate import MigrationError
from server.ledger.migrate import migrate as run_migrations
from server.logs import set_up_logging
from server.open_files import allow_many_sockets
from server.settings import Settings
from server.start_error import StartError
from server.stores.check import check_postgres, check_stores
from server.stores.locate import with_stores
from server.stores.redis import StoreUnfit
from server.terminal import say
from server.token_key import with_token_secret

#: Errors whose message is one line for the operator.
START_FAILURES = (StartError, StoreUnfit, MigrationError)


def serve(settings: Settings, _: argparse.Namespace) -> int:
    """Run everything on one machine."""
    from server.supervisor import serve as run_everything

    # On the standard loop: it starts child processes with the hook that ties them to the life of this one.
    return asyncio.run(run_everything(settings))


def gateway(settings: Settings, _: argparse.Namespace) -> int:
    """Run one gateway."""
    from server.gateway import run_gateway

    return _run_role(with_token_secret(with_stores(settings)), run_gateway)


def worker(settings: Settings, _: argparse.Namespace) -> int:
    """Run one worker."""
    from server.worker import run_worker

    return _run_role(with_stores(settings), run_worker)


def migrate(settings: Settings, _: argparse.Namespace) -> int:
    """Bring the schema up to date."""

    async def run() -> None:
        url = with_stores(settings, redis=False).database_url
        await check_postgres(url)
        applied = await run_migrations(url, wallet_shards=settings.wallet_shards)
        say("\n".join([*applied, f"{len(applied)} migrations applied" if applied else "The schema is up to date."]))

    uvloop.run(run())
    return 0


def audit(settings: Settings, flags: argparse.Namespace) -> int:
    """Check every money invariant; 0 only when all hold."""
    from server.ledger.audit import audit as run_audit

    async def run() -> int:
        located = with_stores(settings)
        await check_stores(located)
        report = await run_audit(located)
        say(orjson.dumps(report.as_dict()).decode() if flags.json else report.render())
        return 0 if report.ok else 1

    return uvloop.run(run())


def token(settings: Settings, flags: argparse.Namespace) -> int:
    """Print a signed token."""
    from server.web.tokens import issue_token

    name = flags.name or flags.user
    try:
        say(issue_token(with_token_secret(settings), flags.user, name, flags.role, flags.ttl))
    except ValueError as error:
        raise StartError(" ".join(str(error).split())) from error
    return 0


def _run_role(settings: Settings, run: Callable[[Settings], Coroutine[Any, Any, None]]) -> int:
    set_up_logging(settings, settings.worker_id)
    allow_many_sockets()

    async def checked() -> None:
        await check_stores(settings)
        await run(settings)

    uvloop.run(checked())
    return 0
