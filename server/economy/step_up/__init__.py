"""Step-up confirmation: before money leaves, its owner shows a code of an authenticator app.

A right code is exchanged for a *confirmation* (`exchange`, POST /account/step-up/confirmations), which the request that
needs it carries; the transaction that does what was asked takes it (`confirm`). So wrong codes are counted in
transactions of their own, which no refusal undoes, and a confirmation is used up only together with what it confirmed.
"""

from server.economy.step_up.confirming import confirm, exchange
from server.economy.step_up.enrolment import begin, finish, remove, renew_recovery_codes

__all__ = ["begin", "confirm", "exchange", "finish", "remove", "renew_recovery_codes"]
