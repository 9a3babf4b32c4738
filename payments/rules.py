"""Rules of payments on plain values: the digest that approval signs, references, texts, accounts.

No database and no clock here. What needs an account, a payee or today's date is checked in
`services.checking`; amounts are `treasury.money`'s.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from treasury import money

NAME_LIMIT = 70
PURPOSE_LIMIT = 70
REFERENCE_LIMIT = 30
REFERENCE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: cannot be misread
REFERENCE_RANDOM = 9
IBAN_COUNTRIES = frozenset(
    """AD AE AL AT AZ BA BE BG BH BI BR BY CH CR CY CZ DE DJ DK DO EE EG ES FI FK FO FR GB GE GI GL GR GT HN
    HR HU IE IL IQ IS IT JO KW KZ LB LC LI LT LU LV LY MC MD ME MK MN MR MT MU NI NL NO OM PK PL PS PT QA RO
    RS RU SA SC SD SE SI SK SM SO ST SV TL TN TR UA VA VG XK YE""".split()
)
CNAPS_DIGITS = 12


class RuleBrokenError(ValueError):
    """One value breaks one rule. `code` names the rule, `field` the value, `hint` the next step."""

    code = "payments.rule_broken"

    def __init__(self, message: str, *, code: str, field: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.field, self.hint = code, field, hint

    @property
    def whole(self) -> str:
        """Message and next step in one line."""
        return f"{self} {self.hint}".strip()


# --- what approval signs ------------------------------------------------------------------


def money_digest(
    *,
    reference: str,
    version: int,
    kind: str,
    account_number: str,
    account_currency: str,
    account_bank_code: str,
    debtor_name: str,
    payee_name: str,
    payee_account: str,
    payee_bank_code: str,
    payee_bank_name: str,
    payee_country: str,
    amount: Decimal,
    currency: str,
    execute_on: date,
    purpose: str,
    urgent: bool,
) -> str:
    """SHA-256 (hex) of all that a bank is told of one version of one payment.

    Each field is written as name, length in bytes and value, in a fixed order, so that no two
    different payments share one encoding. The amount is written with the currency's own digits:
    1, 1.0 and 1.00 CNY are the same money. Raises MoneyError for an amount finer than that.
    """
    fields = (
        ("form", "zhilian-payment-1"),
        ("reference", reference),
        ("version", str(version)),
        ("kind", kind),
        ("account_number", account_number),
        ("account_currency", account_currency),
        ("account_bank_code", account_bank_code),
        ("debtor_name", debtor_name),
        ("payee_name", payee_name),
        ("payee_account", payee_account),
        ("payee_bank_code", payee_bank_code),
        ("payee_bank_name", payee_bank_name),
        ("payee_country", payee_country),
        ("amount", f"{money.quantize(amount, currency):f}"),
        ("currency", currency),
        ("execute_on", execute_on.isoformat()),
        ("purpose", purpose),
        ("urgent", "yes" if urgent else "no"),
    )
    whole = hashlib.sha256()
    for name, value in fields:
        raw = value.encode()
        whole.update(b"%s:%d:%s;" % (name.encode(), len(raw), raw))
    return whole.hexdigest()


def new_reference(on: date) -> str:
    """A fresh payment reference of 16 characters: P, the date, 45 random bits.

    Sixteen capital letters and digits fit every bank: MT940 carries 16, CMB's yurRef 30.
    The database keeps references unique; the date keeps them apart beyond a bank's memory.
    """
    tail = "".join(secrets.choice(REFERENCE_ALPHABET) for _n in range(REFERENCE_RANDOM))
    return f"P{on:%y%m%d}{tail}"


# --- texts --------------------------------------------------------------------------------


SPOKEN = {"purpose": gettext_lazy("Purpose"), "name": gettext_lazy("Name"), "bank_name": gettext_lazy("Bank")}


def check_text(value: str, *, field: str, limit: int, country: str, required: bool = False) -> str:
    """`value` without outer spaces, when banks can carry it. Raises RuleBrokenError.

    Payees outside China are reached over networks that carry Latin letters only.
    """
    text, spoken = unicodedata.normalize("NFC", value).strip(), SPOKEN.get(field, field)
    if required and not text:
        raise RuleBrokenError(
            _("%(field)s is empty.") % {"field": spoken},
            code="payments.text_missing",
            field=field,
        )
    if len(text) > limit:
        raise RuleBrokenError(
            _("%(field)s has %(length)d characters; banks carry at most %(limit)d.")
            % {"field": spoken, "length": len(text), "limit": limit},
            code="payments.text_too_long",
            field=field,
            hint=_("Shorten it."),
        )
    for character in text:
        if unicodedata.category(character).startswith("C"):
            raise RuleBrokenError(
                _("%(field)s contains the invisible character U+%(point)04X.")
                % {"field": spoken, "point": ord(character)},
                code="payments.text_control",
                field=field,
                hint=_("Type the text again instead of pasting it."),
            )
        if country != "CN" and ord(character) > 0x24F:
            raise RuleBrokenError(
                _("%(field)s contains %(character)r, which payments to %(country)s cannot carry.")
                % {"field": spoken, "character": character, "country": country},
                code="payments.text_not_latin",
                field=field,
                hint=_("Write it in Latin letters."),
            )
    return text


# --- accounts and banks -------------------------------------------------------------------


def cnaps_check_digit(first_eleven: str) -> int:
    """The twelfth digit of a CNAPS 联行号 (ISO 7064 MOD 11,10) over its first eleven."""
    product = 10
    for digit in first_eleven:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10


def check_bank_code(code: str, *, country: str, required: bool = False) -> str:
    """A CNAPS 联行号 for China, else a BIC, in capitals without spaces. Raises RuleBrokenError."""
    plain = re.sub(r"\s", "", code).upper()
    field = "bank_code"
    if not plain:
        if required:
            raise RuleBrokenError(
                _("Payments to %(country)s need the bank's BIC.") % {"country": country},
                code="payments.bank_code_missing",
                field=field,
            )
        return ""
    if country == "CN" and plain.isdecimal():
        if len(plain) != CNAPS_DIGITS:
            raise RuleBrokenError(
                _("%(code)s has %(length)d digits; a CNAPS 联行号 has 12.")
                % {"code": plain, "length": len(plain)},
                code="payments.cnaps_length",
                field=field,
                hint=_("Copy it again from the payee's letter or the bank's list."),
            )
        if cnaps_check_digit(plain[:-1]) != int(plain[-1]):
            raise RuleBrokenError(
                _("%(code)s is not a CNAPS 联行号: its check digit is wrong.") % {"code": plain},
                code="payments.cnaps_check_digit",
                field=field,
                hint=_("One digit is mistyped. Copy it again from the payee's letter or the bank's list."),
            )
        return plain
    try:
        bic = BIC(plain)
    except SchwiftyException as error:
        raise RuleBrokenError(
            _("%(code)s is not a BIC: %(reason)s.") % {"code": plain, "reason": error},
            code="payments.bic",
            field=field,
            hint=_("A BIC has 8 or 11 letters and digits, such as DEUTDEFF."),
        ) from error
    if str(bic.country_code) != country:
        raise RuleBrokenError(
            _("%(code)s is a bank in %(found)s, the payee is in %(country)s.")
            % {"code": plain, "found": bic.country_code, "country": country},
            code="payments.bic_country",
            field=field,
            hint=_("Correct the country or the BIC."),
        )
    return str(bic)


def check_account_number(number: str, *, country: str) -> str:
    """A payee's account number, without spaces; an IBAN where the country has them.

    Raises RuleBrokenError that says which part of the number is wrong.
    """
    plain = re.sub(r"\s", "", number).upper()
    field = "account_number"
    if country in IBAN_COUNTRIES:
        try:
            iban = IBAN(plain, validate_bban=False)
        except SchwiftyException as error:
            raise RuleBrokenError(
                _("%(number)s is not an IBAN: %(reason)s.") % {"number": plain, "reason": error},
                code="payments.iban",
                field=field,
                hint=_("Copy the whole IBAN again, country letters included."),
            ) from error
        if iban.country_code != country:
            raise RuleBrokenError(
                _("%(number)s is an account in %(found)s, the payee is in %(country)s.")
                % {"number": plain, "found": iban.country_code, "country": country},
                code="payments.iban_country",
                field=field,
                hint=_("Correct the country or the IBAN."),
            )
        return str(iban)
    form = r"\d[\d-]{4,31}" if country == "CN" else r"[0-9A-Z][0-9A-Z/-]{3,33}"
    if not re.fullmatch(form, plain, re.ASCII):
        raise RuleBrokenError(
            _("%(number)s cannot be an account number in %(country)s.")
            % {"number": plain or _("(empty)"), "country": country},
            code="payments.account_number",
            field=field,
            hint=_("Write 5 to 32 digits.") if country == "CN" else _("Write 4 to 34 letters and digits."),
        )
    return plain
