"""Sweeps through the real services: rules by two people, one transfer a day, the usual approval."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from payments import pooling
from payments.models import Batch, Payment, SweepRule, SweepRun
from payments.services import approving, preparing, releasing, sweep_rules, sweeping
from payments.services.approving import SamePersonError
from payments.services.rule_sets import NoRuleError
from payments.services.sweep_rules import SweepRuleRefusedError
from payments.services.sweep_words import explain
from payments.services.sweeping import SweepRefusedError
from payments.states import TRANSITIONS
from tests import make
from tests.make import Cast
from treasury.models import Account, AuditEvent, Balance
from treasury.services import changes
from treasury.services.access import AccessDeniedError
from treasury.services.changes import ChangeRefusedError
from treasury.services.moving import move


def balance(of: Account, available: str, as_of: datetime) -> None:
    Balance.objects.create(
        account=of,
        ledger=Decimal(available),
        available=Decimal(available),
        as_of=as_of,
        source="BANK",
        received_at=as_of,
    )


def draft(cast: Cast, member: Account, **terms: Any) -> SweepRule:
    facts = {
        "name": f"Sweep of {member}",
        "header": cast.cny,
        "member": member,
        "direction": "BOTH",
        "target_balance": Decimal(1000),
    } | terms
    return SweepRule(**facts)


def in_force(cast: Cast, at: datetime, member: Account, **terms: Any) -> SweepRule:
    change = sweep_rules.propose_rule(draft=draft(cast, member, **terms), by=cast.carol, at=at)
    return changes.confirm(change=change, by=cast.bob, at=at)


@pytest.fixture
def member(cast: Cast, now: datetime) -> Account:
    """A second CNY account, at 5,000; the main account has 100,000."""
    second = make.account(cast.company, "6225000000000003", "CNY", name="Shop")
    balance(second, "5000", now)
    balance(cast.cny, "100000", now)
    return second


# --- rules --------------------------------------------------------------------------------


def test_a_rule_is_in_force_only_by_a_second_person(cast: Cast, now: datetime, member: Account) -> None:
    change = sweep_rules.propose_rule(draft=draft(cast, member), by=cast.carol, at=now)
    assert not SweepRule.objects.exists()
    with pytest.raises(ChangeRefusedError, match="cannot confirm"):
        changes.confirm(change=change, by=cast.carol, at=now)
    with pytest.raises(AccessDeniedError):
        changes.confirm(change=change, by=cast.alice, at=now)
    rule = changes.confirm(change=change, by=cast.bob, at=now)
    assert rule.active
    assert ["in force", "no", "yes"] in change.summary


def test_new_terms_leave_the_old_in_force_until_confirmed(cast: Cast, now: datetime, member: Account) -> None:
    rule = in_force(cast, now, member)
    rule.target_balance = Decimal(2000)
    change = sweep_rules.propose_rule(draft=rule, by=cast.carol, at=now)
    assert SweepRule.objects.get().target_balance == 1000
    assert [line[0] for line in change.summary] == ["target balance"]
    changes.confirm(change=change, by=cast.bob, at=now)
    assert SweepRule.objects.get().target_balance == 2000


def test_stopping_is_at_once_and_starting_again_takes_two(cast: Cast, now: datetime, member: Account) -> None:
    rule = in_force(cast, now, member)
    with pytest.raises(SweepRuleRefusedError, match="reason"):
        sweep_rules.stop_rule(rule=rule, by=cast.carol, at=now, reason=" ")
    sweep_rules.stop_rule(rule=rule, by=cast.carol, at=now, reason="Shop closes")
    with pytest.raises(SweepRefusedError, match="not in force"):
        sweeping.run_sweep(rules=[rule], by=cast.carol, at=now)
    again = sweep_rules.propose_rule(draft=SweepRule.objects.get(), by=cast.carol, at=now)
    assert changes.confirm(change=again, by=cast.bob, at=now).active
    assert SweepRule.objects.count() == 1


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"target_balance": Decimal(-1)}, "negative"),
        ({"minimum_transfer": Decimal("0.001")}, "decimals"),
        ({"name": ""}, "blank"),
        ({"direction": "UP"}, "not a valid choice"),
    ],
)
def test_wrong_terms_are_refused(
    cast: Cast, now: datetime, member: Account, terms: dict[str, Any], says: str
) -> None:
    with pytest.raises(SweepRuleRefusedError, match=says):
        sweep_rules.propose_rule(draft=draft(cast, member, **terms), by=cast.carol, at=now)


def test_accounts_must_fit_each_other(cast: Cast, now: datetime, member: Account) -> None:
    frozen = make.account(cast.company, "8", "CNY", status="FROZEN")
    needs = make.account(cast.company, "9", "CNY", minimum_balance=Decimal(5000))
    for wrong, says in (
        (cast.usd, "different currencies"),
        (cast.cny, "the same"),
        (frozen, "Frozen"),
        (needs, "below the minimum balance"),
    ):
        with pytest.raises(SweepRuleRefusedError, match=says):
            sweep_rules.propose_rule(draft=draft(cast, wrong), by=cast.carol, at=now)


def test_money_never_runs_in_a_circle_nor_under_two_rules(cast: Cast, now: datetime, member: Account) -> None:
    third = make.account(cast.company, "6225000000000004", "CNY")
    in_force(cast, now, member)
    in_force(cast, now, third, header=member)
    with pytest.raises(SweepRuleRefusedError, match="already has a rule"):
        sweep_rules.propose_rule(draft=draft(cast, member, header=third), by=cast.carol, at=now)
    circle = draft(cast, cast.cny, header=third, target_balance=Decimal(20000))
    with pytest.raises(SweepRuleRefusedError, match="in a circle"):
        sweep_rules.propose_rule(draft=circle, by=cast.carol, at=now)


def test_between_companies_both_must_be_granted_and_the_purpose_named(
    cast: Cast, now: datetime, member: Account
) -> None:
    other = make.company("OTHER", "Other Ltd")
    theirs = make.account(other, "6225000000000009", "CNY")
    with pytest.raises(AccessDeniedError):
        sweep_rules.propose_rule(draft=draft(cast, theirs, purpose="Loan 7"), by=cast.carol, at=now)
    assign_perm("treasury.view_company", cast.carol, other)
    with pytest.raises(SweepRuleRefusedError, match="intercompany"):
        sweep_rules.propose_rule(draft=draft(cast, theirs), by=cast.carol, at=now)
    change = sweep_rules.propose_rule(draft=draft(cast, theirs, purpose="Loan 7"), by=cast.carol, at=now)
    with pytest.raises(AccessDeniedError):  # Bob sees only one of the two companies
        changes.confirm(change=change, by=cast.bob, at=now)
    assign_perm("treasury.view_company", cast.bob, other)
    rule = changes.confirm(change=change, by=cast.bob, at=now)
    assert not SweepRule.objects.visible_to(cast.alice).exists()
    balance(theirs, "0", now)
    make.rule_set(cast)
    sweeping.run_sweep(rules=[rule], by=cast.carol, at=now)
    assert Payment.objects.get().purpose == "Loan 7"


def at_the_bank(payment: Payment, state: str, at: datetime, **changes_: Any) -> None:
    """What dispatch does to an approved payment, without a bank."""
    for to in ("SENDING", state) if state != "APPROVED" else ():
        if to != payment.state:
            payment = move(
                row=payment,
                to=to,
                transitions=TRANSITIONS,
                by=None,
                at=at,
                action="payments.test",
                changes=changes_ if to == state else None,
            )


# --- runs ---------------------------------------------------------------------------------


def test_a_dry_run_stores_nothing(cast: Cast, now: datetime, member: Account) -> None:
    rule = in_force(cast, now, member)
    (leg,) = sweeping.dry_run(rules=[rule], at=now)
    assert (leg.direction, leg.amount) == ("COLLECT", 4000)
    assert not Payment.objects.exists()
    assert not SweepRun.objects.exists()
    assert not Batch.objects.exists()


def test_transfers_take_the_same_approval_as_any_payment(cast: Cast, now: datetime, member: Account) -> None:
    make.rule_set(cast)
    rule = in_force(cast, now, member)
    run = sweeping.run_sweep(rules=[rule], by=cast.carol, at=now)
    payment = Payment.objects.get()
    assert (payment.state, payment.source, payment.kind) == ("SUBMITTED", "SWEEP", "TRANSFER")
    assert (payment.account, payment.own_account, payment.amount) == (member, cast.cny, 4000)
    assert run.batches.get() == payment.batch
    assert run.legs[0]["payment"] == payment.pk
    with pytest.raises((SamePersonError, AccessDeniedError)):
        approving.approve_payment(payment=payment, expected_digest=payment.digest, by=cast.carol, at=now)
    approving.approve_payment(payment=payment, expected_digest=payment.digest, by=cast.bob, at=now)
    releasing.verify_release(payment=Payment.objects.get())
    assert AuditEvent.objects.filter(action="payments.sweep_run").exists()


def test_without_an_approval_rule_nothing_is_half_made(cast: Cast, now: datetime, member: Account) -> None:
    rule = in_force(cast, now, member)
    with pytest.raises(NoRuleError):
        sweeping.run_sweep(rules=[rule], by=cast.carol, at=now)
    assert not Payment.objects.exists()
    assert not SweepRun.objects.exists()


def test_one_batch_for_each_paying_account(cast: Cast, now: datetime, member: Account) -> None:
    make.rule_set(cast)
    rules = [in_force(cast, now, member)]
    for number in ("4", "5"):
        poor = make.account(cast.company, f"622500000000000{number}", "CNY")
        balance(poor, "100", now)
        rules.append(in_force(cast, now, poor))
    run = sweeping.run_sweep(rules=rules, by=cast.carol, at=now)
    assert run.batches.count() == 2
    assert sorted(Payment.objects.values_list("account", "amount")) == sorted(
        [(member.pk, Decimal(4000)), (cast.cny.pk, Decimal(900)), (cast.cny.pk, Decimal(900))]
    )


def test_the_same_money_never_moves_twice_on_a_day(cast: Cast, now: datetime, member: Account) -> None:
    make.rule_set(cast)
    rule = in_force(cast, now, member)
    sweeping.run_sweep(rules=[rule], by=cast.carol, at=now)
    with pytest.raises(SweepRefusedError, match="nothing to move"):
        sweeping.run_sweep(rules=[rule], by=cast.carol, at=now)
    with pytest.raises(SweepRefusedError, match="nothing to move"):
        sweeping.run_sweep(rules=[rule], by=cast.carol, at=now, reason="To be sure")
    # 700 more arrive: only a forced run moves them, and only them
    balance(member, "5700", now + timedelta(hours=1))
    with pytest.raises(SweepRefusedError):
        sweeping.run_sweep(rules=[rule], by=cast.carol, at=now + timedelta(hours=2))
    run = sweeping.run_sweep(rules=[rule], by=cast.carol, at=now + timedelta(hours=2), reason="Late receipts")
    assert run.reason == "Late receipts"
    assert sorted(Payment.objects.values_list("amount", flat=True)) == [700, 4000]


@pytest.mark.parametrize("state", ["DRAFT", "APPROVED", "SENDING", "PROCESSING", "BANK_APPROVAL", "UNKNOWN"])
def test_a_transfer_not_known_to_be_dead_counts_as_gone(
    cast: Cast, now: datetime, member: Account, state: str
) -> None:
    make.rule_set(cast)
    rule = in_force(cast, now, member)
    sweeping.run_sweep(rules=[rule], by=cast.carol, at=now)
    payment = Payment.objects.get()
    if state == "DRAFT":
        preparing.withdraw_payment(payment=payment, by=cast.carol, at=now)
    else:
        approving.approve_payment(payment=payment, expected_digest=payment.digest, by=cast.bob, at=now)
        at_the_bank(payment, state, now)
    (leg,) = sweeping.dry_run(rules=[rule], at=now, forced=True)
    assert (leg.amount, leg.outgoing) == (0, 4000)
    assert sweeping.dry_run(rules=[rule], at=now)[0].why == pooling.ALREADY_RUN


def test_a_settled_transfer_counts_until_a_newer_balance_shows_it(
    cast: Cast, now: datetime, member: Account
) -> None:
    make.rule_set(cast)
    rule = in_force(cast, now, member)
    sweeping.run_sweep(rules=[rule], by=cast.carol, at=now)
    payment = Payment.objects.get()
    approving.approve_payment(payment=payment, expected_digest=payment.digest, by=cast.bob, at=now)
    settled = now + timedelta(minutes=10)
    at_the_bank(payment, "SETTLED", settled, settled_at=settled)
    later = now + timedelta(hours=1)
    assert sweeping.dry_run(rules=[rule], at=later, forced=True)[0].amount == 0
    balance(member, "1000", now + timedelta(minutes=20))
    assert sweeping.dry_run(rules=[rule], at=later, forced=True)[0].outgoing == 0
    tomorrow = now + timedelta(days=1)
    balance(member, "1800", tomorrow)
    assert sweeping.dry_run(rules=[rule], at=tomorrow)[0].amount == 800


def test_a_rejected_transfer_lets_the_rule_run_again(cast: Cast, now: datetime, member: Account) -> None:
    make.rule_set(cast)
    rule = in_force(cast, now, member)
    sweeping.run_sweep(rules=[rule], by=cast.carol, at=now)
    payment = Payment.objects.get()
    approving.reject(payment=payment, expected_digest=payment.digest, reason="Not today", by=cast.bob, at=now)
    sweeping.run_sweep(rules=[rule], by=cast.carol, at=now)
    assert Payment.objects.filter(state="SUBMITTED", amount=4000).count() == 1


def test_payments_on_their_way_out_stay_covered(cast: Cast, now: datetime, member: Account) -> None:
    rule = in_force(cast, now, member)
    make.submitted_payment(cast, "2500", account=member, at=now)
    (leg,) = sweeping.dry_run(rules=[rule], at=now)
    assert (leg.outgoing, leg.amount) == (2500, 1500)


def test_changed_figures_refuse_the_run_somebody_looked_at(
    cast: Cast, now: datetime, member: Account
) -> None:
    make.rule_set(cast)
    rule = in_force(cast, now, member)
    seen = pooling.fingerprint(sweeping.dry_run(rules=[rule], at=now))
    balance(member, "9000", now + timedelta(minutes=1))
    later = now + timedelta(minutes=2)
    with pytest.raises(SweepRefusedError, match="changed since the dry run"):
        sweeping.run_sweep(rules=[rule], by=cast.carol, at=later, expected=seen)
    assert not Payment.objects.exists()


def test_a_sweep_runs_today_only(cast: Cast, now: datetime, member: Account) -> None:
    rule = in_force(cast, now, member)
    with pytest.raises(SweepRefusedError, match="today"):
        sweeping.run_sweep(rules=[rule], by=cast.carol, at=now, on=now.date() + timedelta(days=1))


def test_only_a_treasurer_runs_sweeps_of_granted_accounts(cast: Cast, now: datetime, member: Account) -> None:
    rule = in_force(cast, now, member)
    for person in (cast.alice, cast.bob, cast.mallory):
        with pytest.raises(AccessDeniedError):
            sweeping.run_sweep(rules=[rule], by=person, at=now)
    stranger = make.person("Chris", "treasurer")
    with pytest.raises(AccessDeniedError):
        sweeping.run_sweep(rules=[rule], by=stranger, at=now)


def test_every_leg_is_explained_in_words(cast: Cast, now: datetime, member: Account) -> None:
    rule = in_force(cast, now, member)
    (leg,) = sweeping.dry_run(rules=[rule], at=now)
    said = explain(leg)
    assert "4,000.00 CNY more than its target of 1,000.00" in said.because
    assert next(str(amount) for _label, amount in said.figures) == "5000.00000"
    (stale,) = sweeping.dry_run(rules=[rule], at=now + timedelta(days=2))
    assert "not of today" in explain(stale).because


# --- pages --------------------------------------------------------------------------------


def test_the_pages_lead_from_a_proposal_to_a_run(cast: Cast, client: Client) -> None:
    at = datetime.now().astimezone()
    second = make.account(cast.company, "6225000000000003", "CNY", name="Shop")
    balance(second, "5000", at)
    balance(cast.cny, "100000", at)
    make.rule_set(cast)
    client.force_login(cast.carol)
    terms = {
        "name": "Shop to main", "header": cast.cny.pk, "member": second.pk, "direction": "BOTH",
        "target_balance": "1000", "minimum_transfer": "0", "leave_in_header": "0", "order": "1",
        "purpose": "",
    }  # fmt: skip
    propose = reverse("payments:propose_sweep_rule")
    assert client.get(propose).status_code == 200
    assert client.post(propose, terms | {"member": cast.usd.pk}).status_code == 422
    assert client.post(propose, terms).status_code == 302
    listed = client.get(reverse("payments:sweep_rules")).content.decode()
    assert "waits for a second person" in listed
    (change,) = changes.ProposedChange.objects.filter(kind="payments.sweep_rule")
    rule = changes.confirm(change=change, by=cast.bob, at=at)
    assert "Shop to main" in client.get(reverse("payments:sweep_rule", args=[rule.pk])).content.decode()
    page = client.get(reverse("payments:sweep_dry_run"))
    assert "more than its target" in page.content.decode()
    assert not Payment.objects.exists()
    body = {"rules": [rule.pk], "fingerprint": page.context["fingerprint"]}
    posted = client.post(reverse("payments:run_sweep"), body, follow=True)
    text = posted.content.decode()
    if Payment.objects.exists():  # a business day
        assert Payment.objects.get().reference in text
        again = client.post(reverse("payments:run_sweep"), body, follow=True).content.decode()
        assert "Nothing was moved" in again
        assert Payment.objects.count() == 1
        unreasoned = client.post(reverse("payments:run_sweep"), body | {"again": "1"}, follow=True)
        assert "needs a reason" in unreasoned.content.decode()
    else:
        assert "not a business day" in text
    assert client.get(reverse("payments:sweep_runs")).status_code == 200
    stop = reverse("payments:stop_sweep_rule", args=[rule.pk])
    client.post(stop, {"reason": "Done"})
    rule.refresh_from_db()
    assert not rule.active


def test_a_run_shows_only_legs_between_granted_accounts(
    cast: Cast, now: datetime, member: Account, client: Client
) -> None:
    make.rule_set(cast)
    other = make.company("OTHER", "Other Ltd")
    theirs = make.account(other, "6225000000000009", "CNY")
    for person in (cast.carol, cast.bob):
        assign_perm("treasury.view_company", person, other)
    rules = [in_force(cast, now, member), in_force(cast, now, theirs, name="Secret", purpose="Loan 7")]
    run = sweeping.run_sweep(rules=rules, by=cast.carol, at=now)
    client.force_login(cast.alice)
    page = client.get(reverse("payments:sweep_run", args=[run.pk])).content.decode()
    assert "Sweep of Shop" in page
    assert "Secret" not in page
    client.force_login(cast.mallory)
    assert client.get(reverse("payments:sweep_run", args=[run.pk])).status_code == 404


def test_who_sees_neither_account_finds_no_rule(
    cast: Cast, now: datetime, member: Account, client: Client
) -> None:
    rule = in_force(cast, now, member)
    client.force_login(cast.mallory)
    assert client.get(reverse("payments:sweep_rule", args=[rule.pk])).status_code == 404
    assert rule.name not in client.get(reverse("payments:sweep_rules")).content.decode()
    client.force_login(cast.bob)
    assert client.get(reverse("payments:sweep_dry_run")).status_code == 403
    assert client.get(reverse("payments:propose_sweep_rule")).status_code == 403
