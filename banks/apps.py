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
        _hang_into_shell()


def _hang_into_shell() -> None:
    from banks import reasons
    from banks.services import proposals
    from banks.views import exchanges, statements
    from treasury import wording
    from treasury.shell import AccountSection, Page, add_account_section, add_page
    from treasury.templatetags.portal import actions, tones

    for page in (
        Page(_("Statements"), "banks:statements", "file-text", "banks", order=10, shortcut="s"),
        Page(_("Bank lines"), "banks:entries", "list-check", "banks", order=20, shortcut="l"),
        Page(_("Statement files"), "banks:files", "file-import", "banks", order=30),
        Page(_("Connections"), "banks:connections", "plug-connected", "banks", order=40),
        Page(_("Bank log"), "banks:exchanges", "history", "banks", exchanges.PERMISSION, order=50),
    ):
        add_page(page)
    add_account_section(
        AccountSection(
            "lines", _("Bank lines"), "banks/parts/account_lines.html", statements.account_lines, 20
        )
    )
    add_account_section(
        AccountSection(
            "statements",
            _("Statements"),
            "banks/parts/account_statements.html",
            statements.account_statements,
            30,
        )
    )
    wording.sentences(reasons.SENTENCES)
    tones({"READ": "good", "FLAGGED": "warn", "UNREADABLE": "bad"})
    actions(
        {
            "banks.file_received": _("File received"),
            "banks.file_delivered_again": _("File delivered again"),
            "banks.file_read": _("File read"),
            "banks.file_flagged": _("File read, with remarks"),
            "banks.file_unreadable": _("File could not be read"),
            "banks.line_resolved": _("Quarantined line dealt with"),
            "banks.statement_imported": _("Statement imported"),
            "banks.connection_created": _("Connection set up"),
            "banks.connection_active": _("Connection started"),
            "banks.connection_paused": _("Connection paused"),
            "banks.connection_checked": _("Connection tested"),
            f"{proposals.KIND}.proposed": _("Change proposed"),
            f"{proposals.KIND}.applied": _("Change in force"),
            f"{proposals.KIND}.rejected": _("Change refused"),
            f"{proposals.KIND}.withdrawn": _("Change withdrawn"),
        }
    )
