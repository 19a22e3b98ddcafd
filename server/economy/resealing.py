"""After a change of the server's key: what a former one sealed is sealed anew, before that one is forgotten."""

import structlog

from server.economy.payouts.destinations import SEALED_AS
from server.economy.sealing import Sealer
from server.ledger import sealed
from server.settings import Settings
from server.stores.postgres import Pool

log = structlog.get_logger()


async def reseal(pool: Pool, settings: Settings) -> int:
    """Seals anew whatever a former key sealed; answers how many rows. Nothing to do while there are no former keys."""
    if not settings.token_secret or not settings.token_secrets_former:
        return 0
    changed = 0
    for purpose, column in (("step-up", sealed.STEP_UP_SECRETS), (SEALED_AS, sealed.PAYOUT_DESTINATIONS)):
        changed += await sealed.replace_all(pool, column, Sealer(settings, purpose).renewed)
    if changed:
        log.info("sealed anew with the present key", rows=changed)
    return changed
