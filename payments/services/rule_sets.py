"""Approval rules: the bands of a scope, how they change, and which band a payment falls into.

A scope is a company, narrowed by account and kind. Its bands change only as a whole set, by a
proposed change that another administrator confirms. Whoever finds no band is blocked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from payments.models import ApprovalRule, ApprovalStep, Payment
from treasury import money
from treasury.models import Account, Company, ProposedChange
from treasury.services import access, changes, rates

KIND = "payments.rules"
CONFIGURE = "payments.configure_rules"


class RulesRefusedError(Exception):
    """The bands leave a gap, overlap or name impossible steps; `faults` lists what and where."""

    code = "payments.rules_refused"

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        self.hint = _("Correct the bands and propose them again.")
        super().__init__(" ".join(self.faults))


class NoRuleError(Exception):
    """No rule in force fits the payment, so nobody could approve it."""

    code = "payments.no_rule"

    def __init__(self, message: str) -> None:
        self.hint = _("Ask an administrator to propose an approval rule for it.")
        super().__init__(f"{message} {self.hint}")


@dataclass(frozen=True, slots=True)
class Band:
    """Amounts from (inclusive) to (exclusive, None means without end) and who must approve them."""

    amount_from: Decimal
    amount_to: Decimal | None
    steps: tuple[tuple[str, int], ...]
    """(role, people needed), in order."""

    def as_json(self) -> dict[str, Any]:
        return {
            "from": str(self.amount_from),
            "to": None if self.amount_to is None else str(self.amount_to),
            "steps": [[role, required] for role, required in self.steps],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Band:
        return Band(
            Decimal(data["from"]),
            None if data["to"] is None else Decimal(data["to"]),
            tuple((str(role), int(required)) for role, required in data["steps"]),
        )


def written(band: Band, currency: str) -> str:
    """The band as people read it: 0 – 50,000 CNY: 1 × manager."""
    top = "∞" if band.amount_to is None else f"{band.amount_to:,f}"
    steps = " → ".join(f"{required} × {_(role)}" for role, required in band.steps)
    return f"{band.amount_from:,f} – {top} {currency}: {steps}"


# --- checking and changing ----------------------------------------------------------------


def check_bands(bands: Sequence[Band], *, currency: str) -> list[str]:
    """What is wrong with a set of bands: gaps, overlaps, empty or impossible steps."""
    faults, expected, open_end = [], Decimal(0), False
    for band in sorted(bands, key=lambda b: b.amount_from):
        low, high = band.amount_from, band.amount_to
        if high is not None and high <= low:
            faults.append(
                _("The band from %(low)s to %(high)s is empty.") % {"low": f"{low:,}", "high": f"{high:,}"}
            )
        if open_end or low < expected:
            top = "∞" if open_end else f"{expected:,}"
            faults.append(
                _("The bands overlap between %(low)s and %(high)s.") % {"low": f"{low:,}", "high": top}
            )
        elif low > expected:
            faults.append(
                _("Amounts from %(low)s to %(high)s are in no band.")
                % {"low": f"{expected:,}", "high": f"{low:,}"}
            )
        faults += _step_faults(band, currency)
        open_end = open_end or high is None
        expected = max(expected, high or low)
    return faults


def _step_faults(band: Band, currency: str) -> list[str]:
    faults = []
    where = f"{band.amount_from:,}"
    if not band.steps:
        faults.append(_("The band from %(low)s has no step: nobody would approve it.") % {"low": where})
    for role, required in band.steps:
        if required < 1:
            faults.append(
                _("The band from %(low)s asks for %(count)d people of role %(role)s.")
                % {"low": where, "count": required, "role": role}
            )
        if role not in approving_roles():
            faults.append(
                _("The band from %(low)s names role %(role)s, which may not approve. These may: %(roles)s.")
                % {"low": where, "role": role, "roles": ", ".join(approving_roles())}
            )
    for edge in (band.amount_from, band.amount_to):
        try:
            money.quantize(edge or Decimal(0), currency)
        except money.MoneyError as error:
            faults.append(str(error))
    return faults


def approving_roles() -> list[str]:
    """The roles that hold the right to approve."""
    right = Permission.objects.filter(content_type__app_label="payments", codename="approve_payment")
    return list(Group.objects.filter(permissions__in=right).order_by("name").values_list("name", flat=True))


def propose_bands(
    *,
    company: Company,
    bands: Sequence[Band],
    by: Any,
    at: datetime,
    account: Account | None = None,
    kind: str = "",
    reason: str = "",
) -> ProposedChange:
    """Propose the full set of bands of one scope; an empty set gives the scope up.

    Raises RulesRefusedError, AccessDeniedError, ChangeRefusedError when a change already waits.
    """
    access.require(by, CONFIGURE)
    access.require_company(by, company)
    faults = check_bands(bands, currency=company.base_currency)
    if account is not None and account.company_id != company.pk:
        faults.append(_("Account %(account)s belongs to another company.") % {"account": account})
    if kind and kind not in Payment.Kind.values:
        faults.append(_("%(kind)s is not a kind of payment.") % {"kind": kind})
    if faults:
        raise RulesRefusedError(faults)
    old = [band_of(rule) for rule in in_force(company, _day(at)).filter(account=account, kind=kind)]
    currency = company.base_currency
    lines = max(len(old), len(bands))
    ordered = sorted(bands, key=lambda band: band.amount_from)
    summary = [
        (
            str(n + 1),
            written(old[n], currency) if n < len(old) else "",
            written(ordered[n], currency) if n < len(ordered) else "",
        )
        for n in range(lines)
    ]
    scope = " / ".join(str(part) for part in (company, account, kind) if part)
    return changes.propose(
        kind=KIND,
        payload={
            "company": company.pk,
            "account": account.pk if account else None,
            "kind": kind,
            "bands": [band.as_json() for band in ordered],
        },
        label=_("Approval rules: %(scope)s") % {"scope": scope},
        by=by,
        at=at,
        object_id=company.pk,
        company=company,
        summary=summary,
        reason=reason,
    )


def apply(change: ProposedChange, at: datetime) -> Company:
    """Retire the scope's bands and put the proposed ones in force (kind `payments.rules`)."""
    payload = change.payload
    company = Company.objects.select_for_update().get(pk=payload["company"])
    bands = [Band.from_json(data) for data in payload["bands"]]
    faults = check_bands(bands, currency=company.base_currency)
    if faults:
        raise changes.ChangeRefusedError(" ".join(faults))
    day = _day(at)
    scope = {"account_id": payload["account"], "kind": payload["kind"]}
    in_force(company, day).filter(**scope).update(retired_on=day)
    roles = {group.name: group for group in Group.objects.all()}
    for band in bands:
        rule = ApprovalRule.objects.create(
            company=company, amount_from=band.amount_from, amount_to=band.amount_to, valid_from=day, **scope
        )
        ApprovalStep.objects.bulk_create(
            ApprovalStep(rule=rule, order=n, role=roles[role], required=required)
            for n, (role, required) in enumerate(band.steps, start=1)
        )
    return company


