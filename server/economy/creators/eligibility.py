"""Whether a creator qualifies for being paid out."""

from dataclasses import dataclass
from datetime import date

from server.domain.errors import Code, Refusal
from server.economy.age import old_enough
from server.economy.payouts.terms import Terms
from server.ledger.creators.follows import followers_of
from server.ledger.creators.payouts import barred
from server.ledger.profiles import profile_of
from server.stores.postgres import Connection


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What is asked for, and what of it is there. blocked: by an operator."""

    followers: int
    followers_min: int
    adult: bool
    blocked: bool

    @property
    def ok(self) -> bool:
        return self.followers >= self.followers_min and self.adult and not self.blocked

    def demand(self) -> None:
        """Raises Refusal: wallet_blocked, age_restricted or not_eligible, with what is missing."""
        if self.blocked:
            raise Refusal(Code.WALLET_BLOCKED, "This account is blocked.")
        if not self.adult:
            raise Refusal(Code.AGE_RESTRICTED)
        if self.followers < self.followers_min:
            raise Refusal(
                Code.NOT_ELIGIBLE, f"Cash-outs begin at {self.followers_min:,} followers; there are {self.followers:,}."
            )


async def eligibility_of(conn: Connection, terms: Terms, user_id: str, today: date) -> Eligibility:
    """A creator's eligibility as the caller's transaction sees it."""
    profile = await profile_of(conn, user_id)
    return Eligibility(
        followers=await followers_of(conn, user_id),
        followers_min=terms.followers_min,
        adult=old_enough(profile, today) or (terms.waived and profile.birth_date is None),
        blocked=await barred(conn, user_id),
    )
