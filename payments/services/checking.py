"""Whether a payment can be made at all: every rule checked, every fault collected with its fix.

The form shows the faults beside its fields, an import groups them by cause, `preparing` refuses.
Looks at rows already loaded; asks the database nothing, so that ten thousand lines are quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from payments import rules
from payments.models import Beneficiary, Payment
from payments.rules import RuleBrokenError
from payments.states import BeneficiaryState
from treasury import calendars, money
from treasury.models import Account

FURTHEST = timedelta(days=366)


class PaymentRefusedError(Exception):
    """The payment breaks rules; `faults` lists each with field, text and next step."""

    code = "payments.refused"

    def __init__(self, faults: Iterable[RuleBrokenError]) -> None:
        self.faults = list(faults)
        self.code = self.faults[0].code
        self.hint = self.faults[0].hint
        super().__init__(" ".join(fault.whole for fault in self.faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """Who gets the money, as the payment will carry it."""

    name: str
    account_number: str
    bank_code: str
    bank_name: str
    country: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A payment as somebody wants it, before any check. Exactly one payee is named."""

    account: Account
    beneficiary: Beneficiary | None = None
    own_account: Account | None = None
    amount: Decimal
    currency: str
    execute_on: date
    purpose: str = ""
    urgent: bool = False

    @property
    def kind(self) -> str:
        return Payment.Kind.TRANSFER if self.own_account is not None else Payment.Kind.SUPPLIER

    @property
    def payee(self) -> Payee:
        return payee_of(self.own_account if self.own_account is not None else self.beneficiary)


def payee_of(target: Beneficiary | Account | None) -> Payee:
    """The payee data of a beneficiary, or of an own account (company and bank must be loaded)."""
    if isinstance(target, Account):
        return Payee(
            name=target.company.name,
            account_number=target.number,
            bank_code=target.branch_code or target.bank.bic,
            bank_name=target.bank.name,
            country=target.bank.country,
            currency=target.currency,
        )
    if target is None:
        raise RuleBrokenError(
            _("No payee is chosen."),
            code="payments.payee_missing",
            field="beneficiary",
            hint=_("Choose one."),
        )
    return Payee(
        name=target.name,
        account_number=target.account_number,
        bank_code=target.bank_code,
        bank_name=target.bank_name,
        country=target.country,
        currency=target.currency,
    )


def today_at(account: Account, at: datetime) -> date:
    """The date at the account's bank."""
    return at.astimezone(ZoneInfo(account.time_zone)).date()


def check_amount(amount: Decimal, currency: str) -> Decimal:
    """The amount written with the currency's digits. Raises RuleBrokenError."""
    try:
        return money.check_amount(amount, currency)
    except money.MoneyError as error:
        raise RuleBrokenError(
            str(error), code="payments.amount", field="amount", hint=_("Write a positive amount.")
        ) from error


def check_account(account: Account, currency: str) -> None:
    if account.status != Account.Status.ACTIVE:
        raise RuleBrokenError(
            _("Account %(account)s is %(status)s; nothing can be paid from it.")
            % {"account": account, "status": account.get_status_display()},
            code="payments.account_not_active",
            field="account",
            hint=_("Choose another account."),
        )
    if currency != account.currency:
        raise RuleBrokenError(
            _("The payment is in %(currency)s, account %(account)s is in %(own)s.")
            % {"currency": currency, "account": account, "own": account.currency},
            code="payments.currency",
            field="currency",
            hint=_("Payments are made in the currency of the account; choose an account in %(currency)s.")
            % {"currency": currency},
        )


