"""The ground floor's addresses: companies, accounts, newest balances, exchange rates, the forecast."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from treasury.api.errors import RequestInvalidError
from treasury.api.filters import Filter, read_parameters
from treasury.api.reading import Reading
from treasury.models import Account, Balance, Company, ExchangeRate
from treasury.serializers import (
    AccountRow,
    BalanceRow,
    CompanyRow,
    ForecastRow,
    Forecasts,
    RateRow,
    written,
)
from treasury.services import forecasting

LONGEST = 53
"""Weeks a forecast may have."""
CURRENCY = Filter("currency", str, "ISO 4217 code")


@extend_schema(tags=["Companies and accounts"])
@extend_schema_view(list=extend_schema(summary="Companies"), retrieve=extend_schema(summary="One company"))
class Companies(Reading):
    """Companies granted to you, wholly or through one of their accounts."""

    model, serializer_class, queryset = Company, CompanyRow, Company.objects.none()
    filters = {"code": Filter("code", str, "The company's code")}


@extend_schema(tags=["Companies and accounts"])
@extend_schema_view(list=extend_schema(summary="Accounts"), retrieve=extend_schema(summary="One account"))
class Accounts(Reading):
    """Bank accounts granted to you."""

    model, serializer_class, queryset = Account, AccountRow, Account.objects.none()
    related = ("bank",)
    filters = {
        "company": Filter("company", int, "Company"),
        "currency": CURRENCY,
        "number": Filter("number", str, "Account number, exactly"),
        "status": Filter("status", str, "Status", tuple(Account.Status.values)),
    }


@extend_schema(tags=["Companies and accounts"])
@extend_schema_view(
    list=extend_schema(summary="Newest balances"), retrieve=extend_schema(summary="One newest balance")
)
class Balances(Reading):
    """The newest balance of each account, with the instant and the source it is from."""

    model, serializer_class, queryset = Balance, BalanceRow, Balance.objects.none()
    related = ("account",)
    filters = {
        "account": Filter("account", int, "Account"),
        "company": Filter("account__company", int, "Company"),
        "currency": Filter("account__currency", str, "ISO 4217 code"),
    }

    def rows(self) -> models.QuerySet[Any]:
        accounts = Account.objects.visible_to(self.request.user)
        newest = Balance.objects.filter(account__in=accounts).latest_per_account()
        return Balance.objects.filter(pk__in=newest.values("pk"))


@extend_schema(tags=["Cash to come"])
@extend_schema_view(
    list=extend_schema(summary="Exchange rates"), retrieve=extend_schema(summary="One exchange rate")
)
class ExchangeRates(Reading):
    """Exchange rates, the same for everybody. One unit of `currency` is `rate` in `quote` from `on`."""

    model, serializer_class, queryset = ExchangeRate, RateRow, ExchangeRate.objects.none()
    filters = {
        "currency": CURRENCY,
        "quote": Filter("quote", str, "ISO 4217 code the rate is written in"),
        "until": Filter("on__lte", date, "Valid from this day or earlier"),
    }

    def rows(self) -> models.QuerySet[Any]:
        return ExchangeRate.objects.all()


@extend_schema(tags=["Cash to come"])
class Forecast(APIView):
    """Where each currency's cash goes, week by week, over the accounts you see."""

    filters = {
        "company": Filter("company", int, "Only this company"),
        "weeks": Filter("weeks", int, "1 to 53; 13 if not given"),
    }

    @extend_schema(
        summary="Forecast by week",
        parameters=[OpenApiParameter(name, int, description=one.means) for name, one in filters.items()],
        responses=Forecasts,
    )
    def get(self, request: Request) -> Response:
        asked = read_parameters(request, self.filters)
        company = None
        if "company" in asked:
            company = get_object_or_404(Company.objects.visible_to(request.user), pk=asked["company"])
        weeks = asked.get("weeks", forecasting.WEEKS)
        if not 1 <= weeks <= LONGEST:
            text = _("Write a number from 1 to %(most)d.") % {"most": LONGEST}
            fault = {"field": "weeks", "code": "invalid", "message": text, "hint": ""}
            raise RequestInvalidError(_("The address has parameters that cannot be taken."), [fault])
        found = forecasting.forecast(user=request.user, at=timezone.now(), company=company, weeks=weeks)
        rows = [forecast_body(one) for one in found.values()]
        return Response({"results": ForecastRow(rows, many=True).data})


def forecast_body(one: forecasting.Forecast) -> dict[str, Any]:
    """One currency's forecast with its amounts as text."""

    def text(amount: Any) -> str:
        return written(amount, one.currency)

    return {
        "currency": one.currency,
        "today": one.today,
        "opening": text(one.opening),
        "as_of": one.as_of,
        "floor": text(one.floor),
        "first_below": one.first_below.monday if one.first_below else None,
        "stale_accounts": [opening.account.pk for opening in one.stale],
        "weeks": [
            {
                "monday": week.monday,
                "lowest_on": week.lowest_on,
                **{
                    name: text(getattr(week, name))
                    for name in ("opening", "inflow", "outflow", "closing", "lowest")
                },
            }
            for week in one.weeks
        ],
    }


class Nowhere(APIView):
    """Every other address: 404 in the API's own shape."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound
