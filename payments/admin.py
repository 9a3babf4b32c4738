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
from treasury.models import Company


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """No row is added, changed or removed here; rows follow the same grants as the pages do.

    `of` is the way from a row to the payment that decides who may see it.
    """

    of = "payment"
    actions = None

    def get_queryset(self, request: Any) -> Any:
        payments = Payment.objects.visible_to(request.user)
        return super().get_queryset(request).filter(**{f"{self.of}__in": payments.values("pk")})

    def has_module_permission(self, request: Any) -> bool:
        return bool(request.user.is_active)

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        return bool(request.user.is_active)

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    of = "pk"
    list_display = ("reference", "account", "payee_name", "amount", "currency", "state", "execute_on")
    list_filter = ("state", "currency")
    search_fields = ("reference", "payee_name")
    list_select_related = ("account",)


class VisibleAdmin(ReadOnlyAdmin):
    """Rows that say themselves who may see them."""

    def get_queryset(self, request: Any) -> Any:
        return self.model._default_manager.visible_to(request.user)  # type: ignore[attr-defined]


@admin.register(Beneficiary)
class BeneficiaryAdmin(VisibleAdmin):
    list_display = ("name", "account_number", "currency", "company", "state")
    list_filter = ("state",)
    search_fields = ("name", "account_number")


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(ReadOnlyAdmin):
    def get_queryset(self, request: Any) -> Any:
        return ApprovalRule.objects.filter(company__in=Company.objects.visible_to(request.user))


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    of = "request__payment"


admin.site.register(Batch, VisibleAdmin)
admin.site.register([ApprovalRequest, Dispatch, PaymentVersion], ReadOnlyAdmin)
