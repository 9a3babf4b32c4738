"""The admin's view of this floor: everything is read here and changed on the portal's own pages.

Connections are set up where a second administrator can agree; what a bank said is never edited.
Rows follow the same grants as the pages do.
"""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from banks.models import Connection, Entry, Exchange, InboundFile, QuarantinedLine, Statement
from treasury.services import access


class ReadOnly(admin.ModelAdmin):
    """Rows the reader may see, without any button that changes one."""

    permission = ""
    actions = None

    def get_queryset(self, request):
        return self.model._default_manager.visible_to(request.user)

    def has_module_permission(self, request):
        return self.has_view_permission(request)

    def has_view_permission(self, request, obj=None):
        return not self.permission or access.may(request.user, self.permission)

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Connection)
class ConnectionAdmin(ReadOnly):
    permission = "banks.configure_connection"
    list_display = ["name", "bank", "connector", "state", "last_ok_at", "failures", "page"]
    exclude = ["secrets"]

    @admin.display(description=_("Change it here"))
    def page(self, connection):
        return format_html(
            '<a href="{}">{}</a>', reverse("banks:connection", args=[connection.pk]), connection.name
        )


@admin.register(Exchange)
class ExchangeAdmin(ReadOnly):
    permission = "banks.view_exchange"
    list_display = ["started_at", "connection", "purpose", "subject", "outcome"]
    list_filter = ["outcome", "purpose"]
    exclude = ["request", "response"]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("request", "response")


@admin.register(Statement)
class StatementAdmin(ReadOnly):
    list_display = ["account", "number", "closing_on", "opening", "closing", "balanced", "continuous"]
    list_select_related = ["account"]


@admin.register(Entry)
class EntryAdmin(ReadOnly):
    list_display = ["booked_on", "account", "amount", "currency", "counterparty_name", "text"]
    list_select_related = ["account"]
    show_full_result_count = False


@admin.register(InboundFile)
class InboundFileAdmin(ReadOnly):
    list_display = ["name", "state", "format", "size", "received_at", "deliveries"]
    list_filter = ["state"]


@admin.register(QuarantinedLine)
class QuarantinedLineAdmin(ReadOnly):
    list_display = ["file", "position", "reason", "resolved_at"]

    def get_queryset(self, request):
        files = InboundFile.objects.wholly_visible_to(request.user)
        return QuarantinedLine.objects.filter(file__in=files)
