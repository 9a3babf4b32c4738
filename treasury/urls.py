"""Every address of the portal; the other apps' by name."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("banks/", include("banks.urls")),
    path("payments/", include("payments.urls")),
    path("reconciliation/", include("reconciliation.urls")),
    path("api/v1/", include("treasury.api.urls")),
]
