"""Every address of the portal; the other apps' by name."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from treasury.admin import keep_own
from treasury.views import (
    account_forms,
    accounts,
    failures,
    forecasting,
    guide,
    home,
    oversight,
    people,
    planning,
    preferences,
    tokens,
)

# The admin has no door of its own: one sign-in, with the second factor and the rate limits.
admin.autodiscover()
keep_own(admin.site)
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler403 = failures.forbidden
handler404 = failures.not_found
handler500 = failures.failed

urlpatterns = [
    path("", home.home, name="home"),
    path("cash/accounts/", accounts.AccountsPage.as_view(), name="accounts"),
    path("cash/forecast/", forecasting.page, name="forecast"),
    path("cash/recurring/", planning.RecurringPage.as_view(), name="recurring"),
    path("cash/recurring/new/", planning.recurring_item, name="new_recurring_item"),
    path("cash/recurring/<int:pk>/", planning.recurring_item, name="recurring_item"),
    path("cash/recurring/<int:pk>/remove/", planning.remove_recurring, name="remove_recurring"),
    path("cash/plans/", planning.PlansPage.as_view(), name="plans"),
    path("cash/plans/import/", planning.import_plan, name="import_plan"),
    path("cash/plans/<int:pk>/", planning.plan, name="plan"),
    path("cash/plans/<int:pk>/commit/", planning.commit_plan, name="commit_plan"),
    path("cash/plans/<int:pk>/undo/", planning.undo_plan, name="undo_plan"),
    path("cash/rates/", planning.RatesPage.as_view(), name="rates"),
    path("cash/rates/import/", planning.import_rates, name="import_rates"),
    path("cash/accounts/new/", account_forms.propose_account, name="new_account"),
    path("cash/accounts/<int:pk>/change/", account_forms.propose_account, name="change_account"),
    path("cash/accounts/<int:pk>/", accounts.AccountPage.as_view(), name="account"),
    path("cash/companies/", accounts.CompaniesPage.as_view(), name="companies"),
    path("oversight/audit/", oversight.AuditPage.as_view(), name="audit"),
    path("oversight/audit/verify/", oversight.verify_trail, name="verify_audit"),
    path("oversight/changes/", oversight.ChangesPage.as_view(), name="changes"),
    path("oversight/changes/<int:pk>/", oversight.ChangePage.as_view(), name="change"),
    path("oversight/changes/<int:pk>/decide/", oversight.decide_change, name="decide_change"),
    path("oversight/people/", people.PeoplePage.as_view(), name="people"),
    path("oversight/people/new/", people.new_person, name="new_person"),
    path("oversight/people/<int:pk>/", people.person, name="person"),
    path("language/", preferences.language, name="language"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("preferences/api-tokens/", tokens.tokens, name="api_tokens"),
    path("preferences/api-tokens/<int:pk>/revoke/", tokens.revoke, name="revoke_api_token"),
    path("docs/", guide.guide, name="guide"),
    path("docs/<slug:slug>/", guide.guide, name="guide_chapter"),
    path("admin/", admin.site.urls),
    path("accounts/", include("treasury.sign_in_urls")),
    path("banks/", include("banks.urls")),
    path("payments/", include("payments.urls")),
    path("reconciliation/", include("reconciliation.urls")),
    path("api/v1/", include("treasury.api.urls")),
]
