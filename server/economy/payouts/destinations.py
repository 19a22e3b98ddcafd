"""Where money can be sent: what is one, how it is kept, and what of it is shown."""

import re
from typing import Literal

from server.domain.errors import Code, Refusal

SEALED_AS = "payout destination"
"""The purpose that destinations are sealed for."""

Kind = Literal["bank", "paypal"]

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_US_ACCOUNT = re.compile(r"(\d{9})-(\d{4,17})")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_EMAIL_CHARS_MAX = 254
_ABA_WEIGHTS = (3, 7, 1) * 3


def normal(kind: Kind, typed: str) -> str:
    """A destination as it is kept: an IBAN, a US routing and account number (`021000021-123456`), a PayPal address.

    Raises Refusal (bad_request) for what is none.
    """
    if kind == "paypal":
        address = typed.strip()
        if len(address) > _EMAIL_CHARS_MAX or not _EMAIL.fullmatch(address):
            raise Refusal(Code.BAD_REQUEST, "A PayPal account is named by its email address.")
        return address.lower()
    account = re.sub(r"[\s./]+", "", typed).upper()
    us_account = _US_ACCOUNT.fullmatch(account)
    if (_IBAN.fullmatch(account) and _iban_adds_up(account)) or (us_account and _routing_adds_up(us_account[1])):
        return account
    raise Refusal(
        Code.BAD_REQUEST, "A bank account is an IBAN, or a US routing number and account such as 021000021-123456."
    )


def masked(kind: Kind, destination: str) -> str:
    """What is shown: enough to know one's own by, too little to pay to."""
    if kind == "paypal":
        local, _, domain = destination.rpartition("@")
        return f"{local[0]}…@{domain}"
    return f"{destination[:2]}…{destination[-4:]}" if destination[0].isalpha() else f"…{destination[-4:]}"


def _iban_adds_up(iban: str) -> bool:
    """ISO 13616: letters as numbers from 10 on, the first four characters last, is 1 modulo 97."""
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


def _routing_adds_up(routing: str) -> bool:
    """The checksum of the American Bankers Association."""
    return sum(weight * int(digit) for weight, digit in zip(_ABA_WEIGHTS, routing, strict=True)) % 10 == 0
