"""Addresses of the payments floor."""

from django.urls import URLPattern, URLResolver, path

from payments.views import sweeps

app_name = "payments"
urlpatterns: list[URLPattern | URLResolver] = [
    path("sweeps/", sweeps.SweepRulesPage.as_view(), name="sweep_rules"),
    path("sweeps/rules/new/", sweeps.propose, name="propose_sweep_rule"),
    path("sweeps/rules/<int:pk>/", sweeps.SweepRulePage.as_view(), name="sweep_rule"),
    path("sweeps/rules/<int:pk>/change/", sweeps.propose, name="change_sweep_rule"),
    path("sweeps/rules/<int:pk>/stop/", sweeps.stop, name="stop_sweep_rule"),
    path("sweeps/dry-run/", sweeps.dry_run, name="sweep_dry_run"),
    path("sweeps/run/", sweeps.run, name="run_sweep"),
    path("sweeps/runs/", sweeps.SweepRunsPage.as_view(), name="sweep_runs"),
    path("sweeps/runs/<int:pk>/", sweeps.SweepRunPage.as_view(), name="sweep_run"),
]
