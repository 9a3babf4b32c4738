"""Addresses of the payments floor."""

from django.urls import URLPattern, URLResolver, path, re_path

from payments.views import (
    approvals,
    batches,
    beneficiaries,
    entry,
    imports,
    payments,
    rules,
    sweeps,
    vouchers,
)

app_name = "payments"
ACTS = "|".join(payments.ACTS)
urlpatterns: list[URLPattern | URLResolver] = [
    path("", payments.PaymentsPage.as_view(), name="payments"),
    path("submit/", payments.submit_selected, name="submit_selected"),
    path("new/", entry.entry, name="new"),
    path("new/payees/", entry.payees, name="payees"),
    path("new/hints/", entry.hints, name="hints"),
    path("<int:pk>/", payments.PaymentPage.as_view(), name="payment"),
    path("<int:pk>/edit/", entry.entry, name="edit"),
    path("<int:pk>/voucher.pdf", vouchers.voucher, name="voucher"),
    re_path(rf"^(?P<pk>\d+)/(?P<what>{ACTS})/$", payments.act, name="act"),
    path("approvals/", approvals.ApprovalsPage.as_view(), name="approvals"),
    path("approvals/decide/", approvals.decide, name="decide"),
    path("batches/", batches.BatchesPage.as_view(), name="batches"),
    path("batches/<int:pk>/", batches.BatchPage.as_view(), name="batch"),
    path("batches/<int:pk>/submit/", batches.submit, name="submit_batch"),
    path("batches/<int:pk>/undo/", imports.undo, name="undo_batch"),
    path("import/", imports.upload, name="import"),
    path("import/template.csv", imports.template, name="import_template"),
    path("import/<int:pk>/", imports.preview, name="import_preview"),
    path("import/<int:pk>/commit/", imports.commit, name="import_commit"),
    path("beneficiaries/", beneficiaries.BeneficiariesPage.as_view(), name="beneficiaries"),
    path("beneficiaries/new/", beneficiaries.propose, name="new_beneficiary"),
    path("beneficiaries/<int:pk>/", beneficiaries.BeneficiaryPage.as_view(), name="beneficiary"),
    path("beneficiaries/<int:pk>/change/", beneficiaries.propose, name="change_beneficiary"),
    path("beneficiaries/<int:pk>/block/", beneficiaries.block, name="block_beneficiary"),
    path("rules/", rules.rules, name="rules"),
    path("rules/<int:pk>/propose/", rules.propose, name="propose_rules"),
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
