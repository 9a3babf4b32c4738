"""Sweeps: a dry run that stores nothing, and a run that makes payments under the usual approval.

The arithmetic is `payments.pooling`. What keeps money from moving twice: a run locks its rules
and accounts; payments on their way out of an account are subtracted from what it has, whether
they wait, are being sent, ended unknown, or settled after the balance was taken; and a rule
whose transfer of the day is alive runs again only with a reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from payments import pooling
from payments.models import Payment, SweepRule, SweepRun
from payments.models.payments import Source
from payments.services.batches import create_batch
from payments.services.flows import TO_COME
from payments.services.preparing import create_payment, submit_payment
from payments.services.sweep_rules import PERMISSION
from payments.states import PaymentState
from treasury.models import Account, Balance
from treasury.services import access, auditing
from treasury.services.positions import Freshness, freshness_of

DEAD = frozenset({PaymentState.REJECTED, PaymentState.CANCELLED, PaymentState.FAILED, PaymentState.RETURNED})
"""Transfers that moved nothing, or whose money came back: their rule may run again that day."""


class SweepRefusedError(Exception):
    """The sweep cannot run; the text says why and what to do. Nothing was stored."""

    code = "payments.sweep_refused"


def dry_run(*, rules: Sequence[SweepRule], at: datetime, forced: bool = False) -> list[pooling.Leg]:
    """What a run would do now, leg by leg, in the order of the rules. Stores nothing."""
    if not rules:
        return []
    accounts = _accounts_of(rules)
    on = day_of(accounts.values(), at)
    return pooling.plan_sweep(
        rules=[_terms(rule) for rule in rules],
        balances=positions(accounts=accounts.values(), on=on, at=at),
        already_run=() if forced else already_run(rules=rules, on=on),
    )


@transaction.atomic
def run_sweep(
    *,
    rules: Iterable[SweepRule],
    by: Any,
    at: datetime,
    on: date | None = None,
    reason: str = "",
    expected: str = "",
) -> SweepRun:
    """Make and submit the transfers that the rules ask for now: one batch per debit account.

    `on` is today at the accounts (checked when given). With `reason`, rules whose transfers of
    today are alive run again; what is on its way is subtracted all the same. `expected` is the
    `pooling.fingerprint` of the dry run somebody looked at: other figures refuse. All or nothing:
    raises SweepRefusedError, AccessDeniedError, and what `create_payment` and `submit_payment`
    raise, PaymentRefusedError and NoRuleError above all.
    """
    access.require(by, PERMISSION)
    wanted = {rule.pk for rule in rules}
    rows = SweepRule.objects.select_for_update(of=("self",)).filter(pk__in=wanted, active=True)
    locked = sorted(rows.order_by("pk"), key=lambda rule: (rule.order, rule.pk))
    if not wanted or len(locked) != len(wanted):
        raise SweepRefusedError(
            _("No rule is chosen, or a chosen one is not in force. Choose rules that are in force.")
        )
    ids = {rule.header_id for rule in locked} | {rule.member_id for rule in locked}
    list(Account.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    accounts = _accounts_of(locked)
    for account in accounts.values():
        access.require_account(by, account)
    today = day_of(accounts.values(), at)
    if on is not None and on != today:
        raise SweepRefusedError(
            _("A sweep moves what is there today, %(today)s, not on %(on)s.") % {"today": today, "on": on}
        )
    legs = dry_run(rules=locked, at=at, forced=bool(reason.strip()))
    if expected and expected != pooling.fingerprint(legs):
        raise SweepRefusedError(
            _("Balances or payments changed since the dry run. Nothing was moved; look at the new figures.")
        )
    if not any(leg.moves for leg in legs):
        raise SweepRefusedError(
            _("There is nothing to move: no rule asks for a transfer now. The dry run says why for each.")
        )
    return _carry_out(locked, legs, accounts, today, reason.strip(), by, at)


def _carry_out(
    rules: Sequence[SweepRule],
    legs: Sequence[pooling.Leg],
    accounts: dict[int, Account],
    on: date,
    reason: str,
    by: Any,
    at: datetime,
) -> SweepRun:
    purposes = {rule.pk: rule.purpose or rule.name for rule in rules}
    made: dict[int, int] = {}
    batches = []
    by_debit: dict[int, list[pooling.Leg]] = defaultdict(list)
    for leg in legs:
        if leg.moves:
            by_debit[leg.debit].append(leg)
    for debit, its_legs in by_debit.items():
        name = _("Sweep of %(day)s from %(account)s") % {"day": on, "account": accounts[debit]}
        batch = create_batch(account=accounts[debit], name=name, source=Source.SWEEP, by=by, at=at)
        batches.append(batch)
        for leg in its_legs:
            payment = create_payment(
                account=accounts[debit],
                own_account=accounts[leg.credit],
                amount=leg.amount,
                currency=leg.currency,
                execute_on=on,
                purpose=purposes[leg.rule],
                source=Source.SWEEP,
                by=by,
                at=at,
                batch=batch,
            )
            submit_payment(payment=payment, by=by, at=at)
            made[leg.rule] = payment.pk
    kept = [leg.as_json() | {"payment": made.get(leg.rule)} for leg in legs]
    run = SweepRun.objects.create(on=on, made_by=by, made_at=at, reason=reason, legs=kept)
    run.batches.set(batches)
    auditing.record(
        action="payments.sweep_run",
        about=run,
        by=by,
        at=at,
        company=rules[0].header.company,
        reason=reason,
        legs=[[leg.name, leg.outcome, leg.why, f"{leg.amount} {leg.currency}"] for leg in legs],
    )
    return run


def already_run(*, rules: Iterable[SweepRule], on: date) -> set[int]:
    """Ids of the rules that made a transfer on that day which is alive or has settled."""
    made = [
        (leg["rule"], leg["payment"])
        for legs in SweepRun.objects.filter(on=on).values_list("legs", flat=True)
        for leg in legs
        if leg.get("payment")
    ]
    alive = set(
        Payment.objects.filter(pk__in=[payment for _rule, payment in made])
        .exclude(state__in=DEAD)
        .values_list("pk", flat=True)
    )
    return {rule for rule, payment in made if payment in alive} & {rule.pk for rule in rules}


def positions(*, accounts: Collection[Account], on: date, at: datetime) -> dict[int, pooling.Position]:
    """What each account has and what is on its way, as `payments.pooling` needs it.

    The bank's available figure counts; without one, the ledger balance less what is frozen.
    """
    newest = {b.account_id: b for b in Balance.objects.filter(account__in=accounts).latest_per_account()}
    outgoing, incoming = _on_their_way(accounts, newest, on)
    found = {}
    for account in accounts:
        balance = newest.get(account.pk)
        found[account.pk] = pooling.Position(
            account=account.pk,
            label=str(account),
            currency=account.currency,
            available=_available(balance) if balance else None,
            as_of=balance.as_of if balance else None,
            outgoing=outgoing[account.pk],
            incoming=incoming[account.pk],
            fresh=freshness_of(account, balance.as_of if balance else None, at) == Freshness.TODAY,
            active=account.status == Account.Status.ACTIVE,
        )
    return found


def _available(balance: Balance) -> Decimal:
    available: Decimal | None = balance.available
    usable: Decimal = balance.ledger - (balance.frozen or Decimal(0))
    return usable if available is None else available


def _on_their_way(
    accounts: Collection[Account], newest: dict[int, Balance], on: date
) -> tuple[defaultdict[int, Decimal], defaultdict[int, Decimal]]:
    """Sums out of and into each account of payments not in its newest balance.

    Payments due later than `on` are left out, except sweeps: those count from the draft on, so
    that a transfer that was sent back and comes again was never planned twice.
    """
    ids = {account.pk for account in accounts}
    oldest = min((balance.as_of for balance in newest.values()), default=None)
    settled = Q(state=PaymentState.SETTLED, settled_at__gt=oldest) if oldest else Q(pk__in=())
    payments = Payment.objects.filter(
        Q(account__in=ids) | Q(own_account__in=ids),
        Q(state__in=TO_COME, execute_on__lte=on)
        | Q(state__in={*TO_COME, PaymentState.DRAFT}, source=Source.SWEEP)
        | settled,
    ).values_list("account_id", "own_account_id", "amount", "state", "settled_at")
    outgoing: defaultdict[int, Decimal] = defaultdict(Decimal)
    incoming: defaultdict[int, Decimal] = defaultdict(Decimal)
    for debit, credit, amount, state, settled_at in payments.iterator(chunk_size=5000):
        for account, sums in ((debit, outgoing), (credit, incoming)):
            if account not in ids:
                continue
            balance = newest.get(account)
            if state == PaymentState.SETTLED and balance and settled_at and settled_at <= balance.as_of:
                continue
            sums[account] += amount
    return outgoing, incoming


def day_of(accounts: Iterable[Account], at: datetime) -> date:
    """The latest date it is at any of the accounts: no transfer is dated before today there."""
    return max(at.astimezone(ZoneInfo(account.time_zone)).date() for account in accounts)


def _accounts_of(rules: Iterable[SweepRule]) -> dict[int, Account]:
    ids = {pk for rule in rules for pk in (rule.header_id, rule.member_id)}
    return Account.objects.select_related("company", "bank").in_bulk(ids)


def _terms(rule: SweepRule) -> pooling.Rule:
    directions = SweepRule.Direction
    return pooling.Rule(
        id=rule.pk,
        name=rule.name,
        header=rule.header_id,
        member=rule.member_id,
        collects=rule.direction in {directions.COLLECT, directions.BOTH},
        funds=rule.direction in {directions.FUND, directions.BOTH},
        target=rule.target_balance,
        minimum=rule.minimum_transfer,
        leave_in_header=rule.leave_in_header,
    )
