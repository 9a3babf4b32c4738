"""Addresses of the API; the other apps' by name."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter

from treasury.api import docs, views

router = SimpleRouter(use_regex_path=False)
router.register("companies", views.Companies)
router.register("accounts", views.Accounts)
router.register("balances", views.Balances)
router.register("exchange-rates", views.ExchangeRates)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("forecast/", views.Forecast.as_view(), name="api_forecast"),
    path("", include("banks.api")),
    path("", include("payments.api")),
    path("", include("reconciliation.api")),
    path("schema/", docs.Schema.as_view(), name="api_schema"),
    path("docs/", docs.page, name="api_docs"),
    re_path("", views.Nowhere.as_view()),
]
