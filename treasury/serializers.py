"""How the ground floor's rows look in the API, and the fields every app's serializers share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from treasury import money
from treasury.models import Account, Balance, Bank, Company, ExchangeRate

AMOUNT_TEXT = re.compile(r"[0-9]{1,14}(\.[0-9]{1,5})?", re.ASCII)
AMOUNT_SCHEMA = {"type": "string", "format": "decimal", "example": "1234.50"}
LARGEST_ID = (1 << 63) - 1


# --- shared fields ------------------------------------------------------------------------


@extend_schema_field(AMOUNT_SCHEMA)
class Amount(serializers.Field):  # type: ignore[type-arg]
    """An amount as text, with the digits of its currency: never a float. Read-only.

    `currency` is the path from the row to the currency's code.
    """

    def __init__(self, *, currency: str = "currency", **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)
        self.currency = currency.split(".")

    def get_attribute(self, instance: Any) -> Any:
        value = super().get_attribute(instance)
        code = instance
        for name in self.currency:
            code = code[name] if isinstance(code, Mapping) else getattr(code, name)
        return None if value is None else (value, code)

    def to_representation(self, value: tuple[Decimal, str]) -> str:
        return written(*value)


def written(amount: Decimal, currency: str) -> str:
    """1234.5 CNY as "1234.50"; more digits only where the amount has them."""
    try:
        return f"{money.quantize(amount, currency):f}"
    except money.MoneyError:
        return f"{amount.normalize():f}"


@extend_schema_field(AMOUNT_SCHEMA)
class AmountText(serializers.Field):  # type: ignore[type-arg]
    """An amount that a program sends: text only, since JSON numbers are floats and lose cents."""

    default_error_messages = {
        "not_text": gettext_lazy("Write the amount as text, such as “1234.50”, not as a number."),
        "form": gettext_lazy("Write digits, a point and at most 5 decimals, such as “1234.50”."),
    }

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("not_text")
        if not AMOUNT_TEXT.fullmatch(data):
            self.fail("form")
        return Decimal(data)

    def to_representation(self, value: Any) -> str:
        return str(value)


class Id(serializers.IntegerField):
    """The number of a row; text and fractions are not numbers here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"min_value": 1, "max_value": LARGEST_ID} | kwargs))

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class Flag(serializers.BooleanField):
    """true or false, nothing that merely looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Text(serializers.CharField):
    """Text; a number is not text here."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Strict(serializers.Serializer):  # type: ignore[type-arg]
    """A body that is taken only whole: a field nobody knows is refused by name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                known = ", ".join(self.fields)
                text = _("There is no such field. These are known: %(names)s.") % {"names": known}
                raise serializers.ValidationError(
                    {name[:100]: [serializers.ErrorDetail(text, "unknown")] for name in unknown[:20]}
                )
        return super().to_internal_value(data)


class Nothing(Strict):
    """A body without fields: {} or none at all."""


class ErrorAt(serializers.Serializer):  # type: ignore[type-arg]
    """One field at fault. `field` is its path, such as `payments[3].amount`."""

    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)


class Failure(serializers.Serializer):  # type: ignore[type-arg]
    """Every failure. `code` never changes; `message` and `hint` come in the asked language."""

    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)
    errors = ErrorAt(many=True, required=False)  # type: ignore[assignment]


# --- rows ---------------------------------------------------------------------------------


class CompanyRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = Company
        fields = ("id", "code", "name", "country", "base_currency")


class BankRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = Bank
        fields = ("code", "name", "country", "bic")


class AccountRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    bank = BankRow()
    minimum_balance = Amount()

    class Meta:
        model = Account
        fields = (
            "id", "company", "bank", "name", "number", "currency", "branch_code", "kind", "status",
            "time_zone", "minimum_balance", "opened_on",
        )  # fmt: skip


class BalanceRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    currency = serializers.CharField(source="account.currency", read_only=True)
    ledger = Amount(currency="account.currency")
    available = Amount(currency="account.currency", allow_null=True)
    frozen = Amount(currency="account.currency", allow_null=True)
    previous_day = Amount(currency="account.currency", allow_null=True)

    class Meta:
        model = Balance
        fields = (
            "id", "account", "currency", "as_of", "ledger", "available", "frozen", "previous_day", "source",
            "received_at",
        )  # fmt: skip


class RateRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    rate = serializers.SerializerMethodField()

    class Meta:
        model = ExchangeRate
        fields = ("id", "on", "currency", "quote", "rate", "source")

    @extend_schema_field(AMOUNT_SCHEMA)
    def get_rate(self, row: ExchangeRate) -> str:
        return f"{row.rate.normalize():f}"


# --- forecast -----------------------------------------------------------------------------


class WeekRow(serializers.Serializer):  # type: ignore[type-arg]
    """A week from Monday; `lowest` is its smallest end-of-day balance."""

    monday = serializers.DateField()
    opening = serializers.CharField()
    inflow = serializers.CharField()
    outflow = serializers.CharField()
    closing = serializers.CharField()
    lowest = serializers.CharField()
    lowest_on = serializers.DateField()


class ForecastRow(serializers.Serializer):  # type: ignore[type-arg]
    """The weeks of one currency. `stale_accounts` start from a balance older than today, or from none."""

    currency = serializers.CharField()
    today = serializers.DateField()
    opening = serializers.CharField()
    as_of = serializers.DateTimeField(allow_null=True)
    floor = serializers.CharField()
    first_below = serializers.DateField(allow_null=True)
    stale_accounts = serializers.ListField(child=serializers.IntegerField())
    weeks = WeekRow(many=True)


class Forecasts(serializers.Serializer):  # type: ignore[type-arg]
    """One forecast for each currency."""

    results = ForecastRow(many=True)
