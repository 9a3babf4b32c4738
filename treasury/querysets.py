"""Questions about many companies, accounts and balances, visibility first of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from guardian.shortcuts import get_objects_for_user

if TYPE_CHECKING:
    from treasury.models import Account, AuditEvent, Balance, Company, PlanImport, RecurringFlow


def granted(user: Any, permission: str, model: type[models.Model]) -> models.QuerySet[Any]:
    """Rows of `model` on which `user` (or a group of theirs) holds `permission`.

    No shortcut for superusers or for permissions held globally: what a person sees is what was
    granted to them, row by row.
    """
    rows: models.QuerySet[Any] = get_objects_for_user(
        user, permission, klass=model, with_superuser=False, accept_global_perms=False
    )
    return rows


class CompanyQuerySet(models.QuerySet["Company"]):
    def visible_to(self, user: Any) -> CompanyQuerySet:
        """Companies granted to `user`, wholly or through one of their accounts."""
        whole = granted(user, "treasury.view_company", self.model).values("pk")
        through = granted(user, "treasury.view_account", apps.get_model("treasury.Account")).values("company")
        return self.filter(Q(pk__in=whole) | Q(pk__in=through))


class AccountQuerySet(models.QuerySet["Account"]):
    def visible_to(self, user: Any) -> AccountQuerySet:
        """Accounts granted to `user` one by one, and all accounts of granted companies."""
        companies = granted(user, "treasury.view_company", apps.get_model("treasury.Company")).values("pk")
        accounts = granted(user, "treasury.view_account", self.model).values("pk")
        return self.filter(Q(company__in=companies) | Q(pk__in=accounts))

    def open(self) -> AccountQuerySet:
        return self.exclude(status="CLOSED")

    def with_latest_balance(self) -> AccountQuerySet:
        """Adds `latest_ledger`, `latest_available`, `latest_as_of` and `latest_source` (None: no balance)."""
        newest = apps.get_model("treasury.Balance").objects.filter(account=OuterRef("pk"))
        newest = newest.order_by("-as_of", "-pk")
        return self.annotate(
            **{
                f"latest_{name}": Subquery(newest.values(name)[:1])
                for name in ("ledger", "available", "as_of", "source")
            }
        )


class BalanceQuerySet(models.QuerySet["Balance"]):
    def latest_per_account(self) -> BalanceQuerySet:
        """The newest figures of each account."""
        return self.order_by("account_id", "-as_of", "-pk").distinct("account_id")


class RecurringFlowQuerySet(models.QuerySet["RecurringFlow"]):
    def visible_to(self, user: Any) -> RecurringFlowQuerySet:
        return self.filter(account__in=apps.get_model("treasury.Account").objects.visible_to(user))


class PlanImportQuerySet(models.QuerySet["PlanImport"]):
    def visible_to(self, user: Any) -> PlanImportQuerySet:
        """Plans of companies granted as a whole: a plan tells about all of a company's accounts."""
        company = apps.get_model("treasury.Company")
        return self.filter(company__in=granted(user, "treasury.view_company", company).values("pk"))

    def in_force(self) -> PlanImportQuerySet:
        return self.filter(committed_at__isnull=False, undone_at__isnull=True)


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def visible_to(self, user: Any) -> AuditEventQuerySet:
        """Events of companies granted to `user` as a whole, and what `user` did."""
        companies = granted(user, "treasury.view_company", apps.get_model("treasury.Company")).values("pk")
        return self.filter(Q(company__in=companies) | Q(actor=user))
