"""Currencies and minor units of the simulated bank, and exact conversion of amounts.

The bank keeps every amount as a whole number of minor units; a decimal string with more digits
than the currency has is refused, never rounded.
"""

from __future__ import annotations

import re

_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP "
    "MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD "
    "SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS "
    "VES WST XCD YER ZAR ZMW"
)
_WITHOUT_MINOR = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
MINOR_UNITS: dict[str, int] = {
    **dict.fromkeys(_CODES.split(), 2),
    **dict.fromkeys(_WITHOUT_MINOR.split(), 0),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
}
"""ISO 4217 code to the number of digits after the point."""

_AMOUNT = re.compile(r"(-?)(\d{1,13})(?:\.(\d{1,4}))?\Z", re.ASCII)


class AmountError(ValueError):
    """An amount is not a decimal string that the currency can hold."""


def to_minor(text: object, currency: str) -> int:
    """Whole minor units of a decimal string. Raises AmountError naming the rule broken."""
    if currency not in MINOR_UNITS:
        raise AmountError(f"Currency {currency!r} is not known to this bank; use an ISO 4217 code.")
    digits = MINOR_UNITS[currency]
    found = _AMOUNT.match(text) if isinstance(text, str) else None
    if found is None:
        raise AmountError(f"Amount {text!r} must be a decimal string such as '12.50', below 10^13.")
    sign, whole, fraction = found[1], found[2], found[3] or ""
    if len(fraction) > digits:
        raise AmountError(f"Amount {text} has more digits after the point than {currency} allows ({digits}).")
    value = int(whole + fraction.ljust(digits, "0"))
    return -value if sign else value


def to_text(minor: int, currency: str) -> str:
    """The decimal string of whole minor units, with all digits of the currency."""
    digits = MINOR_UNITS[currency]
    sign, figures = ("-" if minor < 0 else ""), str(abs(minor)).rjust(digits + 1, "0")
    return f"{sign}{figures[:-digits]}.{figures[-digits:]}" if digits else f"{sign}{figures}"
