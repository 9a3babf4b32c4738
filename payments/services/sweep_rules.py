"""Sweep rules are made, changed and stopped here. In force only by a second person's yes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.models import SweepRule
from treasury import money
from treasury.models import Account, ProposedChange
from treasury.services import access, auditing, changes

PERMISSION = "payments.manage_sweeps"
KIND = "payments.sweep_rule"
FIELDS = (
    "name", "header", "member", "direction", "target_balance", "minimum_transfer", "leave_in_header",
    "order", "purpose",
)  # fmt: skip


class SweepRuleRefusedError(Exception):
    """The rule cannot be proposed or put in force; the text says why and what to do."""

    code = "payments.sweep_rule_refused"


def propose_rule(*, draft: SweepRule, by: Any, at: datetime, reason: str = "") -> ProposedChange:
    """Propose a new rule, or new terms for a stored one (`draft.pk` set), to a second person.

    Nothing changes until then: a stored rule goes on with its old terms. Raises
    SweepRuleRefusedError, AccessDeniedError, ChangeRefusedError when a change already waits.
    """
    access.require(by, PERMISSION)
    for account in (draft.header, draft.member):
        access.require_account(by, account)
    check_rule(draft)
    before = SweepRule.objects.filter(pk=draft.pk).first() if draft.pk else None
    if before is not None:
        for account in (before.header, before.member):
            access.require_account(by, account)
    return changes.propose(
        kind=KIND,
        payload={
            name: getattr(draft, f"{name}_id") if name in {"header", "member"} else getattr(draft, name)
            for name in FIELDS
        },
        object_id=draft.pk,
        label=str(draft),
        company=draft.header.company,
        summary=_summary(before, draft),
        reason=reason,
        by=by,
        at=at,
    )


@transaction.atomic
def stop_rule(*, rule: SweepRule, by: Any, at: datetime, reason: str) -> SweepRule:
    """Take a rule out of force at once: moving less needs no second person.

    To put it in force again it is proposed anew. Raises SweepRuleRefusedError, AccessDeniedError.
    """
    access.require(by, PERMISSION)
    if not reason.strip():
        raise SweepRuleRefusedError(_("Stopping a rule needs a reason. Write why it is stopped."))
    locked = SweepRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    for account in (locked.header, locked.member):
        access.require_account(by, account)
    if not locked.active:
        raise SweepRuleRefusedError(_("%(rule)s is not in force.") % {"rule": locked})
    locked.active = False
    locked.save(update_fields=["active"])
    auditing.record(
        action="payments.sweep_rule_stopped",
        about=locked,
        by=by,
        at=at,
        company=locked.header.company,
        reason=reason,
    )
    return locked


def check_rule(rule: SweepRule) -> None:
    """Raises SweepRuleRefusedError with the first thing that speaks against the rule."""
    try:
        rule.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise SweepRuleRefusedError(" ".join(error.messages)) from error
    header, member = rule.header, rule.member
    for account in (header, member):
        if account.status != Account.Status.ACTIVE:
            raise SweepRuleRefusedError(
                _("Account %(account)s is %(status)s; no money can be moved there.")
                % {"account": account, "status": account.get_status_display()}
            )
    if header.pk == member.pk:
        raise SweepRuleRefusedError(_("Main account and member account are the same. Choose two accounts."))
    if header.currency != member.currency:
        raise SweepRuleRefusedError(
            _("Main account %(header)s and member account %(member)s have different currencies.")
            % {"header": header, "member": member}
        )
    _check_amounts(rule)
    if header.company_id != member.company_id and not rule.purpose.strip():
        raise SweepRuleRefusedError(
            _("%(header)s and %(member)s are two companies: their transfers are intercompany loans. Name the"
              " agreement as the purpose.")
            % {"header": header.company, "member": member.company}
        )  # fmt: skip
    _check_neighbours(rule)


def _check_amounts(rule: SweepRule) -> None:
    for amount in (rule.target_balance, rule.minimum_transfer, rule.leave_in_header):
        try:
            money.quantize(amount, rule.header.currency)
        except money.MoneyError as error:
            raise SweepRuleRefusedError(str(error)) from error
    if min(rule.target_balance, rule.minimum_transfer, rule.leave_in_header) < 0:
        raise SweepRuleRefusedError(_("Target, smallest transfer and reserve cannot be negative."))
    if rule.direction != SweepRule.Direction.FUND and rule.target_balance < rule.member.minimum_balance:
        raise SweepRuleRefusedError(
            _("The target %(target)s is below the minimum balance %(minimum)s of %(account)s.")
            % {"target": rule.target_balance, "minimum": rule.member.minimum_balance, "account": rule.member}
        )


def _check_neighbours(rule: SweepRule) -> None:
    """One rule in force per member, and no circle through which money would run for ever."""
    others = dict(
        SweepRule.objects.filter(active=True).exclude(pk=rule.pk).values_list("member_id", "header_id")
    )
    if rule.member_id in others:
        raise SweepRuleRefusedError(
            _("Account %(account)s already has a rule in force. Change or stop that one.")
            % {"account": rule.member}
        )
    step: int | None = rule.header_id
    seen: set[int] = set()
    while step is not None and step not in seen:
        seen.add(step)
        step = others.get(step)
        if step == rule.member_id:
            raise SweepRuleRefusedError(
                _("%(member)s is itself a main account above %(header)s: money would run in a circle.")
                % {"member": rule.member, "header": rule.header}
            )


def _summary(before: SweepRule | None, after: SweepRule) -> list[tuple[str, str, str]]:
    labels = {field.name: str(field.verbose_name) for field in SweepRule._meta.fields}
    lines = []
    for name in FIELDS:
        was, now = (_shown(rule, name) if rule is not None else "" for rule in (before, after))
        if was != now:
            lines.append((labels[name], was, now))
    if before is None or not before.active:
        lines.append((_("in force"), _("no"), _("yes")))
    return lines


def _shown(rule: SweepRule, name: str) -> str:
    value = getattr(rule, name)
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return str(rule.get_direction_display() if name == "direction" else value)


def _rule_of(payload: Mapping[str, Any], pk: int | None) -> SweepRule:
    terms = dict(payload)
    header, member = terms.pop("header"), terms.pop("member")
    for name in ("target_balance", "minimum_transfer", "leave_in_header"):
        terms[name] = Decimal(terms[name])
    accounts = Account.objects.select_related("company").in_bulk([header, member])
    return SweepRule(pk=pk, header=accounts[header], member=accounts[member], active=True, **terms)


def _apply(change: ProposedChange, at: datetime) -> SweepRule:
    # all rules, so that two rules confirmed at once cannot close a circle between them
    list(SweepRule.objects.select_for_update().order_by("pk"))
    list(Account.objects.select_for_update().filter(
        pk__in=[change.payload["header"], change.payload["member"]]).order_by("pk"))  # fmt: skip
    rule = _rule_of(change.payload, change.object_id)
    try:
        check_rule(rule)
    except SweepRuleRefusedError as error:
        raise changes.ChangeRefusedError(str(error)) from error
    rule.save(force_update=change.object_id is not None, force_insert=change.object_id is None)
    return rule


def _sees(change: ProposedChange, by: Any) -> None:
    ids = [change.payload["header"], change.payload["member"]]
    for account in Account.objects.filter(pk__in=ids):
        access.require_account(by, account)


def register_kind() -> None:
    """Tell the maker-checker about sweep rules; called once from `PaymentsConfig.ready()`."""
    changes.register(
        changes.Kind(
            name=KIND,
            label=gettext_lazy("Sweep rule"),
            propose_permission=PERMISSION,
            confirm_permission="treasury.confirm_change",
            apply=_apply,
            sees=_sees,
        )
    )
