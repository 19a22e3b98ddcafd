"""What holds for cash-outs on this server."""

from dataclasses import dataclass

from server.settings import Settings

FOLLOWERS_MIN = 1_000
HOLD_DAYS = 7
DEMO_DAY_S = 10.0
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Rate:
    """What a diamond is worth: numerator/denominator minor units of the currency. No amount is ever a float."""

    numerator: int
    denominator: int
    currency: str

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"

    def amount(self, diamonds: int) -> int:
        """What diamonds are worth, rounded down to a whole minor unit."""
        return diamonds * self.numerator // self.denominator

    def diamonds(self, amount: int) -> int:
        """The fewest diamonds that are worth an amount; of a request, those above stay with the creator."""
        return -(-amount * self.denominator // self.numerator)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """provider: None where nobody is paid out. Amounts are in minor units of the rate's currency.

    waived: in demo mode, an age that is not known and a person's review are not waited for.
    """

    provider: str | None
    followers_min: int
    rate: Rate
    amount_min: int
    daily_max: int
    hold_days: int
    review_from: int
    day_s: float
    waived: bool

    @classmethod
    def of(cls, settings: Settings) -> "Terms":
        """As the settings say, and where they leave it open, as the mode does."""
        demo = settings.demo
        numerator, denominator = settings.payout_rate.split("/")
        open_provider = "sandbox" if demo else "none"
        provider = open_provider if settings.payout_provider == "auto" else settings.payout_provider
        return cls(
            provider=None if provider == "none" else provider,
            followers_min=_or(settings.payout_followers_min, 0 if demo else FOLLOWERS_MIN),
            rate=Rate(int(numerator), int(denominator), settings.payout_currency),
            amount_min=settings.payout_min,
            daily_max=settings.payout_daily_max,
            hold_days=_or(settings.payout_hold_days, 0 if demo else HOLD_DAYS),
            review_from=settings.payout_review_from,
            day_s=settings.payout_day_s or (DEMO_DAY_S if demo else DAY_S),
            waived=demo,
        )


def _or(value: int, otherwise: int) -> int:
    return otherwise if value < 0 else value
