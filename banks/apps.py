"""Wiring of the banks app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BanksConfig(AppConfig):
    name = "banks"
    verbose_name = _("Banks")

    def ready(self) -> None:
        from banks.services import connections, health
        from treasury import checks_registry, jobs, secrets

        checks_registry.register("connections", health.check_connections)
        secrets.sealed_column("banks.Connection", "secrets")
        secrets.sealed_inside("proposals of connections", connections.reseal_proposals)
        connections.register()
        jobs.every(1, "banks.tasks.refresh_due")
        jobs.every(5, "banks.tasks.import_pending")
