"""What the database refuses by itself, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from payments.models import ApprovalRequest, Decision, Dispatch, Payment
from payments.services import preparing, releasing
from payments.states import TRANSITIONS
from tests import make
from tests.make import Cast

D64 = "d" * 64


def run(sql: str, *params: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def behind_the_guards(table: str, sql: str, *params: Any) -> None:
    """What only somebody who owns the database can do: switch the triggers off and write."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_guard")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_is_kept")
        cursor.execute(sql, params)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_guard")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_is_kept")


@pytest.mark.parametrize(
    "assignment",
    [
        "amount = amount * 2",
        "payee_account = '1'",
        "payee_name = 'Mallory'",
        "payee_bank_code = 'X'",
        "currency = 'USD'",
        "execute_on = execute_on + 1",
        "kind = 'TRANSFER', own_account_id = account_id, beneficiary_id = NULL",
        "version = version + 1",
        "digest = repeat('d', 64)",
        "amount = amount * 2, version = version + 1, digest = repeat('d', 64)",
        "amount = amount * 2, version = version + 1, digest = repeat('d', 64), state = 'DRAFT'",
        "state = 'DRAFT'",
        "state = 'SETTLED'",
        "state = 'CANCELLED'",
        "reference = 'P1'",
        "created_by_id = edited_by_id + 1",
    ],
)
@pytest.mark.parametrize("build", [make.submitted_payment, make.approved_payment])
def test_raw_sql_cannot_change_a_payment_behind_its_approvers(
    cast: Cast, assignment: str, build: Callable[..., Payment]
) -> None:
    payment = build(cast)
    with pytest.raises(IntegrityError):
        run(f"UPDATE payments_payment SET {assignment} WHERE id = %s", payment.pk)  # noqa: S608


def test_raw_sql_cannot_approve_or_send(cast: Cast) -> None:
    payment = make.submitted_payment(cast)
    for sql in (
        "UPDATE payments_payment SET state = 'APPROVED' WHERE id = %s",
        "UPDATE payments_payment SET state = 'SENDING' WHERE id = %s",
        "UPDATE payments_approvalrequest SET state = 'COMPLETE' WHERE payment_id = %s",
        "UPDATE payments_approvalrequest SET steps = '[]' WHERE payment_id = %s",
        "UPDATE payments_approvalrequest SET digest = 'x' WHERE payment_id = %s",
        "DELETE FROM payments_approvalrequest WHERE payment_id = %s",
        "DELETE FROM payments_payment WHERE id = %s",
        "UPDATE payments_paymentversion SET made_by_id = made_by_id + 1 WHERE payment_id = %s",
        "DELETE FROM payments_paymentversion WHERE payment_id = %s",
    ):
        with pytest.raises(IntegrityError):
            run(sql, payment.pk)


def test_a_payment_begins_as_a_draft(cast: Cast) -> None:
    payment = make.approved_payment(cast)
    payment.pk, payment.reference = None, "P2"
    with pytest.raises(IntegrityError, match="DRAFT"), transaction.atomic():
        payment.save(force_insert=True)


def test_decisions_are_kept_and_never_one_s_own(cast: Cast, now: datetime) -> None:
    payment = make.approved_payment(cast)
    for sql in (
        "UPDATE payments_decision SET verdict = 'REJECT' WHERE digest = %s",
        "DELETE FROM payments_decision WHERE digest = %s",
    ):
        with pytest.raises(IntegrityError, match="kept for ever"):
            run(sql, payment.digest)
    waiting = make.submitted_payment(cast)
    request = ApprovalRequest.objects.get(payment=waiting)
    for person in (cast.alice, cast.carol):  # the maker; who confirmed the payee
        with pytest.raises(IntegrityError, match="had a hand"), transaction.atomic():
            Decision.objects.create(
                request=request,
                person=person,
                step=1,
                verdict="APPROVE",
                digest=request.digest,
                signature="",
                at=now,
            )
    with pytest.raises(IntegrityError, match="same digest"), transaction.atomic():
        Decision.objects.create(
            request=request, person=cast.bob, step=1, verdict="APPROVE", digest=D64, signature="", at=now
        )


@pytest.mark.parametrize("was", sorted(TRANSITIONS))
def test_the_state_table_of_the_database_is_the_one_of_the_code(cast: Cast, now: datetime, was: str) -> None:
    """Every move that the code's table lists passes, every other one is refused."""
    for to in TRANSITIONS:
        if to == was or "DRAFT" in (was, to) or to == "SUBMITTED" or was == "SUBMITTED":
            continue  # these need requests; the services' tests walk them
        payment = make.approved_payment(cast)
        if to in ("CANCELLED", "REJECTED"):
            ApprovalRequest.objects.filter(payment=payment).update(state="VOID")
        behind_the_guards(
            "payments_payment", "UPDATE payments_payment SET state = %s WHERE id = %s", was, payment.pk
        )
        if to in TRANSITIONS[was]:
            run("UPDATE payments_payment SET state = %s WHERE id = %s", to, payment.pk)
        else:
            with pytest.raises(IntegrityError, match="cannot go"):
                run("UPDATE payments_payment SET state = %s WHERE id = %s", to, payment.pk)


def test_dispatches_are_kept(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE 'payments_%%'",
            [Dispatch._meta.db_table],
        )
        assert cursor.fetchone() == (2,)


def test_a_payee_s_data_change_only_by_two_people(cast: Cast) -> None:
    payee = make.beneficiary(cast)
    for assignment in (
        "account_number = '1'",
        "account_number = '1', version = version + 1, confirmed_by_id = changed_by_id",
        "company_id = company_id + 1",
        "state = 'PENDING'",
    ):
        with pytest.raises(IntegrityError):
            run(f"UPDATE payments_beneficiary SET {assignment} WHERE id = %s", payee.pk)  # noqa: S608
    with pytest.raises(IntegrityError):
        run("DELETE FROM payments_beneficiary WHERE id = %s", payee.pk)


def test_release_finds_what_was_altered_behind_the_guards(cast: Cast) -> None:
    payment = make.approved_payment(cast)
    behind_the_guards("payments_payment", "UPDATE payments_payment SET amount = 9 WHERE id = %s", payment.pk)
    with pytest.raises(releasing.NotReleasableError, match="altered"):
        releasing.verify_release(payment=payment)


def test_release_finds_a_decision_written_by_nobody(cast: Cast) -> None:
    payment = make.approved_payment(cast)
    behind_the_guards("payments_decision", "UPDATE payments_decision SET person_id = %s", cast.bella.pk)
    with pytest.raises(releasing.NotReleasableError, match="signature"):
        releasing.verify_release(payment=payment)


def test_a_frozen_account_holds_back_what_is_approved(cast: Cast) -> None:
    payment = make.approved_payment(cast)
    cast.cny.status = "FROZEN"
    cast.cny.save()
    with pytest.raises(releasing.NotReleasableError, match="Frozen"):
        releasing.verify_release(payment=payment)


def test_drafts_may_be_rewritten_by_the_service_only_as_versions(cast: Cast, now: datetime) -> None:
    payment = make.payment(cast)
    with pytest.raises(IntegrityError, match="new version"):
        run("UPDATE payments_payment SET amount = 5 WHERE id = %s", payment.pk)
    assert preparing.edit_payment(payment=payment, by=cast.alice, at=now, amount=Decimal(5)).version == 2
