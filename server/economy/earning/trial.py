"""What terms would come to before they are made: a promotion on one purchase, a challenge on the last days."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from server.domain.challenge import Challenge
from server.domain.errors import Code, Refusal
from server.domain.promotion import Buying, Deal, Promotion, best_deal
from server.ledger.earning.progress import amounts_by_user
from server.ledger.earning.promotions import live
from server.stores.postgres import Connection

TRIED_FOR_MAX = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a challenge would have gone. participants: with any amount; coins: of all rewards or prizes."""

    participants: int
    winners: int
    coins: int
    total: int


async def try_promotions(conn: Connection, buying: Buying, drafts: Iterable[Promotion]) -> Deal:
    """The deal for a purchase of somebody who used no promotion yet, with drafts in place of what they replace."""
    drafts = list(drafts)
    replaced = {draft.id for draft in drafts}
    held = [promotion for promotion in await live(conn, buying.at) if promotion.id not in replaced]
    return best_deal([*held, *drafts], {}, buying)


async def try_challenge(conn: Connection, terms: Challenge, now: datetime) -> Outcome:
    """How these terms would have gone in a stretch of the same length up to now. Raises Refusal (bad_request)."""
    length = terms.ends_at - terms.starts_at
    if length > TRIED_FOR_MAX:
        raise Refusal(Code.BAD_REQUEST, f"Terms can be tried on {TRIED_FOR_MAX.days} days at most.")
    if not terms.by_gifts:
        raise Refusal(Code.BAD_REQUEST, "Visits are not kept, so nothing can be tried on them.")
    amounts = list((await amounts_by_user(conn, replace(terms, starts_at=now - length, ends_at=now))).values())
    total = sum(amounts)
    if terms.kind == "contest":
        ranked = [amount for amount in amounts if amount >= terms.least]
        prizes = (terms.prizes or ())[: len(ranked)]
        return Outcome(len(amounts), len(prizes), sum(prizes), total)
    least = (terms.goal or 0) if terms.kind == "challenge" else terms.least
    reached = terms.kind == "challenge" or total >= (terms.goal or 0)
    winners = min(terms.winners_max or 0, sum(amount >= least for amount in amounts)) if reached else 0
    return Outcome(len(amounts), winners, winners * (terms.reward_coins or 0), total)
