"""Wiring of the reconciliation app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReconciliationConfig(AppConfig):
    name = "reconciliation"
    verbose_name = _("Reconciliation")

    def ready(self) -> None:
        from banks import events
        from reconciliation import receivers
        from treasury import jobs

        events.statement_imported.connect(receivers.statement_imported, dispatch_uid="reconciliation")
        jobs.every(10, "reconciliation.tasks.match_everything")
