"""Companies, banks as institutions, and the companies' bank accounts with their balances."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from treasury.models.fields import AmountField, CurrencyField
from treasury.querysets import AccountQuerySet, BalanceQuerySet, CompanyQuerySet


class Company(models.Model):
    """A legal entity of the group. `base_currency` is what approval bands are stated in."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=140)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="subsidiaries",
        verbose_name=_("parent"),
    )
    country = models.CharField(_("country"), max_length=2, default="CN")
    base_currency = CurrencyField(_("base currency"), default="CNY")

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Bank(models.Model):
    """A bank as an institution; how to reach it is a `banks.Connection`."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=140)
    country = models.CharField(_("country"), max_length=2)
    bic = models.CharField("BIC", max_length=11, blank=True)

    class Meta:
        verbose_name = _("bank")
        verbose_name_plural = _("banks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """A company's bank account in one currency.

    `number` is how the bank writes it (an IBAN where there is one). `time_zone` decides what
    "today" is at the bank; `minimum_balance` is the floor that forecasts warn about.
    """

    class Kind(models.TextChoices):
        BASIC = "BASIC", _("Basic (基本户)")
        GENERAL = "GENERAL", _("General (一般户)")
        SPECIAL = "SPECIAL", _("Special purpose (专用户)")
        TEMPORARY = "TEMPORARY", _("Temporary (临时户)")
        MARGIN = "MARGIN", _("Margin (保证金户)")
        DEPOSIT = "DEPOSIT", _("Deposit")

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        FROZEN = "FROZEN", _("Frozen")
        CLOSED = "CLOSED", _("Closed")

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="accounts", verbose_name=_("company")
    )
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="accounts", verbose_name=_("bank"))
    name = models.CharField(_("name"), max_length=140)
    number = models.CharField(_("account number"), max_length=40)
    currency = CurrencyField(_("currency"))
    branch_code = models.CharField(_("branch code (CNAPS 联行号 or BIC)"), max_length=20, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.GENERAL)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    time_zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    minimum_balance = AmountField(_("minimum balance"), default=0)
    opened_on = models.DateField(_("opened on"), null=True, blank=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["company", "bank", "currency", "number"]
        constraints = [
            models.UniqueConstraint(fields=["number", "currency"], name="account_number_currency"),
            models.CheckConstraint(
                condition=models.Q(status__in=["ACTIVE", "FROZEN", "CLOSED"]), name="account_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} …{self.number[-4:]} {self.currency}"


class Balance(models.Model):
    """The four figures of one account at one instant, as one source gave them. Never edited."""

    class Source(models.TextChoices):
        BANK = "BANK", _("Bank enquiry")
        STATEMENT = "STATEMENT", _("Statement")

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="balances")
    as_of = models.DateTimeField(_("as of"))
    ledger = AmountField(_("ledger balance"))
    available = AmountField(_("available"), null=True, blank=True)
    frozen = AmountField(_("frozen"), null=True, blank=True)
    previous_day = AmountField(_("previous day"), null=True, blank=True)
    source = models.CharField(max_length=10, choices=Source)
    received_at = models.DateTimeField(_("received at"))

    objects = BalanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("balance")
        verbose_name_plural = _("balances")
        indexes = [models.Index(fields=["account", "-as_of", "-id"], name="balance_newest")]
        constraints = [
            models.UniqueConstraint(fields=["account", "as_of", "source"], name="balance_once_per_instant")
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.ledger} ({self.as_of:%Y-%m-%d %H:%M})"


class ExchangeRate(models.Model):
    """One unit of `currency` in `quote`, valid from `on` until a later one."""

    currency = CurrencyField(_("currency"))
    quote = CurrencyField(_("in"))
    rate = models.DecimalField(_("rate"), max_digits=20, decimal_places=10)
    on = models.DateField(_("valid from"))
    source = models.CharField(_("source"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = [
            models.UniqueConstraint(fields=["currency", "quote", "on"], name="one_rate_a_day"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="rate_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.currency}/{self.quote} {self.rate} ({self.on})"
