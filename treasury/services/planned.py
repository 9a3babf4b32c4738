"""The ground floor's own flow sources: recurring items and rows of imported plans."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from treasury import calendars, rules
from treasury.flows import Flow, Scope
from treasury.models import PlannedFlow, RecurringFlow

LONGEST_CLOSURE = timedelta(days=14)
"""No run of holidays is longer, so nominal days this far outside can still shift inside."""


class RecurringItems:
    """Rent, wages, instalments. A day on which banks are closed shifts to the cautious side."""

    name = _("Recurring item")

    def flows(self, scope: Scope) -> Iterable[Flow]:
        items = RecurringFlow.objects.filter(account__in=scope.accounts).select_related("account__bank")
        for item in items:
            country = item.account.bank.country
            shift = partial(
                rules.shifted,
                amount=item.amount,
                before=partial(calendars.previous_business_day, country=country),
                after=partial(calendars.next_business_day, country=country),
            )
            nominal = rules.occurrences(
                every=item.every,
                starts_on=item.starts_on,
                ends_on=item.ends_on,
                first=scope.start - LONGEST_CLOSURE,
                last=scope.end + LONGEST_CLOSURE,
            )
            for on in (shift(day) for day in nominal):
                if scope.start <= on <= scope.end:
                    yield Flow(
                        on=on,
                        account_id=item.account_id,
                        company_id=item.account.company_id,
                        amount=item.amount,
                        currency=item.account.currency,
                        category=item.category,
                        source=str(self.name),
                        label=item.name,
                        page="recurring_item",
                        object_id=item.pk,
                    )


class PlanRows:
    """Rows of imported plans in force. Rows without an account need the whole company in view."""

    name = _("Cash plan")

    def flows(self, scope: Scope) -> Iterable[Flow]:
        rows = PlannedFlow.objects.filter(
            Q(account__in=scope.accounts) | Q(account__isnull=True, company__in=scope.companies),
            plan__committed_at__isnull=False,
            plan__undone_at__isnull=True,
            on__range=(scope.start, scope.end),
        )
        for row in rows:
            yield Flow(
                on=row.on,
                account_id=row.account_id,
                company_id=row.company_id,
                amount=row.amount,
                currency=row.currency,
                category=row.category,
                source=str(self.name),
                label=row.text or row.category,
                page="plan",
                object_id=row.plan_id,
            )
