"""One gateway process: puts the parts together, listens, and leaves in good order. It holds no money and no truth."""

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import structlog
from aiohttp import web

from server.collector import rare_collections
from server.demo import Demo
from server.economy.earning.demo import EarningDemo
from server.economy.recharge.cashier import Cashier
from server.economy.recharge.providers.registry import build_providers
from server.economy.recharge.providers.sandbox.courier import Courier
from server.economy.spending.impressions import Impressions
from server.economy.spending.spending import Spending
from server.economy.spending.ticket_door import TicketDoor
from server.ledger import catalogue as ledger_catalogue
from server.ledger import notices as ledger_notices
from server.ledger.installation import check_installation
from server.rooms.badges import Badges
from server.rooms.connections import Connections
from server.rooms.hub import Hub
from server.rooms.moderation import Moderation
from server.rooms.rooms import Rooms
from server.settings import Settings
from server.start_error import StartError
from server.stop_signals import set_by_signals
from server.stores.both import connect_both
from server.wallet.gifting import Gifting
from server.wallet.opening import ShardOpener
from server.wallet.shards import WalletShards
from server.wallet.wallets import Wallets
from server.web.ages import Ages
from server.web.app import build_app
from server.web.balances import Balances
from server.web.budget_warnings import BudgetWarnings
from server.web.counts import Counts
from server.web.drain import drain
from server.web.economy.entrances import Entrances
from server.web.entrance import Entrance
from server.web.frames import text_frame
from server.web.key_set import KeySet
from server.web.logins import Logins
from server.web.names import Names
from server.web.notices import Notices
from server.web.services import Services
from server.web.sessions import Sessions
from server.web.silence import Silence
from server.web.standing import tell_sessions
from server.web.steering import Steering
from server.web.token_checker import TokenChecker
from server.web.watching import Watching

log = structlog.get_logger()

LISTEN_BACKLOG = 1024
HANDLERS_WAIT_S = 2.0
"""How long HTTP requests under way may take once the sockets are closed."""

Background = list[Callable[[], Coroutine[Any, Any, None]]]


async def run_gateway(
    settings: Settings,
    *,
    stopping: asyncio.Event | None = None,
    listening: "asyncio.Future[int] | None" = None,
) -> None:
    """Serves until SIGTERM or SIGINT, or until `stopping` is set; then drains.

    stopping: without it the process is taken for the gateway's own, with its signals and its garbage collector.
    listening: gets the port once connections are taken. Raises StartError when it cannot start; anything that fails
    later in the background ends the process with its error, for the supervisor to start another one.
    """
    own_process = stopping is None
    if stopping is None:
        stopping = set_by_signals()
    async with AsyncExitStack() as stack:
        services, background = await _assemble(settings, stack, stopping)
        runner = web.AppRunner(
            build_app(services), handle_signals=False, access_log=None, shutdown_timeout=HANDLERS_WAIT_S
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        port = await _listen(runner, settings)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work()) for work in background]
            assert runner.server is not None
            tasks.append(group.create_task(services.silence.sweep(runner.server)))
            if own_process:
                stack.enter_context(rare_collections())
            log.info("listening", host=settings.host, port=port)
            if listening is not None:
                listening.set_result(port)
            await stopping.wait()
            for site in list(runner.sites):
                await site.stop()
            await drain(services, settings.drain_timeout_s)
            await runner.cleanup()
            await services.budgets.finish()
            for task in tasks:
                task.cancel()


