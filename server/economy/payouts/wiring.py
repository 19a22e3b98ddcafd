"""The payouts' part of a worker."""

import structlog

from server.economy.payouts.destinations import SEALED_AS
from server.economy.payouts.driving import PayoutDriver
from server.economy.payouts.sandbox import SandboxProvider
from server.economy.payouts.terms import Terms
from server.economy.sealing import Sealer
from server.settings import Settings
from server.stores.postgres import Pool

log = structlog.get_logger()


def payout_driver(pool: Pool, settings: Settings) -> PayoutDriver | None:
    """A driver with every provider that payouts of this server may be under way with.

    None where destinations cannot be opened: payouts then wait for a worker that can.
    """
    if not settings.token_secret:
        log.warning("this worker drives no payouts: GIFTSTREAM_TOKEN_SECRET is not set")
        return None
    terms = Terms.of(settings)
    return PayoutDriver(
        pool, terms, Sealer(settings, SEALED_AS), {SandboxProvider.name: SandboxProvider(pool, terms.day_s)}
    )
