"""The columns of money: `numeric(20, 5)` and `char(3)`, the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

from treasury import money

if TYPE_CHECKING:
    _Decimal = models.DecimalField[Any, Any]
    _Char = models.CharField[Any, str]
else:
    _Decimal, _Char = models.DecimalField, models.CharField


def known_currency(code: str) -> None:
    try:
        money.check_currency(code)
    except money.MoneyError as error:
        raise ValidationError(str(error), code="money.currency") from error


class AmountField(_Decimal):
    """An amount beside a currency column of the same row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 20)
        kwargs.setdefault("decimal_places", 5)
        super().__init__(*args, **kwargs)


class CurrencyField(_Char):
    """An ISO 4217 code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        kwargs.setdefault("validators", [known_currency])
        super().__init__(*args, **kwargs)

    def db_type(self, connection: Any) -> str:
        # the same type as char(3); under that name bulk inserts would cast to one letter
        return "bpchar(3)"
