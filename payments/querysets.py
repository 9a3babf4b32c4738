"""Questions about many payments, beneficiaries, batches and dispatches."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast

from treasury.models import Account, Company, ProposedChange

if TYPE_CHECKING:
    from payments.models import Batch, Beneficiary, Dispatch, Payment, SweepRule, SweepRun


class PaymentQuerySet(models.QuerySet["Payment"]):
    def visible_to(self, user: Any) -> PaymentQuerySet:
        return self.filter(account__in=Account.objects.visible_to(user))

    def due(self, at: datetime) -> PaymentQuerySet:
        """Approved payments whose day has come in their account's time zone, oldest day first,
        on accounts that pay over an active connection that is not backing off."""
        today = Cast(
            Func(
                F("account__time_zone"), Value(at), function="timezone", output_field=models.DateTimeField()
            ),
            output_field=models.DateField(),
        )
        connected = Q(
            account__connected__pays=True,
            account__connected__connection__state="ACTIVE",
        )
        resting = Q(account__connected__connection__retry_at__gt=at)
        return (
            self.filter(connected, state="APPROVED", execute_on__lte=today)
            .exclude(resting)
            .order_by("execute_on", "id")
        )

    def waiting_for(self, user: Any) -> PaymentQuerySet:
        """What `user` may decide on now: their role is due, and they had no hand in it."""
        roles = Group.objects.filter(
            user=user,
            permissions__content_type__app_label="payments",
            permissions__codename="approve_payment",
        )
        requests = apps.get_model("payments.ApprovalRequest")._default_manager.filter(
            state="OPEN", due_role__in=roles.values("name")
        )
        asked = requests.exclude(decisions__person=user)
        payees = ProposedChange.objects.filter(
            Q(made_by=user) | Q(decided_by=user), kind="payments.beneficiary", state="APPLIED"
        )
        return (
            self.visible_to(user)
            .filter(state="SUBMITTED", pk__in=asked.values("payment"))
            .exclude(Q(created_by=user) | Q(edited_by=user) | Q(submitted_by=user))
            .exclude(versions__made_by=user)
            .exclude(
                Q(beneficiary__created_by=user)
                | Q(beneficiary__changed_by=user)
                | Q(beneficiary__confirmed_by=user)
                | Q(beneficiary__in=payees.values("object_id"))
            )
        )

    def sent_back_to(self, user: Any) -> PaymentQuerySet:
        """Drafts that `user` entered or submitted and that came back with a remark."""
        return (
            self.visible_to(user)
            .filter(Q(created_by=user) | Q(submitted_by=user), state="DRAFT")
            .exclude(note="")
        )


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, user: Any) -> BatchQuerySet:
        return self.filter(account__in=Account.objects.visible_to(user))


class BeneficiaryQuerySet(models.QuerySet["Beneficiary"]):
    def visible_to(self, user: Any) -> BeneficiaryQuerySet:
        return self.filter(company__in=Company.objects.visible_to(user))


class DispatchQuerySet(models.QuerySet["Dispatch"]):
    def due_to_query(self, at: datetime) -> DispatchQuerySet:
        """Chains whose outcome the bank must be asked for now."""
        return self.filter(next_query_at__lte=at).filter(Q(lease_until__isnull=True) | Q(lease_until__lt=at))


class SweepRuleQuerySet(models.QuerySet["SweepRule"]):
    def visible_to(self, user: Any) -> SweepRuleQuerySet:
        """Rules of which both accounts are visible: one side alone would tell of the other."""
        accounts = Account.objects.visible_to(user)
        return self.filter(header__in=accounts, member__in=accounts)


class SweepRunQuerySet(models.QuerySet["SweepRun"]):
    def visible_to(self, user: Any) -> SweepRunQuerySet:
        """Runs that paid from no account hidden from `user`, and one's own."""
        hidden = Account.objects.exclude(pk__in=Account.objects.visible_to(user).values("pk"))
        return self.filter(
            Q(made_by=user) | (Q(batches__isnull=False) & ~Q(batches__account__in=hidden))
        ).distinct()
