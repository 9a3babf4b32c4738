"""The configuration screens of the ground floor, opened by roles and not by Django's own rights.

Money, the audit trail, proposals, people and grants are shown and never edited here: people have
pages of their own under Oversight, where each change waits for a second administrator. Banks as
institutions and companies' names are kept here by who manages access, and who does so sees every
company, because they grant them; accounts, balances and proposals follow the reader's own grants.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from treasury import models
from treasury.services import access, changes

MANAGE = "treasury.manage_access"

admin.site.site_header = admin.site.site_title = _("Zhilian configuration")
admin.site.index_title = _("Configuration")
admin.site.site_url = "/"
admin.site.enable_nav_sidebar = False


class RoleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A screen for who holds `permission`; `writes` says whether they may change rows here."""

    permission = MANAGE
    writes = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.may(request.user, self.permission)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.may(request.user, self.permission)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.writes and access.may(request.user, self.permission)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.writes and access.may(request.user, self.permission)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AuditedAdmin(RoleAdmin):
    """Rows that may be changed here; each save leaves a trace in the portal's own audit trail."""

    writes = True

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        from django.db import transaction
        from django.utils import timezone

        from treasury.services import auditing

        with transaction.atomic():
            super().save_model(request, obj, form, change)
            auditing.record(
                action="treasury.configured" if change else "treasury.entered",
                about=obj,
                by=request.user,
                at=timezone.now(),
                company=obj if isinstance(obj, models.Company) else None,
                fields={name: str(form.cleaned_data.get(name)) for name in form.changed_data},
            )


@admin.register(models.Company)
class CompanyAdmin(AuditedAdmin):
    list_display = ("code", "name", "parent", "country", "base_currency")
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Approval bands are stated in the base currency: it stays what it was."""
        return ("code", "base_currency") if obj else ()


@admin.register(models.Bank)
class BankAdmin(AuditedAdmin):
    list_display = ("code", "name", "country", "bic")
    search_fields = ("code", "name", "bic")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Country and BIC route money (own accounts are paid by them): they stay what they were."""
        return ("code", "country", "bic") if obj else ()


@admin.register(models.Account)
class AccountAdmin(RoleAdmin):
    list_display = ("name", "number", "currency", "company", "bank", "status")
    list_filter = ("status", "currency", "bank")
    search_fields = ("name", "number")

    def get_queryset(self, request: HttpRequest) -> Any:
        return models.Account.objects.visible_to(request.user)


@admin.register(models.Balance)
class BalanceAdmin(RoleAdmin):
    list_display = ("account", "as_of", "ledger", "available", "source")
    list_select_related = ("account",)

    def get_queryset(self, request: HttpRequest) -> Any:
        accounts = models.Account.objects.visible_to(request.user)
        return models.Balance.objects.filter(account__in=accounts)


@admin.register(models.ExchangeRate)
class ExchangeRateAdmin(RoleAdmin):
    list_display = ("currency", "quote", "rate", "on", "source")


@admin.register(models.User)
class UserAdmin(RoleAdmin):
    list_display = ("username", "first_name", "last_name", "email", "is_active", "last_login")
    search_fields = ("username", "first_name", "last_name")
    exclude = ("password", "user_permissions")


@admin.register(models.AuditEvent)
class AuditEventAdmin(RoleAdmin):
    permission = "treasury.view_auditevent"
    list_display = ("at", "actor_name", "action", "object_label", "company", "position")
    list_select_related = ("company",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return models.AuditEvent.objects.visible_to(request.user)


@admin.register(models.ProposedChange)
class ProposedChangeAdmin(RoleAdmin):
    list_display = ("kind", "object_label", "state", "made_by", "made_at", "decided_by")
    exclude = ("payload",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return changes.visible_to(request.user)


def keep_own(site: admin.AdminSite) -> None:
    """Close the screens other packages registered: groups, second factors, jobs and mail addresses
    would be ways around the second administrator for whoever is a superuser."""
    ours = {"treasury", "banks", "payments", "reconciliation"}
    for model in list(site._registry):
        if model._meta.app_label not in ours:
            site.unregister(model)
