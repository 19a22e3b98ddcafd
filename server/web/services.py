"""What handlers and sessions of one gateway work with; put together in server/gateway.py."""

import asyncio
from dataclasses import dataclass

from aiohttp import web
from redis.asyncio import Redis

from server.domain.catalogue import Catalogue
from server.economy.recharge.cashier import Cashier
from server.economy.spending.impressions import Impressions
from server.economy.spending.spending import Spending
from server.economy.spending.ticket_door import TicketDoor
from server.rooms.badges import Badges
from server.rooms.connections import Connections
from server.rooms.hub import Hub
from server.rooms.moderation import Moderation
from server.rooms.rooms import Rooms
from server.settings import Settings
from server.stores.postgres import Pool
from server.wallet.gifting import Gifting
from server.wallet.wallets import Wallets
from server.web.ages import Ages
from server.web.balances import Balances
from server.web.budget_warnings import BudgetWarnings
from server.web.counts import Counts
from server.web.economy.entrances import Entrances
from server.web.entrance import Entrance
from server.web.logins import Logins
from server.web.names import Names
from server.web.notices import Notices
from server.web.sessions import Sessions
from server.web.silence import Silence
from server.web.steering import Steering
from server.web.token_checker import TokenChecker
from server.web.watching import Watching


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of a gateway. draining: set once no new gifts are taken any more."""

    settings: Settings
    gateway_id: str
    redis: Redis
    pool: Pool
    catalogue: Catalogue
    gifting: Gifting
    spending: Spending
    door: TicketDoor
    impressions: Impressions
    wallets: Wallets
    rooms: Rooms
    hub: Hub
    connections: Connections
    sessions: Sessions
    moderation: Moderation
    ages: Ages
    logins: Logins
    steering: Steering
    badges: Badges
    entrances: Entrances
    balances: Balances
    notices: Notices
    budgets: BudgetWarnings
    names: Names
    watching: Watching
    tokens: TokenChecker
    counts: Counts
    draining: asyncio.Event
    entrance: Entrance
    silence: Silence
    cashier: Cashier


SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