# --- reading ------------------------------------------------------------------------------


def _day(at: datetime) -> date:
    return timezone.localtime(at).date()


def in_force(company: Company, on: date) -> Any:
    """The rules of a company in force on a day, with their steps, lowest band first."""
    return (
        ApprovalRule.objects.filter(company=company, valid_from__lte=on)
        .filter(Q(retired_on__isnull=True) | Q(retired_on__gt=on))
        .prefetch_related("steps__role")
        .select_related("account", "company")
        .order_by("account", "kind", "amount_from")
    )


def band_of(rule: ApprovalRule) -> Band:
    return Band(
        rule.amount_from,
        rule.amount_to,
        tuple((step.role.name, step.required) for step in rule.steps.all()),
    )


def steps_of(rule: ApprovalRule) -> list[dict[str, Any]]:
    """The steps as a request keeps them."""
    return [{"order": s.order, "role": s.role.name, "required": s.required} for s in rule.steps.all()]


class RuleBook:
    """The rules of one company on one day, read once, asked for many payments."""

    def __init__(self, *, company: Company, at: datetime) -> None:
        self.company, self.on = company, _day(at)
        self.factors: dict[str, Fraction] = {}
        self.scopes: dict[tuple[int | None, str], list[ApprovalRule]] = defaultdict(list)
        for rule in in_force(company, self.on):
            self.scopes[rule.account_id, rule.kind].append(rule)

    def in_base(self, amount: Decimal, currency: str) -> Decimal:
        """The amount in the company's base currency; each rate is looked up once. Raises NoRateError."""
        base = self.company.base_currency
        if currency == base:
            return amount
        if currency not in self.factors:
            self.factors[currency] = rates.find_path(currency=currency, to=base, on=self.on).factor
        return rates.rounded(Fraction(amount) * self.factors[currency], base)

    def rule_for(self, payment: Payment) -> tuple[ApprovalRule, Decimal]:
        """The band the payment falls into, and its amount in the company's base currency.

        The narrowest scope that has bands decides alone: an amount above its last band is
        blocked, not handed to a wider scope. Raises NoRuleError, NoRateError.
        """
        base = self.in_base(payment.amount, payment.currency)
        account, kind = payment.account_id, payment.kind
        for scope in ((account, kind), (account, ""), (None, kind), (None, "")):
            if bands := self.scopes.get(scope):
                for rule in bands:
                    if rule.amount_from <= base and (rule.amount_to is None or base < rule.amount_to):
                        return rule, base
                break
        raise NoRuleError(
            _("No approval rule of %(company)s fits %(payment)s: %(amount)s %(currency)s, %(kind)s.")
            % {
                "company": self.company,
                "payment": payment,
                "amount": f"{base:,f}",
                "currency": self.company.base_currency,
                "kind": payment.get_kind_display(),
            }
        )
