"""Money on plain values: ISO 4217 currencies, minor units, and amounts that lose nothing.

Amounts are `Decimal` beside a currency code, never float. Parsing of what people type lives
here too; display lives in `treasury.templatetags.portal`, conversion in `services.rates`.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

NO_MINOR_UNIT = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THREE_DIGITS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
CURRENCIES = (
    frozenset(
        """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
        CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD
        HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK
        MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD
        RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
        UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG""".split()
    )
    | NO_MINOR_UNIT
    | THREE_DIGITS
)


class MoneyError(ValueError):
    """An amount or a currency that cannot be taken; the text says why and what to write instead."""


def minor_units(currency: str) -> int:
    """Digits after the point of `currency` in ISO 4217: JPY 0, CNY 2, KWD 3."""
    if currency in NO_MINOR_UNIT:
        return 0
    return 3 if currency in THREE_DIGITS else 2


def check_currency(code: str) -> str:
    """The code itself when ISO 4217 knows it. Raises MoneyError otherwise."""
    if code not in CURRENCIES:
        raise MoneyError(f"{code!r} is not a currency of ISO 4217. Write a code such as CNY, USD or EUR.")
    return code


def check_amount(amount: Decimal, currency: str) -> Decimal:
    """A payable amount: positive, finite, no finer than the currency's minor unit, below 10^14."""
    check_currency(currency)
    if not isinstance(amount, Decimal):
        raise MoneyError(f"{amount!r} is not a decimal amount. Floating point loses cents.")
    if not amount.is_finite() or amount <= 0:
        raise MoneyError(f"{amount} {currency} is not a positive amount.")
    if amount >= Decimal(10) ** 14:
        raise MoneyError(f"{amount} {currency} is larger than the largest amount, 10^14. Check the digits.")
    return quantize(amount, currency)


def quantize(amount: Decimal, currency: str) -> Decimal:
    """`amount` written with exactly the currency's digits. Raises MoneyError rather than round."""
    digits = minor_units(currency)
    written = amount.quantize(Decimal(1).scaleb(-digits))
    if written != amount:
        raise MoneyError(
            f"{amount} {currency} has more than {digits} decimals, which {currency} does not have."
        )
    return written


_GROUPED = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")


def parse(text: str) -> Decimal:
    """An amount as people write it: 1234.5 or 1,234.50, full-width digits allowed.

    Raises MoneyError for anything that could be read in two ways (1.234,50 or 1,5).
    """
    plain = (
        text.strip().translate(str.maketrans("０１２３４５６７８９．，－", "0123456789.,-")).lstrip("¥￥ ")
    )
    if not _GROUPED.fullmatch(plain):
        raise MoneyError(f"{text!r} cannot be read as an amount. Write it like 1234.50 or 1,234.50.")
    try:
        return Decimal(plain.replace(",", ""))
    except InvalidOperation as error:
        raise MoneyError(f"{text!r} cannot be read as an amount.") from error
