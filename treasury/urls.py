"""Every address of the portal; the other apps' by name."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from treasury.views import accounts, failures, home, preferences

# The admin has no door of its own: one sign-in, with the second factor and the rate limits.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler403 = failures.forbidden
handler404 = failures.not_found
handler500 = failures.failed

urlpatterns = [
    path("", home.home, name="home"),
    path("cash/accounts/", accounts.AccountsPage.as_view(), name="accounts"),
    path("language/", preferences.language, name="language"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("banks/", include("banks.urls")),
    path("payments/", include("payments.urls")),
    path("reconciliation/", include("reconciliation.urls")),
    path("api/v1/", include("treasury.api.urls")),
]
