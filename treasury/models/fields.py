"""The columns of money: `numeric(20, 5)` and `char(3)`, the same everywhere."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from treasury import money


def known_currency(code: str) -> None:
    try:
        money.check_currency(code)
    except money.MoneyError as error:
        raise ValidationError(str(error), code="money.currency") from error


class AmountField(models.DecimalField):
    """An amount beside a currency column of the same row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"max_digits": 20, "decimal_places": 5} | kwargs))


class CurrencyField(models.CharField):
    """An ISO 4217 code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"max_length": 3, "validators": [known_currency]} | kwargs))

    def db_type(self, connection: Any) -> str:
        # the same type as char(3); under that name bulk inserts would cast to one letter
        return "bpchar(3)"
