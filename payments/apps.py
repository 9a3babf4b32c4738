"""Wiring of the payments app: the changes that need a second person."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        from payments.services import beneficiaries, rule_sets
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
