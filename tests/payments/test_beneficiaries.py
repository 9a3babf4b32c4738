"""Payees: two people for every change, and what a change does to open payments."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import Group

from payments.models import Beneficiary
from payments.services import beneficiaries, preparing, releasing
from payments.services.beneficiaries import BeneficiaryRefusedError
from payments.services.checking import PaymentRefusedError
from tests import make
from tests.make import Cast
from treasury.models import ProposedChange
from treasury.services import changes
from treasury.services.access import AccessDeniedError


def test_a_payee_is_pending_until_somebody_else_confirms(cast: Cast, now: datetime) -> None:
    row = beneficiaries.propose_beneficiary(
        company=cast.company, name="New", account_number="6222 0000 1", currency="CNY", by=cast.carol, at=now
    )
    assert (row.state, row.account_number) == ("PENDING", "622200001")
    change = ProposedChange.objects.get()
    for person in (cast.carol, cast.alice, cast.erin):
        with pytest.raises((changes.ChangeRefusedError, AccessDeniedError)):
            changes.confirm(change=change, by=person, at=now)
    changes.confirm(change=change, by=cast.bob, at=now)
    row.refresh_from_db()
    assert (row.state, row.confirmed_by, row.version) == ("ACTIVE", cast.bob, 1)


def test_a_refused_payee_is_blocked_and_can_be_proposed_again(cast: Cast, now: datetime) -> None:
    row = beneficiaries.propose_beneficiary(
        company=cast.company, name="New", account_number="62220001", currency="CNY", by=cast.alice, at=now
    )
    changes.reject(change=ProposedChange.objects.get(), by=cast.bob, at=now, reason="Unknown company")
    row.refresh_from_db()
    assert row.state == "BLOCKED"
    again = beneficiaries.propose_change(beneficiary=row, by=cast.alice, at=now, name="Newer")
    changes.confirm(change=again, by=cast.bob, at=now)
    row.refresh_from_db()
    assert (row.state, row.name) == ("ACTIVE", "Newer")


@pytest.mark.parametrize("state", ["DRAFT", "SUBMITTED", "APPROVED"])
def test_an_applied_change_makes_drafts_of_open_payments(cast: Cast, now: datetime, state: str) -> None:
    payee = make.beneficiary(cast)
    build = {
        "DRAFT": make.payment,
        "SUBMITTED": make.submitted_payment,
        "APPROVED": make.approved_payment,
    }[state]
    payment = build(cast, to=payee)
    make.rule_set(cast) if state == "DRAFT" else None
    change = beneficiaries.propose_change(
        beneficiary=payee, by=cast.alice, at=now, account_number="622288888"
    )
    payment.refresh_from_db()
    assert payment.state == state  # a pending change alters nothing
    changes.confirm(change=change, by=cast.carol, at=now)
    payment.refresh_from_db()
    payee.refresh_from_db()
    assert payee.version == 2
    assert (payment.state, payment.payee_account) == ("DRAFT", "6217000000000099")
    assert "changed" in payment.note
    with pytest.raises(PaymentRefusedError, match="save it again"):
        preparing.submit_payment(payment=payment, by=cast.alice, at=now)
    fresh = preparing.edit_payment(payment=payment, by=cast.alice, at=now)
    assert fresh.payee_account == "622288888"
    assert preparing.submit_payment(payment=fresh, by=cast.alice, at=now).state == "SUBMITTED"


def test_blocking_is_one_person_s_act_and_stops_what_was_approved(cast: Cast, now: datetime) -> None:
    payment = make.approved_payment(cast)
    payee = Beneficiary.objects.get()
    beneficiaries.block_beneficiary(beneficiary=payee, reason="Call-back failed", by=cast.bob, at=now)
    payment.refresh_from_db()
    assert payment.state == "DRAFT"
    with pytest.raises(releasing.NotReleasableError):
        releasing.verify_release(payment=payment)
    with pytest.raises(changes.ChangeRefusedError):
        beneficiaries.block_beneficiary(beneficiary=payee, reason="", by=cast.bob, at=now)


def test_a_change_proposed_before_the_blocking_does_not_unblock(cast: Cast, now: datetime) -> None:
    payee = make.beneficiary(cast)
    change = beneficiaries.propose_change(beneficiary=payee, by=cast.alice, at=now, name="Other")
    beneficiaries.block_beneficiary(beneficiary=payee, reason="Call-back failed", by=cast.bob, at=now)
    with pytest.raises(changes.ChangeRefusedError, match="blocked after"):
        changes.confirm(change=change, by=cast.carol, at=now)
    payee.refresh_from_db()
    assert (payee.state, payee.version) == ("BLOCKED", 1)
    changes.reject(change=change, by=cast.carol, at=now, reason="Blocked meanwhile")
    unblock = beneficiaries.propose_change(beneficiary=payee, by=cast.alice, at=now)
    assert unblock.summary == [["State", "Blocked", "Active"]]
    changes.confirm(change=unblock, by=cast.carol, at=now)
    payee.refresh_from_db()
    assert payee.state == "ACTIVE"


def test_a_new_payee_blocked_before_its_confirmation_stays_blocked(cast: Cast, now: datetime) -> None:
    payee = beneficiaries.propose_beneficiary(
        company=cast.company, name="X", account_number="62220009", currency="CNY", by=cast.alice, at=now
    )
    change = ProposedChange.objects.get(kind="payments.beneficiary", object_id=payee.pk)
    beneficiaries.block_beneficiary(beneficiary=payee, reason="Unknown", by=cast.bob, at=now)
    with pytest.raises(changes.ChangeRefusedError, match="blocked after"):
        changes.confirm(change=change, by=cast.carol, at=now)


def test_a_proposal_dies_with_the_right_of_who_made_it(cast: Cast, now: datetime) -> None:
    payee = make.beneficiary(cast)
    change = beneficiaries.propose_change(beneficiary=payee, by=cast.alice, at=now, name="Other")
    cast.alice.groups.clear()
    with pytest.raises(changes.ChangeRefusedError, match="may not propose this any more"):
        changes.confirm(change=change, by=cast.carol, at=now)
    cast.alice.groups.add(Group.objects.get(name="clerk"))
    cast.alice.is_active = False
    cast.alice.save()
    with pytest.raises(changes.ChangeRefusedError, match="may not propose this any more"):
        changes.confirm(change=change, by=cast.carol, at=now)


def test_one_change_at_a_time_and_no_empty_one(cast: Cast, now: datetime) -> None:
    payee = make.beneficiary(cast)
    with pytest.raises(changes.ChangeRefusedError, match="Nothing would change"):
        beneficiaries.propose_change(beneficiary=payee, by=cast.alice, at=now, name=payee.name)
    beneficiaries.propose_change(beneficiary=payee, by=cast.alice, at=now, name="Other")
    with pytest.raises(changes.ChangeRefusedError, match="already waits"):
        beneficiaries.propose_change(beneficiary=payee, by=cast.carol, at=now, name="Another")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "货" * 80}, "name"),
        ({"account_number": "12ab"}, "account_number"),
        ({"bank_code": "102100099997"}, "bank_code"),
        ({"currency": "XXX"}, "currency"),
        ({"country": "China"}, "country"),
        ({"country": "DE", "account_number": "DE00370400440532013000", "name": "X"}, "account_number"),
        ({"country": "US", "account_number": "12345678", "name": "X", "bank_code": ""}, "bank_code"),
    ],
)
def test_bad_payee_data_are_refused_by_field(
    cast: Cast, now: datetime, fields: dict[str, str], field: str
) -> None:
    good = {"name": "好公司", "account_number": "62220009", "currency": "CNY", "bank_code": "102100099996"}
    with pytest.raises(BeneficiaryRefusedError) as refused:
        beneficiaries.propose_beneficiary(company=cast.company, by=cast.alice, at=now, **{**good, **fields})
    assert field in [f.field for f in refused.value.faults]


def test_the_same_account_twice_is_refused(cast: Cast, now: datetime) -> None:
    make.beneficiary(cast, "62220009")
    with pytest.raises(BeneficiaryRefusedError, match="already the beneficiary"):
        beneficiaries.propose_beneficiary(
            company=cast.company, name="X", account_number="62220009", currency="CNY", by=cast.alice, at=now
        )


def test_mallory_can_neither_propose_nor_block(cast: Cast, now: datetime) -> None:
    payee = make.beneficiary(cast)
    with pytest.raises(AccessDeniedError):
        beneficiaries.propose_change(beneficiary=payee, by=cast.mallory, at=now, name="M")
    with pytest.raises(AccessDeniedError):
        beneficiaries.block_beneficiary(beneficiary=payee, by=cast.mallory, at=now, reason="r")
