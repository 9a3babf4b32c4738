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
        self.hang_into_the_shell()

    def hang_into_the_shell(self) -> None:
        """Pages, panels and the names of what is audited."""
        from reconciliation import panels
        from treasury import shell
        from treasury.templatetags import portal

        section = "reconciliation"
        shell.add_page(
            shell.Page(
                _("Reconciliation"), "reconciliation:overview", "scale", section, order=10, shortcut="r"
            )
        )
        shell.add_page(
            shell.Page(_("Journal imports"), "reconciliation:journals", "file-import", section, order=20)
        )
        shell.add_page(shell.Page(_("Matches"), "reconciliation:matches", "link", section, order=30))
        shell.add_page(shell.Page(_("Closed days"), "reconciliation:closes", "lock", section, order=40))
        shell.add_panel(
            shell.Panel(
                "reconciliation-open",
                _("Unmatched lines"),
                "reconciliation/parts/waiting.html",
                panels.waiting,
                order=60,
                column="waiting",
            )
        )
        shell.add_account_section(
            shell.AccountSection(
                "reconciliation",
                _("Reconciliation"),
                "reconciliation/parts/account_box.html",
                panels.account_box,
                order=60,
            )
        )
        portal.actions(
            {
                "reconciliation.journal_booked": _("Journal booked"),
                "reconciliation.journal_undone": _("Journal import undone"),
                "reconciliation.opening_set": _("Opening balance of the books set"),
                "reconciliation.matched": _("Matched by the portal"),
                "reconciliation.matched_by_hand": _("Matched by hand"),
                "reconciliation.match_undone": _("Match undone"),
                "reconciliation.day_closed": _("Day closed"),
            }
        )