def check_date(execute_on: date, account: Account, today: date) -> None:
    if execute_on < today:
        raise RuleBrokenError(
            _("%(date)s is in the past; at the bank it is %(today)s.") % {"date": execute_on, "today": today},
            code="payments.date_past",
            field="execute_on",
            hint=_("Choose %(date)s or later.")
            % {"date": calendars.next_business_day(today, account.bank.country)},
        )
    if execute_on > today + FURTHEST:
        raise RuleBrokenError(
            _("%(date)s is more than a year ahead.") % {"date": execute_on},
            code="payments.date_far",
            field="execute_on",
            hint=_("Check the year."),
        )
    if not calendars.is_business_day(execute_on, account.bank.country):
        raise RuleBrokenError(
            _("%(date)s is not a business day in %(country)s.")
            % {"date": execute_on, "country": account.bank.country},
            code="payments.date_not_business_day",
            field="execute_on",
            hint=_("The next business day is %(date)s.")
            % {"date": calendars.next_business_day(execute_on, account.bank.country)},
        )


def check_payee(wish: Wish) -> None:
    """The payee is confirmed, belongs to the paying company and has an account in the currency."""
    if wish.own_account is not None:
        _check_own_account(wish.account, wish.own_account)
    elif wish.beneficiary is not None:
        _check_beneficiary(wish.account, wish.beneficiary)
    payee = wish.payee
    if payee.currency != wish.currency:
        raise RuleBrokenError(
            _("%(payee)s has an account in %(own)s, the payment is in %(currency)s.")
            % {"payee": payee.name, "own": payee.currency, "currency": wish.currency},
            code="payments.payee_currency",
            field="beneficiary",
            hint=_("Choose a payee account in %(currency)s.") % {"currency": wish.currency},
        )


def _check_beneficiary(account: Account, beneficiary: Beneficiary) -> None:
    if beneficiary.company_id != account.company_id:
        raise RuleBrokenError(
            _("%(payee)s is a beneficiary of another company.") % {"payee": beneficiary.name},
            code="payments.payee_other_company",
            field="beneficiary",
            hint=_("Add the payee for this company and have it confirmed."),
        )
    if beneficiary.state != BeneficiaryState.ACTIVE:
        raise RuleBrokenError(
            _("%(payee)s cannot be paid: %(state)s.")
            % {"payee": beneficiary.name, "state": beneficiary.get_state_display()},
            code="payments.payee_not_active",
            field="beneficiary",
            hint=_("A second person has to confirm the beneficiary first."),
        )


def _check_own_account(account: Account, target: Account) -> None:
    if target.pk == account.pk:
        raise RuleBrokenError(
            _("Debit and credit account are the same: %(account)s.") % {"account": account},
            code="payments.same_account",
            field="own_account",
            hint=_("Choose another account to credit."),
        )
    if target.status != Account.Status.ACTIVE:
        raise RuleBrokenError(
            _("Account %(account)s is %(status)s; nothing can be paid to it.")
            % {"account": target, "status": target.get_status_display()},
            code="payments.account_not_active",
            field="own_account",
            hint=_("Choose another account to credit."),
        )


def check_purpose(wish: Wish) -> str:
    return rules.check_text(
        wish.purpose,
        field="purpose",
        limit=rules.PURPOSE_LIMIT,
        country=wish.payee.country if wish.beneficiary or wish.own_account else "CN",
    )


def faults_of(wish: Wish, at: datetime) -> list[RuleBrokenError]:
    """Every rule the wish breaks, in the order of the form's fields."""
    checks: tuple[Callable[[], object], ...] = (
        lambda: check_account(wish.account, wish.currency),
        lambda: check_payee(wish),
        lambda: check_amount(wish.amount, wish.currency),
        lambda: check_date(wish.execute_on, wish.account, today_at(wish.account, at)),
        lambda: check_purpose(wish),
    )
    found = []
    for check in checks:
        try:
            check()
        except RuleBrokenError as fault:
            found.append(fault)
    return found


def refuse_faulty(wish: Wish, at: datetime) -> None:
    """Raises PaymentRefusedError with all faults, if there are any."""
    faults = faults_of(wish, at)
    if faults:
        raise PaymentRefusedError(faults)
