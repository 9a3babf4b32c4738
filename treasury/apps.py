"""Wiring of the ground floor."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class TreasuryConfig(AppConfig):
    name = "treasury"
    verbose_name = _("Treasury")

    def ready(self) -> None:
        from treasury import field_names, flows, jobs, shell, system_checks  # noqa: F401 - importing registers
        from treasury.services import access, health, planned
        from treasury.views import forecasting

        field_names.name_everything(("treasury", "banks", "payments", "reconciliation"))
        post_migrate.connect(access.fill_roles, dispatch_uid="roles")
        post_migrate.connect(jobs.lay_schedules, dispatch_uid="schedules")
        health.register_checks()
        jobs.every(1, "treasury.tasks.heartbeat")
        shell.add_page(
            shell.Page(_("Cash position"), "home", "layout-dashboard", "cash", order=0, shortcut="d")
        )
        shell.add_page(shell.Page(_("Forecast"), "forecast", "chart-line", "cash", order=20, shortcut="f"))
        shell.add_page(shell.Page(_("Recurring items"), "recurring", "repeat", "cash", order=30))
        shell.add_page(shell.Page(_("Cash plans"), "plans", "calendar", "cash", order=40))
        shell.add_page(shell.Page(_("Exchange rates"), "rates", "arrows-exchange", "cash", order=50))
        shell.add_panel(
            shell.Panel(
                "forecast",
                _("13-week forecast"),
                "treasury/parts/forecast_panel.html",
                forecasting.panel,
                50,
                "wide",
            )
        )
        shell.add_page(shell.Page(_("Guide"), "guide", "help", "oversight", order=900))
        flows.register("treasury.recurring", planned.RecurringItems())
        flows.register("treasury.plans", planned.PlanRows())
        shell.add_page(shell.Page(_("Accounts"), "accounts", "wallet", "cash", order=10))
        shell.add_page(shell.Page(_("Companies"), "companies", "building", "cash", order=90))
        self._oversight()

    def _oversight(self) -> None:
        """What watches over people and changes."""
        from treasury import shell
        from treasury.services import accounts, changes, people
        from treasury.views import oversight

        changes.register(
            changes.Kind(
                name=people.KIND,
                label=_("Access of a person"),
                propose_permission=people.MANAGE,
                confirm_permission=people.MANAGE,
                apply=people.apply,
            )
        )
        changes.register(
            changes.Kind(
                name=accounts.KIND,
                label=_("Own account"),
                propose_permission=accounts.MANAGE,
                confirm_permission=accounts.CONFIRM,
                apply=accounts.apply,
            )
        )
        page, section = shell.Page, "oversight"
        shell.add_page(
            page(_("Proposed changes"), "changes", "list-check", section, badge=oversight.waiting_count)
        )
        shell.add_page(page(_("Audit trail"), "audit", "history", section, oversight.SEE))
        shell.add_page(page(_("People"), "people", "users", section, people.MANAGE))
        shell.add_panel(
            shell.Panel(
                "changes",
                _("Changes to confirm"),
                "parts/waiting_items.html",
                oversight.waiting,
                column="waiting",
            )
        )
