"""Wiring of the ground floor."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class TreasuryConfig(AppConfig):
    name = "treasury"
    verbose_name = _("Treasury")

    def ready(self) -> None:
        from treasury import flows, jobs, shell, system_checks  # noqa: F401 - importing registers
        from treasury.services import access, health, planned

        post_migrate.connect(access.fill_roles, dispatch_uid="roles")
        post_migrate.connect(jobs.lay_schedules, dispatch_uid="schedules")
        health.register_checks()
        jobs.every(1, "treasury.tasks.heartbeat")
        shell.add_page(
            shell.Page(_("Cash position"), "home", "layout-dashboard", "cash", order=0, shortcut="d")
        )
        flows.register("treasury.recurring", planned.RecurringItems())
        flows.register("treasury.plans", planned.PlanRows())
