"""How many digits the minor unit of a currency has (ISO 4217): two, but for these."""

from fractions import Fraction

_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_EXCEPTIONS = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}


def minor_digits(currency: str) -> int:
    """2 for USD: 129 minor units are 1.29."""
    return _EXCEPTIONS.get(currency, 2)


def to_minor(currency: str, amount: int, *, digits: int) -> int:
    """An amount given in 10^-digits of a currency's unit, in minor units, rounded to the nearest."""
    return round(Fraction(amount * 10 ** minor_digits(currency), 10**digits))
