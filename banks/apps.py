"""Wiring of the banks app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BanksConfig(AppConfig):
    name = "banks"
    verbose_name = _("Banks")

    def ready(self) -> None:
        from banks.services import health
        from treasury import checks_registry, secrets

        checks_registry.register("connections", health.check_connections)
        secrets.sealed_column("banks.Connection", "secrets")
