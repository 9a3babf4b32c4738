"""Wiring of the payments app: the changes that need a second person."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        from banks.events import statement_imported, status_received
        from payments import receivers
        from payments.services import beneficiaries, flows, resolving, rule_sets, sweep_rules
        from treasury import jobs, shell
        from treasury.flows import register as register_source
        from treasury.services.changes import Kind, register

        register(
            Kind(
                name="payments.beneficiary",
                label=_("Beneficiary"),
                propose_permission="payments.propose_beneficiary",
                confirm_permission="payments.confirm_beneficiary",
                apply=beneficiaries.apply,
                undo=beneficiaries.undo,
            )
        )
        register(
            Kind(
                name="payments.rules",
                label=_("Approval rules"),
                propose_permission="payments.configure_rules",
                confirm_permission="payments.configure_rules",
                apply=rule_sets.apply,
            )
        )
        _pages()
        resolving.register()
        statement_imported.connect(receivers.on_statement_imported, dispatch_uid="payments.returns")
        status_received.connect(receivers.on_status_received, dispatch_uid="payments.status")
        jobs.every(1, "payments.tasks.sweep_up")
        sweep_rules.register_kind()
        register_source("payments.scheduled", flows.ScheduledPayments())
        shell.add_page(shell.Page(_("Sweeps"), "payments:sweep_rules", "transfer-in", "payments", order=80))


def _pages() -> None:
    """What the shell shows of payments: pages, the list of what waits, names of states and acts."""
    from payments.views import panels
    from treasury import shell, wording
    from treasury.templatetags import portal

    for page in panels.PAGES:
        shell.add_page(page)
    shell.add_panel(panels.WAITING)
    portal.tones(panels.TONES)
    portal.actions(panels.ACTIONS)
    wording.codes(panels.CODES)
