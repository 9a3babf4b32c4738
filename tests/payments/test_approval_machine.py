"""A machine that does whatever people can do, in any order, and looks after every step.

Never APPROVED without enough different people, none of them with a hand in it, for exactly the
bytes that stand in the row; every change of money voids what was said before.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from payments.models import ApprovalRequest, Decision, Payment
from payments.services import approving, beneficiaries, preparing, releasing
from payments.services.rule_sets import Band
from tests import make
from tests.make import NOW
from treasury.models import ProposedChange
from treasury.services import changes

PEOPLE = st.sampled_from(["alice", "bob", "bella", "carol", "boris", "erin", "mallory"])
AMOUNTS = st.sampled_from([Decimal("10.00"), Decimal("500.00"), Decimal("5000.00"), Decimal("90000.00")])


class Approvals(RuleBasedStateMachine):
    """One payment, one payee, two bands; anybody tries anything."""

    @initialize()
    def begin(self) -> None:
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.cast = make.cast_of()
        self.people: dict[str, Any] = {
            name: getattr(self.cast, name, None)
            for name in ("alice", "bob", "bella", "carol", "erin", "mallory")
        }
        self.people["boris"] = make.person("Boris", "manager", self.cast.company)
        self.people["boris"].groups.add(*self.cast.alice.groups.all())  # prepares and approves
        make.rule_set(
            self.cast,
            Band(Decimal(0), Decimal(1000), (("manager", 1),)),
            Band(Decimal(1000), Decimal(50000), (("manager", 2), ("treasurer", 1))),
        )
        self.payee = make.beneficiary(self.cast)
        self.pk = make.payment(self.cast, to=self.payee).pk
        self.seen = Payment.objects.get(pk=self.pk).digest
        self.number = 0

    def teardown(self) -> None:
        if hasattr(self, "outer"):
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    @property
    def payment(self) -> Payment:
        return Payment.objects.get(pk=self.pk)

    def attempt(self, act: Any) -> None:
        """Whatever is refused leaves no trace; errors other than refusals fail the test."""
        try:
            with transaction.atomic():
                act()
        except (*preparing.REFUSALS, approving.ApprovalRefusedError, changes.ChangeRefusedError):
            pass

    @rule()
    def look(self) -> None:
        self.seen = self.payment.digest

    @rule(who=PEOPLE)
    def approve(self, who: str) -> None:
        before = self.payment
        self.attempt(
            lambda: approving.approve_payment(
                payment=before, expected_digest=self.seen, by=self.people[who], at=NOW
            )
        )
        if self.seen != before.digest:
            assert self.payment.state == before.state

    @rule(who=PEOPLE, amount=AMOUNTS)
    def edit(self, who: str, amount: Decimal) -> None:
        before = self.payment

        def act() -> None:
            after = preparing.edit_payment(payment=before, by=self.people[who], at=NOW, amount=amount)
            assert (after.state, after.version) == ("DRAFT", before.version + 1)
            assert after.digest != before.digest

        self.attempt(act)

    @rule(who=PEOPLE)
    def submit(self, who: str) -> None:
        self.attempt(lambda: preparing.submit_payment(payment=self.payment, by=self.people[who], at=NOW))

    @rule(who=PEOPLE)
    def withdraw(self, who: str) -> None:
        self.attempt(lambda: preparing.withdraw_payment(payment=self.payment, by=self.people[who], at=NOW))

    @rule(who=PEOPLE)
    def send_back(self, who: str) -> None:
        self.attempt(
            lambda: approving.send_back(
                payment=self.payment, expected_digest=self.seen, reason="why", by=self.people[who], at=NOW
            )
        )

    @rule(maker=PEOPLE, checker=PEOPLE)
    def change_payee(self, maker: str, checker: str) -> None:
        self.number += 1
        self.payee.refresh_from_db()

        def act() -> None:
            change = beneficiaries.propose_change(
                beneficiary=self.payee,
                by=self.people[maker],
                at=NOW,
                account_number=f"62228888{self.number}",
            )
            changes.confirm(change=change, by=self.people[checker], at=NOW)
            assert self.payment.state == "DRAFT"

        self.attempt(act)

    @invariant()
    def approved_means_approved(self) -> None:
        if not hasattr(self, "pk"):
            return
        row = Payment.objects.select_related("account", "beneficiary").get(pk=self.pk)
        assert row.digest == row.compute_digest()
        live = list(ApprovalRequest.objects.filter(payment=row, state__in=["OPEN", "COMPLETE"]))
        assert len(live) == (row.state in {"SUBMITTED", "APPROVED"})
        if row.state != "APPROVED":
            with pytest.raises(releasing.NotReleasableError):
                releasing.verify_release(payment=row)
            return
        releasing.verify_release(payment=row)
        request = live[0]
        assert (request.version, request.digest) == (row.version, row.digest)
        said = list(Decision.objects.filter(request=request, verdict="APPROVE", digest=row.digest))
        needed = 1 if row.amount < 1000 else 3
        assert len({d.person_id for d in said}) == needed
        hands = {row.created_by_id, row.edited_by_id, row.submitted_by_id}
        hands |= set(row.versions.values_list("made_by", flat=True))
        for change in ProposedChange.objects.filter(kind="payments.beneficiary", state="APPLIED"):
            hands |= {change.made_by_id, change.decided_by_id}
        assert not hands & {d.person_id for d in said}


@pytest.mark.django_db
def test_no_order_of_acts_approves_what_nobody_approved() -> None:
    run_state_machine_as_test(
        Approvals,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