async def _assemble(settings: Settings, stack: AsyncExitStack, stopping: asyncio.Event) -> tuple[Services, Background]:
    """The parts, and what has to run in the background for them. Closes the stores with the stack."""
    stores = await connect_both(settings, stack, stopping)
    if stores is None:
        raise StartError("told to stop before the stores answered")
    redis_client, pool = stores.redis, stores.pool
    # With another number of shards it would look for wallets where they are not, and load them a second time.
    await check_installation(pool, settings.wallet_shards)
    catalogue = await ledger_catalogue.load(pool)
    opener = ShardOpener(redis_client, pool, settings)
    wallets = Wallets(redis_client, pool, opener, settings)
    shards = WalletShards(redis_client, wallets, opener, settings, wait_aof=stores.wait_aof)
    rooms = Rooms(redis_client, pool, settings)
    door = TicketDoor(rooms, redis_client, settings.wallet_shards)
    badges = Badges(redis_client, pool)
    impressions = Impressions(redis_client, pool, settings.worker_id)
    entrances = Entrances(rooms, badges)
    hub = Hub(redis_client, rooms, settings, settings.worker_id, encode=text_frame)
    connections = Connections(redis_client, settings)
    sessions = Sessions(settings)
    names = Names(pool)
    watching = Watching(pool)
    moderation = Moderation(redis_client, pool, settings.worker_id, on_change=partial(tell_sessions, sessions))
    logins = Logins(pool, settings.token_secret)
    steering = Steering(redis_client, pool, catalogue, sessions)
    await steering.read()
    key_set = KeySet(settings.jwks_url) if settings.jwks_url else None
    balances = Balances(redis_client, wallets, sessions, settings.worker_id)
    newest = await ledger_notices.newest(pool)
    notices = Notices(redis_client, pool, sessions, settings.worker_id, after=newest)
    budgets = BudgetWarnings(pool, notices.changed)
    google_keys = KeySet(settings.google_keys_url) if settings.google_package else None
    providers = build_providers(settings, pool, google_keys)
    stack.push_async_callback(providers.close)

    async def tell(users: set[str]) -> None:
        for user_id in users:
            balances.changed(user_id)
            notices.changed(user_id)

    services = Services(
        settings=settings,
        gateway_id=settings.worker_id,
        redis=redis_client,
        pool=pool,
        catalogue=catalogue,
        gifting=Gifting(catalogue, shards, settings),
        spending=Spending(catalogue, shards, door, settings),
        door=door,
        impressions=impressions,
        wallets=wallets,
        rooms=rooms,
        hub=hub,
        connections=connections,
        sessions=sessions,
        moderation=moderation,
        steering=steering,
        ages=Ages(pool, settings),
        logins=logins,
        badges=badges,
        entrances=entrances,
        balances=balances,
        notices=notices,
        budgets=budgets,
        names=names,
        watching=watching,
        tokens=TokenChecker(settings, key_set),
        counts=Counts(),
        draining=asyncio.Event(),
        entrance=Entrance(),
        silence=Silence(settings.hello_timeout_s),
        cashier=Cashier(pool, wallets, providers, hold_days=settings.refund_hold_days, tell=tell),
    )
    background: Background = [shards.run, hub.run, connections.run, sessions.sweep, balances.run, names.run]
    background += [moderation.run, steering.run, logins.run, notices.run, watching.run]
    background += [badges.run, entrances.run, impressions.run, budgets.run]
    background += [keys.run for keys in (key_set, google_keys) if keys is not None]
    if providers.sandbox is not None:
        background.append(Courier(providers.sandbox).run)
    if settings.demo:
        background += [Demo(services).run, EarningDemo(pool).run]
    assert len(set(background)) == len(background), "each part runs once"
    return services, background


async def _listen(runner: web.AppRunner, settings: Settings) -> int:
    """Takes connections, together with the other gateways of this port. Raises StartError."""
    site = web.TCPSite(runner, settings.host, settings.port, reuse_port=True, backlog=LISTEN_BACKLOG)
    try:
        await site.start()
    except socket.gaierror as error:
        raise StartError(f"GIFTSTREAM_HOST: {settings.host!r} is no address of this machine") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(f"port {settings.port} on {settings.host} is taken") from error
        raise StartError(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}") from error
    return int(runner.addresses[0][1])
