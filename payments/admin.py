"""Payments in the admin: to look at, never to change. Every act goes through the services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from payments.models import (
    ApprovalRequest,
    ApprovalRule,
    Batch,
    Beneficiary,
    Decision,
    Dispatch,
    Payment,
    PaymentVersion,
)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """No row is added, changed or removed here."""

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ("reference", "account", "payee_name", "amount", "currency", "state", "execute_on")
    list_filter = ("state", "currency")
    search_fields = ("reference", "payee_name")
    list_select_related = ("account",)


@admin.register(Beneficiary)
class BeneficiaryAdmin(ReadOnlyAdmin):
    list_display = ("name", "account_number", "currency", "company", "state")
    list_filter = ("state",)
    search_fields = ("name", "account_number")


admin.site.register([ApprovalRule, ApprovalRequest, Decision, Batch, Dispatch, PaymentVersion], ReadOnlyAdmin)
